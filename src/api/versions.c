/* Versions: list, get, delete. */
#include "api/api-private.h"
#include "base/error.h"
#include "store/deployments.h"
#include "store/models.h"
#include "store/predictions.h"

bool
vend_api_version_page (VendApi *api, VendCall *call, const VendCaller *caller, ApiFindModel find,
                       ApiShowVersion show, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_auto (ApiCursor) cursor = { 0 };
  g_autoptr (GPtrArray) versions = NULL;
  VendPage page = { .limit = VEND_PAGE_SIZE };
  if (!vend_api_cursor (call, &cursor, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!find (api, reader.db, call, caller, &model, error)
        || !vend_store_version_page (reader.db, model->id, cursor.after_us, cursor.after_id, &page,
                                     &versions, error))
      return false;
  }

  GString *results = vend_api_results ();
  const VendVersion *last = NULL;
  for (guint i = 0; i < versions->len; i++)
    {
      last = g_ptr_array_index (versions, i);
      vend_api_add_result (results, show (last));
    }
  *out = vend_api_page (call, results, page.more, page.more ? last->created_us : 0,
                        page.more ? last->id : "", NULL);
  return true;
}

static bool
list_versions (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return vend_api_version_page (api, call, caller, vend_api_model, vend_version_to_json, out,
                                error);
}

static bool
get_version (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendSharedVersion) version = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_model (api, reader.db, call, caller, &model, error)
      || !vend_versions_cache_get (api->versions, reader.db, model->id,
                                   vend_call_param (call, "id"), &version, error))
    return false;
  *out = vend_reply_json (200, vend_version_to_json (version));
  return true;
}

typedef struct
{
  int64_t model_id;
  const char *id;
} Deletion;

static bool
delete_row (VendDb *db, void *data, GError **error)
{
  const Deletion *deletion = data;
  bool open = false;
  if (!vend_store_prediction_open_of (db, deletion->model_id, deletion->id, &open, error))
    return false;
  if (open)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "predictions of this version have not ended; cancel them first");
  bool deployed = false;
  if (!vend_store_deployment_of_version (db, deletion->model_id, deletion->id, &deployed, error))
    return false;
  if (deployed)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "a deployment runs this version; set another version of the deployment, or "
                      "delete the deployment");
  return vend_store_version_delete (db, deletion->model_id, deletion->id, error);
}

static bool
delete_version (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_own_model (api, reader.db, call, caller, &model, error))
      return false;
  }
  Deletion deletion = { model->id, vend_call_param (call, "id") };
  if (!vend_store_write_wait (api->parts.store, delete_row, &deletion, error))
    return false;
  vend_versions_cache_forget (api->versions);
  vend_sched_retire (api->parts.sched, model->id, deletion.id);
  vend_sched_model_changed (api->parts.sched, model->id, NULL, NULL);
  *out = vend_reply_empty (202);
  return true;
}

const ApiRoute vend_api_version_routes[] = {
  { "GET", "/v1/models/{owner}/{name}/versions", VEND_SCOPE_READ, VEND_BODY_NONE, list_versions,
    NULL, .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { "GET", "/v1/models/{owner}/{name}/versions/{id}", VEND_SCOPE_READ, VEND_BODY_NONE, get_version,
    NULL, .runs_on = VEND_RUN_READ, .opened_by = "public-catalogue" },
  { "DELETE", "/v1/models/{owner}/{name}/versions/{id}", VEND_SCOPE_PUSH, VEND_BODY_NONE,
    delete_version, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
