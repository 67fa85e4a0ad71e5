/* Folders that an agent keeps. A marker beside each says that it is whole, and when it was used. */
#include "machines/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "base/move-scripts.h"
#include "base/tree-bytes.h"
#include "machines/transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_MARK ((gsize) 64 * 1024)

struct VendNodeCache
{
  char *data_dir;
  char *marks_dir; /* a file for each folder: its path, below data_dir */
  char *new_dir;   /* on their way */
  uint64_t max;
  pthread_mutex_t lock; /* one thread at a time */
};

static bool
is_good_path (const char *tree)
{
  g_auto (GStrv) parts = g_strsplit (tree, "/", -1);
  for (char **part = parts; *part != NULL; part++)
    if (**part == '\0' || **part == '.')
      return false;
  return parts[0] != NULL && parts[1] != NULL;
}

static char *
mark_of (const VendNodeCache *cache, const char *tree)
{
  g_autofree char *name = g_strdelimit (g_strdup (tree), "/", '+');
  return g_build_filename (cache->marks_dir, name, NULL);
}

static bool
touch (const char *mark)
{
  vend_autofd fd = open (mark, O_RDWR | O_CLOEXEC);
  return fd >= 0 && futimens (fd, NULL) == 0;
}

/* ---- Environments: their scripts name the Python of the machine where they were made */

/* The interpreter itself is the machine's. */
static bool
check_python (const char *dir, GError **error)
{
  g_autofree char *python = g_build_filename (dir, "bin", "python", NULL);
  g_autofree char *target = g_file_read_link (python, NULL);
  return target == NULL || g_file_test (python, G_FILE_TEST_IS_EXECUTABLE)
         || vend_fail (error, VEND_ERROR_RUNNER,
                       "the environment needs %s, which this machine does not have", target);
}

static bool
settle_environment (const VendNodeCache *cache, const char *tree, const char *dir, const char *root,
                    GError **error)
{
  g_autofree char *from = g_build_filename (root, tree, NULL);
  g_autofree char *to = g_build_filename (cache->data_dir, tree, NULL);
  g_autofree char *bin = g_build_filename (dir, "bin", NULL);
  return !g_str_has_prefix (tree, "venvs/")
         || (check_python (dir, error) && vend_scripts_move (bin, from, to, error));
}

/* ---- Bringing */

static bool
put_in_place (const VendNodeCache *cache, const char *tree, const char *new_dir, GError **error)
{
  g_autofree char *path = g_build_filename (cache->data_dir, tree, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *mark = mark_of (cache, tree);
  if (!vend_dir_ensure (parent, error) || !vend_tree_remove (path, error))
    return false;
  if (rename (new_dir, path) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "place '%s'", path);
  return vend_dir_sync (parent, error)
         && vend_file_replace (mark, tree, strlen (tree), 0600, error);
}

static bool
fetch (const VendNodeCache *cache, const VendDialer *dialer, const char *tree, GError **error)
{
  g_autofree char *id = vend_id_new ();
  g_autofree char *new_dir = g_build_filename (cache->new_dir, id, NULL);
  g_autofree char *root = NULL;
  g_autoptr (GError) ignored = NULL;
  vend_log (VEND_LOG_INFO, "fetching what an instance needs", "folder", tree, NULL);
  const bool good = vend_transfer_fetch_tree (dialer, tree, new_dir, &root, error)
                    && settle_environment (cache, tree, new_dir, root, error)
                    && put_in_place (cache, tree, new_dir, error);
  if (!good && !vend_tree_remove (new_dir, &ignored))
    vend_log (VEND_LOG_WARN, "cannot remove a part of a folder", "error", ignored->message, NULL);
  return good;
}

bool
vend_node_cache_bring (VendNodeCache *cache, const VendDialer *dialer, const char *tree,
                       GError **error)
{
  if (!is_good_path (tree))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' is no folder of a data directory", tree);
  g_autofree char *mark = mark_of (cache, tree);
  pthread_mutex_lock (&cache->lock);
  const bool good = touch (mark) || fetch (cache, dialer, tree, error);
  pthread_mutex_unlock (&cache->lock);
  return good;
}

/* ---- Trimming */

typedef struct
{
  char *tree;
  char *mark;
  int64_t used_s;
  uint64_t bytes;
} Kept;

static void
kept_free (void *data)
{
  Kept *kept = data;
  g_free (kept->tree);
  g_free (kept->mark);
  g_free (kept);
}

static int
by_use (const void *a, const void *b)
{
  const Kept *x = *(Kept *const *) a, *y = *(Kept *const *) b;
  return x->used_s < y->used_s ? -1 : x->used_s > y->used_s;
}

static GPtrArray *
list_kept (const VendNodeCache *cache)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (kept_free);
  g_autoptr (GDir) listing = g_dir_open (cache->marks_dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *mark = g_build_filename (cache->marks_dir, name, NULL);
      g_autofree char *tree = NULL;
      struct stat st;
      if (stat (mark, &st) < 0 || !vend_file_read (mark, MAX_MARK, &tree, NULL, NULL)
          || !is_good_path (tree))
        continue;
      g_autofree char *path = g_build_filename (cache->data_dir, tree, NULL);
      const char *const folders[] = { path, NULL };
      Kept *kept = g_new0 (Kept, 1);
      *kept = (Kept){ .used_s = (int64_t) st.st_mtim.tv_sec,
                      .bytes = vend_tree_bytes (folders, G_MAXUINT64, NULL) };
      kept->tree = g_steal_pointer (&tree);
      kept->mark = g_steal_pointer (&mark);
      g_ptr_array_add (all, kept);
    }
  g_ptr_array_sort (all, by_use);
  return all;
}

