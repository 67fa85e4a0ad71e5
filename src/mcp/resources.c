/* Resources: models, predictions, and output files. */
#include "base/error.h"
#include "base/hash.h"
#include "mcp/mcp-private.h"
#include "store/files.h"
#include "store/models.h"
#include <string.h>

#define MARKDOWN "text/markdown"
#define LIST_TTL_MS (60 * 1000)
#define TEMPLATES_TTL_MS (60 * 60 * 1000)
#define MOST_PAGES 10 /* that are watched */

/* ---- Lists */

static json_t *
show_model (const VendModel *model)
{
  g_autofree char *name = g_strdup_printf ("%s/%s", model->owner, model->name);
  g_autofree char *uri = g_strconcat (MCP_MODEL_URI, name, NULL);
  json_t *resource = json_object ();
  vend_json_set_string (resource, "uri", uri);
  vend_json_set_string (resource, "name", name);
  if (model->description != NULL && *model->description != '\0')
    vend_json_set_string (resource, "description", model->description);
  vend_json_set_string (resource, "mimeType", MARKDOWN);
  return resource;
}

/* NULL for the first page. */
static bool
list_page_at (McpRequest *request, const char *at, json_t *result, GError **error)
{
  g_auto (ApiCursor) cursor = { 0 };
  g_autoptr (GPtrArray) models = NULL;
  VendModelPage page = { .viewer = request->caller->account->id };
  VendPage rows = { .limit = VEND_PAGE_SIZE };
  if (!vend_api_cursor_read (at, &cursor, error))
    return false;
  page.first = cursor.first;
  page.after_us = cursor.after_us;
  if (!cursor.first
      && !g_ascii_string_to_signed (cursor.after_id, 10, 0, G_MAXINT64, &page.after_id, NULL))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "cursor: expected one of this server");
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  if (!vend_store_model_page (reader.db, &page, &rows, &models, error))
    return false;
  json_t *resources = json_object_get (result, "resources");
  for (guint i = 0; i < models->len; i++)
    json_array_append_new (resources, show_model (models->pdata[i]));
  if (rows.more && models->len > 0)
    {
      const VendModel *last = models->pdata[models->len - 1];
      g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, last->id);
      g_autofree char *next = vend_api_cursor_text (last->sort_us, id);
      vend_json_set_string (result, "nextCursor", next);
    }
  return true;
}

static bool
list_page (McpRequest *request, json_t *result, GError **error)
{
  return list_page_at (request, vend_rpc_text (request->rpc.params, "cursor"), result, error);
}

static bool
list_chosen (McpRequest *request, json_t *result, GError **error)
{
  json_t *resources = json_object_get (result, "resources");
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  for (char **name = request->models; *name != NULL; name++)
    {
      g_autoptr (VendModel) model = NULL;
      g_autofree char *version = NULL;
      if (!vend_api_model_by_reference (reader.db, request->caller, *name, &model, &version, error))
        return false;
      json_array_append_new (resources, show_model (model));
    }
  return true;
}

/* All pages in one. */
static bool
list_many (McpRequest *request, json_t *result, GError **error)
{
  g_autofree char *at = NULL;
  for (guint n = 0; n < MOST_PAGES && (n == 0 || at != NULL); n++)
    {
      json_object_del (result, "nextCursor");
      if (!list_page_at (request, at, result, error))
        return false;
      g_free (at);
      at = g_strdup (vend_json_string (result, "nextCursor"));
    }
  return true;
}

char *
mcp_resources_digest (McpRequest *request)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *result = json_pack ("{s:[]}", "resources");
  if (!(request->models != NULL ? list_chosen : list_many) (request, result, &error))
    return g_strdup (error->message);
  g_autofree char *text = vend_json_text (result);
  return vend_sha256_hex (text, strlen (text));
}

void
mcp_list_resources (McpRequest *request)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *result = json_pack ("{s:[]}", "resources");
  if (!(request->models != NULL ? list_chosen : list_page) (request, result, &error))
    {
      mcp_refuse_error (request, error);
      return;
    }
  mcp_allow_cache (request, result, LIST_TTL_MS, false);
  mcp_answer (request, json_incref (result));
}

void
mcp_list_resource_templates (McpRequest *request)
{
  json_t *result = json_pack (
      "{s:[{s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}]}", "resourceTemplates", "uriTemplate",
      MCP_MODEL_URI "{owner}/{name}", "name", "model", "description",
      "A model: what it does, its input and output, and its readme", "mimeType", MARKDOWN,
      "uriTemplate", MCP_PREDICTION_URI "{id}", "name", "prediction", "description",
      "A prediction of the account, as it is now", "mimeType", "application/json");
  mcp_allow_cache (request, result, TEMPLATES_TTL_MS, true);
  mcp_answer (request, result);
}

