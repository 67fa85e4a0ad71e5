/* Contents from one depot to another. Several at a time: on a network each waits for answers. */
#include "move/move-private.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "store/audit.h"
#include "store/rows.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 8
/* Names that wait for a thread. */
#define MAX_WAITING 64

typedef struct
{
  VendMove *move;
  VendDepot *from;
  VendDepot *to;
  bool from_disk;
  bool to_disk;
  GThreadPool *pool;
  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t done;
  guint waiting;
  uint64_t n;
  uint64_t bytes;
  uint64_t missing;
  GError *error; /* the first one */
} Files;

/* ---- One content */

/* What a loss of power or another program has left at the place of a content is not believed. */
static bool
is_on_disk (const Files *files, const char *sha256, bool *out, uint64_t *out_size, GError **error)
{
  g_autofree char *path = vend_depot_disk_path (files->move->blobs, sha256);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *actual = NULL;
  struct stat st;
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  *out = false;
  if (fd < 0 && errno == ENOENT)
    return true;
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  if (!vend_sha256_file (path, &actual, error))
    return false;
  *out = strcmp (actual, sha256) == 0;
  *out_size = (uint64_t) st.st_size;
  if (*out ? fsync (fd) < 0 : unlink (path) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, *out ? "sync '%s'" : "remove '%s'",
                            path);
  return vend_dir_sync (folder, error);
}

/* An object is seen as a whole, and its server has compared it with its name. */
static bool
is_in_bucket (const Files *files, const char *sha256, bool *out, uint64_t *out_size, GError **error)
{
  VendDepotStat from = { 0 }, to = { 0 };
  g_autoptr (GError) problem = NULL;
  if (!files->from->ops->stat (files->from, sha256, &from, error))
    return false;
  *out = files->to->ops->stat (files->to, sha256, &to, &problem) && to.size == from.size;
  *out_size = from.size;
  if (problem == NULL || g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

/* Through a file of this machine. */
static bool
fetch_and_put (const Files *files, const char *sha256, uint64_t *out_size, GError **error)
{
  struct stat st = { 0 };
  g_autofree char *path = g_build_filename (files->move->spool, "move-XXXXXX", NULL);
  vend_autofd fd = g_mkstemp_full (path, O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  const bool good = vend_depot_fetch (files->from, sha256, fd, error) && fstat (fd, &st) == 0
                    && files->to->ops->put (files->to, path, sha256, VEND_DEPOT_MOVE, error);
  *out_size = (uint64_t) st.st_size;
  unlink (path);
  return good;
}

static bool
copy_content (const Files *files, const char *sha256, uint64_t *out_size, GError **error)
{
  bool is_done = false;
  if (!(files->to_disk ? is_on_disk (files, sha256, &is_done, out_size, error)
                       : is_in_bucket (files, sha256, &is_done, out_size, error)))
    return false;
  if (is_done)
    return true;
  if (!files->from_disk)
    return fetch_and_put (files, sha256, out_size, error);
  g_autofree char *path = vend_depot_disk_path (files->move->blobs, sha256);
  return files->to->ops->put (files->to, path, sha256, VEND_DEPOT_KEEP, error);
}

static void
copy_one (void *item, void *data)
{
  g_autofree char *sha256 = item;
  Files *files = data;
  g_autoptr (GError) problem = NULL;
  uint64_t size = 0;
  const bool good = copy_content (files, sha256, &size, &problem);
  if (!good)
    g_prefix_error (&problem, "file %s: ", sha256);
  pthread_mutex_lock (&files->lock);
  files->waiting--;
  if (good)
    {
      files->n++;
      files->bytes += size;
    }
  else if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    files->missing++;
  else if (files->error == NULL)
    files->error = g_steal_pointer (&problem);
  pthread_cond_signal (&files->done);
  pthread_mutex_unlock (&files->lock);
}

/* ---- All of them */

/* Until fewer than `most` wait; false after a failure. */
static bool
wait_for (Files *files, guint most)
{
  pthread_mutex_lock (&files->lock);
  while (files->waiting >= most)
    pthread_cond_wait (&files->done, &files->lock);
  const uint64_t n = files->n, bytes = files->bytes;
  const bool good = files->error == NULL;
  pthread_mutex_unlock (&files->lock);
  vend_move_tell (files->move, "copying files", NULL, n, bytes);
  return good;
}

static bool
add_content (const char *sha256, void *data, GError **error)
{
  Files *files = data;
  if (!vend_is_sha256_hex (sha256))
    return true;
  if (!wait_for (files, MAX_WAITING))
    return vend_fail (error, VEND_ERROR_CANCELED, "a file could not be copied");
  pthread_mutex_lock (&files->lock);
  files->waiting++;
  pthread_mutex_unlock (&files->lock);
  return g_thread_pool_push (files->pool, g_strdup (sha256), error);
}

static bool
copy_all (Files *files, GError **error)
{
  g_autoptr (VendDb) db = NULL;
  g_autoptr (GError) problem = NULL;
  const bool good = vend_store_audit_open (files->move->options.store, &db, &problem)
                    && vend_store_audit_begin (db, &problem)
                    && vend_rows_each_content (db, add_content, files, &problem);
  (void) !wait_for (files, 1);
  if (files->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&files->error));
      return false;
    }
  if (!good)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return vend_store_audit_end (db, error);
}

bool
vend_move_files (VendMove *move, uint64_t *out_missing, GError **error)
{
  g_autoptr (VendDepot) disk = vend_depot_disk_new (move->blobs, move->spool, true);
  VendDepot *from = move->options.files, *to = move->options.to_files;
  Files files = { .move = move,
                  .from = from != NULL ? from : disk,
                  .to = to != NULL ? to : disk,
                  .from_disk = from == NULL,
                  .to_disk = to == NULL };
  if (!vend_dir_ensure (move->spool, error))
    return false;
  files.pool = g_thread_pool_new (copy_one, &files, THREADS, FALSE, error);
  if (files.pool == NULL)
    return false;
  pthread_mutex_init (&files.lock, NULL);
  pthread_cond_init (&files.done, NULL);
  const bool good = copy_all (&files, error);
  g_thread_pool_free (files.pool, FALSE, TRUE);
  pthread_mutex_destroy (&files.lock);
  pthread_cond_destroy (&files.done);
  *out_missing = files.missing;
  return good;
}
