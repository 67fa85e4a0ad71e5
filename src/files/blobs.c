/* Blobs: immutable bytes on the local disk under their SHA-256, each content once. */
#include "files/blobs.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct VendBlobs
{
  char *dir;
  char *spool;
  pthread_mutex_t lock; /* for adding and removing contents; never held during a sync */
  pthread_mutex_t held_lock;
  pthread_cond_t removed;
  GHashTable *held;     /* SHA-256 → number of holds */
  const char *removing; /* content whose removal is in flight, or NULL */
};

bool
vend_blobs_open (const char *dir, VendBlobs **out, GError **error)
{
  g_autoptr (VendBlobs) blobs = g_new0 (VendBlobs, 1);
  pthread_mutex_init (&blobs->lock, NULL);
  pthread_mutex_init (&blobs->held_lock, NULL);
  pthread_cond_init (&blobs->removed, NULL);
  blobs->held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  blobs->dir = g_strdup (dir);
  blobs->spool = g_build_filename (dir, "spool", NULL);
  if (!vend_tree_remove (blobs->spool, error) || !vend_dir_ensure (blobs->spool, error))
    return false;
  *out = g_steal_pointer (&blobs);
  return true;
}

void
vend_blobs_free (VendBlobs *blobs)
{
  if (blobs == NULL)
    return;
  g_free (blobs->dir);
  g_free (blobs->spool);
  g_hash_table_unref (blobs->held);
  pthread_mutex_destroy (&blobs->lock);
  pthread_mutex_destroy (&blobs->held_lock);
  pthread_cond_destroy (&blobs->removed);
  g_free (blobs);
}

const char *
vend_blobs_dir (const VendBlobs *blobs)
{
  return blobs->dir;
}

const char *
vend_blobs_spool (const VendBlobs *blobs)
{
  return blobs->spool;
}

char *
vend_blobs_path (const VendBlobs *blobs, const char *sha256)
{
  g_assert (vend_is_sha256_hex (sha256));
  char folder[3] = { sha256[0], sha256[1], '\0' };
  return g_build_filename (blobs->dir, folder, sha256, NULL);
}

static bool
sync_file (const char *path, GError **error)
{
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || fsync (fd) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", path);
  return true;
}

/* A new folder is durable before anything in it. */
static bool
ensure_folder (const VendBlobs *blobs, const char *folder, GError **error)
{
  return access (folder, F_OK) == 0
         || (vend_dir_ensure (folder, error) && vend_dir_sync (blobs->dir, error));
}

/* Adds to the holds; returns the number before. With the lock. */
static guint
count_hold (VendBlobs *blobs, const char *sha256, int more)
{
  const guint before = GPOINTER_TO_UINT (g_hash_table_lookup (blobs->held, sha256));
  const guint after = before + (guint) more;
  if (after > 0)
    g_hash_table_insert (blobs->held, g_strdup (sha256), GUINT_TO_POINTER (after));
  else
    g_hash_table_remove (blobs->held, sha256);
  return before;
}

static guint
hold_more (VendBlobs *blobs, const char *sha256, int more)
{
  pthread_mutex_lock (&blobs->held_lock);
  const guint before = count_hold (blobs, sha256, more);
  pthread_mutex_unlock (&blobs->held_lock);
  return before;
}

bool
vend_blobs_hold (VendBlobs *blobs, const char *sha256, GError **error)
{
  g_autofree char *path = vend_blobs_path (blobs, sha256);
  struct stat st;
  pthread_mutex_lock (&blobs->held_lock);
  while (g_strcmp0 (blobs->removing, sha256) == 0)
    pthread_cond_wait (&blobs->removed, &blobs->held_lock);
  (void) count_hold (blobs, sha256, 1);
  pthread_mutex_unlock (&blobs->held_lock);
  if (stat (path, &st) == 0)
    return true;
  const int problem = errno;
  vend_blobs_let_go (blobs, sha256);
  return vend_fail_errno (error, problem == ENOENT ? VEND_ERROR_NOT_FOUND : VEND_ERROR_STORAGE,
                          problem, "hold blob %s", sha256);
}

