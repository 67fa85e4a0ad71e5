/* Deployments: the release that takes predictions, and the bounds of instances. Core thread.
 *
 * A deployment has two roles: the current release and the serving release. They differ during a
 * rollout: the old release takes predictions until an instance of the new release is ready, so
 * nobody waits for its boot. The switch is stored first; creates read it from the store.
 * Predictions of the old release stay with it: its instances leave when its queue is empty. */
#include "sched/target/deployments.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "sched/instance/fast-start.h"
#include "sched/instance/instance.h"
#include "sched/observe/decisions.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"
#include "store/deployments.h"
#include "store/models.h"
#include <string.h>

typedef struct
{
  int64_t number;
  VendScaling scaling;
  Target *target;
} Role;

struct Deployment
{
  VendSched *sched;
  char *name;
  int64_t id;
  Role current;
  Role serving;
  Role next; /* serves once that is on disk; number 0 = no switch is under way */
};

void
vend_deployment_state_free (Deployment *deployment)
{
  g_free (deployment->name);
  g_free (deployment);
}

static Target *
target_of (VendSched *sched, const VendDeployment *now, const VendRelease *release,
           const VendVersion *version)
{
  g_autofree char *name = vend_deployment_full_name (now);
  VendPrediction key = { .kind = VEND_KIND_PREDICTION,
                         .model_id = release->model_id,
                         .model = release->model,
                         .deployment = name,
                         .billing = { now->account_id, true } };
  const VendSchedPlace place = { release->hardware, &release->scaling };
  return vend_target_get (sched, &key, version, &place);
}

static Role
role_of (VendSched *sched, const VendDeployment *now, const VendRelease *release,
         const VendVersion *version)
{
  return (Role){ release->number, vend_release_scaling (release),
                 target_of (sched, now, release, version) };
}

static bool
is_rolling (const Deployment *deployment)
{
  return deployment->serving.target != deployment->current.target;
}

static bool
is_ready (const Target *target)
{
  for (guint i = 0; i < target->instances->len; i++)
    if (((const Instance *) g_ptr_array_index (target->instances, i))->state == INSTANCE_READY)
      return true;
  return false;
}

static bool
has_role (const Deployment *deployment, const Target *target)
{
  return deployment != NULL
         && (deployment->current.target == target || deployment->serving.target == target
             || deployment->next.target == target);
}

/* Scales by `scaling`, with these bounds. */
static void
scale (Target *target, VendScaling scaling, int64_t min, int64_t max)
{
  scaling.min_instances = min;
  scaling.max_instances = max;
  vend_target_scale (target, &scaling);
}

void
vend_target_refresh (Target *target)
{
  const VendSched *sched = target->sched;
  if (target->deployment == NULL)
    {
      target->retired = false;
      vend_target_scale_like_model (target);
      return;
    }
  const Deployment *deployment = g_hash_table_lookup (sched->deployments, target->deployment);
  /* Targets of releases without a role are retired. */
  target->retired = !has_role (deployment, target);
  if (target->retired)
    {
      vend_fast_start_forget (target);
      scale (target, target->own, 0,
             deployment != NULL ? MAX (deployment->current.scaling.max_instances, 1) : 1);
    }
  else if (target == deployment->current.target)
    {
      /* One instance has to boot before the release can serve, unless a switch is under way. */
      const bool waits = is_rolling (deployment) && deployment->next.number == 0;
      const VendScaling *current = &deployment->current.scaling;
      const int64_t least = waits && current->max_instances > 0 ? 1 : 0;
      target->own.network = current->network;
      scale (target, *current, MAX (current->min_instances, least), current->max_instances);
    }
  else
    {
      const Role *role
          = target == deployment->serving.target ? &deployment->serving : &deployment->next;
      target->own.network = role->scaling.network;
      vend_target_scale (target, &role->scaling);
    }
}

static void
refresh_all (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((Target *) value)->deployment != NULL)
      vend_target_refresh (value);
}

/* ---- The switch */

