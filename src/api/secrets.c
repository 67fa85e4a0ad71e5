/* Secrets of models and deployments: set, names, remove. A value comes in and never goes out. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/deployment.h"
#include "model/model.h"
#include "secrets/secrets.h"
#include "store/deployments.h"
#include "store/models.h"
#include "store/secrets.h"
#include <string.h>

/* Whose secrets a request is about. */
typedef struct
{
  VendSecretPlace place;
  int64_t id;
  char *deployment; /* "owner/name", or NULL */
} Owner;

static void
owner_clear (Owner *owner)
{
  g_clear_pointer (&owner->deployment, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Owner, owner_clear)

static bool
find_model (VendApi *api, VendCall *call, const VendCaller *caller, Owner *out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_own_model (api, reader.db, call, caller, &model, error))
    return false;
  out->place = VEND_SECRET_OF_MODEL;
  out->id = model->id;
  return true;
}

static bool
find_deployment (VendApi *api, VendCall *call, const VendCaller *caller, Owner *out, GError **error)
{
  g_autoptr (VendDeployment) deployment = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_deployment_by_name (reader.db, vend_call_param (call, "owner"),
                                      vend_call_param (call, "name"), &deployment, error))
    return false;
  /* To other accounts it does not exist. */
  if (deployment->account_id != caller->account->id)
    return vend_api_not_found (error);
  out->place = VEND_SECRET_OF_DEPLOYMENT;
  out->id = deployment->id;
  out->deployment = vend_deployment_full_name (deployment);
  return true;
}

typedef bool (*FindOwner) (VendApi *api, VendCall *call, const VendCaller *caller, Owner *out,
                           GError **error);

static json_t *
show (const char *name, int64_t set_us)
{
  json_t *object = json_object ();
  vend_json_set_string (object, "name", name);
  vend_json_set_time (object, "set_at", set_us);
  return object;
}

/* ---- List */

static bool
list_names (FindOwner find, VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
            GError **error)
{
  g_auto (Owner) owner = { 0 };
  g_autoptr (GPtrArray) secrets = NULL;
  if (!find (api, call, caller, &owner, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_secret_list (reader.db, owner.place, owner.id, &secrets, error))
      return false;
  }
  json_t *results = json_array ();
  for (guint i = 0; i < secrets->len; i++)
    {
      const VendSecret *secret = g_ptr_array_index (secrets, i);
      json_array_append_new (results, show (secret->name, secret->set_us));
    }
  *out = vend_reply_json (200, json_pack ("{s:o}", "results", results));
  return true;
}

/* ---- Change */

typedef struct
{
  VendCall *call;
  Owner owner;
  VendSecret *secret; /* NULL: it is removed */
  char *name;
} Change;

static void
change_free (Change *change)
{
  owner_clear (&change->owner);
  vend_secret_free (change->secret);
  g_free (change->name);
  g_free (change);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Change, change_free)

/* Its model or deployment may be gone by now; a row for nobody would stay for ever. */
static bool
check_owner (VendDb *db, const Owner *owner, GError **error)
{
  if (owner->place == VEND_SECRET_OF_MODEL)
    {
      g_autoptr (VendModel) model = NULL;
      return vend_store_model_get (db, owner->id, &model, error);
    }
  g_autoptr (VendDeployment) deployment = NULL;
  g_auto (GStrv) halves = g_strsplit (owner->deployment, "/", 2);
  return vend_store_deployment_by_name (db, halves[0], halves[1], &deployment, error)
         && (deployment->id == owner->id || vend_api_not_found (error));
}

static bool
store_change (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  const Owner *owner = &change->owner;
  if (!check_owner (db, owner, error))
    return false;
  return change->secret != NULL
             ? vend_store_secret_set (db, owner->place, owner->id, change->secret, error)
             : vend_store_secret_delete (db, owner->place, owner->id, change->name, error);
}

/* On the core thread: what starts from now on has the change, and nothing else takes runs. */
static void
settled (void *data)
{
  g_autoptr (Change) change = data;
  vend_call_reply (change->call,
                   change->secret != NULL
                       ? vend_reply_json (200, show (change->name, change->secret->set_us))
                       : vend_reply_empty (204));
}

