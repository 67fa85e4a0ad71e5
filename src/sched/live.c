/* The life of a prediction that has not ended. Core thread. */
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "model/failure.h"
#include "sched/core-private.h"
#include "store/files.h"
#include "store/predictions.h"
#include <string.h>

#define MAX_LOST_BEFORE_START 3
#define MAX_LOST_RUNNING 2
#define MAX_LOST_OUT_OF_MEMORY 1 /* somebody else may have used it up */

/* For the callers that wait. */
static const VendPrediction *
view_for_waiters (void *data)
{
  Live *live = data;
  return live->ending ? NULL : vend_live_view (live);
}

Live *
vend_live_new (VendSched *sched, VendPrediction *take, Deployable *deployable)
{
  Live *live = g_new0 (Live, 1);
  live->sched = sched;
  live->p = take;
  live->deployable = deployable;
  live->since_us = vend_steady_of (take->created_us);
  live->earliest_us = take->created_us;
  live->logs = g_string_new (NULL);
  live->waiters = vend_waiters_new (sched->alarms, view_for_waiters, live);
  deployable->n_live++;
  vend_account_opened (sched, take->account_id);
  g_hash_table_insert (sched->live, live->p->id, live);
  vend_hooks_init (live);
  return live;
}

static void ending_free (LiveEnding *ending);

void
vend_live_left_queue (Live *live)
{
  live->sched->n_queued--;
  live->deployable->n_dated -= live->p->deadline_us > 0;
}

static void
leave_queue (Live *live)
{
  if (live->place.link == NULL)
    return;
  vend_queue_remove (live->deployable->queue, &live->place);
  vend_live_left_queue (live);
}

void
vend_live_free (Live *live)
{
  leave_queue (live);
  live->deployable->n_live--;
  vend_account_closed (live->sched, live->p->account_id);
  vend_alarm_clear (&live->deadline);
  vend_alarm_clear (&live->lease_due);
  vend_alarm_clear (&live->insert_due);
  vend_alarm_clear (&live->again_due);
  g_clear_pointer (&live->again, ending_free);
  if (live->unstored != NULL)
    vend_submission_free (live->unstored);
  vend_waiters_free (live->waiters);
  vend_hooks_clear (live);
  vend_prediction_free (live->p);
  vend_live_feed_break (live);
  vend_feed_unref (live->feed);
  vend_live_forget_chunks (live);
  g_string_free (live->logs, TRUE);
  g_free (live);
}

void
vend_live_enqueue (Live *live, bool at_head)
{
  if (at_head)
    vend_queue_push_head (live->deployable->queue, live->p->account_id, live, &live->place);
  else
    vend_queue_push (live->deployable->queue, live->p->account_id, live, &live->place);
  live->sched->n_queued++;
  live->deployable->n_dated += live->p->deadline_us > 0;
  vend_deployable_dispatch (live->deployable);
  if (live->place.link == NULL)
    return;
  /* Goes to the disk with the next write of its row. */
  if (live->p->attempt == 0)
    live->p->queue_place = vend_queue_position (live->deployable->queue, &live->place);
  vend_live_admit (live);
  vend_sched_sweep_soon (live->sched);
}

void
vend_live_attach (Live *live, Instance *instance)
{
  leave_queue (live);
  vend_metering_count (instance);
  live->instance = instance;
  live->is_billed = !instance->billing.instances;
  live->is_lost = false;
  g_free (live->p->instance);
  live->p->instance = g_strdup (instance->id);
  if (g_hash_table_size (instance->running) == 0)
    instance->moved_us = vend_steady_us ();
  g_hash_table_insert (instance->running, live->p->id, live);
  instance->deployable->n_running++;
  vend_account_began (live->sched, live->p->account_id);
  instance->idle_since_us = 0;
  instance->began_us = vend_steady_us ();
}

static void
look_at_queue (Live *live)
{
  const bool is_queued = live->place.link != NULL;
  live->p->queue_position
      = is_queued ? vend_queue_position (live->deployable->queue, &live->place) : 0;
  if (is_queued)
    live->p->queue_eta_us = vend_deployable_eta_us (live->deployable, live->p->queue_position);
}

