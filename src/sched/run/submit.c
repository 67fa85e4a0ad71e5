/* A new prediction: checked against the limits, queued, its row stored. */
#include "base/clock.h"
#include "base/count.h"
#include "base/error.h"
#include "sched/account/accounts.h"
#include "sched/account/budgets.h"
#include "sched/instance/instance.h"
#include "sched/run/inputs.h"
#include "sched/run/insert.h"
#include "sched/run/run.h"
#include "sched/target/target.h"

/* A run with a waiter that is shorter than this is stored once, with its result. */
#define INSERT_DELAY_US (20 * VEND_US_PER_MS)

static void
inserted (const GError *error, void *data)
{
  g_autoptr (Submission) submission = data;
  Run *run = submission->run;
  run->insert_pending = false;
  if (error == NULL)
    {
      vend_open_ids_add (run->sched->open_ids, run->p->id);
      if (run->p->idempotency_key != NULL && run->completion == NULL)
        vend_run_enqueue (run, false);
      vend_waiters_add (run->waiters, submission->wait_until_us, submission->notify,
                        submission->data);
      vend_inputs_queued (run);
      return;
    }

  /* Nothing was promised to the caller. If the run has begun, its result finds no row and is
   * dropped. */
  submission->notify (NULL, error, submission->data);
  /* The version was deleted; vend_sched_retire may have come before this run. */
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_INVALID) && run->p->deployment == NULL)
    run->target->retired = true;
  if (run->completion != NULL)
    return;
  if (run->instance != NULL)
    {
      vend_instance_cancel (run->instance, run);
      vend_instance_detach (run->instance, run);
    }
  g_hash_table_remove (submission->sched->runs, run->p->id);
}

static void
insert_is_due (void *data)
{
  Run *run = data;
  run->insert_due = NULL;
  vend_run_store_insert (run);
  vend_run_lease_now (run);
}

static void
submit_on_core (void *data)
{
  g_autoptr (Submission) submission = data;
  VendSched *sched = submission->sched;
  if (sched->draining || sched->n_queued >= sched->limits.max_queue)
    {
      g_autoptr (GError) error = NULL;
      if (sched->draining)
        vend_fail (&error, VEND_ERROR_BUSY, "the server is shutting down; try again in a moment");
      else
        {
          g_autofree char *waiting
              = vend_count_text (sched->n_queued, "prediction waits", "predictions wait");
          vend_fail (&error, VEND_ERROR_RATE_LIMITED, "the queue is full (%s)", waiting);
        }
      submission->notify (NULL, error, submission->data);
      return;
    }

  g_autoptr (GError) refused = NULL;
  const int64_t account_id = submission->prediction->account_id;
  if (!vend_account_may_queue (sched, account_id, &refused)
      || !vend_budgets_allow (sched->budgets, account_id, submission->prediction->created_us,
                              &refused))
    {
      submission->notify (NULL, refused, submission->data);
      return;
    }

  const VendSchedPlace place = { submission->hardware, &submission->scaling };
  Target *target = vend_target_get (sched, submission->prediction, submission->version, &place);
  Run *run = vend_run_new (sched, g_steal_pointer (&submission->prediction), target);
  submission->run = run;
  run->insert_pending = true;
  sched->n_submitted++;
  const bool is_waited_for = submission->wait_until_us > 0;
  run->unstored = g_steal_pointer (&submission);
  vend_run_arm_deadline (run);
  if (run->p->idempotency_key != NULL)
    {
      /* A repeated create must find the row, and the run must not begin twice. */
      vend_run_store_insert (run);
      return;
    }
  vend_run_enqueue (run, false);
  /* The caller knows nothing before the reply, so insert and end may share one commit. */
  if (is_waited_for && run->unstored != NULL)
    run->insert_due
        = vend_timer_set (sched->timers, vend_steady_us () + INSERT_DELAY_US, insert_is_due, run);
  else
    vend_run_store_insert (run);
}

void
vend_sched_submit (VendSched *sched, VendPrediction *prediction, const VendVersion *version,
                   const VendSchedPlace *place, int64_t wait_until_us, VendSchedNotify notify,
                   void *data)
{
  Submission *submission = g_new0 (Submission, 1);
  *submission = (Submission){ .sched = sched,
                              .prediction = prediction,
                              .version = vend_version_for_launch (version),
                              .hardware = g_strdup (place->hardware),
                              .wait_until_us = wait_until_us,
                              .inserted = inserted,
                              .notify = notify,
                              .data = data };
  submission->scaling = place->scaling != NULL ? *place->scaling : (VendScaling) VEND_SCALING_NONE;
  vend_inbox_post (sched->inbox, submit_on_core, submission);
}
