/* The HTTP API: binds the tables of routes to the server; every request passes here for its caller
 * and its errors. */
#include "api/api-private.h"
#include "api/openai/client.h"
#include "api/openapi.h"
#include "api/registry-reply.h"
#include "api/web-session.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/hardware.h"
#include <string.h>

bool
vend_api_not_found (GError **error)
{
  return vend_fail (error, VEND_ERROR_NOT_FOUND, "The requested resource could not be found.");
}

static void
unref_caller (void *data)
{
  vend_auth_caller_unref (data);
}

static int64_t
seconds_of (const VendRateState *state)
{
  return (state->retry_us + VEND_US_PER_S - 1) / VEND_US_PER_S;
}

/* In the words that the clients know. */
static VendReply *
throttled (const VendRateState *state)
{
  const int64_t seconds = seconds_of (state);
  g_autofree char *detail = g_strdup_printf (
      "Request was throttled. Your rate limit resets in ~%" G_GINT64_FORMAT "s.", seconds);
  g_autofree char *retry_after = g_strdup_printf ("%" G_GINT64_FORMAT, seconds);
  VendReply *reply = vend_reply_problem_json (
      429, json_pack ("{s:s, s:s, s:i, s:I}", "title", "Too many requests", "detail", detail,
                      "status", 429, "retry_after", (json_int_t) seconds));
  vend_reply_header (reply, "Retry-After", retry_after);
  return reply;
}

VendReply *
vend_api_count_as (VendApi *api, const VendCaller *caller, VendRateKind kind)
{
  VendRateState budget;
  return vend_rate_take (api->rate, kind, caller->account->id, caller->token_id, vend_steady_us (),
                         &budget)
             ? NULL
             : throttled (&budget);
}

void
vend_api_count_more (VendApi *api, const VendCaller *caller, VendRateKind kind, guint n)
{
  vend_rate_charge (api->rate, kind, caller->account->id, caller->token_id, vend_steady_us (), n);
}

static void
show_budget (VendCall *call, const VendRateState *state)
{
  if (state->remaining == G_MAXUINT)
    return;
  g_autofree char *remaining = g_strdup_printf ("%u", state->remaining);
  g_autofree char *reset = g_strdup_printf ("%" G_GINT64_FORMAT,
                                            (state->reset_us + VEND_US_PER_S - 1) / VEND_US_PER_S);
  vend_call_reply_header (call, "ratelimit-remaining", remaining);
  vend_call_reply_header (call, "ratelimit-reset", reset);
}

/* The caller by a token, by the session of the page, or nobody where the route is open. */
static bool
find_caller (VendCall *call, const ApiBound *bound, VendCaller **out, GError **error)
{
  VendAuth *auth = bound->api->parts.auth;
  const VendScope scope = (VendScope) bound->route->scope;
  const char *authorization = vend_call_header (call, "Authorization");
  if (bound->route->is_oci)
    return vend_auth_check_basic (auth, authorization, scope, out, error);
  g_autofree char *secret = authorization == NULL ? vend_web_session_secret (call) : NULL;
  if (secret != NULL && vend_web_session_is_own_page (call))
    {
      vend_call_reply_header (call, "Vend-Web-Build", bound->api->parts.web_build);
      /* Who was signed out sees what strangers see. */
      if (vend_auth_check_session (auth, secret, scope, out, bound->is_open ? NULL : error)
          || !bound->is_open)
        return *out != NULL;
    }
  if (authorization == NULL && bound->is_open)
    {
      *out = vend_auth_anonymous (vend_call_remote (call));
      return true;
    }
  if (secret != NULL)
    return vend_fail (error, VEND_ERROR_FORBIDDEN,
                      "a session is only for the page of this server; pass a token");
  return vend_auth_check (auth, authorization, scope, out, error);
}

