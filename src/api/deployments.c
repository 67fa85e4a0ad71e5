/* Deployments: create, list, get, change, delete, predict. */
#include "api/api-private.h"
#include "api/create.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/deployment.h"
#include "model/model.h"
#include "store/deployments.h"
#include "store/models.h"
#include <string.h>

#define MAX_DEPLOYMENTS_OF_ACCOUNT 1000

static VendReply *
show (VendCall *call, const VendDeployment *deployment, const VendCaller *caller)
{
  return vend_reply_json (
      200, vend_deployment_to_json (deployment, caller->account, vend_call_origin (call)));
}

/* Deployments are private: to other accounts they do not exist. */
static bool
load_own (VendDb *db, VendCall *call, const VendCaller *caller, VendDeployment **out,
          GError **error)
{
  g_autoptr (VendDeployment) deployment = NULL;
  if (!vend_store_deployment_by_name (db, vend_call_param (call, "owner"),
                                      vend_call_param (call, "name"), &deployment, error))
    return false;
  if (deployment->account_id != caller->account->id)
    return vend_api_not_found (error);
  *out = g_steal_pointer (&deployment);
  return true;
}

static bool
list_deployments (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  int64_t after_us = 0, after_id = 0;
  g_autoptr (GPtrArray) deployments = NULL;
  VendPage page = { .limit = VEND_PAGE_SIZE };
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_number_cursor (call, &after_us, &after_id, error)
      || !vend_store_deployment_page (reader.db, caller->account->id, after_us, after_id, &page,
                                      &deployments, error))
    return false;
  GString *results = vend_api_results ();
  g_autofree char *last_id = NULL;
  int64_t last_us = 0;
  for (guint i = 0; i < deployments->len; i++)
    {
      const VendDeployment *deployment = g_ptr_array_index (deployments, i);
      vend_api_add_result (
          results, vend_deployment_to_json (deployment, caller->account, vend_call_origin (call)));
      last_us = deployment->created_us;
      g_free (last_id);
      last_id = g_strdup_printf ("%" G_GINT64_FORMAT, deployment->id);
    }
  *out = vend_api_page (call, results, page.more, last_us, last_id, NULL);
  return true;
}

static bool
get_deployment (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendDeployment) deployment = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!load_own (reader.db, call, caller, &deployment, error))
    return false;
  *out = show (call, deployment, caller);
  return true;
}

static bool
list_releases (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  int64_t before_us = 0, before = 0;
  g_autoptr (VendDeployment) deployment = NULL;
  g_autoptr (GPtrArray) releases = NULL;
  VendPage page = { .limit = VEND_PAGE_SIZE };
  if (!vend_api_number_cursor (call, &before_us, &before, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!load_own (reader.db, call, caller, &deployment, error)
        || !vend_store_release_page (reader.db, deployment->id, before, &page, &releases, error))
      return false;
  }
  GString *results = vend_api_results ();
  const VendRelease *last = NULL;
  for (guint i = 0; i < releases->len; i++)
    {
      last = g_ptr_array_index (releases, i);
      vend_api_add_result (results,
                           vend_release_to_json (last, caller->account, vend_call_origin (call)));
    }
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, last != NULL ? last->number : 0);
  *out
      = vend_api_page (call, results, page.more, last != NULL ? last->created_us : 0, number, NULL);
  return true;
}

/* ---- A new release, of a new deployment or of an old one */

typedef struct
{
  VendApi *api;
  VendCall *call;
  VendCaller *caller;
  VendDeployment *deployment;
  const VendDeploymentRequest *request; /* of a change, until it is stored */
  json_t *problems;
  bool changed;
  bool created;
} Change;

static void
change_free (Change *change)
{
  json_decref (change->problems);
  vend_deployment_free (change->deployment);
  g_free (change);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Change, change_free)

static VendDeployment *
copy (const VendDeployment *deployment)
{
  VendDeployment *made = g_new0 (VendDeployment, 1);
  *made = *deployment;
  made->owner = g_strdup (deployment->owner);
  made->name = g_strdup (deployment->name);
  made->current = vend_release_copy (deployment->current);
  made->serving = vend_release_copy (deployment->serving);
  return made;
}

