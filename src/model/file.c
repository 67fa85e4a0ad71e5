/* Files of users, outputs of models, uploads of model sources, builds. */
#include "model/file.h"
#include "base/clock.h"

void
vend_file_free (VendFile *file)
{
  if (file == NULL)
    return;
  g_free (file->id);
  g_free (file->name);
  g_free (file->content_type);
  g_free (file->sha256);
  g_free (file->md5);
  json_decref (file->metadata);
  g_free (file);
}

json_t *
vend_file_to_json (const VendFile *file, const char *origin)
{
  g_autofree char *created = vend_time_format (file->created_us);
  g_autofree char *expires = vend_time_format (file->expires_us);
  g_autofree char *get = g_strdup_printf ("%s/v1/files/%s", origin, file->id);
  return json_pack ("{s:s, s:s, s:s, s:I, s:s, s:{s:s, s:s}, s:O, s:s, s:s, s:{s:s}}", "id",
                    file->id, "name", file->name, "content_type", file->content_type, "size",
                    (json_int_t) file->size, "etag", file->md5, "checksums", "sha256", file->sha256,
                    "md5", file->md5, "metadata", file->metadata, "created_at", created,
                    "expires_at", expires, "urls", "get", get);
}

void
vend_output_free (VendOutput *output)
{
  if (output == NULL)
    return;
  g_free (output->token);
  g_free (output->prediction);
  g_free (output->name);
  g_free (output->content_type);
  g_free (output->sha256);
  g_free (output);
}

void
vend_upload_free (VendUpload *upload)
{
  if (upload == NULL)
    return;
  g_free (upload->id);
  g_free (upload->sha256);
  g_free (upload);
}

void
vend_build_free (VendBuild *build)
{
  if (build == NULL)
    return;
  g_free (build->id);
  g_free (build->upload);
  g_free (build->source_sha256);
  json_decref (build->options);
  g_free (build->status);
  g_free (build->error);
  g_free (build->version);
  g_free (build);
}

json_t *
vend_build_to_json (const VendBuild *build, const char *model, const char *origin)
{
  json_t *object = json_object ();
  g_autofree char *created = vend_time_format (build->created_us);
  g_autofree char *completed
      = build->completed_us > 0 ? vend_time_format (build->completed_us) : NULL;
  g_autofree char *get = g_strdup_printf ("%s/v1/builds/%s", origin, build->id);
  g_autofree char *log = g_strdup_printf ("%s/log", get);

  vend_json_set_string (object, "id", build->id);
  vend_json_set_string (object, "model", model);
  vend_json_set_string (object, "status", build->status);
  vend_json_set_string (object, "version", build->version);
  vend_json_set_string (object, "error", build->error);
  vend_json_set_string (object, "source_sha256", build->source_sha256);
  vend_json_set_string (object, "created_at", created);
  vend_json_set_string (object, "completed_at", completed);
  json_object_set_new (object, "urls", json_pack ("{s:s, s:s}", "get", get, "log", log));
  return object;
}
