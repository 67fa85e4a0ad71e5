/* How things stand, for people who look every second: bounded lists, the busiest first. The core
 * thread describes what it owns; processes and the machine are looked at on the disk pool. */
#include "base/clock.h"
#include "hardware/machine-load.h"
#include "hardware/machine.h"
#include "runner/process-usage.h"
#include "sched/core-private.h"
#include "sched/status-private.h"
#include <string.h>

/* Of a queue with more accounts the oldest wait is that of some of them. */
#define MAX_ACCOUNTS 1000

/* ---- In the order in which people want to see them */

static int
compare (int64_t a, int64_t b)
{
  return a < b ? -1 : a > b;
}

static int
busiest_deployable (const void *a, const void *b)
{
  const Deployable *x = *(Deployable *const *) a, *y = *(Deployable *const *) b;
  const int64_t load_x = (int64_t) vend_queue_length (x->queue) + x->n_running;
  const int64_t load_y = (int64_t) vend_queue_length (y->queue) + y->n_running;
  if (load_x != load_y)
    return compare (load_y, load_x);
  if (x->instances->len != y->instances->len)
    return compare (y->instances->len, x->instances->len);
  return strcmp (x->key, y->key);
}

static int
busiest_instance (const void *a, const void *b)
{
  static const int ranks[] = { [INSTANCE_STARTING] = 0,
                               [INSTANCE_BOOTING] = 0,
                               [INSTANCE_READY] = 1,
                               [INSTANCE_STOPPING] = 2,
                               [INSTANCE_GONE] = 3 };
  const Instance *x = *(Instance *const *) a, *y = *(Instance *const *) b;
  const guint running_x = g_hash_table_size (x->running);
  const guint running_y = g_hash_table_size (y->running);
  if (running_x != running_y)
    return compare (running_y, running_x);
  if (ranks[x->state] != ranks[y->state])
    return compare (ranks[x->state], ranks[y->state]);
  if (x->created_us != y->created_us)
    return compare (x->created_us, y->created_us);
  return strcmp (x->id, y->id);
}

static GPtrArray *
sorted (GHashTable *table, GCompareFunc by)
{
  GPtrArray *all = g_ptr_array_sized_new (g_hash_table_size (table));
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (all, value);
  g_ptr_array_sort (all, by);
  return all;
}

/* ---- Queues */

static json_t *
states_json (const guint *n)
{
  json_t *states = json_object ();
  for (guint i = 0; i <= INSTANCE_STOPPING; i++)
    json_object_set_new_nocheck (states, vend_instance_state_name (i), json_integer (n[i]));
  return states;
}

static void
take_older (void *entry, void *data)
{
  int64_t *oldest_us = data;
  *oldest_us = MIN (*oldest_us, ((const Live *) entry)->p->created_us);
}

static json_t *
describe_queue (const Deployable *deployable, int64_t now_us)
{
  guint states[INSTANCE_GONE + 1] = { 0 };
  int64_t oldest_us = now_us;
  for (guint i = 0; i < deployable->instances->len; i++)
    states[((const Instance *) g_ptr_array_index (deployable->instances, i))->state]++;
  vend_queue_each_first (deployable->queue, MAX_ACCOUNTS, take_older, &oldest_us);
  const guint waiting = vend_queue_length (deployable->queue);
  json_t *queue = json_pack (
      "{s:s, s:s?, s:s, s:s, s:i, s:i, s:i, s:f, s:i, s:i, s:i, s:o}", "model", deployable->name,
      "deployment", deployable->deployment, "version", deployable->version, "hardware",
      deployable->hardware, "waiting", (int) waiting, "accounts_waiting",
      (int) vend_queue_accounts (deployable->queue), "running", (int) deployable->n_running,
      "oldest_wait_seconds", (double) (now_us - oldest_us) / VEND_US_PER_S, "slots",
      (int) (deployable->slots * states[INSTANCE_READY]), "min_instances", (int) deployable->min,
      "max_instances", (int) deployable->max, "instances", states_json (states));
  /* Null before there is one. */
  json_object_set_new_nocheck (
      queue, "boot_seconds",
      deployable->boot_us > 0 ? json_real (deployable->boot_us / VEND_US_PER_S) : json_null ());
  json_object_set_new_nocheck (
      queue, "run_seconds",
      deployable->run_us > 0 ? json_real (deployable->run_us / VEND_US_PER_S) : json_null ());
  json_object_set_new_nocheck (queue, "boot_failures",
                               json_integer ((json_int_t) deployable->boot_failures));
  return queue;
}

