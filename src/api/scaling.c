/* How the instances of a model come and go: look, change. */
#include "api/api-private.h"
#include "api/create.h"
#include "store/models.h"
#include "store/scaling.h"

VendScaling
vend_api_scaling_holds (const VendApi *api, VendDb *db, const VendScaling *own, int64_t model_id,
                        const char *version_id)
{
  g_autoptr (VendVersion) version = NULL;
  const bool is_there
      = version_id != NULL && vend_store_version_get (db, model_id, version_id, &version, NULL);
  const VendSched *sched = api->parts.sched;
  VendScaling holds = vend_scaling_hold (own, vend_sched_default_scaling (sched),
                                         is_there ? version->launch : NULL);
  vend_sched_hold_network (sched, &holds);
  return holds;
}

/* Of its latest version; nothing bounds the settings of a model before its first one. */
static VendScaling
model_holds (const VendApi *api, VendDb *db, const VendScaling *own, const VendModel *model)
{
  const VendSched *sched = api->parts.sched;
  VendScaling over = vend_scaling_over (own, vend_sched_default_scaling (sched));
  vend_sched_hold_network (sched, &over);
  if (model->latest_version == NULL)
    return over;
  return vend_api_scaling_holds (api, db, own, model->id, model->latest_version);
}

void
vend_api_check_network (const VendApi *api, const VendScaling *change, json_t *problems)
{
  const VendNetworkKind widest = vend_sched_max_network (api->parts.sched);
  if (change->network < 0 || change->network >= (int64_t) widest)
    return;
  const char *most = vend_network_word (widest);
  vend_problem_add (problems, "forbidden", "network",
                    "'%s' is wider than this server allows (its setting max-network): choose '%s'"
                    "%s",
                    vend_network_word ((VendNetworkKind) change->network), most,
                    widest == VEND_NETWORK_NONE ? "" : " or a narrower one");
}

/* The settings of the model, and the effective ones. */
static VendReply *
show (const VendScaling *own, const VendScaling *effective)
{
  json_t *object = vend_scaling_to_json (own, true);
  json_object_set_new (object, "effective", vend_scaling_to_json (effective, false));
  return vend_reply_json (200, object);
}

static bool
get_scaling (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  VendScaling scaling;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_own_model (api, reader.db, call, caller, &model, error)
      || !vend_store_scaling_get (reader.db, model->id, &scaling, error))
    return false;
  const VendScaling effective = model_holds (api, reader.db, &scaling, model);
  *out = show (&scaling, &effective);
  return true;
}

/* ---- Change */

typedef struct
{
  VendApi *api;
  VendCall *call;
  VendModel *model;
  VendScaling change;
  VendScaling now;
  VendScaling effective;
  json_t *problems;
} Change;

static void
change_free (Change *change)
{
  json_decref (change->problems);
  vend_model_free (change->model);
  g_free (change);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Change, change_free)

/* Runs a second time when its commit group fails, so the job begins anew from the stored row. */
static bool
store_change (VendDb *db, void *data, GError **error)
{
  Change *change = data;
  if (!vend_store_scaling_get (db, change->model->id, &change->now, error))
    return false;
  json_array_clear (change->problems);
  vend_scaling_apply (&change->now, &change->change);
  const VendScaling asked
      = vend_scaling_over (&change->now, vend_sched_default_scaling (change->api->parts.sched));
  vend_scaling_check (&asked, change->problems);
  change->effective = model_holds (change->api, db, &change->now, change->model);
  return json_array_size (change->problems) > 0
         || vend_store_scaling_set (db, change->model->id, &change->now, error);
}

/* On the core thread: the instances follow the new settings from now on. */
static void
settled (void *data)
{
  g_autoptr (Change) change = data;
  vend_call_reply (change->call, show (&change->now, &change->effective));
}

static bool
patch_scaling (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (Change) change = g_new0 (Change, 1);
  *change = (Change){ .api = api, .call = call, .problems = json_array () };
  if (!vend_api_object (call, &body, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_own_model (api, reader.db, call, caller, &change->model, error))
      return false;
  }
  vend_scaling_read (body, true, &change->change, change->problems);
  vend_api_check_network (api, &change->change, change->problems);
  if (json_array_size (change->problems) == 0
      && !vend_store_write_wait (api->parts.store, store_change, change, error))
    return false;
  if (json_array_size (change->problems) > 0)
    {
      *out = vend_api_invalid_fields (g_steal_pointer (&change->problems));
      return true;
    }
  const int64_t model_id = change->model->id;
  vend_sched_model_changed (api->parts.sched, model_id, settled, g_steal_pointer (&change));
  return true;
}

const ApiRoute vend_api_scaling_routes[] = {
  { "GET", "/v1/models/{owner}/{name}/scaling", VEND_SCOPE_READ, VEND_BODY_NONE, get_scaling,
    NULL },
  { "PATCH", "/v1/models/{owner}/{name}/scaling", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, patch_scaling,
    NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
