/* The tools of tools.json. Threads of a lane. */
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include "mcp/tool-schema.h"
#include "mcp/tools-private.h"
#include "store/examples.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/search.h"
#include <string.h>
#include <unistd.h>

#define MODELS 10
#define PREDICTIONS 20
#define MAX_README 8000
#define SPOOL_NAME_LENGTH 24
#define UNKNOWN_TYPE "application/octet-stream"

/* ---- Models */

static void
set_text (json_t *object, const char *name, const char *text)
{
  if (text != NULL && *text != '\0')
    vend_json_set_string (object, name, text);
}

static void
add_model (json_t *list, const VendModel *model)
{
  json_t *found = json_object ();
  json_object_set_new (found, "model", json_sprintf ("%s/%s", model->owner, model->name));
  set_text (found, "description", model->description);
  vend_json_set_int (found, "runs", model->run_count);
  json_array_append_new (list, found);
}

static bool
find_models (McpRequest *request, const char *query, int limit, json_t *list, GError **error)
{
  const int64_t viewer = request->caller->account->id;
  g_autoptr (GPtrArray) found = NULL;
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  if (query == NULL || *query == '\0')
    {
      const VendModelPage page = { .viewer = viewer, .first = true };
      VendPage rows = { .limit = limit };
      if (!vend_store_model_page (reader.db, &page, &rows, &found, error))
        return false;
      for (guint i = 0; i < found->len; i++)
        add_model (list, found->pdata[i]);
      return true;
    }
  if (!vend_store_search_models (reader.db, query, viewer, limit, &found, error))
    return false;
  for (guint i = 0; i < found->len; i++)
    {
      g_autoptr (VendModel) model = NULL;
      if (!vend_store_model_get (reader.db, ((const VendHit *) found->pdata[i])->id, &model, error))
        return false;
      add_model (list, model);
    }
  return true;
}

void
mcp_tool_search_models (McpRequest *request, json_t *arguments)
{
  json_auto_t *list = json_array ();
  g_autoptr (GError) error = NULL;
  if (find_models (request, vend_rpc_text (arguments, "query"),
                   (int) vend_json_int (arguments, "limit", MODELS), list, &error))
    mcp_answer (request, mcp_structured_result (request, json_pack ("{s:O}", "models", list)));
  else
    mcp_fail_tool (request, error);
}

static void
add_example (McpRequest *request, VendDb *db, const VendModel *model, json_t *shown)
{
  g_autoptr (VendPrediction) example = NULL;
  g_autoptr (GError) ignored = NULL;
  if (model->default_example == NULL
      || !vend_store_example_get (db, model->default_example, &example, &ignored))
    return;
  json_auto_t *whole = vend_prediction_to_json (example, request->origin, VEND_VIEW_TRUTH);
  if (vend_json_size (whole) <= MCP_INLINE_BYTES)
    json_object_set_new (shown, "example",
                         json_pack ("{s:O, s:O}", "input", json_object_get (whole, "input"),
                                    "output", json_object_get (whole, "output")));
}

void
mcp_tool_get_model (McpRequest *request, json_t *arguments)
{
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendSharedVersion) version = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  if (!mcp_find_version (request, reader.db, vend_rpc_text (arguments, "model"), &model, &version,
                         &error))
    {
      mcp_fail_tool (request, error);
      return;
    }
  json_t *shown = json_object ();
  json_object_set_new (shown, "model", json_sprintf ("%s/%s", model->owner, model->name));
  vend_json_set_string (shown, "version", version->id);
  set_text (shown, "description", model->description);
  json_object_set_new (shown, "input_schema", vend_mcp_input_schema (version->openapi));
  json_object_set_new (shown, "output_schema", vend_mcp_output_schema (version->openapi));
  add_example (request, reader.db, model, shown);
  g_autofree char *readme
      = model->readme != NULL
            ? g_utf8_substring (model->readme, 0,
                                MIN (g_utf8_strlen (model->readme, -1), MAX_README))
            : NULL;
  set_text (shown, "readme", readme);
  mcp_answer (request, mcp_structured_result (request, shown));
}

void
mcp_tool_run_model (McpRequest *request, json_t *arguments)
{
  json_t *input = json_object_get (arguments, "input");
  json_auto_t *given
      = input != NULL && !json_is_null (input) ? json_incref (input) : json_object ();
  mcp_start_run (request, vend_rpc_text (arguments, "model"), given);
}

/* ---- Predictions */

static void
show (McpRequest *request, const VendPrediction *now, const GError *error)
{
  if (now == NULL)
    mcp_fail_tool (request, error);
  else
    mcp_answer (request, mcp_show_prediction (request, now, false));
}

void
mcp_tool_get_prediction (McpRequest *request, json_t *arguments)
{
  mcp_look (request, vend_rpc_text (arguments, "id"), false, show);
}

void
mcp_tool_cancel_prediction (McpRequest *request, json_t *arguments)
{
  mcp_look (request, vend_rpc_text (arguments, "id"), true, show);
}

static json_t *
summarize (const VendPrediction *prediction)
{
  json_t *row = json_object ();
  vend_json_set_string (row, "id", prediction->id);
  vend_json_set_string (row, "model", prediction->model);
  vend_json_set_string (row, "status", vend_status_name (prediction->status));
  vend_json_set_time (row, "created_at", prediction->created_us);
  set_text (row, "error", prediction->error);
  return row;
}