const VendPrediction *
vend_live_view (Live *live)
{
  look_at_queue (live);
  if (!live->ending)
    {
      g_free (live->p->logs);
      live->p->logs = g_strdup (live->logs->str);
      if (live->chunks != NULL)
        {
          json_decref (live->p->output);
          live->p->output = json_copy (live->chunks);
        }
    }
  return live->p;
}

void
vend_live_started (Live *live, int64_t at_us)
{
  g_autoptr (GError) error = NULL;
  if (live->p->status == VEND_STATUS_STARTING
      && !vend_prediction_set_status (live->p, VEND_STATUS_PROCESSING, &error))
    g_assert_not_reached ();
  live->p->started_us = MAX (at_us, live->earliest_us);
  vend_hooks_started (live);
  vend_live_lease_soon (live);
}

/* ---- The end */

typedef struct LiveEnding
{
  Live *live;
  json_t *source;   /* the output as the director told it */
  Outputs *outputs; /* NULL: it has no files */
  VendStatus status;
  char *error;
  char *error_code;
  VendRunUsage usage;
  bool must_take; /* its files are not in the file store yet */
  bool is_metered;
  bool won;
} Ending;

static Ending *
ending_new (Live *live, const LiveEnd *end)
{
  Ending *ending = g_new0 (Ending, 1);
  ending->live = live;
  ending->status = end->status;
  ending->error = g_strdup (end->error);
  ending->error_code = g_strdup (end->error_code);
  if (end->status == VEND_STATUS_FAILED && end->error == NULL)
    ending->error = g_strdup ("the model failed without a message");
  return ending;
}

static void
ending_free (Ending *ending)
{
  json_decref (ending->source);
  vend_outputs_free (ending->outputs);
  g_free (ending->error);
  g_free (ending->error_code);
  g_free (ending);
}

static bool
store_end (VendDb *db, void *data, GError **error)
{
  Ending *ending = data;
  const VendPrediction *p = ending->live->p;
  if (!vend_store_prediction_complete (db, p, &ending->won, error))
    return false;
  if (!ending->won)
    return true;
  if (!vend_hooks_store_end (db, ending->live, error))
    return false;
  const GPtrArray *rows = ending->outputs != NULL ? ending->outputs->rows : NULL;
  for (guint i = 0; rows != NULL && i < rows->len; i++)
    if (!vend_store_output_insert (db, g_ptr_array_index (rows, i), error))
      return false;
  /* An attempt that was lost was not accepted, though the prediction ends with it. */
  if (ending->live->is_lost)
    return vend_store_attempt_insert (db, p, p->completed_us, "lost", error);
  return (!ending->is_metered || vend_store_usage_insert (db, p, &ending->usage, error))
         && (p->started_us == 0 || vend_store_model_ran (db, p->model_id, error));
}

static void end_stored (const GError *error, void *data);
static void take_outputs (Ending *ending);

static void
write_end (Ending *ending)
{
  vend_hooks_writing_end (ending->live);
  vend_store_write (ending->live->sched->store, store_end, end_stored, ending);
}

static void
end_again (void *data)
{
  Live *live = data;
  Ending *ending = g_steal_pointer (&live->again);
  live->again_due = NULL;
  if (ending->must_take)
    take_outputs (ending);
  else
    write_end (ending);
}

/* The result is safe with the director, or will be made again. */
static void
try_again (Ending *ending, const GError *error)
{
  Live *live = ending->live;
  vend_log (VEND_LOG_ERROR, "cannot store a result, trying again", "prediction", live->p->id,
            "error", error->message, NULL);
  live->again = ending;
  live->again_due = vend_alarm_set (live->sched->alarms, vend_steady_us () + VEND_STORE_RETRY_US,
                                    end_again, live);
}

