/* Sharing a prediction: whoever has the link may look at it, until the link is taken back. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "store/predictions.h"
#include "store/shares.h"

#define TOKEN_LENGTH 32

typedef struct
{
  const char *id;
  int64_t account_id;
  VendShare *share;
} Sharing;

static bool
check_own (VendDb *db, const Sharing *sharing, GError **error)
{
  g_autoptr (VendPrediction) prediction = NULL;
  if (!vend_store_prediction_get (db, sharing->id, &prediction, error))
    return false;
  if (prediction->account_id != sharing->account_id || prediction->kind != VEND_KIND_PREDICTION)
    return vend_api_not_found (error);
  return !prediction->data_removed
         || vend_fail (error, VEND_ERROR_CONFLICT, "the data of %s were removed", sharing->id);
}

static bool
put (VendDb *db, void *data, GError **error)
{
  Sharing *sharing = data;
  g_autofree char *token = vend_secret_new ("", TOKEN_LENGTH);
  /* A transaction may be tried again. */
  g_clear_pointer (&sharing->share, vend_share_free);
  const VendShare made = { (char *) sharing->id, token, vend_now_us () };
  return check_own (db, sharing, error) && vend_store_share_insert (db, &made, error)
         && vend_store_share_of (db, sharing->id, &sharing->share, error);
}

static VendReply *
show (VendCall *call, const VendShare *share)
{
  g_autofree char *url = g_strconcat (vend_call_origin (call), "/s/", share->token, NULL);
  json_t *body = json_object ();
  vend_json_set_string (body, "url", url);
  vend_json_set_time (body, "created_at", share->created_us);
  return vend_reply_json (200, body);
}

static bool
put_share (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  Sharing sharing = { vend_call_param (call, "id"), caller->account->id, NULL };
  const bool is_shared = vend_store_write_wait (api->parts.store, put, &sharing, error);
  g_autoptr (VendShare) share = sharing.share;
  if (!is_shared)
    return false;
  *out = show (call, share);
  return true;
}

static bool
get_share (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const Sharing sharing = { vend_call_param (call, "id"), caller->account->id, NULL };
  g_autoptr (VendShare) share = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!check_own (reader.db, &sharing, error)
      || !vend_store_share_of (reader.db, sharing.id, &share, error))
    return false;
  *out = show (call, share);
  return true;
}

static bool
take_back (VendDb *db, void *data, GError **error)
{
  const Sharing *sharing = data;
  return check_own (db, sharing, error) && vend_store_share_delete (db, sharing->id, error);
}

static bool
delete_share (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  Sharing sharing = { vend_call_param (call, "id"), caller->account->id, NULL };
  if (!vend_store_write_wait (api->parts.store, take_back, &sharing, error))
    return false;
  *out = vend_reply_empty (204);
  return true;
}

/* What a stranger is shown: nothing of the account, its webhooks and deployments. */
static bool
get_shared (VendApi *api, VendCall *call, VendCaller *nobody, VendReply **out, GError **error)
{
  static const char *const members[]
      = { "id",    "model",   "version",    "status",     "input",        "output",       "logs",
          "error", "metrics", "created_at", "started_at", "completed_at", "data_removed", NULL };
  g_autoptr (VendShare) share = NULL;
  g_autoptr (VendPrediction) prediction = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_share_by_token (reader.db, vend_call_param (call, "token"), &share, error)
        || !vend_store_prediction_get (reader.db, share->prediction, &prediction, error))
      return false;
  }
  json_auto_t *whole
      = vend_prediction_to_json (prediction, vend_call_origin (call), VEND_VIEW_TRUTH);
  json_t *shown = json_object ();
  for (const char *const *member = members; *member != NULL; member++)
    json_object_set (shown, *member, json_object_get (whole, *member));
  *out = vend_reply_json (200, shown);
  vend_reply_header (*out, "Cache-Control", "no-store");
  return true;
}

const ApiRoute vend_api_share_routes[] = {
  { "PUT", "/v1/predictions/{id}/share", VEND_SCOPE_RUN, VEND_BODY_NONE, put_share, NULL },
  { "GET", "/v1/predictions/{id}/share", VEND_SCOPE_READ, VEND_BODY_NONE, get_share, NULL,
    .runs_on = VEND_RUN_READ },
  { "DELETE", "/v1/predictions/{id}/share", VEND_SCOPE_RUN, VEND_BODY_NONE, delete_share, NULL },
  { "GET", "/v1/shared/{token}", 0, VEND_BODY_NONE, get_shared, NULL, .runs_on = VEND_RUN_READ },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
