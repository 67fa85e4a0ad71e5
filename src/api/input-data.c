/* Files that come as data: URIs inside of a create: large ones go to the file store. */
#include "api/input-data.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include "cog/data-uri.h"
#include "files/file-name.h"
#include "model/file.h"
#include <unistd.h>

#define SPOOL_NAME_LENGTH 24

typedef struct
{
  VendApi *api;
  VendPrediction *prediction;
  VendBlobHolds *holds;
} Storing;

static void
data_uri_free (void *data)
{
  vend_data_uri_clear (data);
  g_free (data);
}

/* As vend_schema_problems names it: "input.image", "input.images.2". */
static char *
field_of (const json_t *file)
{
  g_autoptr (GString) name = g_string_new ("input");
  size_t i;
  json_t *step;
  json_array_foreach (json_object_get (file, "at"), i, step)
    if (json_is_string (step))
      g_string_append_printf (name, ".%s", json_string_value (step));
    else
      g_string_append_printf (name, ".%" JSON_INTEGER_FORMAT, json_integer_value (step));
  return g_string_free (g_steal_pointer (&name), FALSE);
}

/* One for each entry, empty for those that are none. */
static GPtrArray *
parse_all (const json_t *files, json_t *problems)
{
  GPtrArray *uris = g_ptr_array_new_with_free_func (data_uri_free);
  size_t i;
  json_t *file;
  json_array_foreach ((json_t *) files, i, file)
    {
      const json_t *data = json_object_get (file, "data");
      const char *problem = NULL;
      VendDataUri *uri = g_new0 (VendDataUri, 1);
      g_ptr_array_add (uris, uri);
      if (data == NULL
          || vend_data_uri_parse (json_string_value (data), json_string_length (data), uri,
                                  &problem))
        continue;
      g_autofree char *field = field_of (file);
      g_autofree char *description = g_strdup_printf ("The data: URI %s", problem);
      json_array_append_new (problems, json_pack ("{s:s, s:s, s:s}", "type", "format", "field",
                                                  field, "description", description));
    }
  return uris;
}

/* The request's own value stays as it is. */
static void
put (VendPrediction *prediction, const json_t *at, const char *text)
{
  const char *key = json_string_value (json_array_get (at, 0));
  const json_t *index = json_array_get (at, 1);
  json_t *input = json_copy (prediction->input);
  if (index == NULL)
    json_object_set_new (input, key, json_string (text));
  else
    {
      json_t *list = json_copy (json_object_get (input, key));
      json_array_set_new (list, (size_t) json_integer_value (index), json_string (text));
      json_object_set_new (input, key, list);
    }
  json_decref (prediction->input);
  prediction->input = input;
}

/* Writes the bytes into the file store, where they are held. */
static bool
bring_in (const Storing *storing, const void *data, gsize size, const char *sha256, GError **error)
{
  VendBlobs *blobs = storing->api->parts.blobs;
  g_autofree char *name = vend_secret_new ("input-", SPOOL_NAME_LENGTH);
  g_autofree char *path = g_build_filename (vend_blobs_spool (blobs), name, NULL);
  if (vend_file_replace (path, data, size, 0600, error)
      && vend_blob_holds_take (storing->holds, path, sha256, error))
    return true;
  unlink (path);
  return false;
}

static bool
store (const Storing *storing, json_t *file, const VendDataUri *uri, GError **error)
{
  VendPrediction *prediction = storing->prediction;
  gsize size = 0;
  const void *data = g_bytes_get_data (uri->bytes, &size);
  const guint n = prediction->kept->len;
  g_autofree char *token = vend_input_file_token (prediction->id, n);
  if (token == NULL)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "this server has no key to name files with");
  g_autofree char *sha256 = vend_sha256_hex (data, size);
  if (!bring_in (storing, data, size, sha256, error))
    return false;

  VendOutput *row = g_new0 (VendOutput, 1);
  row->token = g_strdup (token);
  row->prediction = g_strdup (prediction->id);
  row->name = g_strconcat ("file", vend_file_extension (uri->type), NULL);
  row->content_type = g_strdup (uri->type);
  row->size = (int64_t) size;
  row->sha256 = g_strdup (sha256);
  row->created_us = prediction->created_us;
  row->is_input = true;
  g_ptr_array_add (prediction->kept, row);
  g_autofree char *text = vend_input_file_text (n, token, row->name);
  put (prediction, json_object_get (file, "at"), text);
  g_autofree char *path = vend_blobs_path (storing->api->parts.blobs, sha256);
  json_object_del (file, "data");
  vend_json_set_string (file, "path", path);
  vend_json_set_string (file, "sha256", sha256);
  vend_json_set_string (file, "name", row->name);
  vend_json_set_string (file, "type", uri->type);
  return true;
}

/* Drops the entry of one that stays in the input, in the form that every model server reads. */
static void
leave (VendPrediction *prediction, json_t *files, size_t i, const VendDataUri *uri)
{
  g_autofree char *text = uri->is_usual ? NULL : vend_data_uri_text (uri);
  if (text != NULL)
    put (prediction, json_object_get (json_array_get (files, i), "at"), text);
  json_array_remove (files, i);
}

bool
vend_api_input_data (VendApi *api, json_t *files, VendPrediction *prediction, VendBlobHolds *holds,
                     json_t *problems, GError **error)
{
  const Storing storing = { api, prediction, holds };
  g_autoptr (GPtrArray) uris = parse_all (files, problems);
  if (json_array_size (problems) > 0)
    return true;
  prediction->kept = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_output_free);
  for (size_t i = json_array_size (files); i > 0; i--)
    {
      json_t *file = json_array_get (files, i - 1);
      const json_t *data = json_object_get (file, "data");
      if (data == NULL)
        continue;
      if (json_string_length (data) <= VEND_API_INLINE_DATA_MAX)
        leave (prediction, files, i - 1, g_ptr_array_index (uris, i - 1));
      else if (!store (&storing, file, g_ptr_array_index (uris, i - 1), error))
        return false;
    }
  return true;
}
