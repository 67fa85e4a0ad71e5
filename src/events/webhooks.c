/* The sender of webhooks: its thread, its turns, and the sweep. */
#include "base/clock.h"
#include "base/fd-source.h"
#include "base/log.h"
#include "events/webhooks-private.h"
#include "store/webhooks.h"

/* After a failed look at the store: the disk may have room again. */
/* A smaller step back of the clock only delays. */
#define CLOCK_SLACK_US (1 * VEND_US_PER_S)
#define STORE_RETRY_US (1 * VEND_US_PER_S)
/* The longest sleep: the wall clock may be set meanwhile. */
#define MAX_SLEEP_US (60 * VEND_US_PER_S)
#define SWEEP_INTERVAL_MS (60 * 1000)
#define SWEEP_BATCH 500
/* Time for answers in flight when Vend stops. */
#define CLOSE_GRACE_MS 2000

static GSource *
add_source (VendWebhooks *webhooks, GSource *take, GSourceFunc call)
{
  g_source_set_callback (take, call, webhooks, NULL);
  g_source_attach (take, webhooks->context);
  return take;
}

/* ---- Turns */

static gboolean
on_timer (void *data)
{
  VendWebhooks *webhooks = data;
  vend_gsource_clear (&webhooks->timer);
  vend_webhooks_turn_soon (webhooks);
  return G_SOURCE_REMOVE;
}

static void
set_timer (VendWebhooks *webhooks, int64_t due_us)
{
  vend_gsource_clear (&webhooks->timer);
  if (due_us == 0)
    return;
  int64_t wait_us = CLAMP (due_us - vend_now_us (), 0, MAX_SLEEP_US);
  webhooks->timer = add_source (
      webhooks, g_timeout_source_new ((guint) (wait_us / VEND_US_PER_MS + 1)), on_timer);
}

static bool
store_answers (VendDb *db, void *data, GError **error)
{
  const VendWebhooks *webhooks = data;
  int64_t trimmed = 0; /* the last account; one trim covers all its deliveries */
  for (guint i = 0; i < webhooks->answered->len; i++)
    {
      const Sending *sending = g_ptr_array_index (webhooks->answered, i);
      if (!vend_store_delivery_tried (db, sending->delivery, error))
        return false;
    }
  for (guint i = 0; i < webhooks->answered->len; i++)
    {
      const Sending *sending = g_ptr_array_index (webhooks->answered, i);
      const VendDelivery *delivery = sending->delivery;
      if (delivery->state != VEND_DELIVERY_DEAD || delivery->account_id == trimmed)
        continue;
      trimmed = delivery->account_id;
      if (!vend_store_delivery_trim_dead (db, trimmed, webhooks->dead_max, SWEEP_BATCH, error))
        return false;
    }
  return true;
}

/* Until answers are on disk their deliveries count as in flight, so one process sends none
 * twice. */
static bool
flush (VendWebhooks *webhooks, GError **error)
{
  if (webhooks->answered->len == 0)
    return true;
  if (!vend_store_write_wait (webhooks->store, store_answers, webhooks, error))
    return false;
  for (guint i = 0; i < webhooks->answered->len; i++)
    vend_webhooks_forget (webhooks, g_ptr_array_index (webhooks->answered, i));
  g_ptr_array_set_size (webhooks->answered, 0);
  return true;
}

static bool
reschedule (VendDb *db, void *data, GError **error)
{
  const VendWebhooks *webhooks = data;
  const int64_t now_us = vend_now_us ();
  return vend_store_delivery_reschedule (
      db, now_us, now_us + vend_webhook_longest_retry_us (webhooks->unit_us), error);
}

/* After the clock was set back, now or while no server ran, pending deliveries would wait too
 * long. */
static bool
follow_clock (VendWebhooks *webhooks, GError **error)
{
  const int64_t clock_us = vend_now_us () - vend_steady_us ();
  const bool was_set_back
      = webhooks->clock_us == 0 || clock_us < webhooks->clock_us - CLOCK_SLACK_US;
  if (was_set_back && !vend_store_write_wait (webhooks->store, reschedule, webhooks, error))
    return false;
  /* Never 0 again, and small steps do not add up unnoticed. */
  if (was_set_back || clock_us > webhooks->clock_us)
    webhooks->clock_us = clock_us != 0 ? clock_us : 1;
  return true;
}

static gboolean
take_turn (void *data)
{
  VendWebhooks *webhooks = data;
  g_autoptr (GError) error = NULL;
  int64_t next_us = 0;
  vend_gsource_clear (&webhooks->turn);
  if (!flush (webhooks, &error) || (!webhooks->closing && !follow_clock (webhooks, &error))
      || (!webhooks->closing && !vend_webhooks_fill (webhooks, &next_us, &error)))
    {
      vend_log (VEND_LOG_ERROR, "the webhook sender waits for the store", "error", error->message,
                NULL);
      next_us = vend_now_us () + STORE_RETRY_US;
    }
  set_timer (webhooks, next_us);
  if (webhooks->closing && g_hash_table_size (webhooks->sending) == 0)
    g_main_loop_quit (webhooks->loop);
  return G_SOURCE_REMOVE;
}

void
vend_webhooks_turn_soon (VendWebhooks *webhooks)
{
  if (webhooks->turn != NULL)
    return;
  GSource *turn = g_idle_source_new ();
  /* Default priority: busy sockets must not delay it. */
  g_source_set_priority (turn, G_PRIORITY_DEFAULT);
  webhooks->turn = add_source (webhooks, turn, take_turn);
}

/* ---- Sweep */

typedef struct
{
  VendDeliveryState state;
  int64_t before_us;
  int64_t n_removed;
} Expiry;

