/* Brings instances to the planned state: once a turn at most, the plan of policy/decide.h is made
 * from the current state and carried out. */
#include "sched/reconcile.h"
#include "base/clock.h"
#include "policy/decide.h"
#include "sched/account/accounts.h"
#include "sched/account/budgets.h"
#include "sched/instance/instance.h"
#include "sched/run/run.h"
#include "sched/target/deployments.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"
#include "sched/target/image.h"
#include "sched/target/weights.h"

/* Failed runs in a row; an instance with more is replaced. */
#define MAX_FAILURES 5
/* Creates that read the serving release just before a switch still find a warm instance. */
#define LAST_CALLS_US (1 * VEND_US_PER_S)

/* The account pays for the time of its instances and has spent its budget: accepted runs are run,
 * and nothing is kept warm. */
static bool
is_broke (const Target *target, int64_t now_us)
{
  return target->billing.instances
         && vend_budgets_are_spent (target->sched->budgets, target->billing.account_id, now_us);
}

static int64_t
idle_timeout_of (const Target *target, bool broke)
{
  if (broke)
    return 0;
  if (!target->retired)
    return target->scaling.idle_timeout_us;
  return target->deployment != NULL ? LAST_CALLS_US : 0;
}

static guint
count_ready (const Target *target)
{
  guint n = 0;
  for (guint i = 0; i < target->instances->len; i++)
    {
      const Instance *instance = g_ptr_array_index (target->instances, i);
      n += instance->state == INSTANCE_READY && !instance->draining;
    }
  return n;
}

static guint
count_boots (const Target *target)
{
  guint n = 0;
  for (guint i = 0; i < target->instances->len; i++)
    n += ((const Instance *) g_ptr_array_index (target->instances, i))->state <= INSTANCE_BOOTING;
  return n;
}

/* One whose weights are fetched, or whose image is unpacked, starts nothing meanwhile. */
static int64_t
backoff_of (Target *target, guint waiting, guint min, int64_t now_us)
{
  const bool wants = target->max > 0 && (waiting > 0 || min > 0);
  return vend_target_weights_ready (target, wants, now_us)
                 && vend_target_image_ready (target, wants, now_us)
             ? target->backoff.until_us
             : MAX (target->backoff.until_us, now_us + VEND_US_PER_S);
}

static VendDemand
demand_of (Target *target, int64_t now_us)
{
  const VendSched *sched = target->sched;
  const Run *first = vend_queue_peek_with_room (target->queue, vend_account_room, sched);
  int64_t boot_us = (int64_t) target->boot_us;
  int64_t run_us = (int64_t) target->run_us;
  guint waiting = vend_queue_length_with_room (target->queue, vend_account_room, sched);
  guint n_ready = count_ready (target);
  const bool broke = is_broke (target, now_us);
  vend_load_note (&target->load, now_us, waiting + target->n_running,
                  target->slots * MAX (n_ready, 1));
  if (n_ready > 0)
    target->served_us = now_us;
  return (VendDemand){
    .name = target->deployment != NULL ? target->deployment : target->name,
    .waiting = waiting,
    .running = target->n_running,
    .oldest_us = first != NULL ? first->since_us : 0,
    .served_us = target->served_us,
    .slots = target->slots,
    .size = target->size,
    .target = (double) target->scaling.target / 100,
    .min = broke ? 0 : target->min,
    .max = target->max,
    .on_demand = target->scaling.on_demand != 0 && !target->retired && !broke,
    .idle_timeout_us = idle_timeout_of (target, broke),
    .scale_down_delay_us = target->scaling.scale_down_delay_us,
    .starvation_us = sched->limits.starvation_us,
    .panic_until_us = broke || target->retired ? 0 : target->load.panic_until_us,
    .boot_us = boot_us > 0 ? boot_us : VEND_ASSUMED_US,
    .run_us = run_us > 0 ? run_us : VEND_ASSUMED_US,
    .backoff_until_us = backoff_of (target, waiting, broke ? 0 : target->min, now_us),
  };
}

/* Accepted by an earlier release, which has no instance: the hardware that the minimum of the
 * deployment holds could be all there is. */
static bool
is_left_behind (const Target *target, const VendDemand *demand, int64_t now_us)
{
  return target->deployment != NULL && target->retired && demand->waiting > 0
         && target->instances->len == 0 && now_us >= demand->backoff_until_us;
}

static void
let_minimums_yield (const GPtrArray *targets, GArray *demands, int64_t now_us)
{
  for (guint i = 0; i < targets->len; i++)
    {
      const Target *left = g_ptr_array_index (targets, i);
      if (!is_left_behind (left, &g_array_index (demands, VendDemand, i), now_us))
        continue;
      for (guint k = 0; k < targets->len; k++)
        if (g_strcmp0 (((const Target *) g_ptr_array_index (targets, k))->deployment,
                       left->deployment)
            == 0)
          g_array_index (demands, VendDemand, k).yields = true;
    }
}

/* The reason for a replacement; NULL: no replacement is needed. */
static const char *
degraded_reason (const Instance *instance)
{
  if (instance->failures > MAX_FAILURES)
    return "it fails too often and is replaced";
  if (instance->slots != instance->target->slots)
    return "it was started with another concurrency";
  return NULL;
}