/* On the core thread: which release takes the next prediction is on disk. */
static void
settled (void *data)
{
  g_autoptr (Change) change = data;
  const VendCaller *caller = change->caller;
  vend_call_reply (change->call, show (change->call, change->deployment, caller));
}

/* Tells the scheduler, and answers when the scheduler has taken over. */
static bool
roll_out (Change *take, GError **error)
{
  g_autoptr (Change) change = take;
  const VendRelease *release = change->deployment->current;
  g_autoptr (VendSharedVersion) version = NULL;
  g_auto (VendReader) reader = vend_reader (change->api->parts.store);
  if (!vend_versions_cache_get (change->api->versions, reader.db, release->model_id,
                                release->version, &version, error))
    return false;
  VendDeployment *now = copy (change->deployment);
  VendSched *sched = change->api->parts.sched;
  vend_sched_deploy (sched, now, version, settled, g_steal_pointer (&change));
  return true;
}

/* The version must be one of the model, and the model one that the caller sees. */
static bool
check_version (const VendApi *api, VendDb *db, const VendCaller *caller, const VendModel *model,
               const char *version, json_t *problems, GError **error)
{
  g_autoptr (VendVersion) found = NULL;
  g_autoptr (GError) problem = NULL;
  if (model != NULL && vend_api_may_see (model, caller)
      && vend_store_version_get (db, model->id, version, &found, &problem))
    return vend_version_check_runs (found, vend_sched_why_no_images (api->parts.sched), error);
  if (problem != NULL && problem->code != VEND_ERROR_NOT_FOUND)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  vend_problem_add (problems, "not_found", "version",
                    "The specified version does not exist (or perhaps you don't have permission to "
                    "use it?)");
  return true;
}

static bool
find_model (VendDb *db, const VendCaller *caller, const char *text, VendModel **out,
            json_t *problems, GError **error)
{
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_reference_parse (text, &owner, &name, &version, &problem))
    {
      vend_problem_add (problems, "pattern", "model", "%s", problem->message);
      return true;
    }
  if (vend_store_model_by_name (db, owner, name, &model, &problem)
      && vend_api_may_see (model, caller))
    {
      *out = g_steal_pointer (&model);
      return true;
    }
  if (problem != NULL && problem->code != VEND_ERROR_NOT_FOUND)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  vend_problem_add (problems, "not_found", "model", "There is no model %s/%s", owner, name);
  return true;
}

static bool
store_new (VendDb *db, void *data, GError **error)
{
  Change *change = data;
  const VendRelease *release = change->deployment->current;
  g_autoptr (VendVersion) version = NULL;
  int64_t count = 0;
  /* Once more inside the transaction: the version may be gone by now. */
  if (!vend_store_version_get (db, release->model_id, release->version, &version, error)
      || !vend_store_deployment_count (db, change->deployment->account_id, &count, error))
    return false;
  if (count >= MAX_DEPLOYMENTS_OF_ACCOUNT)
    return vend_fail (error, VEND_ERROR_INVALID, "an account has at most %d deployments",
                      MAX_DEPLOYMENTS_OF_ACCOUNT);
  return vend_store_deployment_insert (db, change->deployment, error);
}

static VendDeployment *
first_release (const VendCaller *caller, const VendModel *model,
               const VendDeploymentRequest *request)
{
  VendDeployment *deployment = g_new0 (VendDeployment, 1);
  VendRelease *release = g_new0 (VendRelease, 1);
  deployment->account_id = caller->account->id;
  deployment->owner = g_strdup (caller->account->username);
  deployment->name = g_strdup (request->name);
  deployment->created_us = vend_now_us ();
  release->number = 1;
  release->scaling = (VendScaling) VEND_SCALING_NONE;
  release->created_us = deployment->created_us;
  release->token_id = g_strdup (caller->token_id);
  release->model_id = model != NULL ? model->id : 0;
  release->model = model != NULL ? g_strdup_printf ("%s/%s", model->owner, model->name) : NULL;
  vend_release_apply (release, request);
  deployment->current = release;
  deployment->serving = vend_release_copy (release);
  return deployment;
}

