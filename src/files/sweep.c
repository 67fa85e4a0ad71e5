/* The retention sweep: a thread that wakes once a minute, or as often as data expire. Rows go
 * first, then blobs without a row. */
#include "files/sweep.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/log.h"
#include "files/run-data.h"
#include "files/weights.h"
#include "store/idempotency-keys.h"
#include "store/decisions.h"
#include "store/files.h"
#include "store/predictions.h"
#include <unistd.h>

#define LONGEST_INTERVAL_US (60 * VEND_US_PER_S)
#define SHORTEST_INTERVAL_US (1 * VEND_US_PER_S)
#define BATCH 200
/* A blob is on disk before its row, and a blob left without a row by a crash may be needed
 * again. */
#define YOUNG_US (600 * VEND_US_PER_S)
/* Blobs without rows come from crashes only, so a sweep of all blobs is rare. */
#define FULL_SWEEP_INTERVAL_US (3600 * VEND_US_PER_S)
/* Life of an upload that no build has used. */
#define UPLOAD_LIFE_US (24 * 3600 * VEND_US_PER_S)

struct VendSweep
{
  VendSweepOptions options;
  char *uploads_dir;
  GThread *thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  bool closing;
};

/* ---- Rows */

typedef struct
{
  int64_t now_us;
  int64_t retention_us;
  int64_t decision_keep_us;
  int64_t decision_max;
  guint n_removed;
  GPtrArray *contents; /* SHA-256 of blobs that lost a row */
} Batch;

static bool
remove_predictions (VendDb *db, void *data, GError **error)
{
  Batch *batch = data;
  g_autoptr (GPtrArray) ids = NULL;
  if (!vend_store_prediction_expired (db, batch->now_us - batch->retention_us, BATCH, &ids, error))
    return false;
  for (guint i = 0; i < ids->len; i++)
    if (!vend_run_data_remove (db, g_ptr_array_index (ids, i), batch->now_us, batch->contents,
                               error))
      return false;
  batch->n_removed = ids->len;
  return true;
}

static bool
remove_files (VendDb *db, void *data, GError **error)
{
  Batch *batch = data;
  g_autoptr (GPtrArray) files = NULL;
  if (!vend_store_file_expired (db, batch->now_us, BATCH, &files, error))
    return false;
  for (guint i = 0; i < files->len; i++)
    {
      const VendFile *file = g_ptr_array_index (files, i);
      g_ptr_array_add (batch->contents, g_strdup (file->sha256));
      if (!vend_store_file_delete (db, file->id, error))
        return false;
    }
  batch->n_removed = files->len;
  return true;
}

/* ---- Blobs */

static bool
is_young (const VendBlobs *blobs, const char *sha256)
{
  VendDepotStat stat;
  return !vend_blobs_stat (blobs, sha256, &stat, NULL)
         || vend_now_us () - stat.changed_us < YOUNG_US;
}

static bool
is_used (const char *sha256, void *data)
{
  const VendSweep *sweep = data;
  bool used = true;
  g_autoptr (GError) error = NULL;
  {
    g_auto (VendReader) reader = vend_reader (sweep->options.store);
    if (!vend_store_blob_used (reader.db, sha256, &used, &error) || used)
      return true;
  }
  if (is_young (sweep->options.blobs, sha256))
    return true;
  if (vend_weights_forget (sweep->options.blobs, sha256, &error))
    return false;
  vend_log (VEND_LOG_WARN, "cannot remove weights", "error", error->message, NULL);
  return true;
}

static void
remove_if_unused (VendSweep *sweep, const char *sha256)
{
  g_autoptr (GError) error = NULL;
  if (!vend_blobs_remove_unused (sweep->options.blobs, sha256, is_used, sweep, &error))
    vend_log (VEND_LOG_WARN, "cannot remove a blob", "error", error->message, NULL);
}

static bool
is_closing (VendSweep *sweep)
{
  pthread_mutex_lock (&sweep->lock);
  bool closing = sweep->closing;
  pthread_mutex_unlock (&sweep->lock);
  return closing;
}

static void
run_batches (VendSweep *sweep, VendStoreJob job)
{
  guint n_removed = 0;
  do
    {
      g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GError) error = NULL;
      Batch batch = { .now_us = vend_now_us (),
                      .retention_us = sweep->options.retention_us,
                      .decision_keep_us = sweep->options.decision_keep_us,
                      .decision_max = sweep->options.decision_max,
                      .contents = contents };
      if (!vend_store_write_wait (sweep->options.store, job, &batch, &error))
        {
          vend_log (VEND_LOG_WARN, "the retention sweep failed", "error", error->message, NULL);
          return;
        }
      /* Young blobs are left to the full sweep. */
      for (guint i = 0; i < contents->len; i++)
        remove_if_unused (sweep, g_ptr_array_index (contents, i));
      n_removed = batch.n_removed;
    }
  while (n_removed == BATCH && !is_closing (sweep));
}

/* ---- Uploads */

static bool
remove_uploads (VendDb *db, void *data, GError **error)
{
  GPtrArray **out = data;
  g_autoptr (GPtrArray) uploads = NULL;
  if (!vend_store_upload_expired (db, vend_now_us () - UPLOAD_LIFE_US, &uploads, error))
    return false;
  for (guint i = 0; i < uploads->len; i++)
    if (!vend_store_upload_delete (db, ((const VendUpload *) g_ptr_array_index (uploads, i))->id,
                                   error))
      return false;
  g_clear_pointer (out, g_ptr_array_unref);
  *out = g_steal_pointer (&uploads);
  return true;
}

