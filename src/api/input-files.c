/* File inputs: our own URLs become blobs, other people's stay for the director to fetch. */
#include "api/input-files.h"
#include "base/clock.h"
#include "base/error.h"
#include "cog/input.h"
#include "store/files.h"
#include <string.h>

/* What reading the files of one input needs; borrowed. */
typedef struct
{
  VendApi *api;
  const VendCaller *caller;
  VendDb *db;
  const char *origin;
  VendBlobHolds *holds;
} Reading;

static void
point_to_blob (const VendApi *api, json_t *file, const char *sha256, const char *name,
               const char *type)
{
  g_autofree char *path = vend_blobs_path (api->parts.blobs, sha256);
  json_object_del (file, "url");
  vend_json_set_string (file, "path", path);
  vend_json_set_string (file, "sha256", sha256);
  vend_json_set_string (file, "name", name);
  vend_json_set_string (file, "type", type);
}

/* Where the path of one of our own URLs goes on behind the origin and any "/v1"; NULL for others.
 * The API is served with and without it, so files are found under all these names. */
static const char *
own_path (const char *url, const char *origin)
{
  if (!g_str_has_prefix (url, origin))
    return NULL;
  const char *path = url + strlen (origin);
  while (g_str_has_prefix (path, "/v1/"))
    path += strlen ("/v1");
  return path;
}

/* The part of `path` behind `prefix` up to the next slash or query; NULL when it starts otherwise.
 */
static char *
segment_after (const char *path, const char *prefix)
{
  if (path == NULL || !g_str_has_prefix (path, prefix))
    return NULL;
  const char *start = path + strlen (prefix);
  return g_strndup (start, strcspn (start, "/?#"));
}

/* The row may have been there longer than its bytes. */
static bool
hold (const Reading *reading, const char *sha256, const char *field, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (vend_blob_holds_add (reading->holds, sha256, &problem))
    return true;
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return vend_fail (error, VEND_ERROR_INVALID, "input.%s: that file does not exist any more",
                    field);
}

static bool
resolve (const Reading *reading, json_t *file, GError **error)
{
  const char *url = vend_json_string (file, "url");
  const char *field = json_string_value (json_array_get (json_object_get (file, "at"), 0));
  const char *path = own_path (url, reading->origin);
  g_autofree char *file_id = segment_after (path, "/files/");
  g_autofree char *token = segment_after (path, "/outputs/");
  g_autoptr (GError) problem = NULL;

  if (file_id != NULL)
    {
      g_autoptr (VendFile) row = NULL;
      if (!vend_store_file_get (reading->db, file_id, &row, &problem)
          || row->account_id != reading->caller->account->id || row->expires_us <= vend_now_us ())
        return vend_fail (error, VEND_ERROR_INVALID,
                          "input.%s: the file %s does not exist or has expired", field, file_id);
      if (!hold (reading, row->sha256, field, error))
        return false;
      point_to_blob (reading->api, file, row->sha256, row->name, row->content_type);
    }
  else if (token != NULL)
    {
      g_autoptr (VendOutput) row = NULL;
      if (!vend_store_output_get (reading->db, token, &row, &problem))
        return vend_fail (error, VEND_ERROR_INVALID,
                          "input.%s: that output file does not exist any more", field);
      if (!hold (reading, row->sha256, field, error))
        return false;
      point_to_blob (reading->api, file, row->sha256, row->name, row->content_type);
    }
  return true;
}

bool
vend_api_input_files (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                      const json_t *openapi, const char *component, const json_t *input,
                      json_t **out, VendBlobHolds **out_holds, GError **error)
{
  json_auto_t *files = vend_cog_input_files (openapi, component, input);
  if (json_array_size (files) == 0)
    return true;
  g_autoptr (VendBlobHolds) holds = vend_blob_holds_new (api->parts.blobs);
  const Reading reading = { api, caller, db, vend_call_origin (call), holds };
  size_t i;
  json_t *file;
  json_array_foreach (files, i, file)
    if (!resolve (&reading, file, error))
      return false;
  *out = json_incref (files);
  *out_holds = g_steal_pointer (&holds);
  return true;
}
