/* Inputs of predictions that wait: a queue may be long and an input large, so that together they
 * have room for VEND_QUEUE_INPUTS_MAX bytes of memory. What finds no room is on disk only, from
 * when its row is stored until it is given to an instance. Core thread; the disk pool reads. */
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "sched/core-private.h"
#include "store/predictions.h"

static bool
is_on_disk (const Live *live)
{
  return live->unstored == NULL && !live->insert_pending;
}

void
vend_inputs_queued (Live *live)
{
  VendSched *sched = live->sched;
  VendPrediction *p = live->p;
  if (live->place.link == NULL || p->input == NULL || live->held_input > 0 || !is_on_disk (live))
    return;
  if (sched->held_inputs + p->input_memory <= VEND_QUEUE_INPUTS_MAX)
    {
      live->held_input = p->input_memory;
      sched->held_inputs += live->held_input;
      return;
    }
  json_decref (g_steal_pointer (&p->input));
  json_decref (g_steal_pointer (&p->files));
}

void
vend_inputs_left_queue (Live *live)
{
  live->sched->held_inputs -= live->held_input;
  live->held_input = 0;
}

/* ---- Reading */

typedef struct
{
  VendSched *sched;
  VendPrediction *p; /* a copy, that gets its input */
  GError *error;
  VendSchedTold told; /* NULL: it is to run */
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

static void
start_reading (VendSched *sched, const VendPrediction *p, DiskWork done, VendSchedTold told,
               void *data)
{
  Reading *reading = g_new0 (Reading, 1);
  *reading = (Reading){ sched, vend_prediction_copy (p), NULL, told, data };
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
  Live *live = data;
  live->input_due = NULL;
  live->fetches_input = false;
  if (live->completion == NULL && live->instance != NULL)
    vend_inputs_fetch (live);
}

static void
not_read (Live *live, const GError *error)
{
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_STORAGE))
    {
      vend_log (VEND_LOG_ERROR, "cannot read an input, trying again", "prediction", live->p->id,
                "error", error->message, NULL);
      live->fetches_input = true;
      live->input_due = vend_alarm_set (live->sched->alarms,
                                        vend_steady_us () + VEND_STORE_RETRY_US, fetch_again, live);
      return;
    }
  vend_live_fail (live, NULL, NULL, "the input could not be read: %s", error->message);
}

static void
fetched (void *data)
{
  g_autoptr (Reading) reading = data;
  Live *live = g_hash_table_lookup (reading->sched->live, reading->p->id);
  if (live == NULL)
    return;
  live->fetches_input = false;
  /* It may have ended meanwhile, or be back in the queue. */
  if (live->completion != NULL || live->instance == NULL)
    return;
  if (reading->error != NULL)
    {
      not_read (live, reading->error);
      return;
    }
  live->p->input = json_incref (reading->p->input);
  live->p->files = json_incref (reading->p->files);
  live->p->input_memory = reading->p->input_memory;
  vend_instance_run (live->instance, live);
  if (live->p->cancel_requested)
    vend_instance_cancel (live->instance, live);
}

void
vend_inputs_fetch (Live *live)
{
  if (live->fetches_input)
    return;
  live->fetches_input = true;
  start_reading (live->sched, live->p, fetched, NULL, NULL);
}

/* ---- To show */

static void
tell (void *data)
{
  g_autoptr (Reading) reading = data;
  reading->told (reading->error == NULL ? reading->p : NULL, reading->error, reading->data);
}

void
vend_inputs_tell (VendSched *sched, const VendPrediction *state, VendSchedTold told, void *data)
{
  if (state->input != NULL)
    told (state, NULL, data);
  else
    start_reading (sched, state, tell, told, data);
}
