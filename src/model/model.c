/* Models and versions. Plain values. */
#include "model/model.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "model/account.h"
#include <string.h>

#define COVER_SCHEME "vend-cover:"

VendModel *
vend_model_new (void)
{
  return g_new0 (VendModel, 1);
}

void
vend_model_free (VendModel *model)
{
  if (model == NULL)
    return;
  g_free (model->owner);
  g_free (model->name);
  g_free (model->hardware);
  g_free (model->description);
  g_free (model->readme);
  g_free (model->github_url);
  g_free (model->paper_url);
  g_free (model->license_url);
  g_free (model->weights_url);
  g_free (model->cover_image_url);
  g_free (model->default_example);
  g_free (model->latest_version);
  g_free (model);
}

void
vend_cover_free (VendCover *cover)
{
  if (cover == NULL)
    return;
  g_free (cover->token);
  g_free (cover->name);
  g_free (cover->content_type);
  g_free (cover->sha256);
  g_free (cover);
}

char *
vend_cover_text (const VendCover *cover)
{
  g_autofree char *escaped = g_uri_escape_string (cover->name, NULL, FALSE);
  return g_strdup_printf (COVER_SCHEME "%s/%s", cover->token, escaped);
}

char *
vend_model_cover_url (const VendModel *model, const char *origin)
{
  const char *text = model->cover_image_url;
  if (text == NULL || !g_str_has_prefix (text, COVER_SCHEME))
    return g_strdup (text);
  return g_strdup_printf ("%s/v1/covers/%s", origin, text + strlen (COVER_SCHEME));
}

void
vend_version_free (VendVersion *version)
{
  if (version == NULL)
    return;
  g_free (version->id);
  g_free (version->cog_version);
  json_decref (version->openapi);
  json_decref (version->launch);
  json_decref (version->manifest);
  g_free (version->source_sha256);
  g_free (version->source);
  g_free (version->base);
  g_free (version->training);
  g_free (version->image);
  g_free (version);
}

json_t *
vend_version_to_json (const VendVersion *version)
{
  g_autofree char *created = vend_time_format (version->created_us);
  json_t *object
      = json_pack ("{s:s, s:s, s:s, s:O}", "id", version->id, "created_at", created, "cog_version",
                   version->cog_version, "openapi_schema", version->openapi);
  if (version->image != NULL)
    vend_json_set_string (object, "runner", "image");
  return object;
}

bool
vend_version_check_runs (const VendVersion *version, const char *why_no_images, GError **error)
{
  return version->image == NULL || why_no_images == NULL
         || vend_fail (error, VEND_ERROR_CONFLICT, "version: %s is an image: %s", version->id,
                       why_no_images);
}

json_t *
vend_model_to_json (const VendModel *model, const VendVersion *latest, json_t *example,
                    const char *origin)
{
  json_t *object = json_object ();
  g_autofree char *url = g_strdup_printf ("%s/%s/%s", origin, model->owner, model->name);
  g_autofree char *created = vend_time_format (model->created_us);
  g_autofree char *cover = vend_model_cover_url (model, origin);

  vend_json_set_string (object, "url", url);
  vend_json_set_string (object, "owner", model->owner);
  vend_json_set_string (object, "name", model->name);
  vend_json_set_string (object, "description", model->description);
  vend_json_set_string (object, "visibility", model->is_private ? "private" : "public");
  vend_json_set_bool (object, "is_official", false);
  vend_json_set_string (object, "github_url", model->github_url);
  vend_json_set_string (object, "paper_url", model->paper_url);
  vend_json_set_string (object, "license_url", model->license_url);
  vend_json_set_string (object, "weights_url", model->weights_url);
  vend_json_set_int (object, "run_count", model->run_count);
  vend_json_set_string (object, "cover_image_url", cover);
  json_object_set_new (object, "default_example", example != NULL ? example : json_null ());
  json_object_set_new (object, "latest_version",
                       latest != NULL ? vend_version_to_json (latest) : json_null ());
  vend_json_set_string (object, "created_at", created);
  return object;
}

bool
vend_reference_parse (const char *text, char **out_owner, char **out_name, char **out_version,
                      GError **error)
{
  g_auto (GStrv) slash = g_strsplit (text, "/", 3);
  if (g_strv_length (slash) != 2)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%.200s' is not a model; expected owner/name or owner/name:version", text);
  g_auto (GStrv) colon = g_strsplit (slash[1], ":", 2);
  const char *name = colon[0] != NULL ? colon[0] : "";
  if (!vend_name_check ("owner", slash[0], error) || !vend_name_check ("name", name, error))
    return false;
  if (colon[1] != NULL && !vend_is_sha256_hex (colon[1]))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%.200s' is not a version id; expected 64 characters of 0-9 and a-f",
                      colon[1]);
  *out_owner = g_strdup (slash[0]);
  *out_name = g_strdup (name);
  *out_version = g_strdup (colon[1]);
  return true;
}
