/* Recovery at a start, after a stop or a crash: the state on disk becomes live again. Core thread,
 * before anything else; blocks on the store and on disk. */
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "model/attempt.h"
#include "model/failure.h"
#include "sched/account/budgets.h"
#include "sched/instance/instance-spec.h"
#include "sched/instance/instance.h"
#include "sched/instance/metering.h"
#include "sched/instance/secrets.h"
#include "sched/run/run.h"
#include "sched/target/deployments.h"
#include "sched/target/target.h"
#include "store/deployments.h"
#include "store/instance-usage.h"
#include "store/models.h"
#include "store/predictions.h"
#include <string.h>

#define MAX_ATTEMPTS 1000 /* far more than may be lost */

/* Hardware and scaling of the deployment, else hardware of the model. */
static char *
hardware_of (VendDb *db, const VendPrediction *p, const VendModel *model, VendScaling *scaling)
{
  g_autoptr (GError) error = NULL;
  char *hardware = NULL;
  if (p->deployment == NULL
      || !vend_store_release_of_version (db, p->deployment, p->model_id, p->version, &hardware,
                                         scaling, &error))
    hardware = g_strdup (model != NULL ? model->hardware : "cpu");
  return hardware;
}

/* A loss may be on disk while the lease of its attempt, or the outcome of the loss, is not. */
static void
catch_up (VendPrediction *p, const VendAttempt *latest)
{
  if (latest->number <= p->attempt)
    return;
  g_autoptr (GError) error = NULL;
  p->attempt = latest->number;
  p->started_us = latest->started_us;
  g_free (p->instance);
  p->instance = g_strdup (latest->instance);
  if (latest->started_us > 0 && p->status == VEND_STATUS_STARTING
      && !vend_prediction_set_status (p, VEND_STATUS_PROCESSING, &error))
    g_assert_not_reached ();
}

/* Losses count across starts, else a run that crashes everything would be retried for ever. */
static bool
load_losses (Run *run, VendDb *db, GError **error)
{
  VendPrediction *p = run->p;
  g_autoptr (GPtrArray) attempts = NULL;
  if (!vend_store_attempt_list (db, p->id, MAX_ATTEMPTS, &attempts, error))
    return false;
  if (attempts->len > 0)
    catch_up (p, g_ptr_array_index (attempts, attempts->len - 1));
  /* The attempt in flight is counted when it is found to be lost. */
  const int last = p->instance != NULL ? p->attempt - 1 : p->attempt;
  for (guint i = 0; i < attempts->len; i++)
    {
      const VendAttempt *attempt = g_ptr_array_index (attempts, i);
      run->earliest_us = MAX (run->earliest_us, attempt->ended_us);
      if (attempt->number > last)
        continue;
      if (strcmp (attempt->outcome, VEND_ATTEMPT_OUT_OF_MEMORY) == 0)
        run->lost_out_of_memory++;
      else
        *(attempt->started_us > 0 ? &run->lost_running : &run->lost_before_start) += 1;
    }
  return true;
}

static bool
load_open (VendSched *sched, GError **error)
{
  g_autoptr (GPtrArray) open = NULL;
  g_auto (VendReader) reader = vend_reader (sched->store);
  if (!vend_store_prediction_open (reader.db, &open, error))
    return false;

  for (guint i = 0; i < open->len; i++)
    {
      g_autoptr (VendVersion) version = NULL;
      g_autoptr (VendModel) model = NULL;
      g_autoptr (GError) problem = NULL;
      VendPrediction *p = g_steal_pointer (&g_ptr_array_index (open, i));
      if (!vend_store_version_get (reader.db, p->model_id, p->version, &version, &problem)
          || !vend_store_model_get (reader.db, p->model_id, &model, &problem))
        {
          /* A version with open predictions cannot be deleted; this is damage. */
          vend_log (VEND_LOG_ERROR, "an open prediction has no version", "prediction", p->id,
                    "error", problem->message, NULL);
          version = g_new0 (VendVersion, 1);
          version->id = g_strdup (p->version);
          version->launch = json_object ();
        }
      VendScaling scaling = VEND_SCALING_NONE;
      g_autofree char *hardware = hardware_of (reader.db, p, model, &scaling);
      p->billing = vend_prediction_billing_of (p, model);
      Target *target = vend_target_get (sched, p, version, &(VendSchedPlace){ hardware, &scaling });
      Run *run = vend_run_new (sched, p, target);
      vend_open_ids_add (sched->open_ids, p->id);
      run->emitted = p->output != NULL;
      if (!load_losses (run, reader.db, error))
        return false;

      vend_run_arm_deadline (run);
    }
  return true;
}

