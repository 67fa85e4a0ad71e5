/* Aliases: names of an account for models, such as those that tools know. */
#include "api/api-private.h"
#include "api/openai/openai-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/aliases.h"
#include "store/models.h"

#define MAX_REFERENCE 256

static bool
check_name (const char *name, GError **error)
{
  return vend_alias_name_is_good (name)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "name: expected 1 to 100 letters, digits, '.', '_', '-' and ':'");
}

static json_t *
show (const char *name, const char *owner, const char *model)
{
  g_autofree char *text = g_strconcat (owner, "/", model, NULL);
  json_t *alias = json_object ();
  vend_json_set_string (alias, "name", name);
  vend_json_set_string (alias, "model", text);
  return alias;
}

static bool
list_aliases (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (GPtrArray) aliases = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_alias_list (reader.db, caller->account->id, &aliases, error))
      return false;
  }
  json_t *results = json_array ();
  for (guint i = 0; i < aliases->len; i++)
    {
      const VendAlias *alias = g_ptr_array_index (aliases, i);
      json_array_append_new (results, show (alias->name, alias->owner, alias->model));
    }
  *out = vend_reply_json (200, json_pack ("{s:o}", "results", results));
  return true;
}

typedef struct
{
  int64_t account_id;
  int64_t model_id;
  const char *name;
} Change;

static bool
put (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  return vend_store_alias_put (db, change->account_id, change->name, change->model_id,
                               vend_now_us (), error);
}

static bool
put_alias (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  const char *text = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autofree char *version = NULL;
  g_autoptr (GError) problem = NULL;
  const char *name = vend_call_param (call, "name");
  if (!check_name (name, error) || !vend_api_object (call, &body, error)
      || !vend_api_text (body, "model", MAX_REFERENCE, &text, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_model_by_reference (reader.db, caller, text, &model, &version, &problem))
      {
        if (vend_error_info (problem)->http_status < 500)
          return vend_fail (error, VEND_ERROR_INVALID, "model: there is no model '%s'", text);
        g_propagate_error (error, g_steal_pointer (&problem));
        return false;
      }
  }
  if (version != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "model: an alias is for a model, not a version");
  Change change = { caller->account->id, model->id, name };
  if (!vend_store_write_wait (api->parts.store, put, &change, error))
    return false;
  *out = vend_reply_json (200, show (name, model->owner, model->name));
  return true;
}

static bool
remove_row (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  return vend_store_alias_delete (db, change->account_id, change->name, error);
}

static bool
delete_alias (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  Change change = { caller->account->id, 0, vend_call_param (call, "name") };
  if (!vend_store_write_wait (api->parts.store, remove_row, &change, error))
    return false;
  *out = vend_reply_empty (204);
  return true;
}

const ApiRoute vend_api_alias_routes[] = {
  { "GET", "/v1/aliases", VEND_SCOPE_READ, VEND_BODY_NONE, list_aliases, NULL,
    .runs_on = VEND_RUN_READ },
  { "PUT", "/v1/aliases/{name}", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, put_alias, NULL },
  { "DELETE", "/v1/aliases/{name}", VEND_SCOPE_PUSH, VEND_BODY_NONE, delete_alias, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