void
vend_blobs_let_go (VendBlobs *blobs, const char *sha256)
{
  const guint before = hold_more (blobs, sha256, -1);
  g_assert (before > 0);
}

/* Moves or links an incoming file to its final place, on the same disk. */
typedef bool (*Place) (const char *path, const char *target, GError **error);

static bool
move_in (const char *path, const char *target, GError **error)
{
  return rename (path, target) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "move '%s' into the file store",
                             path);
}

static bool
link_in (const char *path, const char *target, GError **error)
{
  return link (path, target) == 0 || errno == EEXIST
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "copy '%s' into the file store",
                             path);
}

/* Held at once, so that the content is not removed before its row comes. */
static bool
place_and_hold (VendBlobs *blobs, Place place, const char *path, const char *target,
                const char *sha256, GError **error)
{
  pthread_mutex_lock (&blobs->lock);
  const bool placed = place (path, target, error);
  if (placed)
    (void) hold_more (blobs, sha256, 1);
  pthread_mutex_unlock (&blobs->lock);
  return placed;
}

/* Never sync with the lock held: a file may be of any size. */
static bool
bring_in (VendBlobs *blobs, Place place, const char *path, const char *sha256, GError **error)
{
  g_autofree char *target = vend_blobs_path (blobs, sha256);
  g_autofree char *folder = g_path_get_dirname (target);
  g_autoptr (GError) problem = NULL;
  if (vend_blobs_hold (blobs, sha256, &problem))
    /* Young again: the sweep removes old blobs without a row. */
    utimensat (AT_FDCWD, target, NULL, 0);
  else if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  else if (!ensure_folder (blobs, folder, error) || !sync_file (path, error)
           || !place_and_hold (blobs, place, path, target, sha256, error))
    return false;
  /* Also for an existing content: the thread that placed it may not have synced the name. */
  if (vend_dir_sync (folder, error))
    return true;
  vend_blobs_let_go (blobs, sha256);
  return false;
}