static bool
create_deployment (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (Change) change = g_new0 (Change, 1);
  *change = (Change){ .api = api, .call = call, .caller = caller, .problems = json_array () };
  VendDeploymentRequest request;
  g_autoptr (VendModel) model = NULL;
  if (!vend_api_object (call, &body, error))
    return false;
  vend_deployment_request_read (body, true, caller->account->username, api->hardware, &request,
                                change->problems);
  vend_api_check_network (api, &request.scaling, change->problems);
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (request.model != NULL
        && !find_model (reader.db, caller, request.model, &model, change->problems, error))
      return false;
    if (model != NULL && request.version != NULL
        && !check_version (api, reader.db, caller, model, request.version, change->problems, error))
      return false;
  }
  change->deployment = first_release (caller, model, &request);
  vend_release_check (change->deployment->current, change->problems);
  if (json_array_size (change->problems) > 0)
    {
      *out = vend_api_invalid_fields (g_steal_pointer (&change->problems));
      return true;
    }
  if (!vend_store_write_wait (api->parts.store, store_new, change, error))
    {
      if (g_error_matches (*error, VEND_ERROR, VEND_ERROR_EXISTS))
        {
          g_clear_error (error);
          vend_fail (error, VEND_ERROR_EXISTS, "the deployment %s/%s already exists",
                     caller->account->username, request.name);
        }
      return false;
    }
  return roll_out (g_steal_pointer (&change), error);
}

/* ---- Change */

/* Runs a second time when its commit group fails, so the job begins anew from the stored row. */
static bool
store_change (VendDb *db, void *data, GError **error)
{
  Change *change = data;
  g_autoptr (VendDeployment) now = NULL;
  g_autoptr (VendVersion) version = NULL;
  if (!vend_store_deployment_by_name (db, change->deployment->owner, change->deployment->name, &now,
                                      error))
    return false;
  json_array_clear (change->problems);
  change->changed = vend_release_apply (now->current, change->request);
  vend_release_check (now->current, change->problems);
  if (json_array_size (change->problems) > 0)
    return true;
  if (change->changed)
    {
      now->current->number++;
      now->current->created_us = vend_now_us ();
      g_free (now->current->token_id);
      now->current->token_id = g_strdup (change->caller->token_id);
      if (!vend_store_version_get (db, now->current->model_id, now->current->version, &version,
                                   error)
          || !vend_store_deployment_release (db, now, error))
        return false;
      if (vend_release_runs_like (now->current, now->serving))
        {
          vend_release_free (now->serving);
          now->serving = vend_release_copy (now->current);
        }
    }
  vend_deployment_free (change->deployment);
  change->deployment = g_steal_pointer (&now);
  return true;
}

static bool
check_change (const VendApi *api, VendDb *db, const VendCaller *caller,
              const VendDeployment *deployment, const VendDeploymentRequest *request,
              json_t *problems, GError **error)
{
  const VendRelease *current = deployment->current;
  g_autoptr (VendModel) model = NULL;
  if (request->model != NULL && strcmp (request->model, current->model) != 0)
    vend_problem_add (problems, "const", "model", "The deployment stays with the model %s",
                      current->model);
  if (request->version == NULL || strcmp (request->version, current->version) == 0)
    return true;
  return vend_store_model_get (db, current->model_id, &model, error)
         && check_version (api, db, caller, model, request->version, problems, error);
}

static bool
patch_deployment (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (Change) change = g_new0 (Change, 1);
  VendDeploymentRequest request;
  *change = (Change){
    .api = api, .call = call, .caller = caller, .request = &request, .problems = json_array ()
  };
  if (!vend_api_object (call, &body, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!load_own (reader.db, call, caller, &change->deployment, error))
      return false;
    vend_deployment_request_read (body, false, caller->account->username, api->hardware, &request,
                                  change->problems);
    vend_api_check_network (api, &request.scaling, change->problems);
    if (!check_change (api, reader.db, caller, change->deployment, &request, change->problems,
                       error))
      return false;
  }
  if (json_array_size (change->problems) == 0
      && !vend_store_write_wait (api->parts.store, store_change, change, error))
    return false;
  change->request = NULL;
  if (json_array_size (change->problems) > 0)
    *out = vend_api_invalid_fields (g_steal_pointer (&change->problems));
  else if (!change->changed)
    *out = show (change->call, change->deployment, caller);
  else
    return roll_out (g_steal_pointer (&change), error);
  return true;
}

/* ---- Delete */

typedef struct
{
  const VendDeployment *deployment;
  int64_t idle_us;
} Deletion;

