/* The life of a prediction that has not ended. Core thread. */
#include "base/clock.h"
#include "base/error.h"
#include "model/failure.h"
#include "sched/core-private.h"
#include <string.h>

#define MAX_LOST_BEFORE_START 3
#define MAX_LOST_RUNNING 2
#define MAX_LOST_OUT_OF_MEMORY 1 /* somebody else may have used it up */

/* For the callers that wait. */
static const VendPrediction *
view_for_waiters (void *data)
{
  Live *live = data;
  return live->completion != NULL ? NULL : vend_live_view (live);
}

static void
tell_waiter (void *data, const VendPrediction *state, VendSchedTold notify, void *notify_data)
{
  vend_inputs_tell (((Live *) data)->sched, state, notify, notify_data);
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
  live->waiters = vend_waiters_new (sched->alarms, view_for_waiters, tell_waiter, live);
  deployable->n_live++;
  vend_account_opened (sched, take->account_id);
  g_hash_table_insert (sched->live, live->p->id, live);
  vend_hooks_init (live);
  return live;
}

void
vend_live_left_queue (Live *live)
{
  live->sched->n_queued--;
  vend_inputs_left_queue (live);
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
  vend_alarm_clear (&live->input_due);
  vend_completion_free (live->completion);
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
  vend_inputs_queued (live);
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
  if (live->completion == NULL && !live->is_viewed)
    {
      live->is_viewed = true;
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

/* It is nowhere any more: not in a queue, not on an instance, and nothing is due. */
static void
detach (Live *live)
{
  leave_queue (live);
  if (live->instance != NULL)
    vend_instance_release (live->instance, live);
  vend_alarm_clear (&live->deadline);
  vend_alarm_clear (&live->lease_due);
}

/* The result's own output, else what was heard so far; with files it is shown once they are
 * collected. */
static void
take_output (Completion *completion, const RunResult *result)
{
  const Live *live = completion->live;
  VendPrediction *p = live->p;
  json_t *output = result->output != NULL ? result->output : live->chunks;
  if (output != NULL && vend_outputs_have_files (output))
    completion->reported = json_incref (output);
  else if (result->output != NULL)
    {
      json_decref (p->output);
      p->output = json_incref (result->output);
    }
}

void
vend_live_complete (Live *live, const RunResult *result)
{
  if (live->completion != NULL)
    return;
  const char *hardware = live->deployable->hardware;
  detach (live);
  (void) vend_live_view (live);
  Completion *completion = vend_completion_new (live, live->p);
  live->completion = completion;
  completion->earliest_us = live->earliest_us;
  completion->is_lost = live->is_lost;
  completion->hooks = live->hooks;
  vend_completion_decide (completion, result, vend_now_us ());
  vend_completion_account (completion,
                           &(RunTerms){ .hardware = hardware,
                                        .price = vend_prices_of (live->sched->prices, hardware),
                                        .is_billed = live->is_billed });
  take_output (completion, result);
  vend_hooks_ending (live);
  vend_completion_begin (completion);
}

void
vend_live_fail (Live *live, const char *error_code, const char *logs, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  vend_live_complete (live, &(RunResult){ .status = VEND_STATUS_FAILED,
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
    vend_live_complete (live, &(RunResult){ .status = VEND_STATUS_CANCELED });
  else if (!live->fetches_input)
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
  live->is_viewed = false;
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
      vend_live_complete (live, &(RunResult){ .status = VEND_STATUS_CANCELED });
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
  if (live->completion != NULL)
    return;
  if (live->instance != NULL)
    vend_instance_release (live->instance, live);
  live->is_lost = true;
  live->sched->n_lost++;
  vend_measure_lost (live);
  vend_live_store_lost (live);

  if (live->p->cancel_requested)
    {
      vend_live_complete (live, &(RunResult){ .status = VEND_STATUS_CANCELED });
      return;
    }
  g_autofree char *refusal = why_not_again (live, code, started, emitted);
  vend_decided_lost (live, refusal, started, emitted, why);
  if (refusal == NULL)
    back_to_queue (live);
  else
    vend_live_fail (live, code, NULL, "%s; %s", why, refusal);
}