typedef struct
{
  VendSched *sched;
  char *name;
  int64_t id;
  int64_t number;
  VendSchedSettled settled;
  void *data;
} Switch;

static bool
store_switch (VendDb *db, void *data, GError **error)
{
  const Switch *to = data;
  return vend_store_deployment_serve (db, to->id, to->number, error);
}

static void
switch_stored (const GError *error, void *data)
{
  g_autofree Switch *to = data;
  g_autofree char *name = to->name;
  Deployment *deployment = g_hash_table_lookup (to->sched->deployments, name);
  to->sched->n_disk_jobs--;
  if (deployment != NULL && deployment->id == to->id)
    {
      /* Without a sweep after an error: the next try comes a second later. */
      if (error != NULL)
        vend_log (VEND_LOG_ERROR, "cannot store the switch to a release", "deployment", name,
                  "error", error->message, NULL);
      else if (deployment->serving.number < deployment->next.number)
        {
          deployment->serving = deployment->next;
          vend_sched_reconcile_soon (to->sched);
        }
      deployment->next = (Role){ 0 };
      refresh_all (to->sched);
    }
  if (to->settled != NULL)
    to->settled (to->data);
}

static void
switch_over (Deployment *deployment, const char *why, VendSchedSettled settled, void *data)
{
  VendSched *sched = deployment->sched;
  Switch *to = g_new0 (Switch, 1);
  *to = (Switch){ .sched = sched,
                  .name = g_strdup (deployment->name),
                  .id = deployment->id,
                  .number = deployment->current.number,
                  .settled = settled,
                  .data = data };
  deployment->next = deployment->current;
  refresh_all (sched);
  sched->n_disk_jobs++;
  vend_log (VEND_LOG_INFO, "a release takes over", "deployment", deployment->name, "reason", why,
            NULL);
  vend_decided_roll (deployment->current.target, to->number, why);
  vend_store_write (sched->store, store_switch, switch_stored, to);
}

/* The new release cannot boot beside the old release, and no stop is about to make room. */
static bool
has_no_hardware (const Deployment *deployment)
{
  const VendSched *sched = deployment->sched;
  const Target *current = deployment->current.target;
  GHashTableIter iter;
  void *value;
  if (current->instances->len > 0 || current->backoff.until_us > vend_steady_us ()
      || vend_pool_used (sched, current->pool) + current->size
             <= vend_pool_units (sched, current->pool))
    return false;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Instance *instance = value;
      if (instance->target->pool == current->pool
          && (instance->state >= INSTANCE_STOPPING || instance->stop_when_connected
              || instance->draining))
        return false;
    }
  return true;
}

void
vend_deployments_switch (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->deployments);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Deployment *deployment = value;
      if (!is_rolling (deployment) || deployment->next.number != 0)
        continue;
      if (is_ready (deployment->current.target))
        switch_over (deployment, "an instance of it is ready", NULL, NULL);
      else if (deployment->current.scaling.max_instances == 0)
        switch_over (deployment, "it is to have no instances", NULL, NULL);
      else if (has_no_hardware (deployment))
        switch_over (deployment, "there is no hardware for both", NULL, NULL);
    }
}

json_t *
vend_deployments_describe (VendSched *sched)
{
  json_t *list = json_array ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->deployments);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Deployment *deployment = value;
      json_array_append_new (list, json_pack ("{s:s, s:I, s:I}", "name", deployment->name,
                                              "current", (json_int_t) deployment->current.number,
                                              "serving", (json_int_t) deployment->serving.number));
    }
  return list;
}

/* ---- Commands */

/* `version` is that of the current release; `serving` that of the serving release, or NULL when the
 * deployment is known. */
