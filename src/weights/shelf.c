/* The managed weights of this server. `order` makes places and removals take turns: a removal looks
 * for instances by their specs, and whoever is about to write one keeps the set meanwhile.
 * `lock` is held for moments only, also by the core thread. */
#include "weights/shelf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "store/files.h"
#include "store/weight-sets.h"
#include "weights/download.h"
#include "weights/pull.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETS_DIR "sets" /* in the folder of blobs */
#define NEW_PREFIX ".new-"
#define READ_ONLY 0444
/* The kernel takes no more at once, and drops the rest. */
#define READ_AHEAD_PIECE (128 * 1024)
#define BRING_PAUSE_US (1 * VEND_US_PER_S)
#define PART_LIFE_US (7 * 24 * 3600 * VEND_US_PER_S)

struct VendShelf
{
  VendStore *store;
  VendBlobs *blobs;
  VendRunner *runner;
  char *sets_dir;
  char *parts_dir;
  char *endpoint;
  char *token;
  bool is_own_hub;
  char *allow;
  uint64_t max;
  GThreadPool *pool;
  gint stops;            /* atomic */
  pthread_mutex_t order; /* never taken with `lock` held */
  pthread_mutex_t lock;  /* of all below */
  pthread_cond_t fetched;
  GHashTable *kept;     /* digest → number of starts that are under way */
  GHashTable *fetching; /* set of digests */
  GHashTable *wanted;   /* digest → number of fetches that are under way or wait */
  GHashTable *problems; /* digest → why the last fetch failed */
};

typedef enum
{
  JOB_FETCH,
  JOB_READ_AHEAD,
} JobKind;

typedef struct
{
  JobKind kind;
  GPtrArray *sets;
  VendShelfDone done;
  void *data;
} Job;

char *
vend_shelf_path (const VendShelf *shelf, const VendWeightSet *set)
{
  return g_build_filename (shelf->sets_dir, set->digest, NULL);
}

/* ---- In use */

/* Specs of all instances name the folders of their weights. */
static bool
is_in_a_spec (const VendShelf *shelf, const char *digest, bool *out, GError **error)
{
  g_autoptr (GString) specs = NULL;
  if (!vend_runner_read_specs (shelf->runner, &specs, error))
    return false;
  *out = strstr (specs->str, digest) != NULL;
  return true;
}

bool
vend_shelf_is_used (VendShelf *shelf, const char *digest, bool *out, GError **error)
{
  pthread_mutex_lock (&shelf->lock);
  *out = g_hash_table_contains (shelf->kept, digest)
         || g_hash_table_contains (shelf->wanted, digest);
  pthread_mutex_unlock (&shelf->lock);
  return *out || is_in_a_spec (shelf, digest, out, error);
}

bool
vend_shelf_is_fetching (VendShelf *shelf, const char *digest)
{
  pthread_mutex_lock (&shelf->lock);
  const bool is_fetching = g_hash_table_contains (shelf->wanted, digest);
  pthread_mutex_unlock (&shelf->lock);
  return is_fetching;
}

char *
vend_shelf_problem (VendShelf *shelf, const char *digest)
{
  pthread_mutex_lock (&shelf->lock);
  char *problem = g_strdup (g_hash_table_lookup (shelf->problems, digest));
  pthread_mutex_unlock (&shelf->lock);
  return problem;
}

static void
count_more (GHashTable *counts, const char *digest, int more)
{
  const guint n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, digest)) + (guint) more;
  if (n > 0)
    g_hash_table_insert (counts, g_strdup (digest), GUINT_TO_POINTER (n));
  else
    g_hash_table_remove (counts, digest);
}

/* With the lock. */
static void
count_all (GHashTable *counts, const GPtrArray *sets, int more)
{
  for (guint i = 0; i < sets->len; i++)
    count_more (counts, ((const VendWeightSet *) g_ptr_array_index (sets, i))->digest, more);
}

/* ---- Places */

