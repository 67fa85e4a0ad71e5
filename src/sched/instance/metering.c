/* Metered time of instances, as it passes and for the time while this process was away. Core
 * thread.
 *
 * Passed time is counted before every change of the phase, and stored a few seconds later. A crash
 * of this process loses nothing: directors live on, and their time is counted from the last moment
 * on disk. */
#include "sched/instance/metering.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "sched/account/ledger.h"
#include "sched/instance/instance.h"
#include "sched/target/target.h"
#include "store/instance-usage.h"

/* The most time that is counted and not stored: busy, and idle. */
#define STORE_AFTER_US (5 * VEND_US_PER_S)
#define STORE_IDLE_AFTER_US (60 * VEND_US_PER_S)
/* Tolerance between wall clock and monotonic clock from one count to the next. */
#define CLOCK_SLACK_US (2 * VEND_US_PER_S)
/* A reader of usage waits this long for the core thread and the disk. */
#define SEE_WITHIN_US (2 * VEND_US_PER_S)

/* ---- To the disk */

typedef struct
{
  Ledger *ledger;
  VendInstanceUsage *piece;
  int64_t more_us; /* the part that was not stored before */
} Put;

static bool
store_piece (VendDb *db, void *data, GError **error)
{
  return vend_store_instance_usage_put (db, ((Put *) data)->piece, error);
}

static void
put_free (void *data)
{
  Put *put = data;
  vend_ledger_unref (put->ledger);
  vend_instance_usage_free (put->piece);
  g_free (put);
}

static void
piece_stored (const GError *error, void *data)
{
  Put *put = data;
  if (error != NULL)
    vend_log (VEND_LOG_ERROR, "cannot store the time of an instance, trying again", "instance",
              put->piece->instance, "error", error->message, NULL);
  else if (put->piece->billed)
    vend_ledger_charge (put->ledger, put->piece->account_id, put->piece->began_us,
                        put->piece->price, put->more_us);
  if (error == NULL || !vend_ledger_retry (put->ledger, store_piece, piece_stored, put))
    put_free (put);
}

static void
put_piece (Instance *instance)
{
  InstanceMeter *meter = &instance->meter;
  VendSched *sched = instance->sched;
  const int64_t more_us = meter->piece->ended_us - meter->put_us;
  if (more_us <= 0)
    return;
  Put *put = g_new0 (Put, 1);
  *put = (Put){ vend_ledger_ref (sched->ledger), vend_instance_usage_copy (meter->piece), more_us };
  meter->put_us = meter->piece->ended_us;
  meter->busy_us = 0;
  vend_store_write (sched->store, store_piece, piece_stored, put);
}

/* ---- Counting */

static void
begin_piece (InstanceMeter *meter, int64_t at_us)
{
  meter->piece->ended_us = at_us;
  vend_instance_usage_next (meter->piece);
  meter->put_us = at_us;
}

static void
count (Instance *instance, VendPhase phase, int64_t until_us)
{
  InstanceMeter *meter = &instance->meter;
  const int64_t from_us = meter->piece->ended_us;
  while (!vend_instance_usage_count (meter->piece, phase, until_us))
    {
      put_piece (instance);
      begin_piece (meter, meter->piece->ended_us);
    }
  if (phase != VEND_PHASE_IDLE)
    meter->busy_us += MAX (until_us - from_us, 0);
}

static VendPhase
phase_of (const Instance *instance)
{
  if (!instance->meter.is_ready)
    return VEND_PHASE_SETUP;
  return g_hash_table_size (instance->running) > 0 ? VEND_PHASE_ACTIVE : VEND_PHASE_IDLE;
}

static void
count_until (Instance *instance, int64_t at_us)
{
  InstanceMeter *meter = &instance->meter;
  const int64_t monotonic_us = g_get_monotonic_time ();
  const int64_t passed_us = monotonic_us - meter->counted_us;
  const VendPhase phase = phase_of (instance);
  const int64_t went_us = at_us - meter->piece->ended_us;
  if (went_us > passed_us + CLOCK_SLACK_US)
    {
      /* The clock was set, or the machine slept: no time of an instance. */
      count (instance, phase, meter->piece->ended_us + passed_us);
      put_piece (instance);
      begin_piece (meter, at_us);
    }
  else if (went_us < passed_us - CLOCK_SLACK_US)
    /* The clock was set back: its time was counted once already, so this count runs ahead of the
     * clock. */
    count (instance, phase, meter->piece->ended_us + passed_us);
  else
    count (instance, phase, at_us);
  meter->counted_us = monotonic_us;
}