bool
vend_blobs_take (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
{
  if (!bring_in (blobs, move_in, path, sha256, error))
    return false;
  unlink (path); /* still there when the content was there already */
  return true;
}

static bool
copy_file (const char *path, int to, GError **error)
{
  vend_autofd from = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat st;
  if (from < 0 || fstat (from, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  return vend_fd_copy (from, to, (uint64_t) st.st_size, error);
}

/* For a file on another file system. The lock is not held during the copy. */
static bool
copy_in (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
{
  g_autofree char *near = g_build_filename (blobs->spool, "copy-XXXXXX", NULL);
  vend_autofd to = g_mkstemp_full (near, O_WRONLY | O_CLOEXEC, 0600);
  if (to < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", near);
  if (copy_file (path, to, error) && bring_in (blobs, move_in, near, sha256, error))
    return true;
  g_prefix_error (error, "copy '%s' into the file store: ", path);
  unlink (near);
  return false;
}

/* Two mounts of one file system count as two. */
static bool
is_elsewhere (const VendBlobs *blobs, const char *path)
{
  g_autofree char *name = g_uuid_string_random ();
  g_autofree char *near = g_build_filename (blobs->spool, name, NULL);
  if (link (path, near) < 0)
    return errno == EXDEV;
  unlink (near);
  return false;
}

bool
vend_blobs_copy (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (bring_in (blobs, link_in, path, sha256, &problem))
    return true;
  if (is_elsewhere (blobs, path))
    return copy_in (blobs, path, sha256, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

bool
vend_blobs_open_fd (const VendBlobs *blobs, const char *sha256, int *out_fd, uint64_t *out_size,
                    GError **error)
{
  g_autofree char *path = vend_blobs_path (blobs, sha256);
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat st;
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_fail_errno (error, errno == ENOENT ? VEND_ERROR_NOT_FOUND : VEND_ERROR_STORAGE,
                            errno, "open blob %s", sha256);
  *out_size = (uint64_t) st.st_size;
  *out_fd = vend_fd_steal (&fd);
  return true;
}

/* A caller that wants to hold this content waits until its removal is decided. */
static bool
begin_removal (VendBlobs *blobs, const char *sha256)
{
  pthread_mutex_lock (&blobs->held_lock);
  const bool is_free = count_hold (blobs, sha256, 0) == 0;
  blobs->removing = is_free ? sha256 : NULL;
  pthread_mutex_unlock (&blobs->held_lock);
  return is_free;
}

static void
end_removal (VendBlobs *blobs)
{
  pthread_mutex_lock (&blobs->held_lock);
  blobs->removing = NULL;
  pthread_cond_broadcast (&blobs->removed);
  pthread_mutex_unlock (&blobs->held_lock);
}

bool
vend_blobs_remove_unused (VendBlobs *blobs, const char *sha256, VendBlobsUsed is_used, void *data,
                          GError **error)
{
  g_autofree char *path = vend_blobs_path (blobs, sha256);
  bool failed = false;
  int problem = 0;
  pthread_mutex_lock (&blobs->lock);
  if (begin_removal (blobs, sha256))
    {
      failed = !is_used (sha256, data) && unlink (path) < 0 && errno != ENOENT;
      problem = errno;
      end_removal (blobs);
    }
  pthread_mutex_unlock (&blobs->lock);
  return !failed || vend_fail_errno (error, VEND_ERROR_STORAGE, problem, "remove blob %s", sha256);
}

bool
vend_blobs_each (const VendBlobs *blobs, void (*visit) (const char *sha256, void *data), void *data,
                 GError **error)
{
  g_autoptr (GDir) folders = g_dir_open (blobs->dir, 0, error);
  if (folders == NULL)
    return false;
  for (const char *name; (name = g_dir_read_name (folders)) != NULL;)
    {
      g_autofree char *path = g_build_filename (blobs->dir, name, NULL);
      g_autoptr (GDir) folder = strlen (name) == 2 ? g_dir_open (path, 0, NULL) : NULL;
      for (const char *blob; folder != NULL && (blob = g_dir_read_name (folder)) != NULL;)
        if (vend_is_sha256_hex (blob))
          visit (blob, data);
    }
  return true;
}

/* ---- Several at once */

struct VendBlobHolds
{
  VendBlobs *blobs;
  GPtrArray *contents; /* SHA-256, once for each hold */
};

VendBlobHolds *
vend_blob_holds_new (VendBlobs *blobs)
{
  VendBlobHolds *holds = g_new0 (VendBlobHolds, 1);
  holds->blobs = blobs;
  holds->contents = g_ptr_array_new_with_free_func (g_free);
  return holds;
}

void
vend_blob_holds_free (VendBlobHolds *holds)
{
  if (holds == NULL)
    return;
  for (guint i = 0; i < holds->contents->len; i++)
    vend_blobs_let_go (holds->blobs, g_ptr_array_index (holds->contents, i));
  g_ptr_array_unref (holds->contents);
  g_free (holds);
}

bool
vend_blob_holds_add (VendBlobHolds *holds, const char *sha256, GError **error)
{
  if (!vend_blobs_hold (holds->blobs, sha256, error))
    return false;
  g_ptr_array_add (holds->contents, g_strdup (sha256));
  return true;
}

bool
vend_blob_holds_take (VendBlobHolds *holds, const char *path, const char *sha256, GError **error)
{
  if (!vend_blobs_take (holds->blobs, path, sha256, error))
    return false;
  g_ptr_array_add (holds->contents, g_strdup (sha256));
  return true;
}
