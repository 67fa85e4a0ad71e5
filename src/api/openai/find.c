/* The model that a request of OpenAI's endpoints names. */
#include "api/openai/openai-private.h"
#include "base/error.h"
#include "store/aliases.h"
#include "store/models.h"
#include <string.h>

void
vend_api_openai_model_clear (OpenaiModel *found)
{
  g_clear_pointer (&found->model, vend_model_free);
  if (found->version != NULL)
    vend_shared_version_unref (found->version);
  json_decref (found->mapping);
  *found = (OpenaiModel){ 0 };
}

static bool
no_such_model (VendOpenaiFault *fault, const char *name)
{
  vend_openai_refuse (fault, "model",
                      "The model '%s' does not exist, or you do not have access to it.", name);
  fault->status = 404;
  fault->code = "model_not_found";
  return false;
}

/* What is not there is a fault; everything else stays an error. */
static bool
settle (GError **problem, const char *name, VendOpenaiFault *fault, GError **error)
{
  if (g_error_matches (*problem, VEND_ERROR, VEND_ERROR_NOT_FOUND)
      || g_error_matches (*problem, VEND_ERROR, VEND_ERROR_INVALID))
    return no_such_model (fault, name);
  g_propagate_error (error, g_steal_pointer (problem));
  return false;
}

/* Names of models have a slash, and aliases have none. */
static bool
find_alias (VendDb *db, const VendCaller *caller, const char *name, VendModel **out, GError **error)
{
  int64_t id = 0;
  return vend_store_alias_get (db, caller->account->id, name, &id, error)
         && vend_store_model_get (db, id, out, error);
}

bool
vend_api_openai_find (VendApi *api, VendDb *db, const VendCaller *caller, const char *name,
                      OpenaiModel *out, VendOpenaiFault *fault, GError **error)
{
  g_autofree char *owner = NULL, *own = NULL, *version = NULL;
  g_auto (OpenaiModel) found = { 0 };
  g_autoptr (GError) problem = NULL;
  if (strchr (name, '/') == NULL
          ? !find_alias (db, caller, name, &found.model, &problem)
          : !vend_reference_parse (name, &owner, &own, &version, &problem)
                || !vend_store_model_by_name (db, owner, own, &found.model, &problem))
    return settle (&problem, name, fault, error);
  if (!vend_api_may_see (found.model, caller))
    return no_such_model (fault, name);
  const char *id = version != NULL ? version : found.model->latest_version;
  if (id == NULL)
    {
      vend_openai_refuse (fault, "model", "the model %s has no version yet; push one", name);
      return false;
    }
  if (!vend_versions_cache_get (api->versions, db, found.model->id, id, &found.version, &problem))
    return settle (&problem, name, fault, error);
  if (!vend_store_openai_mapping_get (db, found.model->id, &found.mapping, error))
    return false;
  found.shape = (VendOpenaiModel){ found.version->openapi, found.mapping };
  *out = found;
  found = (OpenaiModel){ 0 };
  return true;
}

bool
vend_api_openai_find_for (VendApi *api, VendDb *db, const VendCaller *caller, const json_t *body,
                          VendOpenaiEndpoint endpoint, const char **out_name, OpenaiModel *out,
                          VendOpenaiFault *fault, GError **error)
{
  if (!vend_openai_model_name (body, out_name, fault)
      || !vend_api_openai_find (api, db, caller, *out_name, out, fault, error))
    return false;
  g_autofree char *why = vend_openai_misfit (&out->shape, endpoint);
  if (why == NULL)
    return true;
  vend_openai_refuse (fault, "model", "%s does not fit %s: %s", *out_name,
                      vend_openai_endpoint_name (endpoint), why);
  fault->code = "model_not_supported";
  return false;
}
