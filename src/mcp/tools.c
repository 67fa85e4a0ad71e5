/* The tools: which there are at an endpoint, and calls of them. Threads of a lane. */
#include "base/error.h"
#include "base/hash.h"
#include "json/schema.h"
#include "mcp/mcp-private.h"
#include "mcp/tool-schema.h"
#include "mcp/tools-private.h"
#include <string.h>

#define LIST_TTL_MS (60 * 1000)

/* tools.json */
extern const char vend_mcp_tools[];

/* Those of tools.json. */
static const struct
{
  const char *name;
  VendScope scope;
  bool is_with_models; /* also at the endpoints of models */
  bool is_slow;        /* waits for a commit */
  McpTool call;
} fixed[] = {
  { "search_models", VEND_SCOPE_READ, false, false, mcp_tool_search_models },
  { "get_model", VEND_SCOPE_READ, false, false, mcp_tool_get_model },
  { "run_model", VEND_SCOPE_RUN, false, false, mcp_tool_run_model },
  { "get_prediction", VEND_SCOPE_READ, true, false, mcp_tool_get_prediction },
  { "cancel_prediction", VEND_SCOPE_RUN, true, false, mcp_tool_cancel_prediction },
  { "list_predictions", VEND_SCOPE_READ, false, false, mcp_tool_list_predictions },
  { "upload_file", VEND_SCOPE_RUN, true, true, mcp_tool_upload_file },
};

/* ---- What is wrong with a call */

json_t *
mcp_tool_error (const char *text)
{
  json_t *content = json_pack ("{s:s}", "type", "text");
  vend_json_set_string (content, "text", text);
  return json_pack ("{s:[o], s:b}", "content", content, "isError", 1);
}

void
mcp_fail_tool (McpRequest *request, const GError *error)
{
  if (vend_error_info (error)->http_status < 500 || error->code == VEND_ERROR_BUSY)
    mcp_answer (request, mcp_tool_error (error->message));
  else
    mcp_refuse_error (request, error);
}

void
mcp_refuse_arguments (McpRequest *request, const char *text)
{
  g_autofree char *whole = g_strdup_printf ("Invalid arguments:\n%s", text);
  if (request->revision >= VEND_MCP_2025_11_25)
    mcp_answer (request, mcp_tool_error (whole));
  else
    mcp_refuse (request, VEND_RPC_INVALID_PARAMS, whole, NULL);
}

bool
mcp_needs_scope (McpRequest *request, VendScope scope)
{
  if (vend_scopes_allow (request->caller->scopes, scope))
    return true;
  const char *name = vend_scope_name (scope);
  g_autofree char *text = g_strdup_printf ("this token lacks the scope '%s'", name);
  g_autofree char *challenge
      = g_strdup_printf ("Bearer error=\"insufficient_scope\", scope=\"%s\"", name);
  VendReply *reply = vend_reply_json (
      403, vend_rpc_error (request->rpc.id, VEND_RPC_INVALID_REQUEST, text, NULL));
  vend_reply_header (reply, "WWW-Authenticate", challenge);
  mcp_refuse_by (request, reply, VEND_RPC_INVALID_REQUEST, text);
  return false;
}

/* ---- The list */

static json_t *
prediction_schema (json_t *take_output)
{
  return json_pack (
      "{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:o, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}, "
      "s:[s, s, s]}",
      "type", "object", "properties", "id", "type", "string", "model", "type", "string", "status",
      "type", "string", "output", take_output, "error", "type", "string", "error_code", "type",
      "string", "logs", "type", "string", "queue", "type", "object", "message", "type", "string",
      "required", "id", "model", "status");
}

/* Not in the first revision. */
static void
drop_unknown (const McpRequest *request, json_t *tool)
{
  if (request->revision >= VEND_MCP_2025_06_18)
    return;
  json_object_del (tool, "title");
  json_object_del (tool, "outputSchema");
}

