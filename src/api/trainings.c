/* Trainings: create, list, get, cancel. They are rows of another kind among the predictions. */
#include "api/api-private.h"
#include "api/create.h"
#include "base/error.h"
#include "json/schema.h"
#include "store/models.h"

#define MAX_REFERENCE 256

static VendReply *
no_such_destination (void)
{
  return vend_api_problem (404, "Not found", "The specified training destination does not exist");
}

/* The caller's own model that gets the new version; `*out_id` stays 0 when there is none. */
static bool
find_destination (VendDb *db, const VendCaller *caller, const char *text, int64_t *out_id,
                  GError **error)
{
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_reference_parse (text, &owner, &name, &version, error))
    {
      g_prefix_error (error, "destination: ");
      return false;
    }
  if (version != NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "destination: expected owner/name, without version");
  if (vend_store_model_by_name (db, owner, name, &model, &problem))
    *out_id = model->account_id == caller->account->id ? model->id : 0;
  else if (problem->code != VEND_ERROR_NOT_FOUND)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return true;
}

static bool
create_training (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  const char *destination = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendSharedVersion) version = NULL;
  VendApiRun run = { .kind = VEND_KIND_TRAINING };
  if (!vend_api_object (call, &body, error))
    return false;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_model (api, reader.db, call, caller, &model, error)
      || !vend_versions_cache_get (api->versions, reader.db, model->id,
                                   vend_call_param (call, "id"), &version, error)
      || !vend_api_text (body, "destination", MAX_REFERENCE, &destination, error)
      || !find_destination (reader.db, caller, destination, &run.destination, error))
    return false;
  if (run.destination == 0)
    {
      *out = no_such_destination ();
      return true;
    }
  if (vend_schema_component (version->openapi, "TrainingInput") == NULL)
    return vend_fail (
        error, VEND_ERROR_INVALID,
        "version: this version of %s/%s cannot be trained; its cog.yaml has no 'train'",
        model->owner, model->name);
  run.model = model;
  run.version = version;
  run.body = body;
  return vend_api_create (api, call, caller, reader.db, &run, out, error);
}

static bool
list_trainings (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return vend_api_run_list (api, call, caller, VEND_KIND_TRAINING, out, error);
}

static bool
get_training (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return vend_api_run_get (api, call, caller, VEND_KIND_TRAINING, out, error);
}

static bool
cancel_training (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return vend_api_run_cancel (api, call, caller, VEND_KIND_TRAINING, out, error);
}

static bool
remove_training_data (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                      GError **error)
{
  return vend_api_run_remove_data (api, call, caller, VEND_KIND_TRAINING, out, error);
}

const ApiRoute vend_api_training_routes[] = {
  { "POST", "/v1/models/{owner}/{name}/versions/{id}/trainings", VEND_SCOPE_RUN, VEND_BODY_BUFFER,
    create_training, NULL, VEND_RATE_CREATE, .runs_on = VEND_RUN_AT_ONCE, .reads_files = true },
  { "GET", "/v1/trainings", VEND_SCOPE_READ, VEND_BODY_NONE, list_trainings, NULL,
    .runs_on = VEND_RUN_READ },
  { "GET", "/v1/trainings/{id}", VEND_SCOPE_READ, VEND_BODY_NONE, get_training, NULL,
    VEND_RATE_POLL, .runs_on = VEND_RUN_READ_RUN },
  { "DELETE", "/v1/trainings/{id}", VEND_SCOPE_RUN, VEND_BODY_NONE, remove_training_data, NULL },
  { "POST", "/v1/trainings/{id}/cancel", VEND_SCOPE_RUN, VEND_BODY_NONE, cancel_training, NULL,
    .runs_on = VEND_RUN_READ },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
