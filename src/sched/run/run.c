/* The life of a prediction that has not ended. Core thread. */
#include "sched/run/run.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/attempt.h"
#include "model/failure.h"
#include "sched/account/accounts.h"
#include "sched/instance/instance.h"
#include "sched/instance/metering.h"
#include "sched/observe/decisions.h"
#include "sched/observe/measure.h"
#include "sched/run/inputs.h"
#include "sched/run/insert.h"
#include "sched/run/outputs.h"
#include "sched/run/webhook.h"
#include "sched/target/target.h"
#include <string.h>

#define MAX_LOST_BEFORE_START 3
#define MAX_LOST_RUNNING 2
#define MAX_LOST_OUT_OF_MEMORY 1 /* another process may have used it up */

/* A VendWaitersView. */
static const VendPrediction *
view_for_waiters (void *data)
{
  Run *run = data;
  return run->completion != NULL ? NULL : vend_run_view (run);
}

static void
show_waiter (void *data, const VendPrediction *state, VendSchedNotify notify, void *notify_data)
{
  vend_inputs_notify (((Run *) data)->sched, state, notify, notify_data);
}

Run *
vend_run_new (VendSched *sched, VendPrediction *take, Target *target)
{
  Run *run = g_new0 (Run, 1);
  run->sched = sched;
  run->p = take;
  run->target = target;
  run->since_us = vend_steady_of (take->created_us);
  run->earliest_us = take->created_us;
  run->logs = g_string_new (NULL);
  run->waiters = vend_waiters_new (sched->timers, view_for_waiters, show_waiter, run);
  target->n_runs++;
  vend_account_opened (sched, take->account_id);
  g_hash_table_insert (sched->runs, run->p->id, run);
  vend_run_webhook_init (run);
  return run;
}

void
vend_run_left_queue (Run *run)
{
  run->sched->n_queued--;
  vend_inputs_left_queue (run);
  run->target->n_dated -= run->p->deadline_us > 0;
}

static void
leave_queue (Run *run)
{
  if (run->place.link == NULL)
    return;
  vend_queue_remove (run->target->queue, &run->place);
  vend_run_left_queue (run);
}

void
vend_run_free (Run *run)
{
  vend_open_ids_remove (run->sched->open_ids, run->p->id);
  leave_queue (run);
  run->target->n_runs--;
  vend_account_closed (run->sched, run->p->account_id);
  vend_timer_clear (&run->deadline);
  vend_timer_clear (&run->lease_due);
  vend_timer_clear (&run->insert_due);
  vend_timer_clear (&run->input_due);
  vend_completion_free (run->completion);
  if (run->unstored != NULL)
    vend_submission_free (run->unstored);
  vend_waiters_free (run->waiters);
  vend_run_webhook_clear (run);
  vend_prediction_free (run->p);
  vend_run_break_broadcast (run);
  vend_broadcast_unref (run->broadcast);
  g_clear_pointer (&run->own_logs, g_ptr_array_unref);
  vend_run_forget_chunks (run);
  g_string_free (run->logs, TRUE);
  g_free (run);
}

void
vend_run_enqueue (Run *run, bool at_head)
{
  if (at_head)
    vend_queue_push_head (run->target->queue, run->p->account_id, run, &run->place);
  else
    vend_queue_push (run->target->queue, run->p->account_id, run, &run->place);
  run->sched->n_queued++;
  run->target->n_dated += run->p->deadline_us > 0;
  /* Others may come back in this turn, and go before it. */
  if (at_head)
    run->target->has_returned = true;
  else
    vend_target_dispatch (run->target);
  if (run->place.link == NULL)
    return;
  /* Stored with the next write of the row. */
  if (run->p->attempt == 0)
    run->p->queue_place = vend_queue_position (run->target->queue, &run->place);
  vend_run_admit (run);
  vend_inputs_queued (run);
  vend_target_read_ahead (run->target);
  vend_sched_reconcile_soon (run->sched);
}

void
vend_run_attach (Run *run, Instance *instance)
{
  leave_queue (run);
  vend_metering_count (instance);
  run->instance = instance;
  run->given = ++run->sched->n_given;
  run->is_billed = !instance->billing.instances;
  run->is_lost = false;
  g_free (run->p->instance);
  run->p->instance = g_strdup (instance->id);
  if (g_hash_table_size (instance->running) == 0)
    instance->moved_us = vend_steady_us ();
  g_hash_table_insert (instance->running, run->p->id, run);
  instance->target->n_running++;
  vend_account_began (run->sched, run->p->account_id);
  instance->idle_since_us = 0;
  instance->began_us = vend_steady_us ();
}

void
vend_run_started (Run *run, int64_t at_us)
{
  g_autoptr (GError) error = NULL;
  if (run->p->status == VEND_STATUS_STARTING
      && !vend_prediction_set_status (run->p, VEND_STATUS_PROCESSING, &error))
    g_assert_not_reached ();
  run->p->started_us = MAX (at_us, run->earliest_us);
  vend_run_webhook_started (run);
  vend_run_lease_soon (run);
}

/* ---- The end */