static json_t *
read_fixed (void)
{
  json_t *tools = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_json_parse (vend_mcp_tools, strlen (vend_mcp_tools), &tools, &error))
    g_error ("tools.json: %s", error->message);
  g_assert (json_array_size (tools) == G_N_ELEMENTS (fixed));
  return tools;
}

static void
add_fixed (const McpRequest *request, json_t *list, bool takes_files)
{
  json_auto_t *tools = read_fixed ();
  for (guint i = 0; i < G_N_ELEMENTS (fixed); i++)
    {
      json_t *tool = json_array_get (tools, i);
      g_assert (strcmp (vend_json_string (tool, "name"), fixed[i].name) == 0);
      if (request->models != NULL
          && (!fixed[i].is_with_models || (fixed[i].is_slow && !takes_files)))
        continue;
      if (json_is_string (json_object_get (tool, "outputSchema")))
        json_object_set_new (tool, "outputSchema", prediction_schema (json_object ()));
      drop_unknown (request, tool);
      json_array_append (list, tool);
    }
}

static json_t *
describe_model (const VendModel *model, const VendVersion *version)
{
  g_autofree char *name = vend_mcp_tool_name (model->owner, model->name);
  g_autofree char *title = g_strdup_printf ("%s/%s", model->owner, model->name);
  g_autofree char *said = g_strdup_printf (
      "%s%sRuns the AI model %s.", model->description != NULL ? model->description : "",
      model->description != NULL && *model->description != '\0' ? "\n" : "", title);
  json_t *tool = json_object ();
  vend_json_set_string (tool, "name", name);
  vend_json_set_string (tool, "title", title);
  vend_json_set_string (tool, "description", said);
  json_object_set_new (tool, "inputSchema", vend_mcp_input_schema (version->openapi));
  json_object_set_new (tool, "outputSchema",
                       prediction_schema (vend_mcp_output_schema (version->openapi)));
  json_object_set_new (tool, "annotations",
                       json_pack ("{s:b, s:b, s:b, s:b}", "readOnlyHint", 0, "destructiveHint", 0,
                                  "idempotentHint", 0, "openWorldHint", 1));
  return tool;
}

static bool
add_models (McpRequest *request, json_t *list, bool *takes_files, GError **error)
{
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  for (char **name = request->models; name != NULL && *name != NULL; name++)
    {
      g_autoptr (VendModel) model = NULL;
      g_autoptr (VendSharedVersion) version = NULL;
      if (!mcp_find_version (request, reader.db, *name, &model, &version, error))
        return false;
      json_t *tool = describe_model (model, version);
      drop_unknown (request, tool);
      json_array_append_new (list, tool);
      *takes_files = *takes_files || vend_mcp_takes_files (version->openapi);
    }
  return true;
}

char *
mcp_tools_digest (McpRequest *request)
{
  json_auto_t *list = json_array ();
  bool takes_files = false;
  g_autoptr (GError) error = NULL;
  if (!add_models (request, list, &takes_files, &error))
    return g_strdup (error->message);
  g_autofree char *text = vend_json_text (list);
  return vend_sha256_hex (text, strlen (text));
}

void
mcp_list_tools (McpRequest *request)
{
  json_t *result = json_pack ("{s:[]}", "tools");
  json_t *list = json_object_get (result, "tools");
  bool takes_files = false;
  g_autoptr (GError) error = NULL;
  if (json_object_get (request->rpc.params, "cursor") != NULL)
    vend_fail (&error, VEND_ERROR_BAD_REQUEST, "cursor: the list of tools has one page");
  else if (add_models (request, list, &takes_files, &error))
    add_fixed (request, list, takes_files);
  if (error != NULL)
    {
      json_decref (result);
      mcp_refuse_error (request, error);
      return;
    }
  mcp_allow_cache (request, result, LIST_TTL_MS, false);
  mcp_answer (request, result);
}

/* ---- Calls */