/* The mark first: a part of a folder does not count. */
static void
remove_kept (const VendNodeCache *cache, const Kept *kept)
{
  g_autofree char *path = g_build_filename (cache->data_dir, kept->tree, NULL);
  g_autoptr (GError) error = NULL;
  vend_log (VEND_LOG_INFO, "removing an unused folder", "folder", kept->tree, NULL);
  if ((unlink (kept->mark) < 0 && errno != ENOENT) || !vend_tree_remove (path, &error))
    vend_log (VEND_LOG_WARN, "cannot remove an unused folder", "folder", path, NULL);
}

void
vend_node_cache_trim (VendNodeCache *cache, const char *specs)
{
  if (cache->max == 0)
    return;
  pthread_mutex_lock (&cache->lock);
  g_autoptr (GPtrArray) all = list_kept (cache);
  uint64_t sum = 0;
  for (guint i = 0; i < all->len; i++)
    sum += ((const Kept *) g_ptr_array_index (all, i))->bytes;
  for (guint i = 0; sum > cache->max && i < all->len; i++)
    {
      const Kept *kept = g_ptr_array_index (all, i);
      if (strstr (specs, kept->tree) != NULL)
        continue;
      remove_kept (cache, kept);
      sum -= kept->bytes;
    }
  pthread_mutex_unlock (&cache->lock);
}

/* ---- Life */

bool
vend_node_cache_open (const char *data_dir, uint64_t max, VendNodeCache **out, GError **error)
{
  g_autofree char *marks_dir = g_build_filename (data_dir, "cache", NULL);
  g_autofree char *new_dir = g_build_filename (data_dir, "incoming", NULL);
  if (!vend_tree_remove (new_dir, error) || !vend_dir_ensure (new_dir, error)
      || !vend_dir_ensure (marks_dir, error))
    return false;
  VendNodeCache *cache = g_new0 (VendNodeCache, 1);
  cache->data_dir = g_strdup (data_dir);
  cache->marks_dir = g_steal_pointer (&marks_dir);
  cache->new_dir = g_steal_pointer (&new_dir);
  cache->max = max;
  pthread_mutex_init (&cache->lock, NULL);
  *out = cache;
  return true;
}

void
vend_node_cache_free (VendNodeCache *cache)
{
  if (cache == NULL)
    return;
  pthread_mutex_destroy (&cache->lock);
  g_free (cache->data_dir);
  g_free (cache->marks_dir);
  g_free (cache->new_dir);
  g_free (cache);
}