static VendReply *
refuse (const ApiBound *bound, const GError *error)
{
  return bound->route->is_oci ? vend_oci_refuse_error (VEND_OCI_UNSUPPORTED, error)
                              : vend_reply_error (error);
}

/* Requests without a valid token or beyond the rate limit are refused before the body costs memory
 * or disk. */
static VendReply *
admit (VendCall *call, void *context)
{
  const ApiBound *bound = context;
  g_autoptr (VendCaller) caller = NULL;
  g_autoptr (GError) error = NULL;
  if (bound->route->is_oci)
    vend_call_reply_header (call, VEND_OCI_VERSION_HEADER);
  if (!find_caller (call, bound, &caller, &error))
    {
      VendReply *refusal = refuse (bound, error);
      if (!bound->route->is_oci && g_error_matches (error, VEND_ERROR, VEND_ERROR_UNAUTHORIZED))
        vend_reply_header (refusal, "WWW-Authenticate", "Bearer");
      return refusal;
    }
  VendRateState budget;
  const bool fits = vend_rate_take (bound->api->rate, bound->route->rate, caller->account->id,
                                    caller->token_id, vend_steady_us (), &budget);
  show_budget (call, &budget);
  if (!fits)
    return bound->route->is_oci ? vend_oci_throttled (seconds_of (&budget)) : throttled (&budget);
  vend_call_set_data (call, g_steal_pointer (&caller), unref_caller);
  return NULL;
}