/* Finds or makes the target of an instance; NULL when its version is gone. */
static Target *
target_of (VendSched *sched, VendDb *db, const json_t *spec)
{
  const json_t *about = vend_instance_spec_target (spec);
  const char *id = vend_json_string (spec, "version");
  const char *name = vend_json_string (about, "model");
  const char *hardware = vend_json_string (about, "hardware");
  g_autoptr (VendVersion) version = NULL;
  g_autoptr (GError) error = NULL;
  VendPrediction key = { .model_id = vend_json_int (about, "model_id", 0),
                         .kind = (VendKind) vend_json_int (about, "kind", 0),
                         .model = (char *) name,
                         .deployment = (char *) vend_json_string (about, "deployment"),
                         .billing = { vend_json_int (about, "account_id", 0),
                                      vend_json_bool (about, "billed", false) } };
  if (id == NULL || name == NULL || hardware == NULL
      || !vend_store_version_get (db, key.model_id, id, &version, &error))
    return NULL;
  /* Settings that the instance does not name are unset. */
  json_auto_t *ignored = json_array ();
  VendScaling stored, scaling = VEND_SCALING_NONE;
  vend_scaling_read (json_object_get (about, "scaling"), false, &stored, ignored);
  vend_scaling_apply (&scaling, &stored);
  return vend_target_get (sched, &key, version, &(VendSchedPlace){ hardware, &scaling });
}

static void
adopt (VendSched *sched, VendDb *db, const char *id, const json_t *spec, Target *target)
{
  const json_t *about = vend_instance_spec_target (spec);
  g_autoptr (VendInstanceUsage) last = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_store_instance_usage_last (db, id, &last, &error))
    vend_log (VEND_LOG_ERROR, "cannot read what was metered", "instance", id, "error",
              error->message, NULL);
  guint slots = (guint) CLAMP (vend_json_int (spec, "slots", 1), 1, 256);
  Instance *instance
      = vend_instance_adopt (target, id, slots, vend_json_int (about, "created_us", 0), spec, last);
  if (json_object_get (about, "account_id") == NULL)
    vend_metering_forget (instance);
  const char *secrets = vend_json_string (about, "secrets");
  vend_instance_check_secrets (instance, db, secrets != NULL ? secrets : "");
}

typedef struct
{
  VendSched *sched;
  VendDb *db;
} TakeUp;

static bool
take_up_instance (const char *id, const char *text, const GError *unread, void *data)
{
  const TakeUp *take_up = data;
  VendRunner *runner = take_up->sched->runner;
  g_autoptr (GError) error = NULL;
  json_auto_t *spec = NULL;
  Target *target = NULL;
  if (text != NULL && vend_json_parse (text, strlen (text), &spec, &error))
    target = target_of (take_up->sched, take_up->db, spec);
  if (target != NULL)
    {
      adopt (take_up->sched, take_up->db, id, spec, target);
      return true;
    }
  /* Half made, or of a deleted version: not needed. */
  vend_log (VEND_LOG_WARN, "removing an instance that nothing points to", "instance", id, "unread",
            unread != NULL ? unread->message : NULL, NULL);
  g_clear_error (&error);
  runner->end (runner, id);
  if (!runner->remove (runner, id, &error))
    vend_log (VEND_LOG_WARN, "cannot remove it", "error", error->message, NULL);
  return true;
}

static bool
take_up_instances (VendSched *sched, GError **error)
{
  g_auto (VendReader) reader = vend_reader (sched->store);
  TakeUp take_up = { sched, reader.db };
  return sched->runner->list (sched->runner, take_up_instance, &take_up, error);
}

/* Runs leased to an instance that still exists wait for its hello. */
static void
attach_leased (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Run *run = value;
      Instance *instance = run->p->instance != NULL
                               ? g_hash_table_lookup (sched->instances, run->p->instance)
                               : NULL;
      if (instance != NULL)
        vend_run_attach (run, instance);
    }
}

static int
by_creation (const void *a, const void *b)
{
  const Run *x = *(Run *const *) a, *y = *(Run *const *) b;
  return x->p->created_us < y->p->created_us ? -1 : x->p->created_us > y->p->created_us;
}

/* All living directors have reported their runs: the other runs are queued, or were lost. */
static void
resume (VendSched *sched)
{
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Run *run = value;
      if (run->instance == NULL && run->completion == NULL && run->place.link == NULL
          && !run->insert_pending)
        g_ptr_array_add (waiting, run);
    }
  g_ptr_array_sort (waiting, by_creation);
  for (guint i = 0; i < waiting->len; i++)
    {
      Run *run = g_ptr_array_index (waiting, i);
      if (run->p->cancel_requested)
        vend_run_cancel (run);
      else if (run->p->instance != NULL)
        vend_run_lost (run, VEND_FAILURE_INSTANCE_LOST, run->emitted,
                       "the instance that ran this prediction was lost");
      else
        vend_run_enqueue (run, false);
    }
  /* Submissions meanwhile were queued without dispatch. */
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    vend_target_dispatch (value);
  vend_sched_reconcile_soon (sched);
}

bool
vend_sched_recover (VendSched *sched, GError **error)
{
  /* Holds the queue until every director is heard. */
  sched->n_adopting = 1;
  sched->resume = resume;
  if (!vend_budgets_recover (sched->budgets, sched->prices, vend_now_us (), error)
      || !vend_scaling_recover (sched, error) || !vend_deployments_recover (sched, error)
      || !load_open (sched, error) || !take_up_instances (sched, error))
    return false;
  attach_leased (sched);
  vend_sched_adopted_one (sched);
  return true;
}