/* ---- Contents */

static void
answer_contents (McpRequest *request, const char *member, const char *type, const char *text,
                 int64_t ttl_ms)
{
  json_t *content = json_object ();
  vend_json_set_string (content, "uri", vend_rpc_text (request->rpc.params, "uri"));
  vend_json_set_string (content, "mimeType", type);
  vend_json_set_string (content, member, text);
  json_t *result = json_pack ("{s:[o]}", "contents", content);
  mcp_allow_cache (request, result, ttl_ms, false);
  mcp_answer (request, result);
}

static void
refuse (McpRequest *request, const GError *error)
{
  if (error != NULL && vend_error_info (error)->http_status >= 500)
    {
      mcp_refuse_error (request, error);
      return;
    }
  mcp_refuse (request, mcp_is_modern (request) ? VEND_RPC_INVALID_PARAMS : VEND_MCP_NO_RESOURCE,
              error != NULL ? error->message : "Resource not found",
              json_pack ("{s:O}", "uri", json_object_get (request->rpc.params, "uri")));
}

/* NULL with an error. */
static GString *
describe (McpRequest *request, const char *name, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_autofree char *version = NULL;
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  if (!vend_api_model_by_reference (reader.db, request->caller, name, &model, &version, error))
    return NULL;
  GString *text = vend_api_describe_model (request->api, reader.db, model, request->origin);
  if (model->readme != NULL && *model->readme != '\0')
    g_string_append_printf (text, "\n## Readme\n%s\n", model->readme);
  return text;
}

char *
mcp_model_digest (McpRequest *request, const char *uri)
{
  if (!g_str_has_prefix (uri, MCP_MODEL_URI))
    return NULL;
  g_autoptr (GString) text = describe (request, uri + strlen (MCP_MODEL_URI), NULL);
  return text != NULL ? vend_sha256_hex (text->str, text->len) : NULL;
}

static void
read_model (McpRequest *request, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = describe (request, name, &error);
  if (text == NULL)
    {
      refuse (request, vend_error_info (error)->http_status >= 500 ? error : NULL);
      return;
    }
  answer_contents (request, "text", MARKDOWN, text->str, LIST_TTL_MS);
}

static void
show_prediction (McpRequest *request, const VendPrediction *now, const GError *error)
{
  if (now == NULL)
    {
      refuse (request, error);
      return;
    }
  json_auto_t *shown = vend_prediction_to_json (now, request->origin, VEND_VIEW_TRUTH);
  g_autofree char *text = vend_json_text (shown);
  answer_contents (request, "text", "application/json", text, 0);
}

static void
read_file (McpRequest *request, const char *uri)
{
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  g_autoptr (VendOutput) output = mcp_find_output (request, reader.db, uri);
  g_autoptr (GError) error = NULL;
  g_autofree char *data = output != NULL && (gsize) output->size <= MCP_INLINE_BYTES
                              ? mcp_read_base64 (request->api, output->sha256, MCP_INLINE_BYTES)
                              : NULL;
  if (output != NULL && (gsize) output->size > MCP_INLINE_BYTES)
    vend_fail (&error, VEND_ERROR_TOO_LARGE,
               "this file is larger than an answer may be: fetch its URL instead");
  if (data == NULL)
    {
      refuse (request, error);
      return;
    }
  gsize size = 0;
  g_autofree guchar *bytes = g_base64_decode (data, &size);
  const bool is_text = g_str_has_prefix (output->content_type, "text/")
                       && g_utf8_validate ((const char *) bytes, (gssize) size, NULL);
  g_autofree char *text = is_text ? g_strndup ((const char *) bytes, size) : NULL;
  answer_contents (request, is_text ? "text" : "blob", output->content_type, is_text ? text : data,
                   LIST_TTL_MS);
}

void
mcp_read_resource (McpRequest *request)
{
  const char *uri = vend_rpc_text (request->rpc.params, "uri");
  if (uri == NULL)
    mcp_refuse (request, VEND_RPC_INVALID_PARAMS, "uri: expected a string", NULL);
  else if (g_str_has_prefix (uri, MCP_MODEL_URI))
    read_model (request, uri + strlen (MCP_MODEL_URI));
  else if (g_str_has_prefix (uri, MCP_PREDICTION_URI))
    mcp_look (request, uri + strlen (MCP_PREDICTION_URI), false, show_prediction);
  else
    read_file (request, uri);
}