static void
add_queues (const VendSched *sched, json_t *out, int64_t now_us)
{
  g_autoptr (GPtrArray) all = sorted (sched->deployables, busiest_deployable);
  const guint n = MIN (all->len, VEND_STATUS_MAX_QUEUES);
  json_t *list = json_array ();
  for (guint i = 0; i < n; i++)
    json_array_append_new (list, describe_queue (g_ptr_array_index (all, i), now_us));
  json_object_set_new_nocheck (out, "queues", list);
  json_object_set_new_nocheck (out, "queues_left_out", json_integer (all->len - n));
}

/* ---- Instances */

/* UUID → VendGpu, borrowed. */
static GHashTable *
gpus_by_uuid (const VendSched *sched)
{
  GHashTable *gpus = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < sched->gpus->len; i++)
    {
      VendGpu *gpu = g_ptr_array_index (sched->gpus, i);
      g_hash_table_insert (gpus, gpu->uuid, gpu);
    }
  return gpus;
}

static json_t *
gpu_indexes (const Instance *instance, GHashTable *gpus)
{
  json_t *indexes = json_array ();
  for (char **uuid = instance->gpus; uuid != NULL && *uuid != NULL; uuid++)
    {
      const VendGpu *gpu = g_hash_table_lookup (gpus, *uuid);
      if (gpu != NULL)
        json_array_append_new (indexes, json_integer (gpu->index));
    }
  return indexes;
}

static json_t *
describe_instance (const Instance *instance, GHashTable *gpus, int64_t now_us)
{
  const Deployable *deployable = instance->deployable;
  return json_pack ("{s:s, s:s, s:s?, s:s, s:s, s:b, s:s, s:o, s:i, s:i, s:f}", "id", instance->id,
                    "model", deployable->name, "deployment", deployable->deployment, "version",
                    deployable->version, "state", vend_instance_state_name (instance->state),
                    "draining", instance->draining, "hardware", deployable->hardware, "gpus",
                    gpu_indexes (instance, gpus), "running",
                    (int) g_hash_table_size (instance->running), "slots", (int) instance->slots,
                    "age_seconds", (double) MAX (now_us - instance->created_us, 0) / VEND_US_PER_S);
}

static void
add_instances (const VendSched *sched, json_t *out, int64_t now_us)
{
  g_autoptr (GPtrArray) all = sorted (sched->instances, busiest_instance);
  g_autoptr (GHashTable) gpus = gpus_by_uuid (sched);
  const guint n = MIN (all->len, VEND_STATUS_MAX_INSTANCES);
  json_t *list = json_array ();
  for (guint i = 0; i < n; i++)
    json_array_append_new (list, describe_instance (g_ptr_array_index (all, i), gpus, now_us));
  json_object_set_new_nocheck (out, "instances", list);
  json_object_set_new_nocheck (out, "instances_left_out", json_integer (all->len - n));
}

/* ---- Hardware, and all together */

