/* The endpoint: reads messages, checks them against the rules of their revision, and hands them to
 * whoever knows their method. Threads of a lane. */
#include "mcp/mcp.h"
#include "base/error.h"
#include "mcp/mcp-private.h"
#include <string.h>

#define MAX_BATCH 50
#define DISCOVER_TTL_MS (60 * 60 * 1000)

static const char instructions[]
    = "Runs AI models: search_models finds them, get_model tells the input of one, run_model runs "
      "it. A run that takes long is answered with its id; get_prediction tells how it goes on.";

/* ---- What the server is */

static json_t *
capabilities (const McpRequest *request)
{
  if (!mcp_is_modern (request))
    return json_pack ("{s:{}, s:{}}", "tools", "resources");
  json_t *all = json_pack ("{s:{}, s:{s:b, s:b}, s:{s:{}}}", "tools", "resources", "listChanged", 1,
                           "subscribe", 1, "extensions", VEND_MCP_TASKS);
  if (request->models != NULL)
    json_object_set_new (json_object_get (all, "tools"), "listChanged", json_true ());
  return all;
}

static void
initialize (McpRequest *request)
{
  const char *asked = vend_rpc_text (request->rpc.params, "protocolVersion");
  VendMcpRevision revision = VEND_MCP_LAST_LEGACY;
  if (asked == NULL)
    {
      mcp_refuse (request, VEND_RPC_INVALID_PARAMS, "protocolVersion: expected a string", NULL);
      return;
    }
  /* Of two that do not know each other's, the client decides. */
  if (!vend_mcp_revision_find (asked, &revision) || revision > VEND_MCP_LAST_LEGACY)
    revision = VEND_MCP_LAST_LEGACY;
  mcp_answer (request,
              json_pack ("{s:s, s:o, s:o, s:s}", "protocolVersion",
                         vend_mcp_revision_name (revision), "capabilities", capabilities (request),
                         "serverInfo", mcp_server_info (), "instructions", instructions));
}

static void
discover (McpRequest *request)
{
  json_t *result = json_pack ("{s:o, s:o, s:s}", "supportedVersions", vend_mcp_revision_names (),
                              "capabilities", capabilities (request), "instructions", instructions);
  mcp_allow_cache (request, result, DISCOVER_TTL_MS, true);
  mcp_answer (request, result);
}

static void
ping (McpRequest *request)
{
  mcp_answer (request, json_object ());
}

/* ---- Methods */

static const struct
{
  const char *name;
  VendMcpRevision since, until;
  void (*handle) (McpRequest *request);
} methods[] = {
  { "initialize", VEND_MCP_2025_03_26, VEND_MCP_LAST_LEGACY, initialize },
  { "ping", VEND_MCP_2025_03_26, VEND_MCP_LAST_LEGACY, ping },
  { "resources/list", VEND_MCP_2025_03_26, VEND_MCP_N, mcp_list_resources },
  { "resources/read", VEND_MCP_2025_03_26, VEND_MCP_N, mcp_read_resource },
  { "resources/templates/list", VEND_MCP_2025_03_26, VEND_MCP_N, mcp_list_resource_templates },
  { "server/discover", VEND_MCP_MODERN, VEND_MCP_N, discover },
  { "subscriptions/listen", VEND_MCP_MODERN, VEND_MCP_N, mcp_listen },
  { "tasks/cancel", VEND_MCP_MODERN, VEND_MCP_N, mcp_cancel_task },
  { "tasks/get", VEND_MCP_MODERN, VEND_MCP_N, mcp_get_task },
  { "tasks/update", VEND_MCP_MODERN, VEND_MCP_N, mcp_update_task },
  { "tools/call", VEND_MCP_2025_03_26, VEND_MCP_N, mcp_call_tool },
  { "tools/list", VEND_MCP_2025_03_26, VEND_MCP_N, mcp_list_tools },
};

static void
dispatch (McpRequest *request)
{
  const char *name = request->rpc.method;
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (name, methods[i].name) == 0 && request->revision >= methods[i].since
        && request->revision <= methods[i].until)
      {
        methods[i].handle (request);
        return;
      }
  g_autofree char *text = g_strdup_printf ("Method not found: %.100s", name);
  mcp_refuse (request, VEND_RPC_NO_METHOD, text, NULL);
}

/* ---- Messages */

/* What all messages of an HTTP request share. */
typedef struct
{
  VendApi *api;
  VendCall *call;
  VendCaller *caller;
  VendMcpHeaders headers;
  GStrv models;
  bool accepts_stream;
  bool accepts_json;
} Post;