static void
end_stored (const GError *error, void *data)
{
  Ending *ending = data;
  Live *live = ending->live;
  VendSched *sched = live->sched;
  if (error != NULL)
    {
      try_again (ending, error);
      return;
    }
  if (live->p->instance != NULL)
    vend_instance_acknowledge (sched, live->p->instance, live->p->id, live->p->attempt);
  vend_outputs_forget (sched, ending->source);
  if (ending->won && ending->is_metered && ending->usage.billed)
    vend_books_spend (sched->books, live->p->account_id, live->p->completed_us, ending->usage.price,
                      ending->usage.run_us);
  sched->n_ended++;
  vend_measure_ended (live);
  vend_hooks_ended (live);
  vend_live_feed_end (live);
  vend_waiters_notify (live->waiters, live->p);
  g_hash_table_remove (sched->live, live->p->id);
  ending_free (ending);
}

/* The one place where a prediction ends: all that may change how is known. */
static void
settle_end (Ending *ending)
{
  g_autoptr (GError) error = NULL;
  VendPrediction *p = ending->live->p;
  if (!vend_prediction_set_status (p, ending->status, &error))
    g_assert_not_reached ();
  if (ending->status == VEND_STATUS_ABORTED || ending->status == VEND_STATUS_FAILED)
    p->error = g_steal_pointer (&ending->error);
  p->error_code = g_steal_pointer (&ending->error_code);
  write_end (ending);
}

/* A success without its files is none. What ended otherwise stays as it is, without them. */
static void
lack_outputs (Ending *ending, const GError *error)
{
  vend_log (VEND_LOG_ERROR, "cannot keep the output files", "prediction", ending->live->p->id,
            "error", error->message, NULL);
  if (ending->status != VEND_STATUS_SUCCEEDED)
    return;
  ending->status = VEND_STATUS_FAILED;
  ending->error = g_strdup ("the output files could not be stored");
  g_free (ending->error_code);
  ending->error_code = g_strdup (VEND_FAILURE_OUTPUT_STORE_FAILED);
}

static void
outputs_taken (json_t *output, Outputs *outputs, const GError *error, void *data)
{
  Ending *ending = data;
  VendPrediction *p = ending->live->p;
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_NO_SPACE))
    {
      try_again (ending, error);
      return;
    }
  ending->must_take = false;
  json_decref (p->output);
  p->output = output;
  if (error != NULL)
    lack_outputs (ending, error);
  ending->outputs = outputs;
  settle_end (ending);
}

static void
take_outputs (Ending *ending)
{
  const Live *live = ending->live;
  vend_outputs_take (live->sched, live->p->id, ending->source, outputs_taken, ending);
}

/* Those of an instance are its clock's; where that disagrees with ours the run moves, and keeps its
 * length. */
static void
set_end_times (Live *live, const LiveEnd *end)
{
  VendPrediction *p = live->p;
  const int64_t least_us = MAX (p->started_us, live->earliest_us);
  if (end->started_us == 0)
    {
      p->completed_us = MAX (end->completed_us > 0 ? end->completed_us : vend_now_us (), least_us);
      return;
    }
  const int64_t run_us = MAX (end->completed_us - end->started_us, 0);
  p->started_us = MAX (end->started_us, live->earliest_us);
  p->completed_us = p->started_us + run_us;
}

static VendRunUsage
usage_of (const Live *live)
{
  const VendPrediction *p = live->p;
  const char *hardware = live->deployable->hardware;
  return (VendRunUsage){ .hardware = hardware,
                         .run_us = p->started_us > 0 ? MAX (p->completed_us - p->started_us, 0) : 0,
                         .price = vend_prices_of (live->sched->prices, hardware),
                         .billed = live->is_billed };
}