static bool
link_file (const VendShelf *shelf, const char *tree, const VendWeightFile *file, GError **error)
{
  g_autofree char *content = vend_blobs_path (shelf->blobs, file->sha256);
  g_autofree char *path = g_build_filename (tree, file->path, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  if (!vend_dir_ensure (folder, error))
    return false;
  if (chmod (content, READ_ONLY) == 0 && link (content, path) == 0)
    return true;
  const int problem = errno;
  return vend_fail_errno (error, problem == ENOENT ? VEND_ERROR_NOT_FOUND : VEND_ERROR_STORAGE,
                          problem, "link '%s'", path);
}

/* Whole, or not at all. */
static bool
make_tree (const VendShelf *shelf, const VendWeightSet *set, GError **error)
{
  g_autofree char *path = vend_shelf_path (shelf, set);
  g_autofree char *number = g_uuid_string_random ();
  g_autofree char *name = g_strconcat (NEW_PREFIX, number, NULL);
  g_autofree char *tree = g_build_filename (shelf->sets_dir, name, NULL);
  g_autoptr (GError) ignored = NULL;
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return true;
  bool good = vend_dir_ensure (tree, error);
  for (guint i = 0; good && i < set->files->len; i++)
    good = link_file (shelf, tree, g_ptr_array_index (set->files, i), error);
  if (good && rename (tree, path) < 0)
    good = vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "place '%s'", path);
  if (!good && !vend_tree_remove (tree, &ignored))
    vend_log (VEND_LOG_WARN, "cannot remove a folder", "error", ignored->message, NULL);
  return good;
}

typedef struct
{
  const char *digest;
  bool done;
} Change;

static bool
mark_used (VendDb *db, void *data, GError **error)
{
  return vend_store_weight_set_used (db, data, vend_now_us (), error);
}

static void
marked_used (const GError *error, void *data)
{
  g_free (data);
}

static bool
place_one (VendShelf *shelf, const VendWeightSet *set, GError **error)
{
  bool is_present = false;
  {
    g_auto (VendReader) reader = vend_reader (shelf->store);
    if (!vend_store_weight_set_is_present (reader.db, set->digest, &is_present, error))
      return false;
  }
  if (!is_present)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "weights '%s': the files of %s are not here",
                      set->name, set->source);
  return make_tree (shelf, set, error);
}

bool
vend_shelf_place (VendShelf *shelf, const GPtrArray *sets, GError **error)
{
  bool good = true;
  pthread_mutex_lock (&shelf->order);
  for (guint i = 0; good && i < sets->len; i++)
    good = place_one (shelf, g_ptr_array_index (sets, i), error);
  pthread_mutex_lock (&shelf->lock);
  if (good)
    count_all (shelf->kept, sets, 1);
  pthread_mutex_unlock (&shelf->lock);
  pthread_mutex_unlock (&shelf->order);
  for (guint i = 0; good && i < sets->len; i++)
    vend_store_write (shelf->store, mark_used, marked_used,
                      g_strdup (((const VendWeightSet *) g_ptr_array_index (sets, i))->digest));
  return good;
}

void
vend_shelf_let_go (VendShelf *shelf, const GPtrArray *sets)
{
  pthread_mutex_lock (&shelf->lock);
  count_all (shelf->kept, sets, -1);
  pthread_mutex_unlock (&shelf->lock);
}

/* ---- Removal */

static bool
mark_absent (VendDb *db, void *data, GError **error)
{
  Change *change = data;
  return vend_store_weight_set_absent (db, change->digest, &change->done, error);
}

static bool
remove_tree (const VendShelf *shelf, const char *digest, GError **error)
{
  g_autofree char *path = g_build_filename (shelf->sets_dir, digest, NULL);
  return vend_tree_remove (path, error);
}

/* Rows first: after a kill the sweep does the rest. With `order`. */
static bool
remove_in_order (VendShelf *shelf, const VendWeightSet *set, GError **error)
{
  Change change = { .digest = set->digest };
  bool is_used = false;
  if (!vend_shelf_is_used (shelf, set->digest, &is_used, error))
    return false;
  if (is_used)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "the weights from %s are in use by an instance; try again when it has "
                      "stopped",
                      set->source);
  if (!vend_store_write_wait (shelf->store, mark_absent, &change, error))
    return false;
  if (!change.done)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "the weights from %s are pinned, cannot be fetched again, or are not here",
                      set->source);
  return remove_tree (shelf, set->digest, error);
}

static bool
is_blob_used (const char *sha256, void *data)
{
  const VendShelf *shelf = data;
  bool used = true;
  g_autoptr (GError) ignored = NULL;
  g_auto (VendReader) reader = vend_reader (shelf->store);
  return !vend_store_blob_used (reader.db, sha256, &used, &ignored) || used;
}

bool
vend_shelf_remove (VendShelf *shelf, const VendWeightSet *set, GError **error)
{
  pthread_mutex_lock (&shelf->order);
  const bool good = remove_in_order (shelf, set, error);
  pthread_mutex_unlock (&shelf->order);
  for (guint i = 0; good && i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      g_autoptr (GError) problem = NULL;
      if (!vend_blobs_remove_unused (shelf->blobs, file->sha256, is_blob_used, shelf, &problem))
        vend_log (VEND_LOG_WARN, "cannot remove a blob", "error", problem->message, NULL);
    }
  return good;
}

