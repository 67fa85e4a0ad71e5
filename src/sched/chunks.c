/* What an iterator yields while it runs. Text is shown at once. Files go to the file store first,
 * and whatever comes behind them waits for that, so that the order stays. Core thread.
 *
 * A file's URL is shown after its row is on disk. The result names it again: then, as after a
 * crash, the same path gives the same token, so nothing is kept twice. */
#include "base/log.h"
#include "sched/core-private.h"
#include "store/files.h"

/* A batch on its way. The prediction may end meanwhile, and then has all files in its output. */
typedef struct
{
  VendSched *sched;
  char *prediction;
  int attempt;
  json_t *output;
  Outputs *outputs;
} Batch;

static void take_waiting (Live *live);

static void
batch_free (Batch *batch)
{
  g_free (batch->prediction);
  json_decref (batch->output);
  vend_outputs_free (batch->outputs);
  g_free (batch);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Batch, batch_free)

static void
show (Live *live, json_t *chunk)
{
  if (live->chunks == NULL)
    live->chunks = json_array ();
  json_array_append (live->chunks, chunk);
  live->is_viewed = false;
  vend_live_feed_chunk (live, chunk);
  vend_hooks_changed (live, VEND_WEBHOOK_OUTPUT);
}

static Live *
live_of (const Batch *batch)
{
  Live *live = g_hash_table_lookup (batch->sched->live, batch->prediction);
  return live != NULL && live->completion == NULL && live->p->attempt == batch->attempt ? live
                                                                                        : NULL;
}

static bool
store_rows (VendDb *db, void *data, GError **error)
{
  const Batch *batch = data;
  const GPtrArray *rows = batch->outputs->rows;
  for (guint i = 0; i < rows->len; i++)
    if (!vend_store_output_insert_early (db, g_ptr_array_index (rows, i), error))
      return false;
  return true;
}

static void
rows_stored (const GError *error, void *data)
{
  g_autoptr (Batch) batch = data;
  Live *live = live_of (batch);
  size_t i;
  json_t *chunk;
  if (live == NULL)
    return;
  if (error != NULL)
    {
      /* What follows would be out of order; the end has all of it. */
      vend_log (VEND_LOG_ERROR, "cannot store output files yet", "prediction", batch->prediction,
                "error", error->message, NULL);
      return;
    }
  live->n_taking = 0;
  json_array_foreach (batch->output, i, chunk)
    show (live, chunk);
  take_waiting (live);
}

static void
files_taken (json_t *output, Outputs *outputs, const GError *error, void *data)
{
  g_autoptr (Batch) batch = data;
  if (error != NULL)
    {
      vend_log (VEND_LOG_ERROR, "cannot keep output files yet", "prediction", batch->prediction,
                "error", error->message, NULL);
      return;
    }
  batch->output = output;
  batch->outputs = outputs;
  VendStore *store = batch->sched->store;
  vend_store_write (store, store_rows, rows_stored, g_steal_pointer (&batch));
}

static void
take_waiting (Live *live)
{
  if (live->n_taking > 0 || live->waiting_chunks == NULL)
    return;
  json_auto_t *chunks = g_steal_pointer (&live->waiting_chunks);
  live->n_taking = json_array_size (chunks);
  Batch *batch = g_new0 (Batch, 1);
  *batch = (Batch){ .sched = live->sched,
                    .prediction = g_strdup (live->p->id),
                    .attempt = live->p->attempt };
  vend_live_store_insert (live);
  vend_outputs_take (live->sched, live->p->id, chunks, files_taken, batch);
}

static gsize
n_known (const Live *live)
{
  return json_array_size (live->chunks) + live->n_taking + json_array_size (live->waiting_chunks);
}

void
vend_live_take_chunk (Live *live, int64_t index, json_t *chunk)
{
  if (!live->emitted)
    vend_live_lease_soon (live);
  live->emitted = true;
  if (chunk == NULL || (guint64) index != n_known (live))
    return;
  if (live->n_taking == 0 && !vend_outputs_have_files (chunk))
    {
      show (live, chunk);
      return;
    }
  if (live->waiting_chunks == NULL)
    live->waiting_chunks = json_array ();
  json_array_append (live->waiting_chunks, chunk);
  take_waiting (live);
}

void
vend_live_take_chunks (Live *live, const json_t *output)
{
  for (gsize i = n_known (live); i < json_array_size (output); i++)
    vend_live_take_chunk (live, (int64_t) i, json_array_get (output, i));
}

void
vend_live_forget_chunks (Live *live)
{
  json_decref (g_steal_pointer (&live->chunks));
  json_decref (g_steal_pointer (&live->waiting_chunks));
  live->n_taking = 0;
  live->is_viewed = false;
}