static Deployment *
set_release (VendSched *sched, const VendDeployment *now, const VendVersion *version,
             const VendVersion *serving)
{
  g_autofree char *name = vend_deployment_full_name (now);
  Deployment *deployment = g_hash_table_lookup (sched->deployments, name);
  if (deployment != NULL && deployment->id == now->id
      && deployment->current.number >= now->current->number)
    return deployment;
  if (deployment == NULL || deployment->id != now->id)
    {
      deployment = g_new0 (Deployment, 1);
      deployment->sched = sched;
      deployment->name = g_strdup (name);
      deployment->id = now->id;
      if (serving != NULL)
        deployment->serving = role_of (sched, now, now->serving, serving);
      g_hash_table_replace (sched->deployments, deployment->name, deployment);
    }
  deployment->current = role_of (sched, now, now->current, version);
  if (deployment->serving.target == NULL || deployment->serving.target == deployment->current.target
      || now->serving->number == now->current->number)
    deployment->serving = deployment->current;
  refresh_all (sched);
  vend_sched_reconcile_soon (sched);
  return deployment;
}

typedef struct
{
  VendSched *sched;
  VendDeployment *deployment;
  VendVersion *version;
  VendSchedSettled settled;
  void *data;
} Deploy;

static void
deploy_on_core (void *data)
{
  g_autofree Deploy *job = data;
  g_autoptr (VendDeployment) now = job->deployment;
  g_autoptr (VendVersion) version = job->version;
  Deployment *deployment = set_release (job->sched, now, version, NULL);
  /* Without a warm instance of the old release, waiting for the new release gains nothing. */
  if (is_rolling (deployment) && deployment->next.number == 0
      && (!is_ready (deployment->serving.target) || deployment->current.scaling.max_instances == 0))
    switch_over (deployment, "nothing of the old one is warm", job->settled, job->data);
  else
    job->settled (job->data);
}

void
vend_sched_deploy (VendSched *sched, VendDeployment *take, const VendVersion *version,
                   VendSchedSettled settled, void *data)
{
  Deploy *job = g_new0 (Deploy, 1);
  *job = (Deploy){ sched, take, vend_version_for_launch (version), settled, data };
  vend_inbox_post (sched->inbox, deploy_on_core, job);
}

typedef struct
{
  VendSched *sched;
  char *name;
  int64_t id;
} Removal;

static void
undeploy_on_core (void *data)
{
  g_autofree Removal *removal = data;
  g_autofree char *name = removal->name;
  const Deployment *deployment = g_hash_table_lookup (removal->sched->deployments, name);
  if (deployment != NULL && deployment->id == removal->id)
    g_hash_table_remove (removal->sched->deployments, name);
  refresh_all (removal->sched);
  vend_sched_reconcile_soon (removal->sched);
}

void
vend_sched_undeploy (VendSched *sched, const VendDeployment *deployment)
{
  Removal *removal = g_new0 (Removal, 1);
  *removal = (Removal){ sched, vend_deployment_full_name (deployment), deployment->id };
  vend_inbox_post (sched->inbox, undeploy_on_core, removal);
}

/* ---- After a restart */

static bool
take_up (VendSched *sched, VendDb *db, const VendDeployment *deployment, GError **error)
{
  g_autoptr (VendVersion) version = NULL;
  g_autoptr (VendVersion) serving = NULL;
  const VendRelease *old = deployment->serving;
  if (!vend_store_version_get (db, deployment->current->model_id, deployment->current->version,
                               &version, error)
      || !vend_store_version_get (db, old->model_id, old->version, &serving, error))
    return false;
  set_release (sched, deployment, version, serving);
  return true;
}

bool
vend_deployments_recover (VendSched *sched, GError **error)
{
  g_autoptr (GPtrArray) all = NULL;
  g_auto (VendReader) reader = vend_reader (sched->store);
  if (!vend_store_deployment_all (reader.db, &all, error))
    return false;
  for (guint i = 0; i < all->len; i++)
    {
      const VendDeployment *deployment = g_ptr_array_index (all, i);
      g_autoptr (GError) problem = NULL;
      /* A deployment's version cannot be deleted; this is damage, and no reason not to start. */
      if (!take_up (sched, reader.db, deployment, &problem))
        vend_log (VEND_LOG_ERROR, "a deployment has no version", "deployment", deployment->name,
                  "error", problem->message, NULL);
    }
  return true;
}