bool
mcp_find_version (McpRequest *request, VendDb *db, const char *reference, VendModel **out_model,
                  const VendVersion **out_version, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (vend_api_version_by_reference (request->api, db, request->caller, reference, out_model,
                                     out_version, &problem))
    return true;
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no model '%.256s' here", reference);
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

/* A run counts as the create that it is. */
static bool
may_run (McpRequest *request)
{
  if (!mcp_needs_scope (request, VEND_SCOPE_RUN))
    return false;
  VendReply *throttled = vend_api_count_as (request->api, request->caller, VEND_RATE_CREATE);
  if (throttled == NULL)
    return true;
  mcp_refuse_by (request, throttled, VEND_RPC_INTERNAL,
                 "too many creates: wait before the next one");
  return false;
}

void
mcp_start_run (McpRequest *request, const char *reference, json_t *input)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendSharedVersion) version = NULL;
  if (!may_run (request))
    return;
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  if (!mcp_find_version (request, reader.db, reference, &model, &version, &error)
      || !mcp_run (request, reader.db, model, version, input, &error))
    mcp_fail_tool (request, error);
}

/* The model of the endpoint whose tool has the name; NULL for none. Borrowed. */
static const char *
model_of_tool (const McpRequest *request, const char *tool)
{
  for (char **one = request->models; one != NULL && *one != NULL; one++)
    {
      g_autofree char *owner = NULL, *name = NULL, *version = NULL;
      g_autoptr (GError) ignored = NULL;
      if (!vend_reference_parse (*one, &owner, &name, &version, &ignored))
        continue;
      g_autofree char *own = vend_mcp_tool_name (owner, name);
      if (strcmp (own, tool) == 0)
        return *one;
    }
  return NULL;
}

typedef struct
{
  McpRequest *request;
  json_t *arguments;
  McpTool call;
} Later;

static void
call_later (void *data)
{
  Later *later = data;
  later->call (later->request, later->arguments);
  mcp_request_unref (later->request);
  json_decref (later->arguments);
  g_free (later);
}

static void
call_fixed (McpRequest *request, guint i, json_t *arguments)
{
  json_auto_t *tools = read_fixed ();
  json_auto_t *document = json_pack ("{s:{s:{s:O}}}", "components", "schemas", "Input",
                                     json_object_get (json_array_get (tools, i), "inputSchema"));
  json_auto_t *problems = vend_schema_problems (document, "Input", arguments);
  if (!mcp_needs_scope (request, fixed[i].scope))
    return;
  if (problems != NULL)
    {
      g_autofree char *text = vend_api_problems_text (problems);
      mcp_refuse_arguments (request, text);
    }
  else if (fixed[i].is_slow)
    {
      Later *later = g_new0 (Later, 1);
      *later = (Later){ mcp_request_ref (request), json_incref (arguments), fixed[i].call };
      vend_later_run (request->api->later, VEND_LANE_WRITES, call_later, later);
    }
  else
    fixed[i].call (request, arguments);
}

void
mcp_call_tool (McpRequest *request)
{
  const char *name = vend_rpc_text (request->rpc.params, "name");
  json_t *given = json_object_get (request->rpc.params, "arguments");
  json_auto_t *arguments
      = given != NULL && !json_is_null (given) ? json_incref (given) : json_object ();
  const char *model = name != NULL ? model_of_tool (request, name) : NULL;
  if (name == NULL || !json_is_object (arguments))
    {
      mcp_refuse (request, VEND_RPC_INVALID_PARAMS,
                  name == NULL ? "name: expected a string" : "arguments: expected an object", NULL);
      return;
    }
  if (model != NULL)
    {
      mcp_start_run (request, model, arguments);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (fixed); i++)
    if (strcmp (name, fixed[i].name) == 0 && (request->models == NULL || fixed[i].is_with_models))
      {
        call_fixed (request, i, arguments);
        return;
      }
  g_autofree char *text = g_strdup_printf ("Unknown tool: %.100s", name);
  mcp_refuse (request, VEND_RPC_INVALID_PARAMS, text, NULL);
}
