/* Inputs of queued predictions: a queue may be long and an input large, so all together have
 * VEND_QUEUE_INPUTS_MAX bytes of memory. Inputs without room are on disk only, from the time when
 * the row is stored until the run is sent to an instance. Core thread; the disk pool reads. */
#include "sched/run/inputs.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "sched/instance/instance.h"
#include "sched/run/run.h"
#include "store/predictions.h"

static bool
is_on_disk (const Run *run)
{
  return run->unstored == NULL && !run->insert_pending;
}

void
vend_inputs_queued (Run *run)
{
  VendSched *sched = run->sched;
  VendPrediction *p = run->p;
  if (run->place.link == NULL || p->input == NULL || run->held_input > 0 || !is_on_disk (run))
    return;
  if (sched->held_inputs + p->input_memory <= VEND_QUEUE_INPUTS_MAX)
    {
      run->held_input = p->input_memory;
      sched->held_inputs += run->held_input;
      return;
    }
  json_decref (g_steal_pointer (&p->input));
  json_decref (g_steal_pointer (&p->files));
}

void
vend_inputs_left_queue (Run *run)
{
  run->sched->held_inputs -= run->held_input;
  run->held_input = 0;
}

/* ---- Reading */

bool
vend_inputs_are_here (const Run *run)
{
  return run->p->input != NULL
         && (run->has_brought_files || json_array_size (run->p->files) == 0
             || !vend_blobs_is_remote (run->sched->blobs));
}

typedef struct
{
  VendSched *sched;
  VendPrediction *p; /* a copy that gets the input */
  GError *error;
  VendSchedNotify notify; /* NULL: the read is for a run */
  void *data;
} Reading;

static void
read_input (void *data)
{
  Reading *reading = data;
  g_auto (VendReader) reader = vend_reader (reading->sched->store);
  if (vend_store_prediction_input (reader.db, reading->p, &reading->error)
      && reading->p->input == NULL)
    vend_fail (&reading->error, VEND_ERROR_INTERNAL, "the input of prediction %s is damaged",
               reading->p->id);
}

/* The director reads files by their paths. They stay until the end of the prediction, whose row
 * needs them. */
static void
read_to_run (void *data)
{
  Reading *reading = data;
  size_t i;
  const json_t *file;
  if (reading->p->input == NULL)
    read_input (reading);
  json_array_foreach (reading->p->files, i, file)
    {
      const char *sha256 = vend_json_string (file, "sha256");
      if (reading->error == NULL && sha256 != NULL)
        (void) !vend_blobs_bring (reading->sched->blobs, sha256, &reading->error);
    }
}

static void
start_reading (VendSched *sched, const VendPrediction *p, DiskWork done, VendSchedNotify notify,
               void *data)
{
  Reading *reading = g_new0 (Reading, 1);
  *reading = (Reading){ sched, vend_prediction_copy (p), NULL, notify, data };
  if (notify == NULL)
    vend_sched_on_files (sched, read_to_run, done, reading);
  else
    vend_sched_on_disk (sched, read_input, done, reading);
}

static void
reading_free (Reading *reading)
{
  vend_prediction_free (reading->p);
  g_clear_error (&reading->error);
  g_free (reading);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reading, reading_free)

/* ---- To run */

static void
fetch_again (void *data)
{
  Run *run = data;
  run->input_due = NULL;
  run->fetches_input = false;
  if (run->completion == NULL && run->instance != NULL)
    vend_inputs_fetch (run);
}

static void
not_read (Run *run, const GError *error)
{
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_STORAGE)
      || g_error_matches (error, VEND_ERROR, VEND_ERROR_BUSY)
      || g_error_matches (error, VEND_ERROR, VEND_ERROR_UNAVAILABLE))
    {
      vend_log (VEND_LOG_ERROR, "cannot read an input, trying again", "prediction", run->p->id,
                "error", error->message, NULL);
      run->fetches_input = true;
      run->input_due = vend_timer_set (run->sched->timers, vend_steady_us () + VEND_STORE_RETRY_US,
                                       fetch_again, run);
      return;
    }
  vend_run_fail (run, NULL, NULL, "the input could not be read: %s", error->message);
}

static void
fetched (void *data)
{
  g_autoptr (Reading) reading = data;
  Run *run = g_hash_table_lookup (reading->sched->runs, reading->p->id);
  if (run == NULL)
    return;
  run->fetches_input = false;
  /* The run may have ended meanwhile, or be back in the queue. */
  if (run->completion != NULL || run->instance == NULL)
    return;
  if (reading->error != NULL)
    {
      not_read (run, reading->error);
      return;
    }
  run->has_brought_files = true;
  json_decref (run->p->input);
  json_decref (run->p->files);
  run->p->input = json_incref (reading->p->input);
  run->p->files = json_incref (reading->p->files);
  run->p->input_memory = reading->p->input_memory;
  vend_instance_run (run->instance, run);
  if (run->p->cancel_requested)
    vend_instance_cancel (run->instance, run);
}

void
vend_inputs_fetch (Run *run)
{
  if (run->fetches_input)
    return;
  run->fetches_input = true;
  start_reading (run->sched, run->p, fetched, NULL, NULL);
}

/* ---- To show */

static void
show (void *data)
{
  g_autoptr (Reading) reading = data;
  reading->notify (reading->error == NULL ? reading->p : NULL, reading->error, reading->data);
}

void
vend_inputs_notify (VendSched *sched, const VendPrediction *state, VendSchedNotify notify,
                    void *data)
{
  if (state->input != NULL)
    notify (state, NULL, data);
  else
    start_reading (sched, state, show, notify, data);
}