/* Takes the run off its queue and instance, and clears its timers. */
static void
detach (Run *run)
{
  leave_queue (run);
  if (run->instance != NULL)
    vend_instance_detach (run->instance, run);
  vend_timer_clear (&run->deadline);
  vend_timer_clear (&run->lease_due);
}

/* The result's own output, else the output heard so far. Output with files is shown once they are
 * collected. */
static void
take_output (Completion *completion, const RunResult *result)
{
  const Run *run = completion->run;
  VendPrediction *p = run->p;
  json_t *output = result->output != NULL ? result->output : run->chunks;
  if (output != NULL && vend_outputs_have_files (output))
    completion->reported = json_incref (output);
  else if (result->output != NULL)
    {
      json_decref (p->output);
      p->output = json_incref (result->output);
    }
}

void
vend_run_complete (Run *run, const RunResult *result)
{
  if (run->completion != NULL)
    return;
  const char *hardware = run->target->hardware;
  detach (run);
  (void) vend_run_view (run);
  Completion *completion = vend_completion_new (run, run->p);
  run->completion = completion;
  completion->earliest_us = run->earliest_us;
  completion->is_lost = run->is_lost;
  completion->webhook = run->webhook;
  vend_completion_decide (completion, result, vend_now_us ());
  vend_completion_account (completion,
                           &(RunTerms){ .hardware = hardware,
                                        .price = vend_prices_of (run->sched->prices, hardware),
                                        .is_billed = run->is_billed });
  take_output (completion, result);
  vend_run_webhook_ending (run);
  vend_completion_begin (completion);
}

void
vend_run_fail (Run *run, const char *error_code, const char *logs, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  vend_run_complete (run, &(RunResult){ .status = VEND_STATUS_FAILED,
                                        .error = text,
                                        .error_code = error_code,
                                        .logs = logs });
}

/* ---- Cancel, loss */

void
vend_run_cancel (Run *run)
{
  run->p->cancel_requested = true;
  if (run->instance == NULL)
    vend_run_complete (run, &(RunResult){ .status = VEND_STATUS_CANCELED });
  else if (!run->fetches_input)
    vend_instance_cancel (run->instance, run);
}

static void
back_to_queue (Run *run)
{
  g_autoptr (GError) error = NULL;
  VendPrediction *p = run->p;
  if (p->status == VEND_STATUS_PROCESSING
      && !vend_prediction_set_status (p, VEND_STATUS_STARTING, &error))
    g_assert_not_reached ();
  p->started_us = 0;
  g_clear_pointer (&p->instance, g_free);
  g_string_truncate (run->logs, 0);
  run->is_viewed = false;
  vend_run_forget_chunks (run);
  json_decref (g_steal_pointer (&p->output));
  json_decref (g_steal_pointer (&p->metrics));
  run->emitted = false;
  vend_run_webhook_requeued (run);
  vend_run_store_lease (run);
  vend_run_enqueue (run, true);
}

void
vend_run_released (Run *run)
{
  vend_instance_detach (run->instance, run);
  if (run->p->cancel_requested)
    {
      vend_run_complete (run, &(RunResult){ .status = VEND_STATUS_CANCELED });
      return;
    }
  vend_decided_release (run);
  back_to_queue (run);
}

static bool
is_out_of_memory (const char *code)
{
  return strcmp (code, VEND_FAILURE_OUT_OF_MEMORY) == 0;
}

static bool
count_lost (Run *run, const char *code, bool started)
{
  if (is_out_of_memory (code))
    return run->lost_out_of_memory++ < MAX_LOST_OUT_OF_MEMORY;
  return started ? run->lost_running++ < MAX_LOST_RUNNING
                 : run->lost_before_start++ < MAX_LOST_BEFORE_START;
}

/* NULL: the run may be retried. */
static char *
why_not_again (Run *run, const char *code, bool started, bool emitted)
{
  if (started && emitted)
    return g_strdup ("it is not tried again, since it had returned output already");
  if (started && run->p->kind == VEND_KIND_TRAINING)
    return g_strdup ("it is not tried again, since it is a training");
  if (started && run->target->scaling.retry_safe == 0)
    return g_strdup ("it is not tried again, since retry_safe is off for it");
  if (count_lost (run, code, started))
    return NULL;
  return g_strdup_printf ("it is not tried again, since %u attempts were lost",
                          run->lost_before_start + run->lost_running + run->lost_out_of_memory);
}

void
vend_run_lost (Run *run, const char *code, bool emitted, const char *why)
{
  bool started = run->p->started_us > 0;
  if (run->completion != NULL)
    return;
  if (run->instance != NULL)
    vend_instance_detach (run->instance, run);
  run->is_lost = true;
  run->sched->n_lost++;
  vend_measure_lost (run);
  vend_run_store_lost (run,
                       is_out_of_memory (code) ? VEND_ATTEMPT_OUT_OF_MEMORY : VEND_ATTEMPT_LOST);

  if (run->p->cancel_requested)
    {
      vend_run_complete (run, &(RunResult){ .status = VEND_STATUS_CANCELED });
      return;
    }
  g_autofree char *refusal = why_not_again (run, code, started, emitted);
  vend_decided_lost (run, refusal, started, emitted, why);
  if (refusal == NULL)
    back_to_queue (run);
  else
    vend_run_fail (run, code, NULL, "%s; %s", why, refusal);
}
