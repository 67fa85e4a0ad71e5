/* Contents in a folder of this machine. */
#include "files/depot.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK_BYTES ((gsize) 256 * 1024)

typedef struct
{
  VendDepot depot;
  char *dir;
  char *spool;
  bool is_synced;
} DiskDepot;

char *
vend_depot_disk_path (const char *dir, const char *sha256)
{
  g_assert (vend_is_sha256_hex (sha256));
  const char folder[3] = { sha256[0], sha256[1], '\0' };
  return g_build_filename (dir, folder, sha256, NULL);
}

static char *
path_of (const VendDepot *depot, const char *sha256)
{
  return vend_depot_disk_path (((const DiskDepot *) depot)->dir, sha256);
}

static bool
fail_with (GError **error, int problem, const char *what, const char *sha256)
{
  return vend_fail_errno (error, problem == ENOENT ? VEND_ERROR_NOT_FOUND : VEND_ERROR_STORAGE,
                          problem, "%s blob %s", what, sha256);
}

/* ---- Put */

static bool
sync_file (const DiskDepot *disk, const char *path, GError **error)
{
  if (!disk->is_synced)
    return true;
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || fsync (fd) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", path);
  return true;
}

static bool
sync_folder (const DiskDepot *disk, const char *path, GError **error)
{
  return !disk->is_synced || vend_dir_sync (path, error);
}

/* A new folder is durable before anything in it. */
static bool
ensure_folder (const DiskDepot *disk, const char *folder, GError **error)
{
  return access (folder, F_OK) == 0
         || (vend_dir_ensure (folder, error) && sync_folder (disk, disk->dir, error));
}

/* Moves or links an incoming file to its final place, on the same disk. */
static bool
place (const char *path, const char *target, VendDepotHow how, GError **error)
{
  if (how == VEND_DEPOT_MOVE)
    return rename (path, target) == 0
           || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "move '%s' into the file store",
                               path);
  return link (path, target) == 0 || errno == EEXIST
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "copy '%s' into the file store",
                             path);
}

static bool
put_near (const DiskDepot *disk, const char *path, const char *sha256, VendDepotHow how,
          GError **error)
{
  g_autofree char *target = path_of (&disk->depot, sha256);
  g_autofree char *folder = g_path_get_dirname (target);
  if (access (target, F_OK) == 0)
    /* Young again: the sweep removes old blobs without a row. */
    utimensat (AT_FDCWD, target, NULL, 0);
  else if (!ensure_folder (disk, folder, error) || !sync_file (disk, path, error)
           || !place (path, target, how, error))
    return false;
  /* Also for an existing content: the thread that placed it may not have synced the name. */
  return sync_folder (disk, folder, error);
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

/* For a file on another file system. */
static bool
put_far (const DiskDepot *disk, const char *path, const char *sha256, GError **error)
{
  g_autofree char *near = g_build_filename (disk->spool, "copy-XXXXXX", NULL);
  vend_autofd to = g_mkstemp_full (near, O_WRONLY | O_CLOEXEC, 0600);
  if (to < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", near);
  if (copy_file (path, to, error) && put_near (disk, near, sha256, VEND_DEPOT_MOVE, error))
    return true;
  g_prefix_error (error, "copy '%s' into the file store: ", path);
  unlink (near);
  return false;
}

/* Two mounts of one file system count as two. */
static bool
is_elsewhere (const DiskDepot *disk, const char *path)
{
  g_autofree char *name = g_uuid_string_random ();
  g_autofree char *near = g_build_filename (disk->spool, name, NULL);
  if (link (path, near) < 0)
    return errno == EXDEV;
  unlink (near);
  return false;
}

static bool
disk_put (VendDepot *depot, const char *path, const char *sha256, VendDepotHow how, GError **error)
{
  const DiskDepot *disk = (const DiskDepot *) depot;
  g_autoptr (GError) problem = NULL;
  if (put_near (disk, path, sha256, how, &problem))
    return true;
  if (how == VEND_DEPOT_KEEP && is_elsewhere (disk, path))
    return put_far (disk, path, sha256, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

/* ---- The others */

static bool
disk_stat (VendDepot *depot, const char *sha256, VendDepotStat *out, GError **error)
{
  g_autofree char *path = path_of (depot, sha256);
  struct stat st;
  if (stat (path, &st) < 0)
    return fail_with (error, errno, "look at", sha256);
  *out = (VendDepotStat){ (uint64_t) st.st_size,
                          (int64_t) st.st_mtim.tv_sec * VEND_US_PER_S + st.st_mtim.tv_nsec / 1000 };
  return true;
}

static bool
disk_read (VendDepot *depot, const char *sha256, uint64_t start, uint64_t size, VendDepotSink sink,
           void *data, GError **error)
{
  g_autofree char *path = path_of (depot, sha256);
  g_autofree char *chunk = g_malloc (CHUNK_BYTES);
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return fail_with (error, errno, "open", sha256);
  while (size > 0)
    {
      const ssize_t n = pread (fd, chunk, MIN (size, CHUNK_BYTES), (off_t) start);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fail_with (error, errno, "read", sha256);
      if (n == 0)
        break;
      if (!sink (chunk, (gsize) n, data))
        return false;
      start += (uint64_t) n;
      size -= (uint64_t) n;
    }
  return true;
}

static bool
disk_remove (VendDepot *depot, const char *sha256, GError **error)
{
  g_autofree char *path = path_of (depot, sha256);
  return unlink (path) == 0 || errno == ENOENT || fail_with (error, errno, "remove", sha256);
}

static bool
disk_each (VendDepot *depot, VendDepotVisit visit, void *data, GError **error)
{
  const DiskDepot *disk = (const DiskDepot *) depot;
  g_autoptr (GError) problem = NULL;
  g_autoptr (GDir) folders = g_dir_open (disk->dir, 0, &problem);
  if (folders == NULL)
    return g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)
           || vend_fail (error, VEND_ERROR_STORAGE, "%s", problem->message);
  for (const char *name; (name = g_dir_read_name (folders)) != NULL;)
    {
      g_autofree char *path = g_build_filename (disk->dir, name, NULL);
      g_autoptr (GDir) folder = strlen (name) == 2 ? g_dir_open (path, 0, NULL) : NULL;
      for (const char *blob; folder != NULL && (blob = g_dir_read_name (folder)) != NULL;)
        {
          VendDepotStat stat;
          if (vend_is_sha256_hex (blob) && disk_stat (depot, blob, &stat, NULL))
            visit (blob, &stat, data);
        }
    }
  return true;
}

static void
disk_free (VendDepot *depot)
{
  DiskDepot *disk = (DiskDepot *) depot;
  g_free (disk->dir);
  g_free (disk->spool);
  g_free (disk);
}

static const VendDepotOps disk_ops = {
  .put = disk_put,
  .stat = disk_stat,
  .read = disk_read,
  .remove = disk_remove,
  .each = disk_each,
  .free = disk_free,
};

VendDepot *
vend_depot_disk_new (const char *dir, const char *spool, bool is_synced)
{
  DiskDepot *disk = g_new0 (DiskDepot, 1);
  disk->depot.ops = &disk_ops;
  disk->dir = g_strdup (dir);
  disk->spool = g_strdup (spool);
  disk->is_synced = is_synced;
  return &disk->depot;
}
