/* Choice of the next deliveries, and handling of answers. The sender's thread. */
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "events/webhook-secrets.h"
#include "events/webhook-sign.h"
#include "events/webhooks-private.h"
#include "store/webhooks.h"

/* Finds enough rows for a full lane behind deliveries in flight. */
#define LANE_ROWS (3 * VEND_WEBHOOKS_MAX_LANE)
/* Bodies of answers are not used. */
#define MAX_ANSWER (64 * 1024)
#define STATUS_GONE 410

void
vend_sending_free (void *data)
{
  Sending *sending = data;
  if (sending->call != NULL)
    vend_egress_cancel (sending->call);
  vend_delivery_free (sending->delivery);
  g_free (sending);
}

/* ---- Counts */

static guint
count_of (GHashTable *counts, const char *key)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (counts, key));
}

static void
count (GHashTable *counts, const char *key, int by)
{
  guint now = count_of (counts, key) + (guint) by;
  if (now == 0)
    g_hash_table_remove (counts, key);
  else
    g_hash_table_replace (counts, g_strdup (key), GUINT_TO_POINTER (now));
}

static void
count_all (VendWebhooks *webhooks, const VendDelivery *delivery, int by)
{
  g_autofree char *account = g_strdup_printf ("%" G_GINT64_FORMAT, delivery->account_id);
  count (webhooks->lanes, delivery->lane, by);
  count (webhooks->accounts, account, by);
  count (webhooks->predictions, delivery->prediction, by);
  webhooks->bytes += by > 0 ? delivery->size : -delivery->size;
}

void
vend_webhooks_forget (VendWebhooks *webhooks, Sending *sending)
{
  count_all (webhooks, sending->delivery, -1);
  g_hash_table_remove (webhooks->sending, sending->delivery->id);
}

static bool
has_room (VendWebhooks *webhooks, const VendDelivery *delivery)
{
  g_autofree char *account = g_strdup_printf ("%" G_GINT64_FORMAT, delivery->account_id);
  return g_hash_table_size (webhooks->sending) < VEND_WEBHOOKS_MAX
         && count_of (webhooks->lanes, delivery->lane) < VEND_WEBHOOKS_MAX_LANE
         && count_of (webhooks->accounts, account) < VEND_WEBHOOKS_MAX_ACCOUNT
         && (webhooks->bytes == 0 || webhooks->bytes + delivery->size <= VEND_WEBHOOKS_MAX_BYTES);
}

/* ---- The answer */

static void
end (VendDelivery *delivery, VendDeliveryState state, int64_t now_us)
{
  delivery->state = state;
  delivery->ended_us = now_us;
}

/* Moves the delivery to the state that follows from the answer. */
static void
judge (VendDelivery *delivery, const VendEgressResponse *answer, int64_t now_us, int64_t unit_us)
{
  const long status = answer->status;
  delivery->tries++;
  delivery->last_status = (int) status;
  g_clear_pointer (&delivery->last_error, g_free);
  if (status >= 200 && status < 300)
    {
      end (delivery, VEND_DELIVERY_DELIVERED, now_us);
      return;
    }
  if (status >= 300 && status < 400)
    delivery->last_error
        = g_strdup_printf ("the receiver answered %ld; redirects are not followed", status);
  else if (status > 0)
    delivery->last_error = g_strdup_printf ("the receiver answered %ld", status);
  else
    delivery->last_error = g_utf8_make_valid (answer->problem, -1);

  delivery->due_us = vend_webhook_retry_us (delivery->tries, delivery->since_us, now_us, unit_us);
  if (delivery->event != VEND_WEBHOOK_COMPLETED)
    end (delivery, VEND_DELIVERY_DROPPED, now_us);
  else if (status == STATUS_GONE || delivery->due_us == 0)
    end (delivery, VEND_DELIVERY_DEAD, now_us);
}

static void
tell_log (const VendDelivery *delivery)
{
  if (delivery->state == VEND_DELIVERY_DEAD)
    vend_log (VEND_LOG_WARN, "a webhook is given up", "delivery", delivery->id, "prediction",
              delivery->prediction, "receiver", delivery->lane, "error", delivery->last_error,
              NULL);
  else if (delivery->state != VEND_DELIVERY_DELIVERED)
    vend_log (VEND_LOG_DEBUG, "a webhook failed", "delivery", delivery->id, "prediction",
              delivery->prediction, "receiver", delivery->lane, "error", delivery->last_error,
              NULL);
}

static void
on_answer (const VendEgressResponse *answer, void *data)
{
  Sending *sending = data;
  sending->call = NULL;
  judge (sending->delivery, answer, vend_now_us (), sending->webhooks->unit_us);
  atomic_fetch_add (&sending->webhooks->tries[sending->delivery->state], 1);
  tell_log (sending->delivery);
  g_clear_pointer (&sending->delivery->body, g_free);
  g_ptr_array_add (sending->webhooks->answered, sending);
  vend_webhooks_turn_soon (sending->webhooks);
}