static VendReply *
refusal (int status, const json_t *id, int code, const char *message, json_t *data)
{
  return vend_reply_json (status, vend_rpc_error (id, code, message, data));
}

static bool
is_progress_token (const json_t *token)
{
  return vend_json_is_string (token) || vend_json_is_integer (token);
}

static McpRequest *
request_new (const Post *post, json_t *message, const VendRpcMessage *rpc, VendMcpRevision revision)
{
  const json_t *meta = json_object_get (rpc->params, "_meta");
  const json_t *token = json_object_get (meta, "progressToken");
  McpRequest *request = g_new0 (McpRequest, 1);
  g_atomic_ref_count_init (&request->refs);
  g_mutex_init (&request->lock);
  request->api = post->api;
  request->call = post->call;
  request->caller = g_atomic_rc_box_acquire (post->caller);
  request->origin = g_strdup (vend_call_origin (post->call));
  request->remote = g_strdup (vend_call_remote (post->call));
  request->message = json_incref (message);
  request->rpc = *rpc;
  request->revision = revision;
  request->models = g_strdupv (post->models);
  request->progress_token = is_progress_token (token) ? token : NULL;
  request->accepts_stream = post->accepts_stream;
  request->accepts_json = post->accepts_json;
  return request;
}

/* Answers, or leaves the answer to a request. */
static VendReply *
serve_one (const Post *post, json_t *message)
{
  VendRpcMessage rpc;
  VendMcpRevision revision = VEND_MCP_N;
  const char *problem = NULL;
  g_auto (VendMcpFault) fault = { 0 };
  if (!vend_rpc_read (message, &rpc, &problem))
    return refusal (400, rpc.id, VEND_RPC_INVALID_REQUEST, problem, NULL);
  if (!vend_mcp_check (&post->headers, &rpc, &revision, &fault))
    return refusal (fault.status, rpc.id, fault.code, fault.message, g_steal_pointer (&fault.data));
  if (rpc.kind == VEND_RPC_RESPONSE && revision >= VEND_MCP_MODERN)
    return refusal (400, NULL, VEND_RPC_INVALID_REQUEST, "expected a request", NULL);
  if (rpc.kind == VEND_RPC_NOTIFICATION && strcmp (rpc.method, "notifications/cancelled") == 0)
    mcp_cancel_request (post->api, post->caller, vend_call_remote (post->call),
                        json_object_get (rpc.params, "requestId"));
  if (rpc.kind != VEND_RPC_REQUEST)
    return vend_reply_empty (202);
  g_autoptr (McpRequest) request = request_new (post, message, &rpc, revision);
  dispatch (request);
  return NULL;
}

/* ---- Batches, which one revision had */

static bool
is_request (json_t *message)
{
  return json_object_get (message, "id") != NULL && json_object_get (message, "method") != NULL;
}

static guint
count_requests (json_t *messages)
{
  guint n = 0;
  size_t i;
  json_t *message;
  json_array_foreach (messages, i, message)
    n += is_request (message);
  return n;
}

static void
serve_in_batch (const Post *post, McpBatch *batch, guint slot, json_t *message)
{
  VendRpcMessage rpc;
  const char *problem = NULL;
  const bool is_good = vend_rpc_read (message, &rpc, &problem);
  g_autoptr (McpRequest) request = request_new (post, message, &rpc, VEND_MCP_2025_03_26);
  /* The batch has the one reply, and no stream. */
  request->call = NULL;
  request->batch = batch;
  request->slot = slot;
  if (!is_good)
    mcp_refuse (request, VEND_RPC_INVALID_REQUEST, problem, NULL);
  else if (strcmp (rpc.method, "initialize") == 0)
    mcp_refuse (request, VEND_RPC_INVALID_REQUEST, "initialize cannot be part of a batch", NULL);
  else
    dispatch (request);
}

static VendReply *
serve_batch (const Post *post, json_t *messages)
{
  VendMcpRevision revision = VEND_MCP_2025_03_26;
  const guint n = count_requests (messages);
  guint slot = 0;
  size_t i;
  json_t *message;
  if (post->headers.version != NULL
      && (!vend_mcp_revision_find (post->headers.version, &revision)
          || revision != VEND_MCP_2025_03_26))
    return refusal (400, NULL, VEND_RPC_INVALID_REQUEST,
                    "batches are of revision 2025-03-26 alone: send each message by itself", NULL);
  if (json_array_size (messages) == 0 || json_array_size (messages) > MAX_BATCH)
    return refusal (400, NULL, VEND_RPC_INVALID_REQUEST, "a batch has 1 to 50 messages", NULL);
  json_array_foreach (messages, i, message)
    {
      VendRpcMessage rpc;
      const char *problem = NULL;
      if (!is_request (message) && !vend_rpc_read (message, &rpc, &problem))
        return refusal (400, NULL, VEND_RPC_INVALID_REQUEST, problem, NULL);
    }
  if (n == 0)
    return vend_reply_empty (202);
  McpBatch *batch = mcp_batch_new (post->call, n);
  json_array_foreach (messages, i, message)
    if (is_request (message))
      serve_in_batch (post, batch, slot++, message);
  return NULL;
}

