/* The live state as JSON, for people and tests. Core thread. */
#include "base/clock.h"
#include "sched/account/accounts.h"
#include "sched/account/budgets.h"
#include "sched/instance/fast-start.h"
#include "sched/instance/instance.h"
#include "sched/target/deployments.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"

static const char *const state_names[] = { "starting", "booting", "ready", "stopping", "gone" };

const char *
vend_instance_state_name (InstanceState state)
{
  return state_names[state];
}

static json_t *
ids_of (GHashTable *by_id)
{
  json_t *ids = json_array ();
  GHashTableIter iter;
  void *id;
  g_hash_table_iter_init (&iter, by_id);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    json_array_append_new (ids, json_string (id));
  return ids;
}

static json_t *
describe_instance (const Instance *instance)
{
  const VendRunner *runner = instance->sched->runner;
  g_autofree char *dir = runner->folder (runner, instance->id);
  json_t *described = json_pack (
      "{s:s, s:s, s:s?, s:s, s:s, s:i, s:i, s:i, s:o, s:b, s:s, s:s, s:o}", "id", instance->id,
      "model", instance->target->name, "deployment", instance->target->deployment, "version",
      instance->target->version, "state", state_names[instance->state], "slots",
      (int) instance->slots, "ahead", (int) instance->prefetch, "running",
      (int) g_hash_table_size (instance->running), "runs", ids_of (instance->running), "connected",
      instance->link != NULL, "dir", dir, "hardware", instance->target->hardware, "gpus",
      vend_instance_gpus_json (instance));
  json_object_set_new (described, "machine", json_pack ("s?", instance->machine));
  json_object_set_new (described, "start", json_pack ("s?", vend_fast_start_kind (instance)));
  json_object_set_new (described, "plain_reason",
                       json_pack ("s?", instance->started_fast ? NULL : instance->plain_why));
  json_object_set_new (described, "snapshot_reason", json_pack ("s?", instance->snapshot_why));
  vend_json_set_string (described, "isolation", vend_isolation_word (instance->isolation));
  vend_json_set_string (described, "network", vend_network_word (instance->network));
  vend_json_set_bool (described, "learning", instance->records_imports || instance->learning);
  return described;
}

static json_t *
describe_target (const Target *target)
{
  return json_pack ("{s:s, s:s?, s:i, s:i, s:s, s:i, s:i, s:i, s:f, s:f, s:i, s:b, s:o}", "model",
                    target->name, "deployment", target->deployment, "min", (int) target->min, "max",
                    (int) target->max, "version", target->version, "waiting",
                    (int) vend_queue_length (target->queue), "running", (int) target->n_running,
                    "instances", (int) target->instances->len, "boot_seconds",
                    target->boot_us / VEND_US_PER_S, "run_seconds", target->run_us / VEND_US_PER_S,
                    "boot_failures", (int) vend_boot_backoff_count (&target->backoff), "retired",
                    target->retired, "scaling", vend_scaling_to_json (&target->scaling, false));
}

typedef struct
{
  VendSched *sched;
  bool all;
  VendSchedDescribed described;
  void *data;
} Request;

static json_t *
describe_instances (const VendSched *sched)
{
  json_t *list = json_array ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    json_array_append_new (list, describe_instance (value));
  return list;
}

static json_t *
describe_targets (const VendSched *sched)
{
  json_t *list = json_array ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    json_array_append_new (list, describe_target (value));
  return list;
}

static json_t *
describe (VendSched *sched, bool all)
{
  json_t *state = json_pack (
      "{s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:b, s:b}", "data", sched->data_dir, "live",
      (int) g_hash_table_size (sched->runs), "queued", (int) sched->n_queued, "writes_waiting",
      (int) vend_store_backlog (sched->store), "submitted", (json_int_t) sched->n_submitted,
      "ended", (json_int_t) sched->n_ended, "instance_starts", (json_int_t) sched->n_starts,
      "runs_lost", (json_int_t) sched->n_lost, "draining", sched->draining, "recovering",
      sched->n_adopting > 0);
  json_object_set_new (state, "instances", describe_instances (sched));
  json_object_set_new (state, "targets", describe_targets (sched));
  json_object_set_new (state, "deployments", vend_deployments_describe (sched));
  json_object_set_new (state, "accounts", vend_accounts_describe (sched));
  json_object_set_new (state, "budgets", vend_budgets_describe (sched->budgets));
  json_object_set_new (state, "hardware", vend_pools_describe (sched));
  json_object_set_new (state, "gpus", vend_gpus_describe (sched));
  json_object_set_new (state, "zygotes", vend_fast_start_describe (sched->fast_start, false));
  json_object_set_new (state, "snapshots", vend_fast_start_describe (sched->fast_start, true));
  if (all)
    json_object_set_new (state, "open", ids_of (sched->runs));
  return state;
}

static void
describe_on_core (void *data)
{
  g_autofree Request *request = data;
  request->described (describe (request->sched, request->all), request->data);
}

void
vend_sched_describe (VendSched *sched, bool all, VendSchedDescribed described, void *data)
{
  Request *request = g_new0 (Request, 1);
  *request = (Request){ sched, all, described, data };
  vend_inbox_post (sched->inbox, describe_on_core, request);
}