/* ---- Sending */

static bool
signatures (VendWebhooks *webhooks, const VendDelivery *delivery, int64_t now_us, char **out,
            GError **error)
{
  g_autoptr (GPtrArray) secrets = NULL;
  g_autoptr (GString) list = g_string_new (NULL);
  if (!vend_webhook_secrets_get (webhooks->store, delivery->account_id, now_us, &secrets, error))
    return false;
  for (guint i = 0; i < secrets->len; i++)
    {
      const VendWebhookSecret *secret = g_ptr_array_index (secrets, i);
      g_autofree char *one = NULL;
      if (!vend_webhook_sign (secret->secret, delivery->id, now_us / VEND_US_PER_S, delivery->body,
                              delivery->size, &one, error))
        return false;
      g_string_append_printf (list, "%s%s", i > 0 ? " " : "", one);
    }
  *out = g_string_free (g_steal_pointer (&list), FALSE);
  return true;
}

/* Lower-case names: receivers may look them up in a plain object. */
static bool
send_one (VendWebhooks *webhooks, VendDelivery *take, GError **error)
{
  g_autoptr (VendDelivery) delivery = take;
  g_autofree char *list = NULL;
  int64_t now_us = vend_now_us ();
  if (!signatures (webhooks, delivery, now_us, &list, error))
    return false;
  g_autofree char *id = g_strconcat ("webhook-id: ", delivery->id, NULL);
  g_autofree char *timestamp
      = g_strdup_printf ("webhook-timestamp: %" G_GINT64_FORMAT, now_us / VEND_US_PER_S);
  g_autofree char *signature = g_strconcat ("webhook-signature: ", list, NULL);
  const char *const headers[]
      = { "content-type: application/json", id, timestamp, signature, NULL };

  Sending *sending = g_new0 (Sending, 1);
  sending->webhooks = webhooks;
  sending->delivery = g_steal_pointer (&delivery);
  count_all (webhooks, sending->delivery, +1);
  g_hash_table_insert (webhooks->sending, sending->delivery->id, sending);
  sending->call = vend_egress_start (webhooks->egress,
                                     &(VendEgressRequest){ .url = sending->delivery->url,
                                                           .headers = headers,
                                                           .body = sending->delivery->body,
                                                           .body_size = sending->delivery->size,
                                                           .timeout_us = VEND_WEBHOOKS_TIMEOUT_US,
                                                           .max_size = MAX_ANSWER,
                                                           .done = on_answer,
                                                           .data = sending });
  return true;
}

static bool
take_from_lane (VendWebhooks *webhooks, VendDb *db, const char *lane, int64_t now_us,
                GError **error)
{
  g_autoptr (GPtrArray) due = NULL;
  if (count_of (webhooks->lanes, lane) >= VEND_WEBHOOKS_MAX_LANE)
    return true;
  if (!vend_store_delivery_due (db, lane, now_us, LANE_ROWS, &due, error))
    return false;
  for (guint i = 0; i < due->len; i++)
    {
      const VendDelivery *delivery = g_ptr_array_index (due, i);
      /* A delivery that was superseded in flight is off the disk, and still goes first. */
      if (g_hash_table_contains (webhooks->sending, delivery->id)
          || g_hash_table_contains (webhooks->predictions, delivery->prediction))
        continue;
      if (!has_room (webhooks, delivery))
        return true;
      g_autoptr (VendDelivery) taken = g_steal_pointer (&g_ptr_array_index (due, i));
      if (!vend_store_delivery_body (db, taken->id, &taken->body, error)
          || !send_one (webhooks, g_steal_pointer (&taken), error))
        return false;
    }
  return true;
}

/* Each lane once, starting after the lane of the last turn. */
static bool
take_turns (VendWebhooks *webhooks, VendDb *db, GError **error)
{
  int64_t now_us = vend_now_us ();
  g_autofree char *begin = g_strdup (webhooks->last_lane);
  bool wrapped = false;
  while (g_hash_table_size (webhooks->sending) < VEND_WEBHOOKS_MAX)
    {
      g_autofree char *lane = NULL;
      if (!vend_store_delivery_next_lane (db, webhooks->last_lane, &lane, error))
        return false;
      if (lane == NULL && (wrapped || *begin == '\0'))
        break;
      if (lane != NULL && wrapped && g_strcmp0 (lane, begin) > 0)
        break;
      wrapped = wrapped || lane == NULL;
      g_free (webhooks->last_lane);
      webhooks->last_lane = g_strdup (lane != NULL ? lane : "");
      if (lane != NULL && !take_from_lane (webhooks, db, lane, now_us, error))
        return false;
    }
  return true;
}

bool
vend_webhooks_fill (VendWebhooks *webhooks, int64_t *out_next_us, GError **error)
{
  g_auto (VendReader) reader = vend_reader (webhooks->store);
  return take_turns (webhooks, reader.db, error)
         && vend_store_delivery_next_due (reader.db, vend_now_us (), out_next_us, error);
}