void
mcp_tool_list_predictions (McpRequest *request, json_t *arguments)
{
  g_auto (ApiCursor) cursor = { 0 };
  g_autoptr (GPtrArray) predictions = NULL;
  g_autoptr (GError) error = NULL;
  VendPredictionPage page = { .account_id = request->caller->account->id,
                              .kind = VEND_KIND_PREDICTION,
                              .before_us = G_MAXINT64,
                              .status = VEND_ANY_STATUS };
  VendPage rows = { .limit = (int) vend_json_int (arguments, "limit", PREDICTIONS) };
  if (!vend_api_cursor_read (vend_rpc_text (arguments, "cursor"), &cursor, &error))
    {
      mcp_refuse_arguments (request, error->message);
      return;
    }
  if (!cursor.first)
    {
      page.before_us = cursor.after_us;
      page.before_id = cursor.after_id;
    }
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  if (!vend_store_prediction_page (reader.db, &page, &rows, &predictions, &error))
    {
      mcp_fail_tool (request, error);
      return;
    }
  json_t *shown = json_pack ("{s:[]}", "predictions");
  for (guint i = 0; i < predictions->len; i++)
    json_array_append_new (json_object_get (shown, "predictions"),
                           summarize (predictions->pdata[i]));
  if (rows.more && predictions->len > 0)
    {
      const VendPrediction *last = predictions->pdata[predictions->len - 1];
      g_autofree char *next = vend_api_cursor_text (last->created_us, last->id);
      vend_json_set_string (shown, "next_cursor", next);
    }
  mcp_answer (request, mcp_structured_result (request, shown));
}

/* ---- Files */

/* Base64 in the usual alphabet, line ends allowed; NULL for anything else. */
static GBytes *
decode (const char *text)
{
  gsize digits = 0, padding = 0, size = 0;
  for (const char *c = text; *c != '\0'; c++)
    {
      if (*c == '\n' || *c == '\r')
        continue;
      if (*c == '=')
        padding++;
      else if (padding > 0 || (!g_ascii_isalnum (*c) && *c != '+' && *c != '/'))
        return NULL;
      digits++;
    }
  if (digits % 4 != 0 || padding > 2)
    return NULL;
  guchar *bytes = g_base64_decode (text, &size);
  return g_bytes_new_take (bytes, size);
}

static bool
read_content (json_t *arguments, GBytes **out, const char **problem)
{
  const json_t *text = json_object_get (arguments, "text");
  const char *data = vend_rpc_text (arguments, "data");
  *problem = "data, text: expected one of them";
  if ((data != NULL) == vend_json_is_string (text))
    return false;
  *problem = "data: expected base64";
  *out = data != NULL ? decode (data)
                      : g_bytes_new (json_string_value (text), json_string_length (text));
  return *out != NULL;
}

static bool
store_file (McpRequest *request, VendFile *file, GBytes *content, GError **error)
{
  VendBlobs *blobs = request->api->parts.blobs;
  g_autofree char *name = vend_secret_new ("upload-", SPOOL_NAME_LENGTH);
  g_autofree char *path = g_build_filename (vend_blobs_spool (blobs), name, NULL);
  gsize size = 0;
  const void *data = g_bytes_get_data (content, &size);
  const uint64_t most = vend_settings_bytes (request->api->parts.settings, "max-file");
  if (size > most)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "data: files have at most %" G_GUINT64_FORMAT " bytes", most);
  file->size = (int64_t) size;
  file->sha256 = vend_sha256_hex (data, size);
  file->md5 = g_compute_checksum_for_data (G_CHECKSUM_MD5, data, size);
  file->metadata = json_object ();
  if (!vend_file_replace (path, data, size, 0600, error))
    {
      unlink (path);
      return false;
    }
  return vend_api_file_store (request->api, request->caller, file, path, error);
}

static json_t *
show_file (const VendFile *file, const char *origin)
{
  json_auto_t *whole = vend_file_to_json (file, origin);
  json_t *shown = json_object ();
  json_object_set (shown, "url", json_object_get (json_object_get (whole, "urls"), "get"));
  vend_json_set_string (shown, "id", file->id);
  vend_json_set_string (shown, "name", file->name);
  vend_json_set_string (shown, "type", file->content_type);
  vend_json_set_int (shown, "size", file->size);
  vend_json_set_time (shown, "expires_at", file->expires_us);
  return shown;
}

void
mcp_tool_upload_file (McpRequest *request, json_t *arguments)
{
  const char *type = vend_rpc_text (arguments, "type");
  const char *problem = NULL;
  g_autoptr (GBytes) content = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VendFile) file = g_new0 (VendFile, 1);
  if (type == NULL || *type == '\0')
    type = json_object_get (arguments, "text") != NULL ? "text/plain" : UNKNOWN_TYPE;
  if (strpbrk (type, "\r\n") != NULL)
    {
      mcp_refuse_arguments (request, "type: expected a media type such as image/png");
      return;
    }
  if (!read_content (arguments, &content, &problem))
    {
      mcp_refuse_arguments (request, problem);
      return;
    }
  file->name = g_strdup (vend_rpc_text (arguments, "name"));
  file->content_type = g_strdup (type);
  if (store_file (request, file, content, &error))
    mcp_answer (request, mcp_structured_result (request, show_file (file, request->origin)));
  else
    mcp_fail_tool (request, error);
}
