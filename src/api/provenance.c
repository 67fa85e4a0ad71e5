/* Where versions come from: pushes and trainings, what they were made of, files of their source.
 * For the owner of the model: all of it may be private. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "build/source-list.h"
#include "model/weights.h"
#include "store/models.h"
#include "store/weight-sets.h"
#include "store/weights.h"

static json_t *
facts_of (const VendVersion *version)
{
  return json_object_get (version->manifest, "facts");
}

/* What the version, or the one that has its source, was pushed with. */
static json_t *
pushed_of (const VendVersion *version)
{
  return json_object_get (version->manifest, version->base != NULL ? "pushed" : "content");
}

/* A model of another account may be trained, and its source stays that account's. */
static bool
has_own_source (const VendVersion *version)
{
  return version->base == NULL || vend_json_bool (facts_of (version), VEND_FACT_OWN_SOURCE, false);
}

bool
vend_api_check_own_source (const VendVersion *version, GError **error)
{
  return has_own_source (version)
         || vend_fail (error, VEND_ERROR_FORBIDDEN,
                       "the source of this version belongs to the account whose model was trained");
}

static json_t *
or_null (const json_t *value)
{
  return value != NULL ? json_incref ((json_t *) value) : json_null ();
}

/* "owner/name:id" of the version that was trained. */
static json_t *
base_of (const VendVersion *version)
{
  const char *model = vend_json_string (facts_of (version), "model");
  if (version->base == NULL)
    return json_null ();
  g_autofree char *text
      = model != NULL ? g_strconcat (model, ":", version->base, NULL) : g_strdup (version->base);
  return json_string (text);
}

static json_t *
origin_of (const VendVersion *version)
{
  json_t *object = json_object ();
  vend_json_set_string (object, "id", version->id);
  vend_json_set_time (object, "created_at", version->created_us);
  json_object_set_new (object, "base", base_of (version));
  /* That of an imported version was another server's. */
  vend_json_set_string (object, "training",
                        version->base != NULL ? vend_json_string (facts_of (version), "training")
                                              : NULL);
  return object;
}

static bool
list_provenance (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return vend_api_version_page (api, call, caller, vend_api_own_model, origin_of, out, error);
}

static bool
find_version (VendApi *api, VendDb *db, VendCall *call, VendCaller *caller, VendVersion **out,
              GError **error)
{
  g_autoptr (VendModel) model = NULL;
  return vend_api_own_model (api, db, call, caller, &model, error)
         && vend_store_version_get (db, model->id, vend_call_param (call, "id"), out, error);
}

static json_t *
managed_of (const VendApi *api, const GPtrArray *sets)
{
  json_t *list = json_array ();
  for (guint i = 0; i < sets->len; i++)
    {
      const VendHeldWeights *held = g_ptr_array_index (sets, i);
      json_t *object = json_object ();
      vend_json_set_string (object, "name", held->set->name);
      vend_json_set_string (object, "target", held->set->target);
      vend_json_set_string (object, "source", held->set->source);
      vend_json_set_string (object, "digest", held->set->digest);
      vend_json_set_int (object, "size", held->set->size);
      vend_json_set_int (object, "files", held->set->files->len);
      vend_json_set_string (object, "state", vend_api_weights_state (api, held));
      json_array_append_new (list, object);
    }
  return list;
}

static bool
get_provenance (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendVersion) version = NULL;
  g_autoptr (GPtrArray) weights = NULL;
  g_autoptr (GPtrArray) sets = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!find_version (api, reader.db, call, caller, &version, error)
        || !vend_store_weights_of (reader.db, version->model_id, version->id, &weights, error)
        || !vend_store_weights_held_by_version (reader.db, version->model_id, version->id, &sets,
                                                error))
      return false;
  }
  json_t *held = json_array ();
  for (guint i = 0; i < weights->len; i++)
    json_array_append_new (held, vend_weights_to_json (g_ptr_array_index (weights, i)));
  const json_t *facts = facts_of (version), *pushed = pushed_of (version);
  const json_t *seen = has_own_source (version) ? pushed : NULL;
  json_t *object = origin_of (version);
  json_object_set_new (object, "inputs",
                       or_null (version->base != NULL ? json_object_get (facts, "inputs") : NULL));
  json_object_set_new (object, "input_files",
                       version->base != NULL ? or_null (json_object_get (facts, "files"))
                                             : json_array ());
  json_object_set_new (object, "weights", held);
  json_object_set_new (object, "managed_weights", managed_of (api, sets));
  vend_json_set_string (object, "cog", version->cog_version);
  vend_json_set_string (object, "python", vend_json_string (pushed, "python"));
  json_object_set_new (object, "packages", or_null (json_object_get (seen, "packages")));
  json_object_set_new (object, "config", or_null (json_object_get (seen, "cog_yaml")));
  vend_json_set_string (object, "source", vend_json_string (seen, "source"));
  *out = vend_reply_json (200, object);
  return true;
}

static bool
get_source (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendVersion) version = NULL;
  json_auto_t *files = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!find_version (api, reader.db, call, caller, &version, error))
      return false;
  }
  if (!vend_api_check_own_source (version, error))
    return false;
  if (version->image != NULL)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "version: %s is an image; its source lies in its layers", version->id);
  g_autofree char *dir = vend_builds_source_dir (
      api->parts.builds, vend_version_source (version->id, version->launch));
  if (!vend_source_list (dir, &files, error))
    return false;
  *out = vend_reply_json (200, json_pack ("{s:s, s:O}", "id", version->id, "files", files));
  return true;
}

const ApiRoute vend_api_provenance_routes[] = {
  { "GET", "/v1/models/{owner}/{name}/provenance", VEND_SCOPE_READ, VEND_BODY_NONE, list_provenance,
    NULL, .runs_on = VEND_RUN_READ },
  { "GET", "/v1/models/{owner}/{name}/versions/{id}/provenance", VEND_SCOPE_READ, VEND_BODY_NONE,
    get_provenance, NULL, .runs_on = VEND_RUN_READ },
  { "GET", "/v1/models/{owner}/{name}/versions/{id}/source", VEND_SCOPE_READ, VEND_BODY_NONE,
    get_source, NULL, .runs_on = VEND_RUN_BYTES },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