static bool
expire (VendDb *db, void *data, GError **error)
{
  Expiry *expiry = data;
  return vend_store_delivery_expire (db, expiry->state, expiry->before_us, SWEEP_BATCH,
                                     &expiry->n_removed, error);
}

static void
expire_all (VendWebhooks *webhooks, VendDeliveryState state, int64_t keep_us)
{
  g_autoptr (GError) error = NULL;
  Expiry expiry = { .state = state, .before_us = vend_now_us () - keep_us };
  do
    if (!vend_store_write_wait (webhooks->store, expire, &expiry, &error))
      {
        vend_log (VEND_LOG_WARN, "cannot remove old webhooks", "error", error->message, NULL);
        return;
      }
  while (expiry.n_removed == SWEEP_BATCH);
}

static gboolean
on_sweep (void *data)
{
  VendWebhooks *webhooks = data;
  expire_all (webhooks, VEND_DELIVERY_DELIVERED, webhooks->keep_us);
  expire_all (webhooks, VEND_DELIVERY_DROPPED, webhooks->keep_us);
  expire_all (webhooks, VEND_DELIVERY_DEAD, webhooks->dead_keep_us);
  return G_SOURCE_CONTINUE;
}

/* ---- Life */

static gboolean
on_grace (void *data)
{
  VendWebhooks *webhooks = data;
  g_main_loop_quit (webhooks->loop);
  return G_SOURCE_CONTINUE;
}

static void
close_on_thread (void *data)
{
  VendWebhooks *webhooks = data;
  webhooks->closing = true;
  webhooks->grace = add_source (webhooks, g_timeout_source_new (CLOSE_GRACE_MS), on_grace);
  vend_webhooks_turn_soon (webhooks);
}

static void
wake_on_thread (void *data)
{
  VendWebhooks *webhooks = data;
  g_atomic_int_set (&webhooks->woken, 0);
  vend_webhooks_turn_soon (webhooks);
}

void
vend_webhooks_wake (VendWebhooks *webhooks)
{
  if (g_atomic_int_get (&webhooks->stopped) == 0
      && g_atomic_int_compare_and_exchange (&webhooks->woken, 0, 1))
    vend_inbox_post (webhooks->inbox, wake_on_thread, webhooks);
}

static void *
sender_main (void *data)
{
  VendWebhooks *webhooks = data;
  webhooks->egress = vend_egress_new (webhooks->context, webhooks->allow, "webhook-allow");
  webhooks->sweep = add_source (webhooks, g_timeout_source_new (SWEEP_INTERVAL_MS), on_sweep);
  (void) on_sweep (webhooks);
  vend_webhooks_turn_soon (webhooks);
  g_main_loop_run (webhooks->loop);

  vend_gsource_clear (&webhooks->turn);
  vend_gsource_clear (&webhooks->timer);
  vend_gsource_clear (&webhooks->sweep);
  vend_gsource_clear (&webhooks->grace);
  g_hash_table_remove_all (webhooks->sending);
  vend_egress_free (webhooks->egress);
  return NULL;
}

bool
vend_webhooks_start (const VendWebhooksOptions *options, VendWebhooks **out, GError **error)
{
  g_autoptr (VendNetworks) allow = NULL;
  if (!vend_networks_parse (options->allow, "webhook-allow", &allow, error))
    return false;
  VendWebhooks *webhooks = g_new0 (VendWebhooks, 1);
  webhooks->store = options->store;
  webhooks->allow = g_steal_pointer (&allow);
  webhooks->keep_us = options->keep_us;
  webhooks->dead_keep_us = options->dead_keep_us;
  webhooks->dead_max = options->dead_max;
  webhooks->unit_us = options->unit_us > 0 ? options->unit_us : VEND_US_PER_S;
  webhooks->context = g_main_context_new ();
  webhooks->loop = g_main_loop_new (webhooks->context, FALSE);
  webhooks->inbox = vend_inbox_new (webhooks->context);
  webhooks->sending = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, vend_sending_free);
  webhooks->predictions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  webhooks->lanes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  webhooks->accounts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  webhooks->answered = g_ptr_array_new ();
  webhooks->last_lane = g_strdup ("");
  webhooks->thread = g_thread_try_new ("webhooks", sender_main, webhooks, error);
  if (webhooks->thread == NULL)
    {
      vend_webhooks_free (webhooks);
      return false;
    }
  *out = webhooks;
  return true;
}

guint64
vend_webhooks_tries (VendWebhooks *webhooks, VendDeliveryState state)
{
  return atomic_load (&webhooks->tries[state]);
}

const VendNetworks *
vend_webhooks_get_allow (const VendWebhooks *webhooks)
{
  return webhooks->allow;
}

void
vend_webhooks_stop (VendWebhooks *webhooks)
{
  if (webhooks == NULL || webhooks->thread == NULL)
    return;
  vend_inbox_post (webhooks->inbox, close_on_thread, webhooks);
  g_thread_join (g_steal_pointer (&webhooks->thread));
  g_atomic_int_set (&webhooks->stopped, 1);
}

void
vend_webhooks_free (VendWebhooks *webhooks)
{
  if (webhooks == NULL)
    return;
  vend_webhooks_stop (webhooks);
  vend_inbox_free (webhooks->inbox);
  vend_gsource_clear (&webhooks->turn); /* a late wake may have set it */
  g_hash_table_unref (webhooks->sending);
  g_hash_table_unref (webhooks->predictions);
  g_hash_table_unref (webhooks->lanes);
  g_hash_table_unref (webhooks->accounts);
  g_ptr_array_unref (webhooks->answered);
  g_main_loop_unref (webhooks->loop);
  g_main_context_unref (webhooks->context);
  vend_networks_free (webhooks->allow);
  g_free (webhooks->last_lane);
  g_free (webhooks);
}