static VendUnit
unit_of (const Instance *instance, guint demand)
{
  bool booting = instance->state == INSTANCE_STARTING || instance->state == INSTANCE_BOOTING;
  return (VendUnit){
    .demand = demand,
    .booting = booting,
    .stopping = instance->state >= INSTANCE_STOPPING || instance->stop_when_connected,
    .draining = instance->draining,
    .degraded = degraded_reason (instance) != NULL,
    .degraded_reason = degraded_reason (instance),
    .busy = g_hash_table_size (instance->running),
    .since_us = booting ? instance->created_us : instance->ready_us,
    .idle_since_us = instance->idle_since_us,
    .began_us = instance->began_us,
  };
}

static void
carry_out (VendSched *sched, GPtrArray *targets, GPtrArray *instances, const GPtrArray *plan)
{
  for (guint i = 0; i < plan->len; i++)
    {
      const VendAction *action = g_ptr_array_index (plan, i);
      if (action->kind == VEND_ACTION_START)
        {
          vend_instance_start (g_ptr_array_index (targets, action->index), action->reason);
          continue;
        }
      Instance *instance = g_ptr_array_index (instances, action->index);
      instance->evicted = instance->evicted || action->evicts;
      if (action->kind == VEND_ACTION_DRAIN)
        vend_instance_drain (instance, action->reason);
      else
        vend_instance_stop (instance, action->reason);
    }
}

/* Pools are decided separately, but boots of all pools share the CPU. */
static void
decide_pool (VendSched *sched, guint pool, int64_t now_us)
{
  g_autoptr (GPtrArray) targets = g_ptr_array_new ();
  g_autoptr (GPtrArray) instances = g_ptr_array_new ();
  g_autoptr (GArray) demands = g_array_new (FALSE, FALSE, sizeof (VendDemand));
  g_autoptr (GArray) units = g_array_new (FALSE, FALSE, sizeof (VendUnit));
  guint n_boots_elsewhere = 0;
  GHashTableIter iter;
  void *value;

  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Target *target = value;
      if (target->pool != pool)
        {
          n_boots_elsewhere += count_boots (target);
          continue;
        }
      guint index = targets->len;
      VendDemand demand = demand_of (target, now_us);
      g_array_append_val (demands, demand);
      g_ptr_array_add (targets, target);
      for (guint i = 0; i < target->instances->len; i++)
        {
          Instance *instance = g_ptr_array_index (target->instances, i);
          VendUnit unit = unit_of (instance, index);
          g_array_append_val (units, unit);
          g_ptr_array_add (instances, instance);
        }
    }
  if (demands->len == 0)
    return;
  let_minimums_yield (targets, demands, now_us);
  const guint boot_limit = sched->limits.boot_limit;
  VendSnapshot snapshot = {
    .now_us = now_us,
    .hardware_units = vend_pool_units (sched, pool),
    .boot_limit = boot_limit - MIN (n_boots_elsewhere, boot_limit),
    .demands = (const VendDemand *) (void *) demands->data,
    .n_demands = demands->len,
    .units = (const VendUnit *) (void *) units->data,
    .n_units = units->len,
  };
  g_autoptr (GPtrArray) plan = vend_decide (&snapshot);
  carry_out (sched, targets, instances, plan);
}

static void
decide_and_apply (VendSched *sched)
{
  const int64_t now_us = vend_steady_us ();
  for (guint pool = 0; pool < vend_pools_count (sched); pool++)
    decide_pool (sched, pool, now_us);
}

static void
stop_all_idle (VendSched *sched)
{
  g_autoptr (GList) all = g_hash_table_get_values (sched->instances);
  for (GList *l = all; l != NULL; l = l->next)
    {
      Instance *instance = l->data;
      if (g_hash_table_size (instance->running) == 0)
        vend_instance_stop (instance, "the server is shutting down");
    }
}

static void
clean_up (VendSched *sched)
{
  g_autoptr (GList) all = g_hash_table_get_values (sched->instances);
  for (GList *l = all; l != NULL; l = l->next)
    (void) vend_instance_clean_up (l->data);

  /* Targets are as many as there are versions; only targets in use stay. */
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Target *target = value;
      if (target->retired && target->instances->len == 0 && target->n_runs == 0
          && !vend_target_weights_busy (target) && !target->is_unpacking)
        g_hash_table_iter_remove (&iter);
    }
}

/* To accounts that have room again, and of targets to which runs came back. */
static void
dispatch_due (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  const bool is_for_all = sched->has_freed_account;
  sched->has_freed_account = false;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Target *target = value;
      if (is_for_all || target->has_returned)
        vend_target_dispatch (target);
      target->has_returned = false;
    }
}

void
vend_sched_reconcile (void *data)
{
  VendSched *sched = data;
  clean_up (sched);
  dispatch_due (sched);
  if (sched->draining)
    stop_all_idle (sched);
  else if (sched->n_adopting == 0)
    {
      decide_and_apply (sched);
      /* After the plan: its stops make room for a release that waits for hardware. */
      vend_deployments_switch (sched);
    }
}