static bool
list_sets (const VendShelf *shelf, GPtrArray **out, GError **error)
{
  g_auto (VendReader) reader = vend_reader (shelf->store);
  return vend_store_weight_sets_all (reader.db, out, error);
}

void
vend_shelf_trim (VendShelf *shelf)
{
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (GError) error = NULL;
  uint64_t sum = 0;
  if (shelf->max == 0)
    return;
  if (!list_sets (shelf, &all, &error))
    {
      vend_log (VEND_LOG_WARN, "cannot list weights", "error", error->message, NULL);
      return;
    }
  for (guint i = 0; i < all->len; i++)
    {
      const VendStoredWeights *stored = g_ptr_array_index (all, i);
      sum += stored->is_present ? (uint64_t) stored->set->size : 0;
    }
  for (guint i = 0; i < all->len && sum > shelf->max; i++)
    {
      const VendStoredWeights *stored = g_ptr_array_index (all, i);
      g_autoptr (GError) ignored = NULL;
      if (!stored->is_present || stored->is_pinned || !stored->set->can_fetch
          || !vend_shelf_remove (shelf, stored->set, &ignored))
        continue;
      g_autofree char *size = g_strdup_printf ("%" G_GINT64_FORMAT, stored->set->size);
      sum -= (uint64_t) stored->set->size;
      vend_log (VEND_LOG_INFO, "removed weights to stay within weights-max", "digest",
                stored->set->digest, "bytes", size, NULL);
    }
}

static void
sweep_tree (VendShelf *shelf, const char *digest)
{
  bool keep = true;
  g_autoptr (GError) error = NULL;
  bool good;
  pthread_mutex_lock (&shelf->order);
  {
    g_auto (VendReader) reader = vend_reader (shelf->store);
    good = vend_store_weight_set_is_present (reader.db, digest, &keep, &error);
  }
  if (good && !keep)
    good = vend_shelf_is_used (shelf, digest, &keep, &error);
  if (good && !keep)
    good = remove_tree (shelf, digest, &error);
  pthread_mutex_unlock (&shelf->order);
  if (!good)
    vend_log (VEND_LOG_WARN, "cannot remove weights", "error", error->message, NULL);
}

void
vend_shelf_sweep (VendShelf *shelf)
{
  g_autoptr (GDir) listing = g_dir_open (shelf->sets_dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    if (!g_str_has_prefix (name, NEW_PREFIX))
      sweep_tree (shelf, name);
  vend_downloads_sweep (shelf->parts_dir, PART_LIFE_US);
  vend_shelf_trim (shelf);
}

/* ---- Fetching again */

static bool
mark_present (VendDb *db, void *data, GError **error)
{
  return vend_store_weight_set_present (db, ((const Change *) data)->digest, vend_now_us (), error);
}

static bool
bring_in (const VendShelf *shelf, const VendWeightSet *set, const char *dir, GError **error)
{
  Change change = { .digest = set->digest };
  g_autoptr (VendBlobHolds) holds = vend_blob_holds_new (shelf->blobs);
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      g_autofree char *path = g_build_filename (dir, file->sha256, NULL);
      g_autoptr (GError) problem = NULL;
      if (vend_blob_holds_add (holds, file->sha256, &problem))
        continue;
      if (!vend_blob_holds_take (holds, path, file->sha256, error))
        return false;
    }
  return vend_store_write_wait (shelf->store, mark_present, &change, error);
}

static void
say_to_log (const char *line, void *data)
{
  vend_log (VEND_LOG_INFO, "fetching weights", "progress", line, NULL);
}

static bool
fetch_files (const VendShelf *shelf, const VendWeightSet *set, GError **error)
{
  g_autofree char *number = g_uuid_string_random ();
  g_autofree char *name = g_strconcat ("fetch-", number, NULL);
  g_autofree char *dir = g_build_filename (shelf->parts_dir, name, NULL);
  g_autoptr (GError) ignored = NULL;
  const VendPull pull = { .blobs_dir = vend_blobs_dir (shelf->blobs),
                          .to_dir = dir,
                          .hub = { shelf->endpoint, shelf->token, shelf->is_own_hub },
                          .allow = shelf->allow,
                          .say = say_to_log,
                          .stops = &shelf->stops };
  vend_log (VEND_LOG_INFO, "fetching weights", "source", set->source, NULL);
  const bool good = vend_pull_again (&pull, set, error) && bring_in (shelf, set, dir, error);
  if (!vend_tree_remove (dir, &ignored))
    vend_log (VEND_LOG_WARN, "cannot remove a folder", "error", ignored->message, NULL);
  return good;
}