static void
sweep_uploads (VendSweep *sweep)
{
  g_autoptr (GPtrArray) uploads = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_store_write_wait (sweep->options.store, remove_uploads, &uploads, &error))
    {
      vend_log (VEND_LOG_WARN, "cannot remove old uploads", "error", error->message, NULL);
      return;
    }
  for (guint i = 0; i < uploads->len; i++)
    {
      const VendUpload *upload = g_ptr_array_index (uploads, i);
      g_autofree char *path = g_build_filename (sweep->uploads_dir, upload->id, NULL);
      g_autofree char *part = g_strconcat (path, VEND_UPLOAD_PART, NULL);
      unlink (path);
      unlink (part);
    }
}

/* ---- Idempotency keys */

static bool
remove_idempotency_keys (VendDb *db, void *data, GError **error)
{
  Batch *batch = data;
  return vend_store_idempotency_expire (db, batch->now_us - VEND_IDEMPOTENCY_KEY_LIFE_US, BATCH,
                                        &batch->n_removed, error);
}

/* ---- Decisions */

static bool
remove_old_decisions (VendDb *db, void *data, GError **error)
{
  Batch *batch = data;
  return vend_store_decision_expire (db, batch->now_us - batch->decision_keep_us, BATCH,
                                     &batch->n_removed, error);
}

static bool
remove_most_decisions (VendDb *db, void *data, GError **error)
{
  Batch *batch = data;
  return vend_store_decision_trim (db, batch->decision_max, BATCH, &batch->n_removed, error);
}

static void
add_content (const char *sha256, const VendDepotStat *stat, void *data)
{
  if (vend_now_us () - stat->changed_us >= YOUNG_US)
    g_ptr_array_add (data, g_strdup (sha256));
}

static void
sweep_all_blobs (VendSweep *sweep)
{
  g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  if (!vend_blobs_each (sweep->options.blobs, add_content, contents, &error))
    vend_log (VEND_LOG_WARN, "cannot list blobs", "error", error->message, NULL);
  for (guint i = 0; i < contents->len && !is_closing (sweep); i++)
    remove_if_unused (sweep, g_ptr_array_index (contents, i));
}

static void
tidy (VendSweep *sweep)
{
  g_autoptr (GError) error = NULL;
  if (!vend_blobs_tidy (sweep->options.blobs, &error))
    vend_log (VEND_LOG_WARN, "cannot remove broken uploads", "error", error->message, NULL);
}

static int64_t
interval_us (const VendSweep *sweep)
{
  int64_t retention_us = sweep->options.retention_us;
  const int64_t by_rows_us = retention_us > 0
                                 ? CLAMP (retention_us, SHORTEST_INTERVAL_US, LONGEST_INTERVAL_US)
                                 : LONGEST_INTERVAL_US;
  return MIN (by_rows_us, sweep->options.full_interval_us);
}

static void *
sweep_main (void *data)
{
  VendSweep *sweep = data;
  int64_t full_sweep_us = 0;
  while (!is_closing (sweep))
    {
      if (sweep->options.retention_us > 0)
        run_batches (sweep, remove_predictions);
      run_batches (sweep, remove_files);
      run_batches (sweep, remove_idempotency_keys);
      run_batches (sweep, remove_old_decisions);
      run_batches (sweep, remove_most_decisions);
      if (g_get_monotonic_time () >= full_sweep_us)
        {
          sweep_uploads (sweep);
          if (sweep->options.more != NULL)
            sweep->options.more (sweep->options.data);
          sweep_all_blobs (sweep);
          tidy (sweep);
          full_sweep_us = g_get_monotonic_time () + sweep->options.full_interval_us;
        }
      pthread_mutex_lock (&sweep->lock);
      int64_t until_us = g_get_monotonic_time () + interval_us (sweep);
      while (!sweep->closing && vend_cond_wait_until (&sweep->wake, &sweep->lock, until_us))
        ;
      pthread_mutex_unlock (&sweep->lock);
    }
  return NULL;
}

VendSweep *
vend_sweep_start (const VendSweepOptions *options, GError **error)
{
  VendSweep *sweep = g_new0 (VendSweep, 1);
  sweep->options = *options;
  if (sweep->options.full_interval_us == 0)
    sweep->options.full_interval_us = FULL_SWEEP_INTERVAL_US;
  sweep->uploads_dir = g_strdup (options->uploads_dir);
  pthread_mutex_init (&sweep->lock, NULL);
  vend_cond_init (&sweep->wake);
  sweep->thread = g_thread_try_new ("sweep", sweep_main, sweep, error);
  if (sweep->thread == NULL)
    g_clear_pointer (&sweep, vend_sweep_free);
  return sweep;
}

void
vend_sweep_free (VendSweep *sweep)
{
  if (sweep == NULL)
    return;
  pthread_mutex_lock (&sweep->lock);
  sweep->closing = true;
  pthread_cond_signal (&sweep->wake);
  pthread_mutex_unlock (&sweep->lock);
  if (sweep->thread != NULL)
    g_thread_join (sweep->thread);
  pthread_mutex_destroy (&sweep->lock);
  pthread_cond_destroy (&sweep->wake);
  g_free (sweep->uploads_dir);
  g_free (sweep);
}
