/* Blobs on their way. */
#include "registry/uploads.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "registry/reference.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

/* Hashes that wait for their next request; without one the file is read again. */
#define MAX_WAITING 1024
#define CHUNK_BYTES ((gsize) 256 * 1024)

typedef struct
{
  char *id;
  guint turns; /* in use; guarded by the lock of all */
  GList waiting;
  pthread_mutex_t lock; /* guards the rest; never held for long */
  int fd;               /* while there are turns */
  uint64_t size;
  uint64_t hashed; /* bytes that the hashes have seen */
  EVP_MD_CTX *sha256;
  EVP_MD_CTX *sha512; /* or NULL */
  guint64 number;     /* of the turn that may write */
  bool is_over;       /* removed, or being finished by the turn that may write */
} Upload;

struct VendBlobUploads
{
  char *dir;
  pthread_mutex_t lock;
  GHashTable *by_id;
  GQueue waiting; /* Upload without turns, the oldest first */
};

struct VendBlobTurn
{
  VendBlobUploads *uploads;
  Upload *upload;
  guint64 number;
};

static void
upload_free (void *data)
{
  Upload *upload = data;
  vend_fd_clear (&upload->fd);
  EVP_MD_CTX_free (upload->sha256);
  EVP_MD_CTX_free (upload->sha512);
  pthread_mutex_destroy (&upload->lock);
  g_free (upload->id);
  g_free (upload);
}

bool
vend_blob_uploads_open (const char *dir, VendBlobUploads **out, GError **error)
{
  if (!vend_dir_ensure (dir, error))
    return false;
  VendBlobUploads *uploads = g_new0 (VendBlobUploads, 1);
  uploads->dir = g_strdup (dir);
  pthread_mutex_init (&uploads->lock, NULL);
  uploads->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, upload_free);
  *out = uploads;
  return true;
}

void
vend_blob_uploads_free (VendBlobUploads *uploads)
{
  if (uploads == NULL)
    return;
  g_hash_table_unref (uploads->by_id);
  pthread_mutex_destroy (&uploads->lock);
  g_free (uploads->dir);
  g_free (uploads);
}

static char *
path_of (const VendBlobUploads *uploads, const char *id)
{
  return g_build_filename (uploads->dir, id, NULL);
}

uint64_t
vend_blob_uploads_size (VendBlobUploads *uploads, const char *id)
{
  g_autofree char *path = path_of (uploads, id);
  struct stat st;
  return stat (path, &st) == 0 ? (uint64_t) st.st_size : 0;
}

/* ---- Turns */

/* With the lock of all. */
static Upload *
enter (VendBlobUploads *uploads, const char *id)
{
  Upload *upload = g_hash_table_lookup (uploads->by_id, id);
  if (upload == NULL)
    {
      upload = g_new0 (Upload, 1);
      upload->id = g_strdup (id);
      upload->fd = -1;
      upload->waiting.data = upload;
      pthread_mutex_init (&upload->lock, NULL);
      g_hash_table_insert (uploads->by_id, upload->id, upload);
    }
  else if (upload->turns == 0)
    g_queue_unlink (&uploads->waiting, &upload->waiting);
  upload->turns++;
  return upload;
}

static void
leave (VendBlobUploads *uploads, Upload *upload)
{
  pthread_mutex_lock (&uploads->lock);
  if (--upload->turns == 0)
    {
      vend_fd_clear (&upload->fd);
      g_queue_push_tail_link (&uploads->waiting, &upload->waiting);
      const bool is_kept = !upload->is_over && uploads->waiting.length <= MAX_WAITING;
      Upload *goes = upload->is_over ? upload : g_queue_peek_head (&uploads->waiting);
      if (!is_kept)
        {
          g_queue_unlink (&uploads->waiting, &goes->waiting);
          g_hash_table_remove (uploads->by_id, goes->id);
        }
    }
  pthread_mutex_unlock (&uploads->lock);
}

static bool
start_hash (EVP_MD_CTX **context, const EVP_MD *kind, GError **error)
{
  if (*context == NULL)
    *context = EVP_MD_CTX_new ();
  return (*context != NULL && EVP_DigestInit_ex (*context, kind, NULL) == 1)
         || vend_fail (error, VEND_ERROR_INTERNAL, "libcrypto has no %s", EVP_MD_get0_name (kind));
}