static void
answer (const ApiBound *bound, VendCall *call)
{
  VendCaller *admitted = vend_call_get_data (call);
  g_autoptr (VendCaller) caller = admitted != NULL ? g_atomic_rc_box_acquire (admitted) : NULL;
  g_autoptr (GError) error = NULL;
  VendReply *reply = NULL;
  if (!bound->route->handler (bound->api, call, caller, &reply, &error))
    {
      g_autoptr (GError) plain = NULL;
      if (g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        {
          const char *missing = bound->route->missing;
          if (missing != NULL)
            vend_fail (&plain, VEND_ERROR_NOT_FOUND, "%s", missing);
          else
            vend_api_not_found (&plain);
        }
      reply = refuse (bound, plain != NULL ? plain : error);
    }
  if (reply != NULL)
    vend_call_reply (call, reply);
}

typedef struct
{
  const ApiBound *bound;
  VendCall *call;
} Later;

static void
answer_later (void *data)
{
  g_autofree Later *later = data;
  answer (later->bound, later->call);
}

/* VEND_LANES: on this thread. */
static VendLane
lane_of (const ApiBound *bound, VendCall *call)
{
  const ApiRoute *route = bound->route;
  gsize size = 0;
  if (route->reads_files && vend_blobs_is_remote (bound->api->parts.blobs))
    return VEND_LANE_FILES;
  if (route->body == VEND_BODY_BUFFER)
    (void) vend_call_body (call, &size);
  if (route->runs_on == VEND_RUN_BYTES || size > VEND_API_LARGE_BODY)
    return VEND_LANE_BYTES;
  if (route->runs_on == VEND_RUN_WRITE)
    return VEND_LANE_WRITES;
  if (route->runs_on == VEND_RUN_READ)
    return VEND_LANE_READS;
  if (route->runs_on == VEND_RUN_READ_RUN)
    return vend_sched_is_open (bound->api->parts.sched, vend_call_param (call, "id"))
               ? VEND_LANES
               : VEND_LANE_READS;
  const bool is_write = strcmp (route->method, "GET") != 0;
  return route->runs_on == VEND_RUN_BY_METHOD && is_write ? VEND_LANE_WRITES : VEND_LANES;
}

static void
serve (VendCall *call, void *context)
{
  const ApiBound *bound = context;
  const VendLane lane = lane_of (bound, call);
  g_autoptr (GError) error = NULL;
  if (lane == VEND_LANES)
    {
      answer (bound, call);
      return;
    }
  g_autofree Later *later = g_new0 (Later, 1);
  *later = (Later){ bound, call };
  if (vend_later_try (bound->api->later, lane, answer_later, later, &error))
    (void) g_steal_pointer (&later);
  else
    vend_call_reply (call, vend_reply_error (error));
}

/* What the parts of a form add to the file in it. */
#define FORM_SLACK (1024 * 1024)

/* Clients poll one prediction all the time while they wait. */
#define POLLS_PER_OTHER 10

static VendRate *
rate_limits (const VendSettings *settings)
{
  const guint other = (guint) vend_settings_int (settings, "rate-limit-other");
  const guint limits[VEND_RATE_N_KINDS]
      = { [VEND_RATE_OTHER] = other,
          [VEND_RATE_CREATE] = (guint) vend_settings_int (settings, "rate-limit-creates"),
          [VEND_RATE_POLL] = other * POLLS_PER_OTHER };
  return vend_rate_new (limits);
}

static uint64_t
body_limit (const VendApi *api, const ApiRoute *route)
{
  const char *setting = route->limit != NULL ? route->limit : "max-body";
  uint64_t slack = route->body == VEND_BODY_MULTIPART ? FORM_SLACK : 0;
  return vend_settings_bytes (api->parts.settings, setting) + slack;
}

/* Of the files in a form, in the words that the clients know. NULL for other bodies. */
static char *
too_large_text (const VendApi *api, const ApiRoute *route)
{
  return route->body == VEND_BODY_MULTIPART
             ? vend_api_file_too_large (vend_settings_bytes (api->parts.settings, route->limit))
             : NULL;
}

static void
free_bound (void *data)
{
  ApiBound *bound = data;
  g_free (bound->too_large);
  g_free (bound);
}

static ApiBound *
add_bound (VendApi *api, const ApiRoute *route)
{
  ApiBound *bound = g_new0 (ApiBound, 1);
  bound->api = api;
  bound->route = route;
  vend_api_route_stats_init (&bound->stats);
  g_ptr_array_add (api->bound, bound);
  return bound;
}

static void
bind_routes (VendApi *api, const ApiRoute *routes)
{
  for (const ApiRoute *route = routes; route->method != NULL; route++)
    {
      ApiBound *bound = add_bound (api, route);
      bound->too_large = too_large_text (api, route);
      bound->is_open
          = route->opened_by != NULL && vend_settings_bool (api->parts.settings, route->opened_by);
      VendRoute bare = {
        .method = route->method,
        .pattern = route->pattern,
        .handler = serve,
        .context = bound,
        .body = route->body,
        .limit = body_limit (api, route),
        .admit = route->scope == 0 ? NULL : admit,
        .too_large = bound->too_large,
        .sink = route->sink,
      };
      g_array_append_val (api->routes, bare);
    }
}

static const ApiRoute *const tables[] = {
  vend_api_account_routes,
  vend_api_avatar_routes,
  vend_api_budget_routes,
  vend_api_build_routes,
  vend_api_collection_routes,
  vend_api_deployment_routes,
  vend_api_download_routes,
  vend_api_example_routes,
  vend_api_explain_routes,
  vend_api_file_routes,
  vend_api_history_routes,
  vend_api_llms_routes,
  vend_api_metrics_routes,
  vend_api_model_routes,
  vend_api_prediction_routes,
  vend_api_scaling_routes,
  vend_api_search_routes,
  vend_api_secret_routes,
  vend_api_session_routes,
  vend_api_share_routes,
  vend_api_status_routes,
  vend_api_stream_routes,
  vend_api_system_routes,
  vend_api_training_routes,
  vend_api_upload_routes,
  vend_api_usage_routes,
  vend_api_version_routes,
  vend_api_webhook_routes,
  vend_api_weight_routes,
  vend_api_provenance_routes,
  vend_api_warm_routes,
  vend_api_setting_routes,
  vend_api_doctor_routes,
  vend_api_advice_routes,
  vend_api_machine_routes,
  vend_api_alias_routes,
  vend_api_openai_model_routes,
  vend_api_openai_text_routes,
  vend_api_openai_embedding_routes,
  vend_api_openai_media_routes,
  vend_api_openai_video_routes,
  vend_api_registry_routes,
  NULL,
};

/* NULL-terminated. */
static GPtrArray *
all_tables (const VendApiParts *parts)
{
  const ApiRoute *const *const sources[] = { tables, parts->interfaces };
  GPtrArray *all = g_ptr_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    for (const ApiRoute *const *table = sources[i]; table != NULL && *table != NULL; table++)
      g_ptr_array_add (all, (void *) *table);
  g_ptr_array_add (all, NULL);
  return all;
}

/* Clients know "sku" and "name"; hardware without GPUs shows nothing else. */
static void
add_gpus (VendApi *api)
{
  size_t i;
  json_t *kind;
  json_array_foreach (api->hardware, i, kind)
    {
      const VendSku *sku = vend_skus_find (api->parts.skus, vend_json_string (kind, "sku"));
      if (sku != NULL && sku->gpus > 0)
        vend_json_set_int (kind, "gpus", sku->gpus);
    }
}

bool
vend_api_new (const VendApiParts *parts, VendApi **out, GError **error)
{
  g_autoptr (VendApi) api = g_new0 (VendApi, 1);
  api->parts = *parts;
  api->started_us = vend_now_us ();
  vend_api_beat (api);
  api->versions = vend_versions_cache_new (parts->store);
  api->models = vend_models_cache_new (parts->store);
  api->rate = rate_limits (parts->settings);
  g_autoptr (GError) problem = NULL;
  if (!vend_hardware_parse (vend_settings_text (parts->settings, "hardware"), &api->hardware,
                            &problem))
    g_error ("%s: checked before", problem->message);
  add_gpus (api);
  api->replays = vend_replays_new ();
  api->openai_followers = vend_openai_followers_new ();
  api->routes = g_array_new (FALSE, FALSE, sizeof (VendRoute));
  api->bound = g_ptr_array_new_with_free_func (free_bound);
  add_bound (api, NULL);
  g_autoptr (GPtrArray) all = all_tables (parts);
  for (guint i = 0; i + 1 < all->len; i++)
    bind_routes (api, all->pdata[i]);
  api->openapi = vend_openapi_new ((const ApiRoute *const *) all->pdata);
  if (!vend_later_new (&api->later, error))
    return false;
  *out = g_steal_pointer (&api);
  return true;
}

void
vend_api_free (VendApi *api)
{
  if (api == NULL)
    return;
  vend_later_free (api->later);
  vend_versions_cache_free (api->versions);
  vend_models_cache_free (api->models);
  vend_rate_free (api->rate);
  json_decref (api->hardware);
  json_decref (api->openapi);
  vend_replays_free (api->replays);
  vend_openai_followers_free (api->openai_followers);
  g_array_unref (api->routes);
  g_ptr_array_unref (api->bound);
  g_free (api);
}

const VendRoute *
vend_api_routes (VendApi *api, gsize *out_count)
{
  *out_count = api->routes->len;
  return (const VendRoute *) (void *) api->routes->data;
}

void
vend_api_observe (const VendRoute *route, int status, int64_t duration_us, void *data)
{
  VendApi *api = data;
  /* The files of the web page are routes without a context. */
  ApiBound *bound = route != NULL && route->context != NULL ? route->context
                                                            : g_ptr_array_index (api->bound, 0);
  vend_api_count (&bound->stats, status, duration_us);
}

void
vend_api_beat (VendApi *api)
{
  api->beat_us = g_get_monotonic_time ();
  if (api->openai_followers != NULL)
    vend_openai_cancel_deserted (api);
}

void
vend_api_set_ready (VendApi *api, bool ready)
{
  g_atomic_int_set (&api->ready, ready);
}
