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

struct VendBlobs
{
  char *dir;
  char *spool;
  pthread_mutex_t lock;
};

bool
vend_blobs_open (const char *dir, VendBlobs **out, GError **error)
{
  g_autoptr (VendBlobs) blobs = g_new0 (VendBlobs, 1);
  pthread_mutex_init (&blobs->lock, NULL);
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
  pthread_mutex_destroy (&blobs->lock);
  g_free (blobs);
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

bool
vend_blobs_take (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
{
  g_autofree char *target = vend_blobs_path (blobs, sha256);
  g_autofree char *folder = g_path_get_dirname (target);
  struct stat st;
  if (stat (target, &st) == 0)
    {
      /* Young again: what is old and has no row is swept. */
      utimensat (AT_FDCWD, target, NULL, 0);
      unlink (path);
      return true;
    }
  if (!vend_dir_ensure (folder, error) || !sync_file (path, error))
    return false;
  if (rename (path, target) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "move '%s' into the file store",
                            path);
  return vend_dir_sync (folder, error);
}

bool
vend_blobs_copy (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
{
  g_autofree char *target = vend_blobs_path (blobs, sha256);
  g_autofree char *folder = g_path_get_dirname (target);
  if (utimensat (AT_FDCWD, target, NULL, 0) == 0)
    return true;
  if (!vend_dir_ensure (folder, error) || !sync_file (path, error))
    return false;
  if (link (path, target) < 0 && errno != EEXIST)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "copy '%s' into the file store",
                            path);
  return vend_dir_sync (folder, error);
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

void
vend_blobs_lock (VendBlobs *blobs)
{
  pthread_mutex_lock (&blobs->lock);
}

void
vend_blobs_unlock (VendBlobs *blobs)
{
  pthread_mutex_unlock (&blobs->lock);
}

bool
vend_blobs_remove (VendBlobs *blobs, const char *sha256, GError **error)
{
  g_autofree char *path = vend_blobs_path (blobs, sha256);
  if (unlink (path) < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove blob %s", sha256);
  return true;
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