/* One walk over the instances, whatever the number of GPUs and kinds of hardware is. */
static void
add_hardware (const VendSched *sched, json_t *out)
{
  const guint n_pools = vend_pools_count (sched);
  g_autofree guint *used = g_new0 (guint, n_pools);
  g_autoptr (GHashTable) holders = g_hash_table_new (g_str_hash, g_str_equal);
  guint states[INSTANCE_GONE + 1] = { 0 };
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Instance *instance = value;
      states[instance->state]++;
      used[instance->deployable->pool] += instance->deployable->size;
      for (char **uuid = instance->gpus; uuid != NULL && *uuid != NULL; uuid++)
        g_hash_table_insert (holders, *uuid, instance->id);
    }

  json_t *kinds = json_array ();
  for (guint i = 0; i < vend_skus_count (sched->skus); i++)
    {
      const VendSku *sku = vend_skus_at (sched->skus, i);
      guint size = 0;
      const guint pool = vend_pool_of (sched, sku->sku, &size);
      json_array_append_new (kinds, json_pack ("{s:s, s:s, s:i, s:i, s:i}", "sku", sku->sku, "name",
                                               sku->name, "gpus", (int) sku->gpus, "units",
                                               (int) vend_pool_units (sched, pool), "used",
                                               (int) used[pool]));
    }
  json_t *gpus = json_array ();
  for (guint i = 0; i < sched->gpus->len; i++)
    {
      const VendGpu *gpu = g_ptr_array_index (sched->gpus, i);
      json_array_append_new (
          gpus, json_pack ("{s:i, s:s, s:s, s:I, s:s?, s:s?}", "index", (int) gpu->index, "uuid",
                           gpu->uuid, "name", gpu->name, "memory", (json_int_t) gpu->memory, "sick",
                           gpu->sick, "instance", g_hash_table_lookup (holders, gpu->uuid)));
    }
  json_object_set_new_nocheck (out, "hardware", kinds);
  json_object_set_new_nocheck (out, "gpus", gpus);

  guint running = 0;
  g_hash_table_iter_init (&iter, sched->deployables);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    running += ((const Deployable *) value)->n_running;
  json_object_set_new_nocheck (
      out, "totals",
      json_pack ("{s:i, s:i, s:o, s:I, s:I, s:I, s:I, s:i}", "waiting", (int) sched->n_queued,
                 "running", (int) running, "instances", states_json (states), "submitted",
                 (json_int_t) sched->n_submitted, "ended", (json_int_t) sched->n_ended,
                 "instance_starts", (json_int_t) sched->n_starts, "runs_lost",
                 (json_int_t) sched->n_lost, "writes_waiting",
                 (int) vend_store_backlog (sched->store)));
}

void
vend_status_describe (const VendSched *sched, json_t *out, int64_t now_us)
{
  vend_json_set_time (out, "now", now_us);
  vend_json_set_bool (out, "draining", sched->draining);
  vend_json_set_bool (out, "recovering", sched->n_adopting > 0);
  add_hardware (sched, out);
  add_queues (sched, out, now_us);
  add_instances (sched, out, now_us);
}

/* ---- What blocks */

static void
add_processes (json_t *out, const char *instances_dir)
{
  g_autoptr (GHashTable) usage = vend_process_usage (instances_dir);
  size_t i;
  json_t *instance;
  json_array_foreach (json_object_get (out, "instances"), i, instance)
    {
      static const VendProcessUsage nothing;
      const VendProcessUsage *used = g_hash_table_lookup (usage, vend_json_string (instance, "id"));
      if (used == NULL)
        used = &nothing;
      json_object_set_new_nocheck (instance, "processes", json_integer (used->processes));
      json_object_set_new_nocheck (instance, "cpu_seconds", json_real (used->cpu_seconds));
      json_object_set_new_nocheck (instance, "memory", json_integer ((json_int_t) used->memory));
    }
}

static void
add_machine (json_t *out)
{
  VendMachineLoad load;
  vend_machine_load (&load);
  json_object_set_new_nocheck (out, "machine",
                               json_pack ("{s:i, s:I, s:I, s:[f, f, f]}", "cores",
                                          (int) vend_machine_cores (), "memory",
                                          (json_int_t) vend_machine_memory (), "memory_available",
                                          (json_int_t) load.memory_available, "load",
                                          load.averages[0], load.averages[1], load.averages[2]));
}

typedef struct
{
  VendSched *sched;
  json_t *out;
  char *text;
  VendSchedStatusTold told;
  void *data;
} Request;

static void
look (void *data)
{
  Request *request = data;
  add_processes (request->out, request->sched->instances_dir);
  add_machine (request->out);
  request->text = vend_json_text (request->out);
}

static void
looked (void *data)
{
  g_autofree Request *request = data;
  json_decref (request->out);
  request->told (request->text, request->data);
}

static void
status_on_core (void *data)
{
  Request *request = data;
  vend_status_describe (request->sched, request->out, vend_now_us ());
  vend_sched_on_disk (request->sched, look, looked, request);
}

void
vend_sched_status (VendSched *sched, json_t *take, VendSchedStatusTold told, void *data)
{
  Request *request = g_new0 (Request, 1);
  *request = (Request){ .sched = sched, .out = take, .told = told, .data = data };
  vend_inbox_post (sched->inbox, status_on_core, request);
}