static bool
check_idle (VendDb *db, const Deletion *deletion, GError **error)
{
  const VendDeployment *deployment = deletion->deployment;
  bool runs = false;
  int64_t since_us = 0, minimum = deployment->current->min_instances;
  if (!vend_store_deployment_use (db, deployment, &runs, &since_us, error))
    return false;
  if (minimum > 0)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "the deployment keeps instances running: min_instances is %" G_GINT64_FORMAT
                      "; set it to 0 first",
                      minimum);
  if (runs)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "predictions of the deployment have not ended; wait for them or cancel them");
  int64_t left_us = since_us + deletion->idle_us - vend_now_us ();
  if (since_us > 0 && left_us > 0)
    return vend_fail (
        error, VEND_ERROR_CONFLICT,
        "a deployment can be deleted when it has been offline and unused for %" G_GINT64_FORMAT
        " s (setting deployment-delete-idle); try again in %" G_GINT64_FORMAT " s",
        deletion->idle_us / VEND_US_PER_S, left_us / VEND_US_PER_S + 1);
  return true;
}

static bool
delete_row (VendDb *db, void *data, GError **error)
{
  Deletion deletion = *(Deletion *) data;
  g_autoptr (VendDeployment) now = NULL;
  if (!vend_store_deployment_by_name (db, deletion.deployment->owner, deletion.deployment->name,
                                      &now, error))
    return false;
  deletion.deployment = now;
  return check_idle (db, &deletion, error) && vend_store_deployment_delete (db, now->id, error);
}

static bool
delete_deployment (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error)
{
  g_autoptr (VendDeployment) deployment = NULL;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!load_own (reader.db, call, caller, &deployment, error))
      return false;
  }
  Deletion deletion
      = { deployment, vend_settings_us (api->parts.settings, "deployment-delete-idle") };
  if (!vend_store_write_wait (api->parts.store, delete_row, &deletion, error))
    return false;
  vend_sched_undeploy (api->parts.sched, deployment);
  *out = vend_reply_empty (204);
  return true;
}

/* ---- Predict */

/* On the release that serves; a prediction stays with its release, whatever is released meanwhile.
 */
static bool
create_prediction (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (VendDeployment) deployment = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendSharedVersion) version = NULL;
  if (!vend_api_object (call, &body, error))
    return false;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!load_own (reader.db, call, caller, &deployment, error))
    return false;
  const VendRelease *release = deployment->serving;
  g_autofree char *name = vend_deployment_full_name (deployment);
  if (!vend_store_model_get (reader.db, release->model_id, &model, error)
      || !vend_versions_cache_get (api->versions, reader.db, release->model_id, release->version,
                                   &version, error))
    return false;
  if (!vend_api_may_see (model, caller))
    return vend_fail (error, VEND_ERROR_FORBIDDEN,
                      "the model %s of the deployment was made private by its owner",
                      release->model);
  const VendApiRun run = { .model = model,
                           .version = version,
                           .body = body,
                           .deployment = name,
                           .hardware = release->hardware,
                           .scaling = &release->scaling };
  return vend_api_create (api, call, caller, reader.db, &run, out, error);
}

const ApiRoute vend_api_deployment_routes[] = {
  { "GET", "/v1/deployments", VEND_SCOPE_READ, VEND_BODY_NONE, list_deployments, NULL,
    .runs_on = VEND_RUN_READ },
  { "POST", "/v1/deployments", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, create_deployment, NULL },
  { "GET", "/v1/deployments/{owner}/{name}", VEND_SCOPE_READ, VEND_BODY_NONE, get_deployment,
    NULL },
  { "GET", "/v1/deployments/{owner}/{name}/releases", VEND_SCOPE_READ, VEND_BODY_NONE,
    list_releases, NULL, .runs_on = VEND_RUN_READ },
  { "PATCH", "/v1/deployments/{owner}/{name}", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, patch_deployment,
    NULL },
  { "DELETE", "/v1/deployments/{owner}/{name}", VEND_SCOPE_PUSH, VEND_BODY_NONE, delete_deployment,
    NULL },
  { "POST", "/v1/deployments/{owner}/{name}/predictions", VEND_SCOPE_RUN, VEND_BODY_BUFFER,
    create_prediction, NULL, VEND_RATE_CREATE, .runs_on = VEND_RUN_AT_ONCE, .reads_files = true },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