void
vend_live_end (Live *live, const LiveEnd *end)
{
  VendPrediction *p = live->p;
  if (live->ending)
    return;

  leave_queue (live);
  if (live->instance != NULL)
    vend_instance_release (live->instance, live);
  vend_alarm_clear (&live->deadline);
  vend_alarm_clear (&live->lease_due);
  (void) vend_live_view (live);
  live->ending = true;

  if (end->logs != NULL)
    {
      g_free (p->logs);
      p->logs = g_strdup (end->logs);
    }
  json_decref (p->metrics);
  p->metrics = end->metrics != NULL ? json_deep_copy (end->metrics) : NULL;
  set_end_times (live, end);
  vend_hooks_ending (live);

  Ending *ending = ending_new (live, end);
  ending->usage = usage_of (live);
  ending->is_metered = p->started_us > 0 && !live->is_lost;
  const json_t *output = end->output != NULL ? end->output : live->chunks;
  if (output != NULL && vend_outputs_have_files (output))
    {
      ending->source = json_incref ((json_t *) output);
      ending->must_take = true;
      vend_live_store_insert (live);
      take_outputs (ending);
      return;
    }
  if (end->output != NULL)
    {
      json_decref (p->output);
      p->output = json_incref (end->output);
    }
  /* One right after the other, so that one commit takes both. */
  vend_live_store_insert (live);
  settle_end (ending);
}

void
vend_live_fail (Live *live, const char *error_code, const char *logs, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  vend_live_end (live, &(LiveEnd){ .status = VEND_STATUS_FAILED,
                                   .error = text,
                                   .error_code = error_code,
                                   .logs = logs });
}

/* ---- Cancel, loss */

void
vend_live_cancel (Live *live)
{
  live->p->cancel_requested = true;
  if (live->instance == NULL)
    vend_live_end (live, &(LiveEnd){ .status = VEND_STATUS_CANCELED });
  else
    vend_instance_cancel (live->instance, live);
}

static void
back_to_queue (Live *live)
{
  g_autoptr (GError) error = NULL;
  VendPrediction *p = live->p;
  if (p->status == VEND_STATUS_PROCESSING
      && !vend_prediction_set_status (p, VEND_STATUS_STARTING, &error))
    g_assert_not_reached ();
  p->started_us = 0;
  g_clear_pointer (&p->instance, g_free);
  g_string_truncate (live->logs, 0);
  vend_live_forget_chunks (live);
  json_decref (g_steal_pointer (&p->output));
  json_decref (g_steal_pointer (&p->metrics));
  live->emitted = false;
  vend_hooks_requeued (live);
  vend_live_store_lease (live);
  vend_live_enqueue (live, true);
}

void
vend_live_given_back (Live *live)
{
  vend_instance_release (live->instance, live);
  if (live->p->cancel_requested)
    {
      vend_live_end (live, &(LiveEnd){ .status = VEND_STATUS_CANCELED });
      return;
    }
  vend_decided_given_back (live);
  back_to_queue (live);
}

static bool
count_lost (Live *live, const char *code, bool started)
{
  if (strcmp (code, VEND_FAILURE_OUT_OF_MEMORY) == 0)
    return live->lost_out_of_memory++ < MAX_LOST_OUT_OF_MEMORY;
  return started ? live->lost_running++ < MAX_LOST_RUNNING
                 : live->lost_before_start++ < MAX_LOST_BEFORE_START;
}

/* NULL when it may run again. */
static char *
why_not_again (Live *live, const char *code, bool started, bool emitted)
{
  if (started && emitted)
    return g_strdup ("it is not tried again, since it had returned output already");
  if (started && live->deployable->scaling.retry_safe == 0)
    return g_strdup ("it is not tried again, since retry_safe is off for it");
  if (count_lost (live, code, started))
    return NULL;
  return g_strdup_printf ("it is not tried again, since %u attempts were lost",
                          live->lost_before_start + live->lost_running + live->lost_out_of_memory);
}

void
vend_live_lost (Live *live, const char *code, bool emitted, const char *why)
{
  bool started = live->p->started_us > 0;
  if (live->ending)
    return;
  if (live->instance != NULL)
    vend_instance_release (live->instance, live);
  live->is_lost = true;
  live->sched->n_lost++;
  vend_measure_lost (live);
  vend_live_store_lost (live);

  if (live->p->cancel_requested)
    {
      vend_live_end (live, &(LiveEnd){ .status = VEND_STATUS_CANCELED });
      return;
    }
  g_autofree char *refusal = why_not_again (live, code, started, emitted);
  vend_decided_lost (live, refusal, started, emitted, why);
  if (refusal == NULL)
    back_to_queue (live);
  else
    vend_live_fail (live, code, NULL, "%s; %s", why, refusal);
}