static bool
is_seen (const InstanceMeter *meter)
{
  return meter->piece != NULL && meter->heard == NULL;
}

void
vend_metering_count (Instance *instance)
{
  if (is_seen (&instance->meter))
    count_until (instance, vend_now_us ());
}

void
vend_metering_ready (Instance *instance)
{
  vend_metering_count (instance);
  if (is_seen (&instance->meter))
    instance->meter.is_ready = true;
}

void
vend_metering_tick (Instance *instance)
{
  const InstanceMeter *meter = &instance->meter;
  if (!is_seen (meter))
    return;
  vend_metering_count (instance);
  const int64_t due_us = meter->busy_us > 0 ? STORE_AFTER_US : STORE_IDLE_AFTER_US;
  /* While writes fail the piece grows, and is written once more as a whole. */
  if (meter->piece->ended_us - meter->put_us >= due_us
      && !vend_ledger_is_behind (instance->sched->ledger))
    put_piece (instance);
}

/* ---- Flush for readers */

/* Two holders: the reader, and the way to the disk and back. */
typedef struct
{
  VendSched *sched;
  int64_t account_id;
  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t stored;
  bool is_over;
  guint n_holders;
} Flush;

static void
flush_leave (Flush *flush)
{
  pthread_mutex_lock (&flush->lock);
  const bool is_last = --flush->n_holders == 0;
  pthread_mutex_unlock (&flush->lock);
  if (!is_last)
    return;
  pthread_cond_destroy (&flush->stored);
  pthread_mutex_destroy (&flush->lock);
  g_free (flush);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Flush, flush_leave)

static bool
store_nothing (VendDb *db, void *data, GError **error)
{
  return true;
}

/* Writes keep their order: all usage put before is stored. */
static void
flush_stored (const GError *error, void *data)
{
  g_autoptr (Flush) flush = data;
  pthread_mutex_lock (&flush->lock);
  flush->is_over = true;
  pthread_cond_signal (&flush->stored);
  pthread_mutex_unlock (&flush->lock);
}

static void
flush_on_core (void *data)
{
  Flush *flush = data;
  VendSched *sched = flush->sched;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (!vend_ledger_is_behind (sched->ledger) && g_hash_table_iter_next (&iter, NULL, &value))
    {
      Instance *instance = value;
      if (instance->billing.account_id != flush->account_id || !is_seen (&instance->meter))
        continue;
      vend_metering_count (instance);
      put_piece (instance);
    }
  vend_store_write (sched->store, store_nothing, flush_stored, flush);
}

void
vend_sched_store_usage (VendSched *sched, int64_t account_id)
{
  const int64_t until_us = g_get_monotonic_time () + SEE_WITHIN_US;
  g_autoptr (Flush) flush = g_new0 (Flush, 1);
  *flush = (Flush){ .sched = sched, .account_id = account_id, .n_holders = 2 };
  pthread_mutex_init (&flush->lock, NULL);
  vend_cond_init (&flush->stored);
  vend_inbox_post (sched->inbox, flush_on_core, flush);
  pthread_mutex_lock (&flush->lock);
  while (!flush->is_over && vend_cond_wait_until (&flush->stored, &flush->lock, until_us))
    ;
  pthread_mutex_unlock (&flush->lock);
}

/* ---- Life */

static void
begin (Instance *instance, int64_t at_us)
{
  const Target *target = instance->target;
  InstanceMeter *meter = &instance->meter;
  if (instance->billing.account_id == 0)
    return;
  meter->piece = g_new0 (VendInstanceUsage, 1);
  meter->piece->instance = g_strdup (instance->id);
  meter->piece->account_id = instance->billing.account_id;
  meter->piece->model_id = target->model_id;
  meter->piece->deployment = g_strdup (target->deployment);
  meter->piece->hardware = g_strdup (target->hardware);
  meter->piece->price = vend_prices_of (target->sched->prices, target->hardware);
  meter->piece->billed = instance->billing.instances;
  begin_piece (meter, at_us);
}

