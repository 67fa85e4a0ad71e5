/* What the disk has of a prediction that has not ended: where it runs, and which attempts were
 * lost. Core thread. */
#include "base/clock.h"
#include "base/log.h"
#include "sched/core-private.h"
#include "store/predictions.h"

/* Runs shorter than this end before anybody needs to know on disk that they began. */
#define LEASE_DELAY_US (20 * VEND_US_PER_MS)

typedef struct
{
  VendSched *sched;
  VendPrediction p; /* only what the lease stores */
  HookMessage *start;
} Lease;

static void store_after (Live *live, int64_t delay_us);

static bool
store_lease (VendDb *db, void *data, GError **error)
{
  const Lease *lease = data;
  return vend_store_prediction_lease (db, &lease->p, error)
         && (lease->start == NULL || vend_hook_message_store (db, lease->start, error));
}

static void
lease_stored (const GError *error, void *data)
{
  g_autofree Lease *lease = data;
  Live *live = g_hash_table_lookup (lease->sched->live, lease->p.id);
  if (error != NULL)
    vend_log (VEND_LOG_ERROR, "cannot store a lease, trying again", "prediction", lease->p.id,
              "error", error->message, NULL);
  else if (lease->start != NULL)
    vend_hooks_stored (lease->sched);
  if (error != NULL && live != NULL)
    {
      vend_hooks_return_start (live, g_steal_pointer (&lease->start));
      if (live->completion == NULL)
        store_after (live, VEND_STORE_RETRY_US);
    }
  vend_hook_message_free (lease->start);
  g_free (lease->p.id);
  g_free (lease->p.instance);
  json_decref (lease->p.output);
}

void
vend_live_store_lease (Live *live)
{
  vend_alarm_clear (&live->lease_due);
  vend_live_store_insert (live);
  Lease *lease = g_new0 (Lease, 1);
  lease->sched = live->sched;
  lease->start = vend_hooks_take_start (live);
  lease->p.id = g_strdup (live->p->id);
  lease->p.status = live->p->status;
  lease->p.attempt = live->p->attempt;
  lease->p.instance = g_strdup (live->p->instance);
  lease->p.started_us = live->p->started_us;
  lease->p.queue_place = live->p->queue_place;
  /* That there is output decides whether a lost run may be tried again. */
  if (live->emitted)
    lease->p.output = live->chunks != NULL ? json_copy (live->chunks) : json_array ();
  vend_store_write (live->sched->store, store_lease, lease_stored, lease);
}

static void
lease_is_due (void *data)
{
  Live *live = data;
  live->lease_due = NULL;
  vend_live_store_lease (live);
}

static void
store_after (Live *live, int64_t delay_us)
{
  if (live->lease_due == NULL)
    live->lease_due
        = vend_alarm_set (live->sched->alarms, vend_steady_us () + delay_us, lease_is_due, live);
}

void
vend_live_lease_soon (Live *live)
{
  store_after (live, LEASE_DELAY_US);
}

void
vend_live_lease_now (Live *live)
{
  if (live->lease_due != NULL)
    vend_live_store_lease (live);
}

/* ---- Attempts that were lost */

typedef struct
{
  Books *books;
  VendPrediction p; /* only what an attempt has */
  int64_t ended_us;
} LostAttempt;

static bool
store_lost (VendDb *db, void *data, GError **error)
{
  LostAttempt *lost = data;
  return vend_store_attempt_insert (db, &lost->p, lost->ended_us, "lost", error);
}

static void
lost_stored (const GError *error, void *data)
{
  LostAttempt *lost = data;
  if (error != NULL)
    vend_log (VEND_LOG_ERROR, "cannot store a lost attempt, trying again", "prediction", lost->p.id,
              "error", error->message, NULL);
  if (error != NULL && vend_books_try_again (lost->books, store_lost, lost_stored, lost))
    return;
  vend_books_unref (lost->books);
  g_free (lost->p.id);
  g_free (lost->p.instance);
  g_free (lost);
}

void
vend_live_store_lost (Live *live)
{
  vend_live_store_insert (live);
  LostAttempt *lost = g_new0 (LostAttempt, 1);
  lost->books = vend_books_ref (live->sched->books);
  lost->p.id = g_strdup (live->p->id);
  lost->p.attempt = live->p->attempt;
  lost->p.instance = g_strdup (live->p->instance);
  lost->p.started_us = live->p->started_us;
  lost->ended_us = MAX (vend_now_us (), MAX (live->p->started_us, live->earliest_us));
  live->earliest_us = lost->ended_us;
  vend_store_write (live->sched->store, store_lost, lost_stored, lost);
}
