/* File inputs: our own URLs become blobs, other people's stay for the director to fetch. */
#include "api/input-files.h"
#include "api/input-data.h"
#include "base/clock.h"
#include "base/error.h"
#include "cog/input.h"
#include "store/files.h"
#include <string.h>

/* The context for reading the files of one input; borrowed. */
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

/* Where the path of an absolute URL begins. */
static const char *
path_of (const char *url)
{
  const char *authority = strstr (url, "://");
  return authority != NULL ? authority + 3 + strcspn (authority + 3, "/?#") : url + strlen (url);
}

static bool
has_origin (const char *url, const char *origin)
{
  const size_t size = (size_t) (path_of (origin) - origin);
  return (size_t) (path_of (url) - url) == size && g_ascii_strncasecmp (url, origin, size) == 0;
}

/* The path that one of our own URLs would have behind the origin and any "/v1": the API is served
 * with and without it. */
static const char *
own_path (const char *url, const char *origin)
{
  const char *path = path_of (url);
  const char *folder = path_of (origin);
  if (g_str_has_prefix (path, folder))
    path += strlen (folder);
  while (g_str_has_prefix (path, "/v1/"))
    path += strlen ("/v1");
  return path;
}

/* The part of `path` behind `prefix` up to the next slash or query; NULL when it starts otherwise.
 */
static char *
segment_after (const char *path, const char *prefix)
{
  if (!g_str_has_prefix (path, prefix))
    return NULL;
  const char *start = path + strlen (prefix);
  return g_strndup (start, strcspn (start, "/?#"));
}

static const char *
field_of (const json_t *file)
{
  return json_string_value (json_array_get (json_object_get (file, "at"), 0));
}

/* The row may have been there longer than its bytes. */
static bool
hold (const Reading *reading, const char *sha256, const json_t *file, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (vend_blob_holds_add (reading->holds, sha256, &problem))
    return true;
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return vend_fail (error, VEND_ERROR_INVALID,
                    "input.%s: this uploaded file does not exist any more", field_of (file));
}

static bool
find_file (const Reading *reading, const char *id, VendFile **out, GError **error)
{
  g_autoptr (VendFile) row = NULL;
  if (!vend_store_file_get (reading->db, id, &row, error))
    return false;
  if (row->account_id != reading->caller->account->id || row->expires_us <= vend_now_us ())
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "file %s", id);
  *out = g_steal_pointer (&row);
  return true;
}

/* A URL with a path of this server names no known file. Under another host than that of the request
 * it may belong to another server with the same paths, so the director fetches it. */
static bool
is_missing (const Reading *reading, const json_t *file, GError **problem, const char *what,
            GError **error)
{
  if (!g_error_matches (*problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (problem));
      return false;
    }
  return !has_origin (vend_json_string (file, "url"), reading->origin)
         || vend_fail (error, VEND_ERROR_INVALID, "input.%s: %s", field_of (file), what);
}

/* Ids and tokens cannot be guessed, so a URL with a known id or token is a URL of this server,
 * whatever its host: a server has many names, and does not know all of them. */
static bool
resolve (const Reading *reading, json_t *file, GError **error)
{
  const char *path = own_path (vend_json_string (file, "url"), reading->origin);
  g_autofree char *file_id = segment_after (path, "/files/");
  g_autofree char *token = segment_after (path, "/outputs/");
  g_autoptr (VendFile) uploaded = NULL;
  g_autoptr (VendOutput) output = NULL;
  g_autoptr (GError) problem = NULL;

  if (file_id != NULL)
    {
      g_autofree char *what
          = g_strdup_printf ("the file %s does not exist or has expired", file_id);
      if (!find_file (reading, file_id, &uploaded, &problem))
        return is_missing (reading, file, &problem, what, error);
      if (!hold (reading, uploaded->sha256, file, error))
        return false;
      point_to_blob (reading->api, file, uploaded->sha256, uploaded->name, uploaded->content_type);
    }
  else if (token != NULL)
    {
      if (!vend_store_output_get (reading->db, token, &output, &problem))
        return is_missing (reading, file, &problem, "this output file does not exist any more",
                           error);
      if (!hold (reading, output->sha256, file, error))
        return false;
      point_to_blob (reading->api, file, output->sha256, output->name, output->content_type);
    }
  return true;
}

bool
vend_api_input_files (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                      const VendApiSchema *schema, VendPrediction *prediction,
                      VendBlobHolds **out_holds, json_t *problems, GError **error)
{
  json_auto_t *files = vend_cog_input_files (schema->openapi, schema->component, prediction->input);
  if (json_array_size (files) == 0)
    return true;
  g_autoptr (VendBlobHolds) holds = vend_blob_holds_new (api->parts.blobs);
  const Reading reading = { api, caller, db, vend_call_origin (call), holds };
  size_t i;
  json_t *file;
  json_array_foreach (files, i, file)
    if (json_object_get (file, "url") != NULL && !resolve (&reading, file, error))
      return false;
  if (!vend_api_input_data (api, files, prediction, holds, problems, error))
    return false;
  if (json_array_size (files) > 0)
    prediction->files = json_incref (files);
  *out_holds = g_steal_pointer (&holds);
  return true;
}