/* With the lock of the upload. */
static bool
start_hashes (Upload *upload, bool with_sha512, GError **error)
{
  upload->hashed = 0;
  return start_hash (&upload->sha256, EVP_sha256 (), error)
         && ((!with_sha512 && upload->sha512 == NULL)
             || start_hash (&upload->sha512, EVP_sha512 (), error));
}

static bool
open_file (VendBlobUploads *uploads, Upload *upload, GError **error)
{
  g_autofree char *path = path_of (uploads, upload->id);
  struct stat st;
  if (upload->fd < 0)
    upload->fd = open (path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (upload->fd < 0 || fstat (upload->fd, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open an upload");
  upload->size = (uint64_t) st.st_size;
  return true;
}

/* With the lock of the upload. */
static bool
begin_turn (VendBlobUploads *uploads, Upload *upload, bool with_sha512, GError **error)
{
  if (upload->is_over)
    return vend_fail (error, VEND_ERROR_CONFLICT, "the upload is being finished, or is over");
  if (!open_file (uploads, upload, error))
    return false;
  /* A hash from before a restart is gone, and one of SHA-512 is begun with the first byte or made
   * at the end. */
  const bool is_new
      = upload->sha256 == NULL || upload->hashed == 0 || upload->hashed > upload->size;
  if (is_new && !start_hashes (upload, with_sha512, error))
    return false;
  upload->number++;
  return true;
}

bool
vend_blob_uploads_take (VendBlobUploads *uploads, const char *id, bool with_sha512,
                        VendBlobTurn **out, GError **error)
{
  pthread_mutex_lock (&uploads->lock);
  Upload *upload = enter (uploads, id);
  pthread_mutex_unlock (&uploads->lock);

  pthread_mutex_lock (&upload->lock);
  const bool begun = begin_turn (uploads, upload, with_sha512, error);
  const guint64 number = upload->number;
  pthread_mutex_unlock (&upload->lock);
  if (!begun)
    {
      leave (uploads, upload);
      return false;
    }
  VendBlobTurn *turn = g_new0 (VendBlobTurn, 1);
  *turn = (VendBlobTurn){ uploads, upload, number };
  *out = turn;
  return true;
}

void
vend_blob_turn_free (VendBlobTurn *turn)
{
  if (turn == NULL)
    return;
  leave (turn->uploads, turn->upload);
  g_free (turn);
}

uint64_t
vend_blob_turn_size (VendBlobTurn *turn)
{
  pthread_mutex_lock (&turn->upload->lock);
  const uint64_t size = turn->upload->size;
  pthread_mutex_unlock (&turn->upload->lock);
  return size;
}

/* ---- Writing */

/* With the lock of the upload: what a failed write has left goes; after a full disk all of it. */
static void
take_back (Upload *upload, bool is_full)
{
  if (is_full)
    upload->size = upload->hashed = 0;
  if (ftruncate (upload->fd, (off_t) upload->size) < 0)
    upload->is_over = true;
}

static bool
append (Upload *upload, const char *data, gsize size, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (!vend_fd_write_all (upload->fd, data, size, &problem))
    {
      take_back (upload, g_error_matches (problem, VEND_ERROR, VEND_ERROR_NO_SPACE));
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  if (upload->hashed == upload->size)
    {
      EVP_DigestUpdate (upload->sha256, data, size);
      if (upload->sha512 != NULL)
        EVP_DigestUpdate (upload->sha512, data, size);
      upload->hashed += size;
    }
  upload->size += size;
  return true;
}

/* With the lock of the upload. */
static bool
check_turn (const VendBlobTurn *turn, GError **error)
{
  return (!turn->upload->is_over && turn->upload->number == turn->number)
         || vend_fail (error, VEND_ERROR_CONFLICT, "another request continues or ends the upload");
}

bool
vend_blob_turn_write (VendBlobTurn *turn, const char *data, gsize size, GError **error)
{
  pthread_mutex_lock (&turn->upload->lock);
  const bool written = check_turn (turn, error) && append (turn->upload, data, size, error);
  pthread_mutex_unlock (&turn->upload->lock);
  return written;
}

/* ---- The end */

/* From `at` on, into one hash or two. Nobody else uses the upload now. */
static bool
read_into (Upload *upload, uint64_t at, EVP_MD_CTX *one, EVP_MD_CTX *other, GError **error)
{
  g_autofree char *chunk = g_malloc (CHUNK_BYTES);
  while (at < upload->size)
    {
      const ssize_t n = pread (upload->fd, chunk, CHUNK_BYTES, (off_t) at);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, n < 0 ? errno : EIO, "read an upload");
      EVP_DigestUpdate (one, chunk, (gsize) n);
      if (other != NULL)
        EVP_DigestUpdate (other, chunk, (gsize) n);
      at += (uint64_t) n;
    }
  return true;
}

static char *
hash_text (EVP_MD_CTX *context)
{
  guint8 bytes[EVP_MAX_MD_SIZE];
  guint size = 0;
  EVP_DigestFinal_ex (context, bytes, &size);
  return vend_hex (bytes, size);
}

static bool
complete_hashes (Upload *upload, bool with_sha512, GError **error)
{
  if (!read_into (upload, upload->hashed, upload->sha256, upload->sha512, error))
    return false;
  if (!with_sha512 || upload->sha512 != NULL)
    return true;
  return start_hash (&upload->sha512, EVP_sha512 (), error)
         && read_into (upload, 0, upload->sha512, NULL, error);
}

static bool
check_digest (Upload *upload, const char *digest, char **out_sha256, GError **error)
{
  const bool is_sha512 = vend_digest_is_sha512 (digest);
  if (!complete_hashes (upload, is_sha512, error))
    return false;
  g_autofree char *sha256 = hash_text (upload->sha256);
  g_autofree char *sha512 = is_sha512 ? hash_text (upload->sha512) : NULL;
  const char *actual = is_sha512 ? sha512 : sha256;
  if (strcmp (actual, vend_digest_hex (digest)) != 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the %" G_GUINT64_FORMAT " bytes that came have the digest %s:%s, not %s",
                      upload->size, is_sha512 ? "sha512" : "sha256", actual, digest);
  *out_sha256 = g_steal_pointer (&sha256);
  return true;
}

bool
vend_blob_turn_finish (VendBlobTurn *turn, const char *digest, VendBlobs *blobs, char **out_sha256,
                       uint64_t *out_size, GError **error)
{
  Upload *upload = turn->upload;
  g_autofree char *path = path_of (turn->uploads, upload->id);
  g_autofree char *sha256 = NULL;
  pthread_mutex_lock (&upload->lock);
  const bool is_mine = check_turn (turn, error);
  if (is_mine)
    upload->is_over = true;
  pthread_mutex_unlock (&upload->lock);
  if (!is_mine)
    return false;
  if (!check_digest (upload, digest, &sha256, error)
      || !vend_blobs_take (blobs, path, sha256, error))
    {
      unlink (path);
      return false;
    }
  *out_sha256 = g_steal_pointer (&sha256);
  *out_size = upload->size;
  return true;
}

void
vend_blob_uploads_remove (VendBlobUploads *uploads, const char *id)
{
  g_autofree char *path = path_of (uploads, id);
  pthread_mutex_lock (&uploads->lock);
  Upload *upload = enter (uploads, id);
  pthread_mutex_unlock (&uploads->lock);
  pthread_mutex_lock (&upload->lock);
  /* Whoever is finishing it needs the file. */
  if (!upload->is_over)
    unlink (path);
  upload->is_over = true;
  pthread_mutex_unlock (&upload->lock);
  leave (uploads, upload);
}

bool
vend_blob_uploads_is_active (VendBlobUploads *uploads, const char *id, int64_t since_us)
{
  g_autofree char *path = path_of (uploads, id);
  struct stat st;
  pthread_mutex_lock (&uploads->lock);
  const Upload *upload = g_hash_table_lookup (uploads->by_id, id);
  const bool has_turn = upload != NULL && upload->turns > 0;
  pthread_mutex_unlock (&uploads->lock);
  return has_turn
         || (stat (path, &st) == 0
             && (int64_t) st.st_mtim.tv_sec * VEND_US_PER_S + VEND_US_PER_S > since_us);
}

bool
vend_blob_uploads_list (VendBlobUploads *uploads, GPtrArray **out, GError **error)
{
  g_autoptr (GDir) listing = g_dir_open (uploads->dir, 0, error);
  if (listing == NULL)
    return false;
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    g_ptr_array_add (ids, g_strdup (name));
  *out = g_steal_pointer (&ids);
  return true;
}
