/* The core thread's copy of its state for vend_sched_status: as small as possible, for nothing else
 * runs meanwhile. */
#include "base/clock.h"
#include "sched/instance/instance.h"
#include "sched/observe/status-private.h"
#include "sched/run/run.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"
#include <stdlib.h>

/* With more accounts in a queue, the oldest wait is that of some of them. */
#define MAX_ACCOUNTS 1000

static void
queue_view_clear (void *data)
{
  VendQueueView *view = data;
  g_free (view->model);
  g_free (view->deployment);
  g_free (view->version);
  g_free (view->hardware);
}

static void
instance_view_clear (void *data)
{
  VendInstanceView *view = data;
  g_free (view->id);
  g_free (view->model);
  g_free (view->deployment);
  g_free (view->version);
  g_free (view->hardware);
  g_clear_pointer (&view->gpus, g_array_unref);
}

void
vend_status_view_free (VendStatusView *view)
{
  g_array_unref (view->queues);
  g_array_unref (view->instances);
  json_decref (view->rest);
  g_free (view);
}

/* ---- Order for people */

/* Sort keys stand in the sorted array: the objects themselves are spread over the memory. */
typedef struct
{
  uint64_t first;
  uint64_t second;
  void *thing;
} Rank;

static int
by_rank (const void *a, const void *b)
{
  const Rank *x = a, *y = b;
  if (x->first != y->first)
    return x->first < y->first ? -1 : 1;
  return x->second < y->second ? -1 : x->second > y->second;
}

static Rank
rank_queue (Target *target)
{
  const uint64_t load = (uint64_t) vend_queue_length (target->queue) + target->n_running;
  return (Rank){ UINT64_MAX - load, UINT64_MAX - target->instances->len, target };
}

static Rank
rank_instance (Instance *instance)
{
  static const uint64_t ranks[] = { [INSTANCE_STARTING] = 0,
                                    [INSTANCE_BOOTING] = 0,
                                    [INSTANCE_READY] = 1,
                                    [INSTANCE_STOPPING] = 2,
                                    [INSTANCE_GONE] = 3 };
  const uint64_t running = g_hash_table_size (instance->running);
  return (Rank){ (G_MAXUINT32 - running) << 3 | ranks[instance->state],
                 (uint64_t) instance->created_us, instance };
}

/* ---- Queues */

static void
take_older (void *entry, void *data)
{
  int64_t *oldest_us = data;
  *oldest_us = MIN (*oldest_us, ((const Run *) entry)->since_us);
}

static VendQueueView
view_queue (const Target *target, int64_t now_us)
{
  VendQueueView view = { .model = g_strdup (target->name),
                         .deployment = g_strdup (target->deployment),
                         .version = g_strdup (target->version),
                         .hardware = g_strdup (target->hardware),
                         .waiting = vend_queue_length (target->queue),
                         .accounts = vend_queue_accounts (target->queue),
                         .running = target->n_running,
                         .min = target->min,
                         .max = target->max,
                         .boot_failures = vend_boot_backoff_count (&target->backoff),
                         .oldest_us = now_us,
                         .boot_us = target->boot_us,
                         .run_us = target->run_us };
  for (guint i = 0; i < target->instances->len; i++)
    view.states[((const Instance *) g_ptr_array_index (target->instances, i))->state]++;
  view.slots = target->slots * view.states[INSTANCE_READY];
  vend_queue_each_first (target->queue, MAX_ACCOUNTS, take_older, &view.oldest_us);
  return view;
}

