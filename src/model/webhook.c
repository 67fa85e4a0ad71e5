/* Webhook deliveries. Plain values and pure rules. */
#include "model/webhook.h"
#include "base/id.h"
#include <string.h>

#define SECRET_BYTES 32
#define ID_RANDOM 10
/* Bytes; longer ones are no names of hosts, and do not fit in an index. */
#define MAX_AUTHORITY 300

static const char *const event_names[] = { "start", "output", "logs", "completed" };
static const char *const state_names[] = { "pending", "delivered", "dead", "dropped" };

/* Backoff between tries in units (seconds); the last one repeats. Several tries in the first minute
 * for receivers that restart, then rare tries for receivers that are away. */
static const int64_t retry_units[] = { 1, 2, 4, 8, 16, 30, 60, 120, 300, 600, 1800, 3600 };

/* ---- Events */

const char *
vend_webhook_event_name (VendWebhookEvent event)
{
  for (guint i = 0; i < G_N_ELEMENTS (event_names); i++)
    if (event == (VendWebhookEvent) (1 << i))
      return event_names[i];
  g_assert_not_reached ();
}

bool
vend_webhook_event_parse (const char *name, VendWebhookEvent *out)
{
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (event_names); i++)
    if (strcmp (event_names[i], name) == 0)
      {
        *out = (VendWebhookEvent) (1 << i);
        return true;
      }
  return false;
}

guint
vend_webhook_events (const json_t *filter)
{
  guint events = 0;
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *) filter, i, item)
    {
      VendWebhookEvent event;
      if (vend_webhook_event_parse (json_string_value (item), &event))
        events |= event;
    }
  return events != 0 ? events : VEND_WEBHOOK_OUTPUT | VEND_WEBHOOK_COMPLETED;
}

/* ---- Deliveries */

const char *
vend_delivery_state_name (VendDeliveryState state)
{
  return state_names[state];
}

bool
vend_delivery_state_parse (const char *name, VendDeliveryState *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (state_names); i++)
    if (strcmp (state_names[i], name) == 0)
      {
        *out = (VendDeliveryState) i;
        return true;
      }
  return false;
}

void
vend_delivery_free (VendDelivery *delivery)
{
  if (delivery == NULL)
    return;
  g_free (delivery->id);
  g_free (delivery->prediction);
  g_free (delivery->url);
  g_free (delivery->lane);
  g_free (delivery->last_error);
  g_free (delivery->body);
  g_free (delivery);
}

json_t *
vend_delivery_to_json (const VendDelivery *delivery)
{
  bool pending = delivery->state == VEND_DELIVERY_PENDING;
  json_t *object = json_object ();
  vend_json_set_string (object, "id", delivery->id);
  vend_json_set_string (object, "prediction", delivery->prediction);
  vend_json_set_string (object, "event", vend_webhook_event_name (delivery->event));
  vend_json_set_string (object, "webhook", delivery->url);
  vend_json_set_string (object, "state", vend_delivery_state_name (delivery->state));
  vend_json_set_int (object, "tries", delivery->tries);
  json_object_set_new (object, "last_status",
                       delivery->last_status > 0 ? json_integer (delivery->last_status)
                                                 : json_null ());
  vend_json_set_string (object, "last_error", delivery->last_error);
  vend_json_set_time (object, "created_at", delivery->created_us);
  vend_json_set_time (object, "next_try_at", pending ? delivery->due_us : 0);
  vend_json_set_time (object, "completed_at", delivery->ended_us);
  return object;
}

char *
vend_delivery_id_new (int64_t now_us)
{
  g_autofree char *random = vend_id_new ();
  random[ID_RANDOM] = '\0';
  return g_strdup_printf ("msg_%016" G_GINT64_MODIFIER "x%s", now_us, random);
}

char *
vend_webhook_lane (int64_t account_id, const char *url)
{
  const char *start = strstr (url, "://");
  start = start != NULL ? start + 3 : url;
  g_autofree char *authority = g_strndup (start, MIN (strcspn (start, "/?#"), MAX_AUTHORITY));
  g_autofree char *lower = g_ascii_strdown (authority, -1);
  return g_strdup_printf ("%" G_GINT64_FORMAT "/%s", account_id, lower);
}

/* ---- Times */

int64_t
vend_webhook_throttle_us (int64_t last_us, int64_t now_us)
{
  /* A clock that was set back must not silence a prediction. */
  if (last_us == 0 || last_us > now_us || now_us - last_us >= VEND_WEBHOOK_INTERVAL_US)
    return now_us;
  return last_us + VEND_WEBHOOK_INTERVAL_US;
}

int64_t
vend_webhook_retry_us (guint tries, int64_t since_us, int64_t now_us, int64_t unit_us)
{
  guint at = MIN (MAX (tries, 1), G_N_ELEMENTS (retry_units)) - 1;
  int64_t next_us = now_us + retry_units[at] * unit_us;
  return next_us - since_us > VEND_WEBHOOK_LIFE_UNITS * unit_us ? 0 : next_us;
}

int64_t
vend_webhook_longest_retry_us (int64_t unit_us)
{
  return retry_units[G_N_ELEMENTS (retry_units) - 1] * unit_us;
}

/* ---- Secrets */

void
vend_webhook_secret_free (VendWebhookSecret *secret)
{
  if (secret == NULL)
    return;
  if (secret->secret != NULL)
    explicit_bzero (secret->secret, strlen (secret->secret));
  g_free (secret->secret);
  g_free (secret);
}

char *
vend_webhook_secret_new (void)
{
  guchar bytes[SECRET_BYTES];
  vend_random_bytes (bytes, sizeof bytes);
  g_autofree char *text = g_base64_encode (bytes, sizeof bytes);
  explicit_bzero (bytes, sizeof bytes);
  return g_strconcat ("whsec_", text, NULL);
}