/* Another one who fetches it is waited for. */
static void
begin_fetch (VendShelf *shelf, const char *digest)
{
  pthread_mutex_lock (&shelf->lock);
  while (g_hash_table_contains (shelf->fetching, digest))
    pthread_cond_wait (&shelf->fetched, &shelf->lock);
  g_hash_table_add (shelf->fetching, g_strdup (digest));
  pthread_mutex_unlock (&shelf->lock);
}

/* `error` may be NULL. */
static void
end_fetch (VendShelf *shelf, const char *digest, const GError *error)
{
  pthread_mutex_lock (&shelf->lock);
  if (error != NULL)
    g_hash_table_insert (shelf->problems, g_strdup (digest), g_strdup (error->message));
  g_hash_table_remove (shelf->fetching, digest);
  pthread_cond_broadcast (&shelf->fetched);
  pthread_mutex_unlock (&shelf->lock);
}

/* Somebody may have removed files by hand. */
static bool
is_whole (const VendShelf *shelf, const VendWeightSet *set)
{
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      g_autofree char *path = vend_blobs_path (shelf->blobs, file->sha256);
      if (access (path, F_OK) < 0)
        return false;
    }
  return true;
}

/* Waits while the file store does not answer: the start that needs the weights does, too. */
static bool
bring (VendShelf *shelf, VendBlobHolds *holds, const char *sha256, GError **error)
{
  for (;;)
    {
      g_autoptr (GError) problem = NULL;
      if (vend_blob_holds_bring (holds, sha256, &problem))
        return true;
      if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_BUSY)
          || g_atomic_int_get (&shelf->stops) != 0)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      g_usleep (BRING_PAUSE_US);
    }
}

/* To the folder of the set, whose names keep the copies here. */
static bool
bring_all (VendShelf *shelf, const VendWeightSet *set, GError **error)
{
  g_autoptr (VendBlobHolds) holds = vend_blob_holds_new (shelf->blobs);
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      if (!bring (shelf, holds, file->sha256, error))
        return false;
    }
  pthread_mutex_lock (&shelf->order);
  const bool good = make_tree (shelf, set, error);
  pthread_mutex_unlock (&shelf->order);
  return good;
}

static bool
fetch_one (VendShelf *shelf, const VendWeightSet *set, GError **error)
{
  bool is_present = false;
  {
    g_auto (VendReader) reader = vend_reader (shelf->store);
    if (!vend_store_weight_set_is_present (reader.db, set->digest, &is_present, error))
      return false;
  }
  if (is_present && vend_blobs_is_remote (shelf->blobs))
    return bring_all (shelf, set, error);
  return (is_present && is_whole (shelf, set)) || fetch_files (shelf, set, error);
}

static bool
fetch_all (VendShelf *shelf, const GPtrArray *sets, GError **error)
{
  for (guint i = 0; i < sets->len; i++)
    {
      const VendWeightSet *set = g_ptr_array_index (sets, i);
      if (g_atomic_int_get (&shelf->stops) != 0)
        return vend_fail (error, VEND_ERROR_CANCELED, "the server stops");
      g_autoptr (GError) problem = NULL;
      begin_fetch (shelf, set->digest);
      const bool good = fetch_one (shelf, set, &problem);
      end_fetch (shelf, set->digest, problem);
      if (!good)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
    }
  vend_shelf_trim (shelf);
  return true;
}

/* ---- Reading ahead */

static void
read_ahead (const VendShelf *shelf, const GPtrArray *sets)
{
  for (guint i = 0; i < sets->len; i++)
    {
      const VendWeightSet *set = g_ptr_array_index (sets, i);
      for (guint n = 0; n < set->files->len; n++)
        {
          const VendWeightFile *file = g_ptr_array_index (set->files, n);
          g_autofree char *path = vend_blobs_path (shelf->blobs, file->sha256);
          vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
          for (int64_t at = 0; fd >= 0 && at < file->size; at += READ_AHEAD_PIECE)
            posix_fadvise (fd, at, READ_AHEAD_PIECE, POSIX_FADV_WILLNEED);
        }
    }
}

/* ---- Threads */

static void
run_job (void *data, void *user_data)
{
  g_autofree Job *job = data;
  g_autoptr (GPtrArray) sets = job->sets;
  VendShelf *shelf = user_data;
  g_autoptr (GError) error = NULL;
  if (job->kind == JOB_READ_AHEAD)
    {
      read_ahead (shelf, sets);
      return;
    }
  if (!fetch_all (shelf, sets, &error))
    vend_log (VEND_LOG_WARN, "cannot fetch weights", "error", error->message, NULL);
  pthread_mutex_lock (&shelf->lock);
  count_all (shelf->wanted, sets, -1);
  pthread_mutex_unlock (&shelf->lock);
  job->done (error, job->data);
}