static bool
make_change (VendApi *api, Change *take, GError **error)
{
  g_autoptr (Change) change = take;
  const Owner *owner = &change->owner;
  VendSched *sched = api->parts.sched;
  if (!vend_store_write_wait (api->parts.store, store_change, change, error))
    return false;
  const int64_t model_id = owner->place == VEND_SECRET_OF_MODEL ? owner->id : 0;
  vend_sched_secrets_changed (sched, model_id, owner->deployment, settled,
                              g_steal_pointer (&change));
  return true;
}

static bool
read_value (const json_t *body, const char **out, GError **error)
{
  const json_t *value = json_object_get (body, "value");
  if (value == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "value is required");
  if (!json_is_string (value))
    return vend_fail (error, VEND_ERROR_INVALID, "value: expected a string");
  *out = json_string_value (value);
  return vend_secret_value_check (*out, json_string_length (value), error);
}

static bool
set (FindOwner find, VendApi *api, VendCall *call, VendCaller *caller, GError **error)
{
  json_auto_t *body = NULL;
  const char *value = NULL;
  g_autoptr (Change) change = g_new0 (Change, 1);
  change->call = call;
  change->name = g_strdup (vend_call_param (call, "key"));
  if (!find (api, call, caller, &change->owner, error)
      || !vend_secret_name_check (change->name, error) || !vend_api_object (call, &body, error)
      || !read_value (body, &value, error))
    return false;
  g_autofree char *context
      = vend_secret_context (change->owner.place, change->owner.id, change->name);
  VendSecret *secret = g_new0 (VendSecret, 1);
  secret->name = g_strdup (change->name);
  secret->sealed = vend_vault_seal (api->parts.vault, context, value);
  secret->size = (int64_t) strlen (value);
  secret->set_us = vend_now_us ();
  change->secret = secret;
  return make_change (api, g_steal_pointer (&change), error);
}

static bool
unset (FindOwner find, VendApi *api, VendCall *call, VendCaller *caller, GError **error)
{
  g_autoptr (Change) change = g_new0 (Change, 1);
  change->call = call;
  change->name = g_strdup (vend_call_param (call, "key"));
  return find (api, call, caller, &change->owner, error)
         && make_change (api, g_steal_pointer (&change), error);
}

/* ---- Routes */

static bool
list_of_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return list_names (find_model, api, call, caller, out, error);
}

static bool
list_of_deployment (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                    GError **error)
{
  return list_names (find_deployment, api, call, caller, out, error);
}

static bool
set_of_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return set (find_model, api, call, caller, error);
}

static bool
set_of_deployment (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error)
{
  return set (find_deployment, api, call, caller, error);
}

static bool
unset_of_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return unset (find_model, api, call, caller, error);
}

static bool
unset_of_deployment (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                     GError **error)
{
  return unset (find_deployment, api, call, caller, error);
}

const ApiRoute vend_api_secret_routes[] = {
  { "GET", "/v1/models/{owner}/{name}/secrets", VEND_SCOPE_PUSH, VEND_BODY_NONE, list_of_model,
    NULL, .runs_on = VEND_RUN_READ },
  { "PUT", "/v1/models/{owner}/{name}/secrets/{key}", VEND_SCOPE_PUSH, VEND_BODY_BUFFER,
    set_of_model, NULL },
  { "DELETE", "/v1/models/{owner}/{name}/secrets/{key}", VEND_SCOPE_PUSH, VEND_BODY_NONE,
    unset_of_model, NULL },
  { "GET", "/v1/deployments/{owner}/{name}/secrets", VEND_SCOPE_PUSH, VEND_BODY_NONE,
    list_of_deployment, NULL, .runs_on = VEND_RUN_READ },
  { "PUT", "/v1/deployments/{owner}/{name}/secrets/{key}", VEND_SCOPE_PUSH, VEND_BODY_BUFFER,
    set_of_deployment, NULL },
  { "DELETE", "/v1/deployments/{owner}/{name}/secrets/{key}", VEND_SCOPE_PUSH, VEND_BODY_NONE,
    unset_of_deployment, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
