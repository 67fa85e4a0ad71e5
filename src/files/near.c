/* Copies of contents on this machine. */
#include "files/near.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

/* A trim makes more room than is missing, since it looks at the whole folder. */
#define TRIM_PERCENT 90
#define MARK "boot-id"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define MAX_MARK ((gsize) 256)

struct VendNear
{
  VendDepot *disk;
  char *dir;
  char *spool;
  char *mark;
  uint64_t max;
  VendNearRule is_held;
  VendNearRule is_needed;
  void *data;
  gint is_trimming; /* atomic */
  pthread_mutex_t lock;
  pthread_cond_t brought;
  GHashTable *coming; /* set of SHA-256 */
  uint64_t sum;       /* bytes of all copies */
};

/* ---- Copies are not synced, so after a loss of power they may have any bytes. While a server has
 * the folder, the mark names the boot of the machine; a clean stop syncs and removes it. */

static char *
boot_id (void)
{
  char *text = NULL;
  return vend_file_read (BOOT_ID, MAX_MARK, &text, NULL, NULL) ? g_strchomp (text) : g_strdup ("?");
}

/* No instance lives that could have names of them. */
static bool
forget_all (const VendNear *near, GError **error)
{
  static const char *const folders[] = { "weights", "sets" };
  g_autoptr (GDir) listing = g_dir_open (near->dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (near->dir, name, NULL);
      if (strlen (name) == 2 && !vend_tree_remove (path, error))
        return false;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = g_build_filename (near->dir, folders[i], NULL);
      if (!vend_tree_remove (path, error))
        return false;
    }
  return true;
}

static bool
forget_torn (const VendNear *near, GError **error)
{
  g_autofree char *now = boot_id ();
  g_autofree char *then = NULL;
  if (vend_file_read (near->mark, MAX_MARK, &then, NULL, NULL) && strcmp (then, now) != 0)
    {
      vend_log (VEND_LOG_WARN,
                "the machine stopped without a sync: copies of files are fetched again", NULL);
      if (!forget_all (near, error))
        return false;
    }
  return vend_file_replace (near->mark, now, strlen (now), 0600, error);
}

static void
sync_copies (const VendNear *near)
{
  vend_autofd fd = open (near->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && syncfs (fd) == 0)
    unlink (near->mark);
}

static void
add_size (const char *sha256, const VendDepotStat *stat, void *data)
{
  ((VendNear *) data)->sum += stat->size;
}

bool
vend_near_new (const VendNearOptions *options, VendNear **out, GError **error)
{
  g_autoptr (VendNear) near = g_new0 (VendNear, 1);
  pthread_mutex_init (&near->lock, NULL);
  pthread_cond_init (&near->brought, NULL);
  near->coming = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  near->disk = vend_depot_disk_new (options->dir, options->spool, false);
  near->dir = g_strdup (options->dir);
  near->spool = g_strdup (options->spool);
  near->max = options->max;
  near->is_held = options->is_held;
  near->is_needed = options->is_needed;
  near->data = options->data;
  near->mark = g_build_filename (options->dir, MARK, NULL);
  if (!forget_torn (near, error) || !near->disk->ops->each (near->disk, add_size, near, error))
    return false;
  *out = g_steal_pointer (&near);
  return true;
}

void
vend_near_free (VendNear *near)
{
  if (near == NULL)
    return;
  if (near->mark != NULL)
    sync_copies (near);
  vend_depot_free (near->disk);
  g_hash_table_unref (near->coming);
  pthread_mutex_destroy (&near->lock);
  pthread_cond_destroy (&near->brought);
  g_free (near->dir);
  g_free (near->spool);
  g_free (near->mark);
  g_free (near);
}

/* ---- Trimming */

typedef struct
{
  char *sha256;
  VendDepotStat stat;
} Copy;

static void
copy_free (void *data)
{
  Copy *copy = data;
  g_free (copy->sha256);
  g_free (copy);
}

static void
add_copy (const char *sha256, const VendDepotStat *stat, void *data)
{
  Copy *copy = g_new (Copy, 1);
  *copy = (Copy){ g_strdup (sha256), *stat };
  g_ptr_array_add (data, copy);
}

static int
compare_use (const void *a, const void *b)
{
  const Copy *one = *(Copy *const *) a, *other = *(Copy *const *) b;
  return (one->stat.changed_us > other->stat.changed_us)
         - (one->stat.changed_us < other->stat.changed_us);
}

/* One that was used since the look at the folder stays; other names keep the bytes anyway. */
static bool
has_changed (const VendNear *near, const Copy *copy)
{
  g_autofree char *path = vend_depot_disk_path (near->dir, copy->sha256);
  VendDepotStat now;
  struct stat st;
  return stat (path, &st) < 0 || st.st_nlink > 1
         || !near->disk->ops->stat (near->disk, copy->sha256, &now, NULL)
         || now.changed_us != copy->stat.changed_us;
}

