/* The lease of a prediction on disk: its instance, and lost attempts. Core thread. */
#include "base/clock.h"
#include "base/log.h"
#include "model/attempt.h"
#include "sched/account/ledger.h"
#include "sched/run/insert.h"
#include "sched/run/run.h"
#include "sched/run/webhook.h"
#include "store/predictions.h"

/* Shorter runs end before their start is needed on disk. */
#define LEASE_DELAY_US (20 * VEND_US_PER_MS)

typedef struct
{
  VendSched *sched;
  VendPrediction p; /* only members that the lease stores */
  WebhookMessage *start;
} Lease;

static void store_after (Run *run, int64_t delay_us);

static bool
store_lease (VendDb *db, void *data, GError **error)
{
  const Lease *lease = data;
  return vend_store_prediction_lease (db, &lease->p, error)
         && (lease->start == NULL || vend_webhook_message_store (db, lease->start, error));
}

static void
lease_stored (const GError *error, void *data)
{
  g_autofree Lease *lease = data;
  Run *run = g_hash_table_lookup (lease->sched->runs, lease->p.id);
  if (error != NULL)
    vend_log (VEND_LOG_ERROR, "cannot store a lease, trying again", "prediction", lease->p.id,
              "error", error->message, NULL);
  else if (lease->start != NULL)
    vend_run_webhook_stored (lease->sched);
  if (error != NULL && run != NULL)
    {
      vend_run_webhook_return_start (run, g_steal_pointer (&lease->start));
      if (run->completion == NULL)
        store_after (run, VEND_STORE_RETRY_US);
    }
  vend_webhook_message_free (lease->start);
  g_free (lease->p.id);
  g_free (lease->p.instance);
  json_decref (lease->p.output);
}

void
vend_run_store_lease (Run *run)
{
  vend_timer_clear (&run->lease_due);
  vend_run_store_insert (run);
  Lease *lease = g_new0 (Lease, 1);
  lease->sched = run->sched;
  lease->start = vend_run_webhook_take_start (run);
  lease->p.id = g_strdup (run->p->id);
  lease->p.status = run->p->status;
  lease->p.attempt = run->p->attempt;
  lease->p.instance = g_strdup (run->p->instance);
  lease->p.started_us = run->p->started_us;
  lease->p.queue_place = run->p->queue_place;
  /* Whether there was output decides if a lost run may be retried. */
  if (run->emitted)
    lease->p.output = run->chunks != NULL ? json_copy (run->chunks) : json_array ();
  vend_store_write (run->sched->store, store_lease, lease_stored, lease);
}

static void
lease_is_due (void *data)
{
  Run *run = data;
  run->lease_due = NULL;
  vend_run_store_lease (run);
}

static void
store_after (Run *run, int64_t delay_us)
{
  if (run->lease_due == NULL)
    run->lease_due
        = vend_timer_set (run->sched->timers, vend_steady_us () + delay_us, lease_is_due, run);
}

void
vend_run_lease_soon (Run *run)
{
  store_after (run, LEASE_DELAY_US);
}

void
vend_run_lease_now (Run *run)
{
  if (run->lease_due != NULL)
    vend_run_store_lease (run);
}

/* ---- Attempts that were lost */

typedef struct
{
  Ledger *ledger;
  VendPrediction p; /* only members of an attempt */
  int64_t ended_us;
  const char *outcome;
} LostAttempt;

static bool
store_lost (VendDb *db, void *data, GError **error)
{
  LostAttempt *lost = data;
  return vend_store_attempt_insert (db, &lost->p, lost->ended_us, lost->outcome, error);
}

static void
lost_stored (const GError *error, void *data)
{
  LostAttempt *lost = data;
  if (error != NULL)
    vend_log (VEND_LOG_ERROR, "cannot store a lost attempt, trying again", "prediction", lost->p.id,
              "error", error->message, NULL);
  if (error != NULL && vend_ledger_retry (lost->ledger, store_lost, lost_stored, lost))
    return;
  vend_ledger_unref (lost->ledger);
  g_free (lost->p.id);
  g_free (lost->p.instance);
  g_free (lost);
}

void
vend_run_store_lost (Run *run, const char *outcome)
{
  vend_run_store_insert (run);
  LostAttempt *lost = g_new0 (LostAttempt, 1);
  lost->ledger = vend_ledger_ref (run->sched->ledger);
  lost->outcome = outcome;
  lost->p.id = g_strdup (run->p->id);
  lost->p.attempt = run->p->attempt;
  lost->p.instance = g_strdup (run->p->instance);
  lost->p.started_us = run->p->started_us;
  lost->ended_us = MAX (vend_now_us (), MAX (run->p->started_us, run->earliest_us));
  run->earliest_us = lost->ended_us;
  vend_store_write (run->sched->store, store_lost, lost_stored, lost);
}
