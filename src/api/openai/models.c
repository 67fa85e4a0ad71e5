/* Models as OpenAI's clients list them: those that fit any of the endpoints. */
#include "api/openai/openai-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "store/aliases.h"
#include "store/models.h"

/* Clients know no pages here. */
#define MAX_LISTED 1000

/* One that cannot be read is none: the model is shown all the same. */
static json_t *
mapping_of (VendDb *db, const VendModel *model)
{
  json_t *mapping = NULL;
  g_autoptr (GError) ignored = NULL;
  return vend_store_openai_mapping_get (db, model->id, &mapping, &ignored) ? mapping : NULL;
}

json_t *
vend_api_openai_describe (VendDb *db, const VendModel *model, const VendVersion *version)
{
  json_auto_t *mapping = mapping_of (db, model);
  const VendOpenaiModel shape = { version->openapi, mapping };
  json_t *fit = vend_openai_describe (&shape);
  if (json_object_size (mapping) > 0)
    json_object_set (fit, "stated", mapping);
  return fit;
}

static json_t *
show (const char *id, const VendModel *model, const VendOpenaiModel *shape)
{
  json_t *shown = json_object ();
  vend_json_set_string (shown, "id", id);
  vend_json_set_string (shown, "object", "model");
  vend_json_set_int (shown, "created", model->created_us / VEND_US_PER_S);
  vend_json_set_string (shown, "owned_by", model->owner);
  json_auto_t *fit = vend_openai_describe (shape);
  json_object_set (shown, "endpoints", json_object_get (fit, "endpoints"));
  return shown;
}

static VendReply *
marked (json_t *take)
{
  VendReply *reply = vend_reply_json (200, take);
  g_autofree char *id = vend_id_new ();
  vend_reply_header (reply, "x-request-id", id);
  return reply;
}

/* A version that cannot be read, or run, keeps its model out of the list, and no other. */
static void
add (VendApi *api, VendDb *db, const VendModel *model, json_t *data)
{
  g_autoptr (VendSharedVersion) version = NULL;
  g_autoptr (GError) ignored = NULL;
  if (model->latest_version == NULL
      || !vend_versions_cache_get (api->versions, db, model->id, model->latest_version, &version,
                                   &ignored))
    return;
  json_auto_t *mapping = mapping_of (db, model);
  const VendOpenaiModel shape = { version->openapi, mapping };
  g_autofree char *id = g_strconcat (model->owner, "/", model->name, NULL);
  const bool runs = version->image == NULL || vend_sched_why_no_images (api->parts.sched) == NULL;
  if (runs && vend_openai_fits_any (&shape))
    json_array_append_new (data, show (id, model, &shape));
}

/* Those of the caller: pickers of tools show them beside the names of models. */
static bool
add_aliases (VendApi *api, VendCaller *caller, json_t *data, GError **error)
{
  g_autoptr (GPtrArray) aliases = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_alias_list (reader.db, caller->account->id, &aliases, error))
    return false;
  for (guint i = 0; i < aliases->len && json_array_size (data) < MAX_LISTED; i++)
    {
      const VendAlias *alias = g_ptr_array_index (aliases, i);
      g_auto (VendOpenaiFault) fault = { 0 };
      g_auto (OpenaiModel) found = { 0 };
      g_autoptr (GError) ignored = NULL;
      if (vend_api_openai_find (api, reader.db, caller, alias->name, &found, &fault, &ignored)
          && vend_openai_fits_any (&found.shape))
        json_array_append_new (data, show (alias->name, found.model, &found.shape));
    }
  return true;
}

static bool
list_models (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *data = json_array ();
  VendModelPage page = { .viewer = caller->account->id, .first = true };
  VendPage rows = { .limit = VEND_PAGE_SIZE, .more = true };
  while (rows.more && json_array_size (data) < MAX_LISTED)
    {
      g_autoptr (GPtrArray) models = NULL;
      g_auto (VendReader) reader = vend_reader (api->parts.store);
      if (!vend_store_model_page (reader.db, &page, &rows, &models, error))
        return false;
      for (guint i = 0; i < models->len && json_array_size (data) < MAX_LISTED; i++)
        {
          const VendModel *model = g_ptr_array_index (models, i);
          add (api, reader.db, model, data);
          page.first = false;
          page.after_us = model->sort_us;
          page.after_id = model->id;
        }
    }
  if (!add_aliases (api, caller, data, error))
    return false;
  *out = marked (json_pack ("{s:s, s:O}", "object", "list", "data", data));
  return true;
}

static bool
get_one (VendApi *api, VendCaller *caller, const char *name, VendReply **out, GError **error)
{
  g_auto (VendOpenaiFault) fault = { 0 };
  g_auto (OpenaiModel) found = { 0 };
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_openai_find (api, reader.db, caller, name, &found, &fault, error))
    return vend_api_openai_refused (&fault, out);
  *out = marked (show (name, found.model, &found.shape));
  return true;
}

static bool
get_by_path (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autofree char *name
      = g_strconcat (vend_call_param (call, "owner"), "/", vend_call_param (call, "name"), NULL);
  return get_one (api, caller, name, out, error);
}

/* An alias, or a name with an encoded slash: clients encode ids. */
static bool
get_by_id (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return get_one (api, caller, vend_call_param (call, "id"), out, error);
}

const ApiRoute vend_api_openai_model_routes[] = {
  { "GET", "/openai/v1/models", VEND_SCOPE_READ, VEND_BODY_NONE, list_models, NULL,
    .runs_on = VEND_RUN_READ },
  { "GET", "/openai/v1/models/{id}", VEND_SCOPE_READ, VEND_BODY_NONE, get_by_id, NULL,
    .runs_on = VEND_RUN_READ },
  { "GET", "/openai/v1/models/{owner}/{name}", VEND_SCOPE_READ, VEND_BODY_NONE, get_by_path, NULL,
    .runs_on = VEND_RUN_READ },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