/* The rule may read the store, so it is asked without the lock: whoever comes to need the copy
 * meanwhile brings it, which changes it. */
static void
remove_copy (VendNear *near, const Copy *copy)
{
  if (near->is_needed (copy->sha256, near->data))
    return;
  pthread_mutex_lock (&near->lock);
  if (!has_changed (near, copy) && !near->is_held (copy->sha256, near->data)
      && near->disk->ops->remove (near->disk, copy->sha256, NULL))
    near->sum -= MIN (near->sum, copy->stat.size);
  pthread_mutex_unlock (&near->lock);
}

static bool
is_full (VendNear *near, uint64_t most)
{
  pthread_mutex_lock (&near->lock);
  const bool is = near->sum > most;
  pthread_mutex_unlock (&near->lock);
  return is;
}

static void
trim (VendNear *near)
{
  g_autoptr (GPtrArray) copies = g_ptr_array_new_with_free_func (copy_free);
  g_autoptr (GError) error = NULL;
  if (near->max == 0 || !is_full (near, near->max)
      || !g_atomic_int_compare_and_exchange (&near->is_trimming, 0, 1))
    return;
  if (!near->disk->ops->each (near->disk, add_copy, copies, &error))
    vend_log (VEND_LOG_WARN, "cannot trim the cache of files", "error", error->message, NULL);
  g_ptr_array_sort (copies, compare_use);
  const uint64_t goal = near->max / 100 * TRIM_PERCENT;
  for (guint i = 0; i < copies->len && is_full (near, goal); i++)
    remove_copy (near, g_ptr_array_index (copies, i));
  g_atomic_int_set (&near->is_trimming, 0);
}

/* ---- Copies */

bool
vend_near_has (VendNear *near, const char *sha256)
{
  VendDepotStat stat;
  return near->disk->ops->stat (near->disk, sha256, &stat, NULL);
}

bool
vend_near_add (VendNear *near, const char *path, const char *sha256, VendDepotHow how,
               GError **error)
{
  VendDepotStat stat = { 0 };
  const bool is_new = !vend_near_has (near, sha256);
  if (!near->disk->ops->put (near->disk, path, sha256, how, error)
      || !near->disk->ops->stat (near->disk, sha256, &stat, error))
    return false;
  pthread_mutex_lock (&near->lock);
  near->sum += is_new ? stat.size : 0;
  pthread_mutex_unlock (&near->lock);
  trim (near);
  return true;
}

bool
vend_near_remove (VendNear *near, const char *sha256, GError **error)
{
  VendDepotStat stat = { 0 };
  const bool was_there = near->disk->ops->stat (near->disk, sha256, &stat, NULL);
  if (!near->disk->ops->remove (near->disk, sha256, error))
    return false;
  pthread_mutex_lock (&near->lock);
  near->sum -= was_there ? MIN (near->sum, stat.size) : 0;
  pthread_mutex_unlock (&near->lock);
  return true;
}

/* The copy was used now. False: there is none. */
static bool
touch (const VendNear *near, const char *sha256)
{
  g_autofree char *path = vend_depot_disk_path (near->dir, sha256);
  return utimensat (AT_FDCWD, path, NULL, 0) == 0;
}

static bool
fetch (VendNear *near, VendDepot *depot, const char *sha256, GError **error)
{
  g_autofree char *path = g_build_filename (near->spool, "near-XXXXXX", NULL);
  vend_autofd fd = g_mkstemp_full (path, O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  if (vend_depot_fetch (depot, sha256, fd, error)
      && vend_near_add (near, path, sha256, VEND_DEPOT_MOVE, error))
    return true;
  unlink (path);
  return false;
}

bool
vend_near_bring (VendNear *near, VendDepot *depot, const char *sha256, GError **error)
{
  pthread_mutex_lock (&near->lock);
  while (g_hash_table_contains (near->coming, sha256))
    pthread_cond_wait (&near->brought, &near->lock);
  /* With the lock: a trim that is under way may be about to remove it. */
  const bool is_there = touch (near, sha256);
  if (!is_there)
    g_hash_table_add (near->coming, g_strdup (sha256));
  pthread_mutex_unlock (&near->lock);
  if (is_there)
    return true;
  const bool good = fetch (near, depot, sha256, error);
  pthread_mutex_lock (&near->lock);
  g_hash_table_remove (near->coming, sha256);
  pthread_cond_broadcast (&near->brought);
  pthread_mutex_unlock (&near->lock);
  return good;
}
