/* Chunks of an iterator while it runs. Text is shown at once. Files go to the file store first, and
 * later chunks wait for them, so that the order stays. Core thread.
 *
 * A file's URL is shown after its row is on disk. The result names the file again: then, as after a
 * crash, the same path gives the same token, so nothing is stored twice. */
#include "base/log.h"
#include "sched/run/insert.h"
#include "sched/run/outputs.h"
#include "sched/run/run.h"
#include "sched/run/webhook.h"
#include "store/files.h"

/* A batch of chunks on the way to the file store. The prediction may end meanwhile, and then has
 * all files in its output. */
typedef struct
{
  VendSched *sched;
  char *prediction;
  int attempt;
  json_t *output;
  Outputs *outputs;
} Batch;

static void take_waiting (Run *run);

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
show (Run *run, json_t *chunk)
{
  if (run->chunks == NULL)
    run->chunks = json_array ();
  json_array_append (run->chunks, chunk);
  run->is_viewed = false;
  vend_run_broadcast_chunk (run, chunk);
  vend_run_webhook_changed (run, VEND_WEBHOOK_OUTPUT);
}

static Run *
run_of (const Batch *batch)
{
  Run *run = g_hash_table_lookup (batch->sched->runs, batch->prediction);
  return run != NULL && run->completion == NULL && run->p->attempt == batch->attempt ? run : NULL;
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
  Run *run = run_of (batch);
  size_t i;
  json_t *chunk;
  if (run == NULL)
    return;
  if (error != NULL)
    {
      /* Later chunks would be out of order; the end has all chunks. */
      vend_log (VEND_LOG_ERROR, "cannot store output files yet", "prediction", batch->prediction,
                "error", error->message, NULL);
      return;
    }
  run->n_taking = 0;
  json_array_foreach (batch->output, i, chunk)
    show (run, chunk);
  take_waiting (run);
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
take_waiting (Run *run)
{
  if (run->n_taking > 0 || run->waiting_chunks == NULL)
    return;
  json_auto_t *chunks = g_steal_pointer (&run->waiting_chunks);
  run->n_taking = json_array_size (chunks);
  Batch *batch = g_new0 (Batch, 1);
  *batch = (Batch){ .sched = run->sched,
                    .prediction = g_strdup (run->p->id),
                    .attempt = run->p->attempt };
  vend_run_store_insert (run);
  vend_outputs_take (run->sched, run->p->id, chunks, files_taken, batch);
}

static gsize
n_known (const Run *run)
{
  return json_array_size (run->chunks) + run->n_taking + json_array_size (run->waiting_chunks);
}

void
vend_run_take_chunk (Run *run, int64_t index, json_t *chunk)
{
  if (!run->emitted)
    vend_run_lease_soon (run);
  run->emitted = true;
  if (chunk == NULL || (guint64) index != n_known (run))
    return;
  if (run->n_taking == 0 && !vend_outputs_have_files (chunk))
    {
      show (run, chunk);
      return;
    }
  if (run->waiting_chunks == NULL)
    run->waiting_chunks = json_array ();
  json_array_append (run->waiting_chunks, chunk);
  take_waiting (run);
}

void
vend_run_take_chunks (Run *run, const json_t *output)
{
  for (gsize i = n_known (run); i < json_array_size (output); i++)
    vend_run_take_chunk (run, (int64_t) i, json_array_get (output, i));
}

void
vend_run_forget_chunks (Run *run)
{
  json_decref (g_steal_pointer (&run->chunks));
  json_decref (g_steal_pointer (&run->waiting_chunks));
  run->n_taking = 0;
  run->is_viewed = false;
}
