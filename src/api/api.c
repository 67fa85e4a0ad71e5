/* The HTTP API: binds the tables of routes to the server; every request passes here for its caller
 * and its errors. */
#include "api/api-private.h"
#include "base/error.h"

typedef struct
{
  VendApi *api;
  const ApiRoute *route;
} Bound;

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

/* Strangers are sent away before their body costs memory or disk. */
static VendReply *
admit (VendCall *call, void *context)
{
  const Bound *bound = context;
  g_autoptr (VendCaller) caller = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_auth_check (bound->api->parts.auth, vend_call_header (call, "Authorization"),
                        (VendScope) bound->route->scope, &caller, &error))
    return vend_reply_error (error);
  vend_call_set_data (call, g_steal_pointer (&caller), unref_caller);
  return NULL;
}

static void
serve (VendCall *call, void *context)
{
  const Bound *bound = context;
  VendCaller *admitted = vend_call_get_data (call);
  g_autoptr (VendCaller) caller = admitted != NULL ? g_atomic_rc_box_acquire (admitted) : NULL;
  g_autoptr (GError) error = NULL;
  VendReply *reply = NULL;
  if (!bound->route->handler (bound->api, call, caller, &reply, &error))
    {
      g_autoptr (GError) plain = NULL;
      if (g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        vend_api_not_found (&plain);
      reply = vend_reply_error (plain != NULL ? plain : error);
    }
  if (reply != NULL)
    vend_call_reply (call, reply);
}

/* What the parts of a form add to the file in it. */
#define FORM_SLACK (1024 * 1024)

static uint64_t
body_limit (const VendApi *api, const ApiRoute *route)
{
  const char *setting = route->limit != NULL ? route->limit : "max-body";
  uint64_t slack = route->body == VEND_BODY_MULTIPART ? FORM_SLACK : 0;
  return vend_settings_bytes (api->parts.settings, setting) + slack;
}

static void
bind_routes (VendApi *api, const ApiRoute *routes)
{
  for (const ApiRoute *route = routes; route->method != NULL; route++)
    {
      Bound *bound = g_new0 (Bound, 1);
      *bound = (Bound){ api, route };
      g_ptr_array_add (api->bound, bound);
      VendRoute bare = {
        .method = route->method,
        .pattern = route->pattern,
        .handler = serve,
        .context = bound,
        .body = route->body,
        .limit = body_limit (api, route),
        .admit = route->scope != 0 ? admit : NULL,
      };
      g_array_append_val (api->routes, bare);
    }
}

VendApi *
vend_api_new (const VendApiParts *parts)
{
  VendApi *api = g_new0 (VendApi, 1);
  api->parts = *parts;
  api->versions = vend_versions_cache_new (parts->store);
  api->replays = vend_replays_new ();
  api->routes = g_array_new (FALSE, FALSE, sizeof (VendRoute));
  api->bound = g_ptr_array_new_with_free_func (g_free);
  bind_routes (api, vend_api_account_routes);
  bind_routes (api, vend_api_build_routes);
  bind_routes (api, vend_api_file_routes);
  bind_routes (api, vend_api_model_routes);
  bind_routes (api, vend_api_prediction_routes);
  bind_routes (api, vend_api_stream_routes);
  bind_routes (api, vend_api_system_routes);
  bind_routes (api, vend_api_upload_routes);
  bind_routes (api, vend_api_version_routes);
  return api;
}

void
vend_api_free (VendApi *api)
{
  if (api == NULL)
    return;
  vend_versions_cache_free (api->versions);
  vend_replays_free (api->replays);
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
vend_api_set_ready (VendApi *api, bool ready)
{
  g_atomic_int_set (&api->ready, ready);
}
