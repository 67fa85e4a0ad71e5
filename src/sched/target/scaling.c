/* Scaling: settings of owners for their models and deployments, over the settings of the server.
 * Core thread.
 *
 * Settings of a model bound each of its versions separately, except the minimum: only the latest
 * version, which callers run, is kept warm. */
#include "base/error.h"
#include "base/log.h"
#include "sched/target/deployments.h"
#include "sched/target/target.h"
#include "store/models.h"
#include "store/scaling.h"
#include <string.h>

/* A model with settings of its own, as last read from the store. */
typedef struct
{
  int64_t model_id;
  guint64 reload; /* number of the reload that read it */
  VendScaling scaling;
  char *latest; /* version, or NULL */
} ModelScaling;

static void
model_scaling_free (void *data)
{
  ModelScaling *model = data;
  g_free (model->latest);
  g_free (model);
}

GHashTable *
vend_sched_models_new (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, model_scaling_free);
}

const VendScaling *
vend_sched_default_scaling (const VendSched *sched)
{
  return &sched->limits.scaling;
}

/* ---- Effective values */

VendNetworkKind
vend_sched_max_network (const VendSched *sched)
{
  return sched->max_network;
}

void
vend_sched_hold_network (const VendSched *sched, VendScaling *scaling)
{
  const bool has_sandboxes
      = sched->isolation != NULL && sched->isolation->kind == VEND_ISOLATION_SANDBOX;
  /* The kinds are in the order from wide to narrow. */
  scaling->network
      = has_sandboxes ? MAX (scaling->network, (int64_t) sched->max_network) : VEND_NETWORK_HOST;
}

static VendScaling
effective (const Target *target, VendScaling own)
{
  const VendSched *sched = target->sched;
  const ModelScaling *model = g_hash_table_lookup (sched->models, &target->model_id);
  const json_t *launch = target->kind == VEND_KIND_TRAINING ? NULL : target->launch;
  if (target->deployment != NULL && model != NULL)
    vend_scaling_leave_to_model (&own, &model->scaling);
  VendScaling scaling = vend_scaling_hold (&own, &sched->limits.scaling, launch);
  vend_sched_hold_network (sched, &scaling);
  return scaling;
}

void
vend_target_scale (Target *target, const VendScaling *own)
{
  const VendScaling scaling = effective (target, *own);
  const bool is_new = target->slots == 0;
  /* No run begins with a network that was taken back. */
  if (!is_new && scaling.network != target->scaling.network)
    vend_target_renew (target, "its network was changed");
  target->scaling = scaling;
  target->min = (guint) scaling.min_instances;
  target->max = (guint) scaling.max_instances;
  target->slots = (guint) scaling.concurrency;
}

void
vend_target_scale_like_model (Target *target)
{
  const ModelScaling *model = g_hash_table_lookup (target->sched->models, &target->model_id);
  VendScaling own = VEND_SCALING_NONE;
  if (model != NULL)
    own = model->scaling;
  if (target->kind == VEND_KIND_TRAINING || model == NULL
      || g_strcmp0 (model->latest, target->version) != 0)
    own.min_instances = VEND_SCALING_UNSET;
  vend_target_scale (target, &own);
}

/* ---- Settings of a model in the store */

typedef struct
{
  VendSched *sched;
  int64_t model_id;
  guint64 number;
  VendScaling scaling;
  VendModel *model;
  VendVersion *latest; /* only when instances are to be kept warm */
  VendSchedSettled settled;
  void *data;
} Reload;

static bool
read_latest (Reload *reload, VendDb *db, GError **error)
{
  return vend_store_version_get (db, reload->model_id, reload->model->latest_version,
                                 &reload->latest, error);
}

static bool
read_model (Reload *reload, VendDb *db, GError **error)
{
  return vend_store_scaling_get (db, reload->model_id, &reload->scaling, error)
         && vend_store_model_get (db, reload->model_id, &reload->model, error)
         && (reload->scaling.min_instances <= 0 || reload->model->latest_version == NULL
             || read_latest (reload, db, error));
}

static void
reload_clear (Reload *reload)
{
  vend_model_free (reload->model);
  vend_version_free (reload->latest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reload, reload_clear)

static void
refresh_versions (VendSched *sched, int64_t model_id)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Target *target = value;
      if (target->model_id != model_id)
        continue;
      if (target->deployment == NULL)
        vend_target_scale_like_model (target);
      else
        vend_target_refresh (target);
    }
  vend_sched_reconcile_soon (sched);
}

static void
take_up (const Reload *reload)
{
  VendSched *sched = reload->sched;
  const ModelScaling *known = g_hash_table_lookup (sched->models, &reload->model_id);
  /* Reloads can end in another order than they began; a later reload has read more. */
  if (known != NULL && known->reload > reload->number)
    return;
  if (vend_scaling_is_unset (&reload->scaling))
    {
      if (known != NULL)
        g_hash_table_remove (sched->models, &reload->model_id);
      refresh_versions (sched, reload->model_id);
      return;
    }
  ModelScaling *now = g_new0 (ModelScaling, 1);
  *now = (ModelScaling){ reload->model_id, reload->number, reload->scaling,
                         g_strdup (reload->model->latest_version) };
  g_hash_table_replace (sched->models, &now->model_id, now);
  if (reload->latest != NULL)
    {
      g_autofree char *name = g_strdup_printf ("%s/%s", reload->model->owner, reload->model->name);
      VendPrediction key
          = { .kind = VEND_KIND_PREDICTION, .model_id = reload->model_id, .model = name };
      key.billing = vend_prediction_billing_of (&key, reload->model);
      const VendSchedPlace place = { .hardware = reload->model->hardware };
      vend_target_get (sched, &key, reload->latest, &place);
    }
  refresh_versions (sched, reload->model_id);
}

static void
reload (void *data)
{
  Reload *job = data;
  g_autoptr (GError) error = NULL;
  g_auto (VendReader) reader = vend_reader (job->sched->store);
  if (read_model (job, reader.db, &error)
      || g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return;
  vend_log (VEND_LOG_ERROR, "cannot read the settings of a model", "error", error->message, NULL);
}

static void
reloaded (void *data)
{
  Reload *job = data;
  if (job->model != NULL)
    take_up (job);
  else
    g_hash_table_remove (job->sched->models, &job->model_id);
  if (job->settled != NULL)
    job->settled (job->data);
  reload_clear (job);
  g_free (job);
}

static void
reload_on_core (void *data)
{
  Reload *job = data;
  job->number = ++job->sched->n_reads;
  vend_sched_on_disk (job->sched, reload, reloaded, job);
}

void
vend_sched_model_changed (VendSched *sched, int64_t model_id, VendSchedSettled settled, void *data)
{
  Reload *job = g_new0 (Reload, 1);
  *job = (Reload){ .sched = sched, .model_id = model_id, .settled = settled, .data = data };
  vend_inbox_post (sched->inbox, reload_on_core, job);
}

bool
vend_scaling_recover (VendSched *sched, GError **error)
{
  g_autoptr (GArray) ids = NULL;
  g_auto (VendReader) reader = vend_reader (sched->store);
  if (!vend_store_scaling_all (reader.db, &ids, error))
    return false;
  for (guint i = 0; i < ids->len; i++)
    {
      g_auto (Reload) found = { .sched = sched,
                                .model_id = g_array_index (ids, int64_t, i),
                                .number = ++sched->n_reads };
      if (!read_model (&found, reader.db, error))
        return false;
      take_up (&found);
    }
  return true;
}
