/* Looks up the model or account that a request names, as far as the caller may see it. */
#include "api/api-private.h"
#include "base/error.h"
#include "store/accounts.h"
#include "store/models.h"
#include <string.h>

bool
vend_api_may_see (const VendModel *model, const VendCaller *caller)
{
  return !model->is_private || model->account_id == caller->account->id;
}

bool
vend_api_model (VendApi *api, VendDb *db, VendCall *call, const VendCaller *caller, VendModel **out,
                GError **error)
{
  g_autoptr (VendModel) model = NULL;
  if (!vend_store_model_by_name (db, vend_call_param (call, "owner"),
                                 vend_call_param (call, "name"), &model, error))
    return false;
  if (!vend_api_may_see (model, caller))
    return vend_api_not_found (error);
  *out = g_steal_pointer (&model);
  return true;
}

bool
vend_api_model_by_reference (VendDb *db, const VendCaller *caller, const char *text,
                             VendModel **out_model, char **out_version, GError **error)
{
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  g_autoptr (VendModel) model = NULL;
  if (!vend_reference_parse (text, &owner, &name, &version, error)
      || !vend_store_model_by_name (db, owner, name, &model, error))
    return false;
  if (!vend_api_may_see (model, caller))
    return vend_api_not_found (error);
  *out_model = g_steal_pointer (&model);
  *out_version = g_steal_pointer (&version);
  return true;
}

bool
vend_api_version_by_reference (VendApi *api, VendDb *db, const VendCaller *caller, const char *text,
                               VendModel **out_model, const VendVersion **out_version,
                               GError **error)
{
  g_autofree char *id = NULL;
  g_autoptr (VendModel) model = NULL;
  if (!vend_api_model_by_reference (db, caller, text, &model, &id, error))
    return false;
  const char *wanted = id != NULL ? id : model->latest_version;
  if (wanted == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "the model %s/%s has no version yet; push one",
                      model->owner, model->name);
  if (!vend_versions_cache_get (api->versions, db, model->id, wanted, out_version, error))
    return false;
  *out_model = g_steal_pointer (&model);
  return true;
}

bool
vend_api_own_model (VendApi *api, VendDb *db, VendCall *call, const VendCaller *caller,
                    VendModel **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  if (!vend_api_model (api, db, call, caller, &model, error))
    return false;
  if (model->account_id != caller->account->id)
    return vend_fail (error, VEND_ERROR_FORBIDDEN, "the model %s/%s belongs to another account",
                      model->owner, model->name);
  *out = g_steal_pointer (&model);
  return true;
}

bool
vend_api_query_account (VendDb *db, VendCall *call, const VendCaller *caller, const char *what,
                        VendAccount **out, GError **error)
{
  const char *name = vend_call_query (call, "account");
  if (name == NULL || strcmp (name, caller->account->username) == 0)
    return vend_store_account_get (db, caller->account->id, out, error);
  if (!vend_scopes_allow (caller->scopes, VEND_SCOPE_ADMIN))
    return vend_fail (error, VEND_ERROR_FORBIDDEN,
                      "account: %s of other accounts needs the scope admin", what);
  return vend_store_account_by_username (db, name, out, NULL)
         || vend_fail (error, VEND_ERROR_BAD_REQUEST, "account: there is no account '%s'", name);
}
