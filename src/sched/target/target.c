/* Targets: made on first use; failed boots. */
#include "sched/target/target.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/failure.h"
#include "model/weight-set.h"
#include "model/weights.h"
#include "sched/instance/fast-start.h"
#include "sched/instance/instance.h"
#include "sched/observe/decisions.h"
#include "sched/observe/measure.h"
#include "sched/run/run.h"
#include "sched/target/deployments.h"
#include "sched/target/pools.h"
#include "sched/target/weights.h"
#include <string.h>

/* Until then weights that were read are still in memory, or there is no room for them. */
#define READ_AHEAD_AGAIN_US (60 * VEND_US_PER_S)
/* The end of a failed boot's logs that the server's log shows. */
#define LOGGED_LOGS 1000

Target *
vend_target_get (VendSched *sched, const VendPrediction *p, const VendVersion *version,
                 const VendSchedPlace *place)
{
  const VendScaling unset = VEND_SCALING_NONE;
  const VendScaling *own = place->scaling != NULL ? place->scaling : &unset;
  g_autofree char *key
      = p->deployment != NULL
            ? g_strdup_printf ("%" G_GINT64_FORMAT ":%s:%s:%s:%" G_GINT64_FORMAT
                               ":%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT,
                               p->model_id, version->id, p->deployment, place->hardware,
                               own->concurrency, own->fast_start, own->snapshot)
            : g_strdup_printf ("%" G_GINT64_FORMAT ":%s:%d", p->model_id, version->id,
                               (int) p->kind);
  Target *target = g_hash_table_lookup (sched->targets, key);
  if (target != NULL)
    {
      /* Unknown to directors of an older Vend. */
      if (p->billing.account_id != 0)
        target->billing = p->billing;
      vend_target_refresh (target);
      return target;
    }
  target = g_new0 (Target, 1);
  target->sched = sched;
  target->key = g_steal_pointer (&key);
  target->name = g_strdup (p->model);
  target->deployment = g_strdup (p->deployment);
  target->model_id = p->model_id;
  target->version = g_strdup (version->id);
  target->kind = p->kind;
  target->hardware = g_strdup (place->hardware);
  target->pool = vend_pool_of (sched, place->hardware, &target->size);
  target->billing = p->billing;
  target->launch = json_incref (version->launch);
  target->image = g_strdup (version->image);
  target->queue = vend_queue_new ();
  target->instances = g_ptr_array_new ();
  target->own = *own;
  vend_target_refresh (target);
  g_hash_table_insert (sched->targets, target->key, target);
  return target;
}

void
vend_target_free (Target *target)
{
  vend_target_weights_let_go (target);
  g_free (target->key);
  g_free (target->name);
  g_free (target->deployment);
  g_free (target->version);
  g_free (target->image);
  g_free (target->hardware);
  g_free (target->snapshot_key);
  json_decref (target->launch);
  vend_queue_free (target->queue);
  g_ptr_array_unref (target->instances);
  g_free (target);
}

void
vend_target_renew (Target *target, const char *reason)
{
  vend_fast_start_forget (target);
  target->backoff = (VendBootBackoff){ 0 };
  for (guint i = 0; i < target->instances->len; i++)
    vend_instance_drain (g_ptr_array_index (target->instances, i), reason);
}

/* A boot failed or was lost; `gives_up`: all queued runs fail. */
static void
boot_ended (Target *target, bool lost, bool gives_up, const char *error_code,
            const char *setup_logs, const char *error)
{
  gsize length = strlen (setup_logs);
  vend_log (VEND_LOG_WARN, "a model does not start", "model", target->name, "error", error,
            "last_logs", setup_logs + (length > LOGGED_LOGS ? length - LOGGED_LOGS : 0), NULL);
  vend_measure_boot_failed (target);
  vend_decided_boot_failed (target, lost, error_code, error);
  if (!gives_up)
    return;
  vend_decided_queue_failed (target, lost);
  for (Run *run; (run = vend_queue_peek (target->queue)) != NULL;)
    vend_run_fail (run, error_code, setup_logs, "the model could not be started: %s", error);
}

void
vend_target_boot_failed (Target *target, const char *error_code, const char *setup_logs,
                         const char *error)
{
  const bool gives_up = vend_boot_backoff_failed (&target->backoff, vend_steady_us ());
  boot_ended (target, false, gives_up, error_code, setup_logs, error);
}

void
vend_target_boot_refused (Target *target, const char *error)
{
  target->backoff.failures = MAX (target->backoff.failures, VEND_MAX_BOOT_FAILURES - 1);
  vend_target_boot_failed (target, VEND_FAILURE_SETUP_FAILED, "", error);
}

void
vend_target_boot_lost (const Instance *instance, const char *error)
{
  Target *target = instance->target;
  const bool gives_up
      = vend_boot_backoff_lost (&target->backoff, instance->created_us, vend_steady_us ());
  boot_ended (target, true, gives_up, VEND_FAILURE_INSTANCE_LOST, instance->setup_logs->str, error);
}

/* The weights of a training as a set, for reading. */
static VendWeightSet *
set_of_training (const json_t *launch)
{
  g_autoptr (VendWeights) weights = vend_weights_of_launch (launch);
  if (weights == NULL)
    return NULL;
  VendWeightSet *set = vend_weight_set_new ();
  vend_weight_set_add (set, weights->name, weights->size, weights->sha256);
  return set;
}

void
vend_target_read_ahead (Target *target)
{
  const int64_t now_us = vend_steady_us ();
  if (target->instances->len > 0
      || (target->read_ahead_us > 0 && now_us - target->read_ahead_us < READ_AHEAD_AGAIN_US))
    return;
  target->read_ahead_us = now_us;
  g_autoptr (GPtrArray) sets = vend_weight_sets_of_launch (target->launch);
  VendWeightSet *trained = set_of_training (target->launch);
  if (trained != NULL)
    g_ptr_array_add (sets, trained);
  if (sets->len > 0)
    vend_shelf_read_ahead (target->sched->shelf, g_steal_pointer (&sets));
}

VendVersion *
vend_version_for_launch (const VendVersion *version)
{
  VendVersion *copy = g_new0 (VendVersion, 1);
  copy->id = g_strdup (version->id);
  copy->model_id = version->model_id;
  copy->launch = json_incref (version->launch);
  copy->image = g_strdup (version->image);
  return copy;
}

typedef struct
{
  VendSched *sched;
  int64_t model_id;
  char *version;
} Retirement;

static void
retire_on_core (void *data)
{
  g_autofree Retirement *retirement = data;
  g_autofree char *version = retirement->version;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, retirement->sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Target *target = value;
      if (target->deployment == NULL && target->model_id == retirement->model_id
          && strcmp (target->version, version) == 0)
        {
          target->retired = true;
          vend_fast_start_forget (target);
        }
    }
  vend_sched_reconcile_soon (retirement->sched);
}

void
vend_sched_retire (VendSched *sched, int64_t model_id, const char *version)
{
  Retirement *retirement = g_new0 (Retirement, 1);
  *retirement = (Retirement){ sched, model_id, g_strdup (version) };
  vend_inbox_post (sched->inbox, retire_on_core, retirement);
}
