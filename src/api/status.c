/* `GET /v1/status`: queues, instances and hardware now. */
#include "api/api-private.h"
#include "base/clock.h"
#include <string.h>

#ifndef VEND_VERSION
#define VEND_VERSION "0.1.0"
#endif

static void
told (char *take_text, void *data)
{
  vend_call_reply (data, vend_reply_take (200, "application/json", take_text, strlen (take_text)));
}

static bool
status (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_t *now = json_object ();
  json_t *server = json_pack ("{s:s}", "version", VEND_VERSION);
  vend_json_set_time (server, "started_at", api->started_us);
  json_object_set_new (server, "uptime_seconds",
                       json_integer ((vend_now_us () - api->started_us) / VEND_US_PER_S));
  json_object_set_new (now, "server", server);
  vend_sched_status (api->parts.sched, now, told, call);
  return true;
}

const ApiRoute vend_api_status_routes[] = {
  { "GET", "/v1/status", VEND_SCOPE_ADMIN, VEND_BODY_NONE, status, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