static void
view_queues (const VendSched *sched, VendStatusView *out)
{
  const guint n = g_hash_table_size (sched->targets);
  g_autofree Rank *ranks = g_new (Rank, n + 1);
  guint i = 0;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    ranks[i++] = rank_queue (value);
  qsort (ranks, n, sizeof *ranks, by_rank);
  for (i = 0; i < MIN (n, VEND_STATUS_MAX_QUEUES); i++)
    {
      VendQueueView view = view_queue (ranks[i].thing, out->now_us);
      g_array_append_val (out->queues, view);
    }
  out->queues_left_out = n - i;
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

static GArray *
gpu_indexes (const Instance *instance, GHashTable *gpus)
{
  if (instance->gpus == NULL)
    return NULL;
  GArray *indexes = g_array_new (FALSE, FALSE, sizeof (guint));
  for (char **uuid = instance->gpus; *uuid != NULL; uuid++)
    {
      const VendGpu *gpu = g_hash_table_lookup (gpus, *uuid);
      if (gpu != NULL)
        g_array_append_val (indexes, gpu->index);
    }
  return indexes;
}

static VendInstanceView
view_instance (const Instance *instance, GHashTable *gpus)
{
  const Target *target = instance->target;
  return (VendInstanceView){ .id = g_strdup (instance->id),
                             .model = g_strdup (target->name),
                             .deployment = g_strdup (target->deployment),
                             .version = g_strdup (target->version),
                             .hardware = g_strdup (target->hardware),
                             .state = instance->state,
                             .draining = instance->draining,
                             .running = g_hash_table_size (instance->running),
                             .slots = instance->slots,
                             .created_us = instance->created_us,
                             .gpus = gpu_indexes (instance, gpus) };
}

/* ---- All together */

/* The results of one walk over the instances. */
typedef struct
{
  guint states[INSTANCE_GONE + 1];
  guint *used;         /* units, by pool */
  GHashTable *holders; /* UUID of a GPU → id of the instance, borrowed */
  Rank *ranks;
  guint n;
} Walk;

static void
walk (const VendSched *sched, Walk *out)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Instance *instance = value;
      out->states[instance->state]++;
      out->used[instance->target->pool] += instance->target->size;
      out->ranks[out->n++] = rank_instance (instance);
      for (char **uuid = instance->gpus; uuid != NULL && *uuid != NULL; uuid++)
        g_hash_table_insert (out->holders, *uuid, instance->id);
    }
}

static void
view_instances (const VendSched *sched, const Walk *found, VendStatusView *out)
{
  g_autoptr (GHashTable) gpus = gpus_by_uuid (sched);
  guint i;
  qsort (found->ranks, found->n, sizeof *found->ranks, by_rank);
  for (i = 0; i < MIN (found->n, VEND_STATUS_MAX_INSTANCES); i++)
    {
      VendInstanceView view = view_instance (found->ranks[i].thing, gpus);
      g_array_append_val (out->instances, view);
    }
  out->instances_left_out = found->n - i;
}

static json_t *
kinds_json (const VendSched *sched, const guint *used)
{
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
  return kinds;
}

static json_t *
gpus_json (const VendSched *sched, GHashTable *holders)
{
  json_t *gpus = json_array ();
  for (guint i = 0; i < sched->gpus->len; i++)
    {
      const VendGpu *gpu = g_ptr_array_index (sched->gpus, i);
      json_array_append_new (gpus,
                             json_pack ("{s:i, s:s, s:s, s:I, s:s?, s:s?}", "index",
                                        (int) gpu->index, "uuid", gpu->uuid, "name", gpu->name,
                                        "memory", (json_int_t) gpu->memory, "fault", gpu->fault,
                                        "instance", g_hash_table_lookup (holders, gpu->uuid)));
    }
  return gpus;
}

static json_t *
totals_json (const VendSched *sched, const guint *states)
{
  guint running = 0;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    running += ((const Target *) value)->n_running;
  return json_pack ("{s:i, s:i, s:o, s:I, s:I, s:I, s:I, s:i}", "waiting", (int) sched->n_queued,
                    "running", (int) running, "instances", vend_status_states_json (states),
                    "submitted", (json_int_t) sched->n_submitted, "ended",
                    (json_int_t) sched->n_ended, "instance_starts", (json_int_t) sched->n_starts,
                    "runs_lost", (json_int_t) sched->n_lost, "writes_waiting",
                    (int) vend_store_backlog (sched->store));
}

VendStatusView *
vend_status_view (const VendSched *sched, int64_t now_us)
{
  g_autofree guint *used = g_new0 (guint, vend_pools_count (sched));
  g_autofree Rank *ranks = g_new (Rank, g_hash_table_size (sched->instances) + 1);
  g_autoptr (GHashTable) holders = g_hash_table_new (g_str_hash, g_str_equal);
  Walk found = { .used = used, .holders = holders, .ranks = ranks };
  walk (sched, &found);

  VendStatusView *view = g_new0 (VendStatusView, 1);
  view->now_us = now_us;
  view->queues = g_array_new (FALSE, FALSE, sizeof (VendQueueView));
  view->instances = g_array_new (FALSE, FALSE, sizeof (VendInstanceView));
  g_array_set_clear_func (view->queues, queue_view_clear);
  g_array_set_clear_func (view->instances, instance_view_clear);
  view_queues (sched, view);
  view_instances (sched, &found, view);
  view->rest = json_pack ("{s:b, s:b, s:o, s:o, s:o}", "draining", sched->draining, "recovering",
                          sched->n_adopting > 0, "totals", totals_json (sched, found.states),
                          "hardware", kinds_json (sched, used), "gpus", gpus_json (sched, holders));
  return view;
}