void
vend_metering_begin (Instance *instance)
{
  begin (instance, vend_wall_of (instance->created_us));
  instance->meter.counted_us
      = g_get_monotonic_time () - MAX (vend_steady_us () - instance->created_us, 0);
}

static void
end (Instance *instance)
{
  put_piece (instance);
  g_clear_pointer (&instance->meter.piece, vend_instance_usage_free);
}

void
vend_metering_end (Instance *instance, int64_t at_us)
{
  if (!is_seen (&instance->meter))
    return;
  count_until (instance, at_us);
  end (instance);
}

void
vend_metering_forget (Instance *instance)
{
  vend_metering_clear (instance);
  instance->billing = (VendBilling){ 0 };
}

void
vend_metering_clear (Instance *instance)
{
  g_clear_pointer (&instance->meter.piece, vend_instance_usage_free);
  g_clear_pointer (&instance->meter.heard, g_array_unref);
}

/* ---- Time while this process was away */

void
vend_metering_adopt (Instance *instance, const VendInstanceUsage *last)
{
  InstanceMeter *meter = &instance->meter;
  if (last != NULL)
    instance->billing = (VendBilling){ last->account_id, last->billed };
  begin (instance, last != NULL ? last->ended_us : vend_wall_of (instance->created_us));
  if (meter->piece == NULL)
    return;
  meter->heard = g_array_new (FALSE, FALSE, sizeof (VendSpan));
  meter->is_ready
      = last != NULL && last->phase_us[VEND_PHASE_SETUP] < last->ended_us - last->began_us;
}

void
vend_metering_heard (Instance *instance, int64_t started_us, int64_t completed_us)
{
  const VendSpan span = { started_us, completed_us };
  if (instance->meter.heard != NULL && started_us > 0)
    g_array_append_val (instance->meter.heard, span);
}

void
vend_metering_heard_ready (Instance *instance, int64_t at_us)
{
  if (instance->meter.heard != NULL)
    instance->meter.heard_ready_us = at_us;
}

/* The last moment at which the dead director is known to have lived. */
static int64_t
last_sign (const GArray *heard)
{
  int64_t last_us = 0;
  for (guint i = 0; i < heard->len; i++)
    {
      const VendSpan *span = &g_array_index (heard, VendSpan, i);
      last_us = MAX (last_us, MAX (span->from_us, span->to_us));
    }
  return last_us;
}

/* The moment of readiness; `end_us` when the instance was not ready by then. */
static int64_t
ready_since (const Instance *instance, int64_t end_us)
{
  const InstanceMeter *meter = &instance->meter;
  int64_t ready_us = end_us;
  if (meter->is_ready)
    return meter->piece->ended_us;
  if (meter->heard_ready_us > 0)
    return MIN (meter->heard_ready_us, end_us);
  for (guint i = 0; i < meter->heard->len; i++)
    ready_us = MIN (ready_us, g_array_index (meter->heard, VendSpan, i).from_us);
  return ready_us;
}

void
vend_metering_catch_up (Instance *instance, bool lives)
{
  InstanceMeter *meter = &instance->meter;
  if (meter->heard == NULL)
    return;
  const int64_t end_us = lives ? vend_now_us () : last_sign (meter->heard);
  const int64_t ready_us = ready_since (instance, end_us);
  for (guint i = 0; i < meter->heard->len; i++)
    {
      VendSpan *span = &g_array_index (meter->heard, VendSpan, i);
      /* A span without an end still runs. */
      span->to_us = span->to_us > 0 ? MIN (span->to_us, end_us) : end_us;
    }
  vend_spans_join (meter->heard);
  g_autoptr (GArray) busy = g_steal_pointer (&meter->heard);
  count (instance, VEND_PHASE_SETUP, ready_us);
  for (guint i = 0; i < busy->len; i++)
    {
      const VendSpan *span = &g_array_index (busy, VendSpan, i);
      count (instance, VEND_PHASE_IDLE, span->from_us);
      count (instance, VEND_PHASE_ACTIVE, span->to_us);
    }
  count (instance, VEND_PHASE_IDLE, end_us);
  meter->counted_us = g_get_monotonic_time ();
  /* An instance that is about to stop gets no later chance to be marked ready. */
  meter->is_ready
      = meter->is_ready || meter->heard_ready_us > 0 || ready_us < end_us || instance->ready_us > 0;
  if (lives)
    put_piece (instance);
  else
    end (instance);
}
