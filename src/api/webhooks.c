/* Webhooks: the fields of a create call, signing keys, deliveries and their replay. */
#include "base/clock.h"
#include "base/error.h"
#include "api/api-private.h"
#include "events/webhook-secrets.h"
#include "net/egress.h"
#include "store/webhooks.h"

/* ---- Create */

static bool
read_filter (const json_t *body, json_t **out, GError **error)
{
  json_t *events = json_object_get (body, "webhook_events_filter");
  size_t i;
  json_t *item;
  if (events == NULL || json_is_null (events))
    return true;
  if (!json_is_array (events))
    return vend_fail (error, VEND_ERROR_INVALID, "webhook_events_filter: expected a list");
  json_array_foreach (events, i, item)
    {
      VendWebhookEvent event;
      if (!vend_webhook_event_parse (json_string_value (item), &event))
        return vend_fail (error, VEND_ERROR_INVALID,
                          "webhook_events_filter[%zu]: expected start, output, logs or completed",
                          i);
    }
  *out = json_incref (events);
  return true;
}

static bool
read_url (VendApi *api, const json_t *body, const char *key, const char **out, GError **error)
{
  const char *url = NULL;
  if (!vend_api_optional_text (body, key, VEND_OUTSIDE_URL_MAX, &url, error))
    return false;
  if (url != NULL && *url == '\0')
    url = NULL;
  if (url != NULL
      && !vend_egress_check (key, url, vend_webhooks_get_allow (api->parts.webhooks),
                             "webhook-allow", error))
    return false;
  *out = url;
  return true;
}

bool
vend_api_webhook (VendApi *api, VendCall *call, const json_t *body, VendPrediction *prediction,
                  GError **error)
{
  const char *webhook = NULL, *completed = NULL;
  json_auto_t *events = NULL;
  if (!read_url (api, body, "webhook", &webhook, error) || !read_filter (body, &events, error))
    return false;
  /* The older way to say "only the end, please"; ignored beside `webhook`. */
  if (webhook == NULL)
    {
      if (!read_url (api, body, "webhook_completed", &completed, error))
        return false;
      if (completed != NULL)
        {
          json_decref (events);
          events = json_pack ("[s]", "completed");
        }
    }
  if (webhook == NULL)
    webhook = completed;
  prediction->webhook = g_strdup (webhook);
  prediction->webhook_events = g_steal_pointer (&events);
  if (webhook != NULL)
    prediction->origin = g_strdup (vend_call_origin (call));
  return true;
}

/* ---- Signing keys */

static bool
get_secret (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (GPtrArray) secrets = NULL;
  if (!vend_webhook_secrets_get (api->parts.store, caller->account->id, vend_now_us (), &secrets,
                                 error))
    return false;
  const VendWebhookSecret *current = g_ptr_array_index (secrets, 0);
  *out = vend_reply_json (200, json_pack ("{s:s}", "key", current->secret));
  vend_reply_header (*out, "Cache-Control", "no-store");
  return true;
}

static bool
rotate_secret (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autofree char *secret = NULL;
  int64_t now_us = vend_now_us ();
  if (!vend_webhook_secrets_rotate (api->parts.store, caller->account->id, now_us, &secret, error))
    return false;
  json_t *object = json_pack ("{s:s}", "key", secret);
  vend_json_set_time (object, "previous_expires_at", now_us + VEND_WEBHOOK_OVERLAP_US);
  *out = vend_reply_json (200, object);
  vend_reply_header (*out, "Cache-Control", "no-store");
  return true;
}

/* ---- Deliveries */

static bool
list_deliveries (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  static const char *const keep[] = { "state", NULL };
  g_auto (ApiCursor) cursor = { 0 };
  g_autoptr (GPtrArray) deliveries = NULL;
  VendPage page = { .limit = VEND_PAGE_SIZE };
  VendDeliveryState state = VEND_DELIVERY_PENDING;
  const char *filter = vend_call_query (call, "state");
  if (filter != NULL && !vend_delivery_state_parse (filter, &state))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "state: expected pending, delivered, dead or dropped");
  if (!vend_api_cursor (call, &cursor, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_delivery_page (reader.db, caller->account->id,
                                   filter != NULL ? (int) state : -1, cursor.after_id, &page,
                                   &deliveries, error))
      return false;
  }
  guint n = deliveries->len;
  GString *results = vend_api_results ();
  for (guint i = 0; i < n; i++)
    vend_api_add_result (results, vend_delivery_to_json (g_ptr_array_index (deliveries, i)));
  const VendDelivery *last = n > 0 ? g_ptr_array_index (deliveries, n - 1) : NULL;
  *out = vend_api_page (call, results, page.more, last != NULL ? last->created_us : 0,
                        last != NULL ? last->id : "", keep);
  return true;
}

typedef struct
{
  const char *id;
  int64_t account_id;
  VendDelivery *after; /* as the replay leaves it */
} Replay;

static bool
replay (VendDb *db, void *data, GError **error)
{
  Replay *job = data;
  g_autoptr (VendDelivery) now = NULL;
  if (!vend_store_delivery_get (db, job->id, &now, error))
    return false;
  if (now->account_id != job->account_id)
    return vend_api_not_found (error);
  if (now->state != VEND_DELIVERY_DEAD)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "the delivery is %s; only a dead one can be sent again",
                      vend_delivery_state_name (now->state));
  g_clear_pointer (&job->after, vend_delivery_free);
  return vend_store_delivery_replay (db, job->id, vend_now_us (), error)
         && vend_store_delivery_get (db, job->id, &job->after, error);
}

static bool
replay_delivery (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  Replay job = { .id = vend_call_param (call, "id"), .account_id = caller->account->id };
  bool good = vend_store_write_wait (api->parts.store, replay, &job, error);
  if (good)
    {
      vend_webhooks_wake (api->parts.webhooks);
      *out = vend_reply_json (202, vend_delivery_to_json (job.after));
    }
  vend_delivery_free (job.after);
  return good;
}

const ApiRoute vend_api_webhook_routes[] = {
  { "GET", "/v1/webhooks/default/secret", VEND_SCOPE_RUN, VEND_BODY_NONE, get_secret, NULL,
    .runs_on = VEND_RUN_READ },
  { "POST", "/v1/webhooks/default/secret/rotate", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, rotate_secret,
    NULL },
  { "GET", "/v1/webhooks/deliveries", VEND_SCOPE_READ, VEND_BODY_NONE, list_deliveries, NULL,
    .runs_on = VEND_RUN_READ },
  { "POST", "/v1/webhooks/deliveries/{id}/replay", VEND_SCOPE_RUN, VEND_BODY_BUFFER,
    replay_delivery, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