/* ---- The HTTP request */

static VendReply *
check_origin (const VendApi *api, VendCall *call)
{
  const char *origin = vend_call_header (call, "Origin");
  return origin == NULL
                 || vend_mcp_origin_may_call (
                     origin, vend_settings_text (api->parts.settings, "public-url"),
                     vend_settings_text (api->parts.settings, "cors-origins"))
             ? NULL
             : refusal (403, NULL, VEND_RPC_INVALID_REQUEST,
                        "Origin: pages of this origin may not call; the setting cors-origins "
                        "lists those that may",
                        NULL);
}

static bool
accepts (const char *header, const char *type)
{
  return header == NULL || strstr (header, type) != NULL;
}

static VendReply *
read_accept (Post *post)
{
  const char *header = vend_call_header (post->call, "Accept");
  post->accepts_stream = header != NULL && strstr (header, "text/event-stream") != NULL;
  post->accepts_json = accepts (header, "application/json") || accepts (header, "application/*")
                       || accepts (header, "*/*");
  return post->accepts_stream || post->accepts_json
             ? NULL
             : refusal (406, NULL, VEND_RPC_INVALID_REQUEST,
                        "Accept: expected application/json and text/event-stream", NULL);
}

static VendReply *
check_content_type (VendCall *call)
{
  const char *type = vend_call_header (call, "Content-Type");
  return type != NULL && g_ascii_strncasecmp (type, "application/json", 16) == 0
             ? NULL
             : refusal (415, NULL, VEND_RPC_INVALID_REQUEST,
                        "Content-Type: expected application/json", NULL);
}

static VendReply *
serve_body (const Post *post)
{
  const VendJsonParsing how = { .max_depth = VEND_JSON_OUTSIDE_DEPTH, .data_member = "params" };
  gsize size = 0;
  const char *text = vend_call_body (post->call, &size);
  json_auto_t *body = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_json_parse_as (&how, text != NULL ? text : "", size, &body, &error))
    return refusal (400, NULL, VEND_RPC_PARSE_ERROR, error->message, NULL);
  return json_is_array (body) ? serve_batch (post, body) : serve_one (post, body);
}

/* Without the blanks around, which are not part of the value. */
static char *
header_of (VendCall *call, const char *name)
{
  const char *value = vend_call_header (call, name);
  return value != NULL ? g_strstrip (g_strdup (value)) : NULL;
}

static bool
serve (VendApi *api, VendCall *call, VendCaller *caller, GStrv models, VendReply **out)
{
  Post post = { .api = api, .call = call, .caller = caller, .models = models };
  g_autofree char *version = header_of (call, "MCP-Protocol-Version");
  g_autofree char *method = header_of (call, "Mcp-Method");
  g_autofree char *name = header_of (call, "Mcp-Name");
  post.headers = (VendMcpHeaders){ version, method, name };
  if ((*out = check_origin (api, call)) == NULL && (*out = check_content_type (call)) == NULL
      && (*out = read_accept (&post)) == NULL)
    *out = serve_body (&post);
  return true;
}

static bool
post_any (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const char *listed = vend_call_query (call, "models");
  g_auto (GStrv) models = listed != NULL ? g_strsplit (listed, ",", MCP_MAX_MODELS + 1) : NULL;
  if (models != NULL && (models[0] == NULL || g_strv_length (models) > MCP_MAX_MODELS))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "models: expected 1 to %d names such as owner/name, with commas between them",
                      MCP_MAX_MODELS);
  return serve (api, call, caller, models, out);
}

static bool
post_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autofree char *name
      = g_strdup_printf ("%s/%s", vend_call_param (call, "owner"), vend_call_param (call, "name"));
  char *models[] = { name, NULL };
  return serve (api, call, caller, models, out);
}

const ApiRoute vend_mcp_routes[] = {
  { "POST", "/mcp", VEND_SCOPE_READ, VEND_BODY_BUFFER, post_any, NULL, .runs_on = VEND_RUN_READ },
  { "POST", "/mcp/{owner}/{name}", VEND_SCOPE_READ, VEND_BODY_BUFFER, post_model, NULL,
    .runs_on = VEND_RUN_READ },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