/* After the end of the pool it ends at once. */
static void
push_job (VendShelf *shelf, Job job)
{
  Job *own = g_memdup2 (&job, sizeof job);
  if (shelf->pool != NULL)
    g_thread_pool_push (shelf->pool, own, NULL);
  else
    run_job (own, shelf);
}

void
vend_shelf_fetch (VendShelf *shelf, GPtrArray *sets, VendShelfDone done, void *data)
{
  pthread_mutex_lock (&shelf->lock);
  count_all (shelf->wanted, sets, 1);
  for (guint i = 0; i < sets->len; i++)
    g_hash_table_remove (shelf->problems,
                         ((const VendWeightSet *) g_ptr_array_index (sets, i))->digest);
  pthread_mutex_unlock (&shelf->lock);
  push_job (shelf, (Job){ JOB_FETCH, sets, done, data });
}

void
vend_shelf_read_ahead (VendShelf *shelf, GPtrArray *sets)
{
  push_job (shelf, (Job){ JOB_READ_AHEAD, sets, NULL, NULL });
}

/* ---- Life */

/* Nothing is on its way: parts of downloads stay, to go on from. */
static bool
clear_left (const VendShelf *shelf, GError **error)
{
  const char *const dirs[] = { shelf->parts_dir, shelf->sets_dir };
  for (gsize d = 0; d < G_N_ELEMENTS (dirs); d++)
    {
      g_autoptr (GDir) listing = g_dir_open (dirs[d], 0, NULL);
      for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
        {
          g_autofree char *path = g_build_filename (dirs[d], name, NULL);
          const bool is_left = d == 0 ? !g_str_has_suffix (name, VEND_DOWNLOAD_PART)
                                      : g_str_has_prefix (name, NEW_PREFIX);
          if (is_left && !vend_tree_remove (path, error))
            return false;
        }
    }
  return true;
}

bool
vend_shelf_new (const VendShelfOptions *options, VendShelf **out, GError **error)
{
  g_autoptr (VendShelf) shelf = g_new0 (VendShelf, 1);
  const char *blobs_dir = vend_blobs_dir (options->blobs);
  g_autoptr (GError) problem = NULL;
  pthread_mutex_init (&shelf->order, NULL);
  pthread_mutex_init (&shelf->lock, NULL);
  pthread_cond_init (&shelf->fetched, NULL);
  shelf->store = options->store;
  shelf->blobs = options->blobs;
  shelf->runner = options->runner;
  shelf->sets_dir = g_build_filename (blobs_dir, SETS_DIR, NULL);
  shelf->parts_dir = g_build_filename (blobs_dir, VEND_PARTS_DIR, NULL);
  shelf->endpoint = g_strdup (options->hub.endpoint);
  shelf->token = g_strdup (options->hub.token);
  shelf->is_own_hub = options->hub.is_own;
  shelf->allow = g_strdup (options->allow);
  shelf->max = options->max;
  shelf->kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  shelf->fetching = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  shelf->wanted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  shelf->problems = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!vend_dir_ensure (shelf->sets_dir, error) || !vend_dir_ensure (shelf->parts_dir, error)
      || !clear_left (shelf, error))
    return false;
  shelf->pool = g_thread_pool_new (run_job, shelf, VEND_SHELF_THREADS, TRUE, &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  *out = g_steal_pointer (&shelf);
  return true;
}

void
vend_shelf_close (VendShelf *shelf)
{
  g_atomic_int_set (&shelf->stops, 1);
}

void
vend_shelf_finish (VendShelf *shelf)
{
  vend_shelf_close (shelf);
  if (shelf->pool != NULL)
    g_thread_pool_free (g_steal_pointer (&shelf->pool), FALSE, TRUE);
}

void
vend_shelf_free (VendShelf *shelf)
{
  if (shelf == NULL)
    return;
  vend_shelf_finish (shelf);
  g_hash_table_unref (shelf->kept);
  g_hash_table_unref (shelf->fetching);
  g_hash_table_unref (shelf->wanted);
  g_hash_table_unref (shelf->problems);
  pthread_mutex_destroy (&shelf->order);
  pthread_mutex_destroy (&shelf->lock);
  pthread_cond_destroy (&shelf->fetched);
  g_free (shelf->sets_dir);
  g_free (shelf->parts_dir);
  g_free (shelf->endpoint);
  g_free (shelf->token);
  g_free (shelf->allow);
  g_free (shelf);
}
