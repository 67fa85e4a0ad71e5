/* Predictions as results of tools: an object, the same as text, and their files. Threads that may
 * block. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "mcp/mcp-private.h"
#include "mcp/tool-schema.h"
#include "store/files.h"
#include <string.h>
#include <unistd.h>

#define MAX_FILES 50
#define MAX_DEPTH 16
#define MAX_LOGS 2000
/* What stands around the base64 of a file, and a link to it. */
#define MEDIA_FRAME 400

typedef struct
{
  McpRequest *request;
  VendDb *db;
  json_t *content;
  guint files;
  gsize bytes; /* of the answer so far */
} Filling;

json_t *
mcp_structured_result (McpRequest *request, json_t *take_object)
{
  g_autofree char *text = vend_json_text (take_object);
  json_t *result = json_pack ("{s:[{s:s}]}", "content", "type", "text");
  vend_json_set_string (json_array_get (json_object_get (result, "content"), 0), "text", text);
  if (request->revision >= VEND_MCP_2025_06_18)
    json_object_set (result, "structuredContent", take_object);
  json_decref (take_object);
  return result;
}

/* ---- Files */

VendOutput *
mcp_find_output (McpRequest *request, VendDb *db, const char *url)
{
  g_autofree char *folder = g_strconcat (request->origin, "/v1/outputs/", NULL);
  if (!g_str_has_prefix (url, folder))
    return NULL;
  const char *rest = url + strlen (folder);
  g_autofree char *token = g_strndup (rest, strcspn (rest, "/"));
  g_autoptr (VendOutput) output = NULL;
  g_autoptr (GError) ignored = NULL;
  return vend_store_output_get (db, token, &output, &ignored) ? g_steal_pointer (&output) : NULL;
}

char *
mcp_read_base64 (VendApi *api, const char *sha256, gsize most)
{
  vend_autofd fd = -1;
  uint64_t size = 0;
  g_autoptr (GError) ignored = NULL;
  if (!vend_blobs_open_fd (api->parts.blobs, sha256, &fd, &size, &ignored) || size > most)
    return NULL;
  g_autofree guchar *bytes = g_malloc (size + 1);
  gsize read_bytes = 0;
  while (read_bytes < size)
    {
      const ssize_t n = read (fd, bytes + read_bytes, size - read_bytes);
      if (n <= 0)
        return NULL;
      read_bytes += (gsize) n;
    }
  return g_base64_encode (bytes, size);
}

static void
add_media (Filling *filling, const VendOutput *output)
{
  const char *kind = g_str_has_prefix (output->content_type, "image/")   ? "image"
                     : g_str_has_prefix (output->content_type, "audio/") ? "audio"
                                                                         : NULL;
  const gsize size = (gsize) output->size * 4 / 3 + MEDIA_FRAME;
  if (kind == NULL || filling->bytes + size > MCP_ANSWER_BYTES)
    return;
  g_autofree char *data = mcp_read_base64 (filling->request->api, output->sha256, MCP_INLINE_BYTES);
  if (data == NULL)
    return;
  filling->bytes += size;
  json_t *media = json_pack ("{s:s, s:s}", "type", kind, "data", data);
  vend_json_set_string (media, "mimeType", output->content_type);
  json_array_append_new (filling->content, media);
}

static void
add_file (Filling *filling, const char *url)
{
  g_autoptr (VendOutput) output = mcp_find_output (filling->request, filling->db, url);
  if (output == NULL || filling->files >= MAX_FILES)
    return;
  filling->files++;
  filling->bytes += MEDIA_FRAME;
  if (filling->request->revision >= VEND_MCP_2025_06_18)
    {
      json_t *link = json_pack ("{s:s}", "type", "resource_link");
      vend_json_set_string (link, "uri", url);
      vend_json_set_string (link, "name", output->name);
      vend_json_set_string (link, "mimeType", output->content_type);
      vend_json_set_int (link, "size", output->size);
      json_array_append_new (filling->content, link);
    }
  add_media (filling, output);
}

static void
add_files (Filling *filling, const json_t *value, guint depth)
{
  size_t i;
  const char *key;
  json_t *item;
  if (vend_json_is_string (value))
    add_file (filling, json_string_value (value));
  if (depth >= MAX_DEPTH)
    return;
  if (json_is_array (value))
    json_array_foreach ((json_t *) value, i, item)
      add_files (filling, item, depth + 1);
  else if (json_is_object (value))
    json_object_foreach ((json_t *) value, key, item)
      add_files (filling, item, depth + 1);
}

