/* File inputs: our own URLs become blobs, other people's stay for the director to fetch. */
#include "api/input-files.h"
#include "base/clock.h"
#include "base/error.h"
#include "cog/input.h"
#include "store/files.h"
#include <string.h>

static void
point_to_blob (VendApi *api, json_t *file, const char *sha256, const char *name, const char *type)
{
  g_autofree char *path = vend_blobs_path (api->parts.blobs, sha256);
  json_object_del (file, "url");
  vend_json_set_string (file, "path", path);
  vend_json_set_string (file, "name", name);
  vend_json_set_string (file, "type", type);
}

/* The part of `url` behind `prefix` up to the next slash or query; NULL when it starts otherwise.
 */
static char *
segment_after (const char *url, const char *prefix)
{
  if (!g_str_has_prefix (url, prefix))
    return NULL;
  const char *start = url + strlen (prefix);
  return g_strndup (start, strcspn (start, "/?#"));
}

static bool
resolve (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db, json_t *file,
         GError **error)
{
  const char *url = vend_json_string (file, "url");
  const char *field = json_string_value (json_array_get (json_object_get (file, "at"), 0));
  const char *origin = vend_call_origin (call);
  g_autofree char *files = g_strconcat (origin, "/v1/files/", NULL);
  g_autofree char *outputs = g_strconcat (origin, "/v1/outputs/", NULL);
  g_autofree char *file_id = segment_after (url, files);
  g_autofree char *token = segment_after (url, outputs);
  g_autoptr (GError) problem = NULL;

  if (file_id != NULL)
    {
      g_autoptr (VendFile) row = NULL;
      if (!vend_store_file_get (db, file_id, &row, &problem)
          || row->account_id != caller->account->id || row->expires_us <= vend_now_us ())
        return vend_fail (error, VEND_ERROR_INVALID,
                          "input.%s: the file %s does not exist or has expired", field, file_id);
      point_to_blob (api, file, row->sha256, row->name, row->content_type);
    }
  else if (token != NULL)
    {
      g_autoptr (VendOutput) row = NULL;
      if (!vend_store_output_get (db, token, &row, &problem))
        return vend_fail (error, VEND_ERROR_INVALID,
                          "input.%s: that output file does not exist any more", field);
      point_to_blob (api, file, row->sha256, row->name, row->content_type);
    }
  return true;
}

bool
vend_api_input_files (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                      const json_t *openapi, const char *component, const json_t *input,
                      json_t **out, GError **error)
{
  json_auto_t *files = vend_cog_input_files (openapi, component, input);
  size_t i;
  json_t *file;
  json_array_foreach (files, i, file)
    if (!resolve (api, call, caller, db, file, error))
      return false;
  *out = json_array_size (files) > 0 ? json_incref (files) : NULL;
  return true;
}
