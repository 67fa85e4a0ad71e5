/* Health, live state and hardware. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/turns.h"

#ifndef VEND_VERSION
#define VEND_VERSION "0.1.0"
#endif

/* An answer of the file store is good for so long. */
#define FILES_SEEN_US (1 * VEND_US_PER_S)
/* Many times what either may take. */
#define STUCK_US (10 * VEND_US_PER_S)

static VendReply *
unhealthy (const char *what, int64_t stuck_us)
{
  g_autofree char *detail = g_strdup_printf ("the %s has not answered for %" G_GINT64_FORMAT " s",
                                             what, stuck_us / VEND_US_PER_S);
  return vend_reply_problem_json (503, json_pack ("{s:s, s:s, s:i, s:s}", "title", "Unavailable",
                                                  "detail", detail, "status", 503, "part", what));
}

/* Answers at once, without a question to another thread: the core thread beats by itself, and the
 * store knows since when a caller waits. */
static bool
healthz (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const int64_t core_us = g_get_monotonic_time () - api->beat_us;
  const int64_t writer_us = vend_store_waiting_us (api->parts.store);
  if (core_us > STUCK_US || writer_us > STUCK_US)
    {
      *out = core_us > STUCK_US ? unhealthy ("core thread", core_us)
                                : unhealthy ("writer", writer_us);
      return true;
    }
  *out = vend_reply_json (200, json_pack ("{s:s, s:s}", "status", "ok", "version", VEND_VERSION));
  return true;
}

/* One at a time asks the file store; whoever comes meanwhile, or soon after, gets its answer. */
static bool
files_answer (VendApi *api)
{
  g_autoptr (GError) problem = NULL;
  const int64_t now_us = g_get_monotonic_time ();
  if (now_us - api->files_seen_us < FILES_SEEN_US
      || !g_atomic_int_compare_and_exchange (&api->sees_files, 0, 1))
    return g_atomic_int_get (&api->files_fail) == 0;
  const bool good = vend_blobs_check (api->parts.blobs, &problem);
  if (!good)
    vend_log (VEND_LOG_WARN, "the file store fails", "error", problem->message, NULL);
  g_atomic_int_set (&api->files_fail, good ? 0 : 1);
  api->files_seen_us = g_get_monotonic_time ();
  g_atomic_int_set (&api->sees_files, 0);
  return good;
}

static bool
readyz (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  if (!g_atomic_int_get (&api->ready))
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the server is starting or shutting down");
  if (!vend_store_check (api->parts.store, error))
    return false;
  if (!files_answer (api))
    {
      *out = vend_reply_problem_json (
          503, json_pack ("{s:s, s:s, s:i, s:s}", "title", "Unavailable", "detail",
                          "the file store does not answer; the server's log says why", "status",
                          503, "part", "files"));
      return true;
    }
  *out = vend_reply_json (200, json_pack ("{s:s}", "status", "ready"));
  return true;
}

/* The longest turns of threads that must not block; none unless they are measured. */
static json_t *
show_turns (void)
{
  static const char *const names[VEND_TURNS_KINDS]
      = { [VEND_TURNS_CORE] = "core", [VEND_TURNS_HTTP] = "http" };
  json_t *turns = json_object ();
  for (guint i = 0; i < VEND_TURNS_KINDS; i++)
    {
      int64_t us = 0;
      const char *what = NULL;
      if (vend_turns_longest (i, &us, &what))
        json_object_set_new (turns, names[i],
                             json_pack ("{s:I, s:s}", "longest_us", (json_int_t) us, "what", what));
    }
  return turns;
}

typedef struct
{
  VendApi *api;
  VendCall *call;
  json_t *state;
} Debug;

static void
reply_described (void *data)
{
  g_autofree Debug *look = data;
  json_t *turns = show_turns ();
  if (json_object_size (turns) > 0)
    json_object_set (look->state, "turns", turns);
  json_decref (turns);
  vend_call_reply (look->call, vend_reply_json (200, look->state));
}

static void
described (json_t *take, void *data)
{
  Debug *look = data;
  look->state = take;
  vend_later_run (look->api->later, VEND_LANE_REPLIES, reply_described, look);
}

static bool
debug (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  Debug *look = g_new0 (Debug, 1);
  *look = (Debug){ api, call, NULL };
  vend_sched_describe (api->parts.sched, g_strcmp0 (vend_call_query (call, "all"), "true") == 0,
                       described, look);
  return true;
}

static bool
hardware (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  *out = vend_reply_json (200, json_incref (api->hardware));
  return true;
}

static bool
openapi (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_t *document = json_copy (api->openapi);
  json_object_set_new (document, "servers", json_pack ("[{s:s}]", "url", vend_call_origin (call)));
  *out = vend_reply_json (200, document);
  return true;
}

const ApiRoute vend_api_system_routes[] = {
  { "GET", "/v1/openapi.json", 0, VEND_BODY_NONE, openapi, NULL },
  { "GET", "/-/healthz", 0, VEND_BODY_NONE, healthz, NULL },
  { "GET", "/-/readyz", 0, VEND_BODY_NONE, readyz, NULL, .reads_files = true },
  { "GET", "/-/debug", VEND_SCOPE_ADMIN, VEND_BODY_NONE, debug, NULL },
  { "GET", "/v1/hardware", VEND_SCOPE_READ, VEND_BODY_NONE, hardware, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