/* ---- The object */

static void
add_output (McpRequest *request, json_t *object, const VendPrediction *now, const json_t *openapi)
{
  json_auto_t *shown = vend_output_with_urls (now->output, request->origin);
  json_auto_t *value = vend_mcp_output_value (openapi, shown);
  if (!json_is_null (value))
    json_object_set (object, "output", value);
}

/* It is there twice, and as text with more escapes. */
static void
drop_large_output (McpRequest *request, json_t *object, const VendPrediction *now)
{
  g_autofree char *whole = vend_json_text (object);
  json_auto_t *text = vend_json_string_new (whole, strlen (whole));
  const gsize size = vend_json_size (object) + vend_json_size (text);
  if (size <= MCP_ANSWER_BYTES || json_object_get (object, "output") == NULL)
    return;
  g_autofree char *hint
      = g_strdup_printf ("The output is too large for an answer. It is at %s/v1/predictions/%s.",
                         request->origin, now->id);
  json_object_del (object, "output");
  vend_json_set_string (object, "message", hint);
}

static void
add_failure (json_t *object, const VendPrediction *now)
{
  const gsize size = strlen (now->logs);
  vend_json_set_string (object, "error", now->error != NULL ? now->error : "no reason is known");
  if (now->error_code != NULL)
    vend_json_set_string (object, "error_code", now->error_code);
  if (size > 0)
    vend_json_set_string (object, "logs",
                          size > MAX_LOGS ? now->logs + size - MAX_LOGS : now->logs);
}

static void
add_queue (json_t *object, const VendPrediction *now)
{
  json_t *queue = json_object ();
  vend_json_set_int (queue, "position", now->queue_position);
  if (now->queue_eta_us != VEND_ETA_UNKNOWN)
    json_object_set_new (queue, "eta_seconds",
                         json_real ((double) now->queue_eta_us / VEND_US_PER_S));
  json_object_set_new (object, "queue", queue);
}

static json_t *
describe (McpRequest *request, const VendPrediction *now, const json_t *openapi, bool is_run)
{
  const bool has_ended = vend_status_is_terminal (now->status);
  json_t *object = json_object ();
  vend_json_set_string (object, "id", now->id);
  vend_json_set_string (object, "model", now->model);
  vend_json_set_string (object, "status", vend_status_name (now->status));
  /* An output that is not whole may not fit the schema of a model's own tool. */
  if (now->output != NULL && (has_ended || !is_run))
    add_output (request, object, now, openapi);
  if (now->status == VEND_STATUS_FAILED || now->status == VEND_STATUS_ABORTED)
    add_failure (object, now);
  if (now->status == VEND_STATUS_STARTING && now->queue_position > 0)
    add_queue (object, now);
  if (now->data_removed)
    vend_json_set_string (object, "message", "The data of this prediction have been removed.");
  if (!has_ended)
    {
      g_autofree char *text = g_strdup_printf (
          "Still running. Call get_prediction with the id %s to see how it goes on.", now->id);
      vend_json_set_string (object, "message", text);
    }
  return object;
}

json_t *
mcp_show_prediction (McpRequest *request, const VendPrediction *now, bool is_run)
{
  g_autoptr (VendSharedVersion) version = NULL;
  g_autoptr (GError) ignored = NULL;
  g_auto (VendReader) reader = vend_reader (request->api->parts.store);
  /* It may have been deleted. */
  if (!vend_versions_cache_get (request->api->versions, reader.db, now->model_id, now->version,
                                &version, &ignored))
    version = NULL;
  json_t *object = describe (request, now, version != NULL ? version->openapi : NULL, is_run);
  json_auto_t *output = json_incref (json_object_get (object, "output"));
  drop_large_output (request, object, now);
  json_t *result = mcp_structured_result (request, object);
  Filling filling
      = { request, reader.db, json_object_get (result, "content"), 0, vend_json_size (result) };
  if (output != NULL)
    add_files (&filling, output, 0);
  if (is_run && vend_status_is_terminal (now->status) && now->status != VEND_STATUS_SUCCEEDED)
    json_object_set_new (result, "isError", json_true ());
  return result;
}
