/* Queues and instances brought together: dispatch, and the plan of decide.c carried out. Core
 * thread. */
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "model/failure.h"
#include "sched/core-private.h"
#include "policy/decide.h"
#include <string.h>

#define SHORT_RUN_US (20 * VEND_US_PER_MS)
/* Of runs in a row; an instance with more is replaced. */
#define MAX_FAILURES 5
/* Creates that read which release serves just before that changed still find a warm instance. */
#define LAST_CALLS_US (1 * VEND_US_PER_S)
/* Of the logs of a boot that failed, in our own log. */
#define LOGGED_LOGS 1000

Target *
vend_target_get (VendSched *sched, const VendPrediction *p, const VendVersion *version,
                 const VendSchedPlace *place)
{
  const VendScaling unset = VEND_SCALING_NONE;
  const VendScaling *own = place->scaling != NULL ? place->scaling : &unset;
  g_autofree char *key = p->deployment != NULL
                             ? g_strdup_printf ("%" G_GINT64_FORMAT ":%s:%s:%s:%" G_GINT64_FORMAT
                                                ":%" G_GINT64_FORMAT,
                                                p->model_id, version->id, p->deployment,
                                                place->hardware, own->concurrency, own->fast_start)
                             : g_strdup_printf ("%" G_GINT64_FORMAT ":%s:%d", p->model_id,
                                                version->id, (int) p->kind);
  Target *target = g_hash_table_lookup (sched->targets, key);
  if (target != NULL)
    {
      /* Directors of an older Vend do not know it. */
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
  g_free (target->key);
  g_free (target->name);
  g_free (target->deployment);
  g_free (target->version);
  g_free (target->hardware);
  json_decref (target->launch);
  vend_queue_free (target->queue);
  g_ptr_array_unref (target->instances);
  g_free (target);
}

/* The fullest instance with room: what is spread least can be stopped soonest. */
static Instance *
find_slot (Target *target)
{
  Instance *best = NULL;
  for (guint i = 0; i < target->instances->len; i++)
    {
      Instance *instance = g_ptr_array_index (target->instances, i);
      if (vend_instance_has_room (instance)
          && (best == NULL
              || g_hash_table_size (instance->running) > g_hash_table_size (best->running)))
        best = instance;
    }
  return best;
}

static bool
is_fresher (const Instance *instance, const Instance *than)
{
  const guint running = g_hash_table_size (instance->running);
  const guint others = g_hash_table_size (than->running);
  return running < others || (running == others && instance->began_us == 0 && than->began_us != 0);
}

/* For a run that memory did not suffice for: where the least of it is in use. */
static Instance *
find_fresh (Target *target)
{
  Instance *best = NULL;
  for (guint i = 0; i < target->instances->len; i++)
    {
      Instance *instance = g_ptr_array_index (target->instances, i);
      if (vend_instance_has_room (instance) && (best == NULL || is_fresher (instance, best)))
        best = instance;
    }
  return best;
}

/* A slot would idle for as long as its end takes to get here and the next run to get there. For
 * short runs that is much of their time, so one waits at the director. It is bound to that instance
 * then, which costs little when the others are short as well. */
static Instance *
find_room (Target *target, const Run *run)
{
  if (run->lost_out_of_memory > 0)
    return find_fresh (target);
  Instance *best = find_slot (target);
  if (best != NULL || target->run_us == 0 || target->run_us > SHORT_RUN_US)
    return best;
  for (guint i = 0; i < target->instances->len; i++)
    {
      Instance *instance = g_ptr_array_index (target->instances, i);
      if (vend_instance_has_prefetch_room (instance)
          && (best == NULL
              || g_hash_table_size (instance->running) < g_hash_table_size (best->running)))
        best = instance;
    }
  return best;
}

void
vend_target_dispatch (Target *target)
{
  VendSched *sched = target->sched;
  Run *run;
  Instance *instance;
  if (sched->draining || sched->n_adopting > 0)
    return;
  while ((run = vend_queue_peek_with_room (target->queue, vend_account_room, sched)) != NULL
         && (instance = find_room (target, run)) != NULL)
    {
      vend_queue_take (target->queue, &run->place);
      vend_run_left_queue (run);
      run->p->attempt++;
      vend_instance_run (instance, run);
      vend_run_lease_soon (run);
    }
}

/* Until it has a free slot: those that run are half done on the average. The longer one is over its
 * time, the longer it still takes. */
static int64_t
until_free_us (const Instance *instance, int64_t run_us, int64_t now_us)
{
  const int64_t left_us = instance->began_us + run_us - now_us;
  if (g_hash_table_size (instance->running) < instance->slots)
    return 0;
  if (left_us < 0 || instance->slots == 1)
    return ABS (left_us);
  return run_us / 2;
}

int64_t
vend_target_eta_us (const Target *target, guint position)
{
  const int64_t boot_us = target->boot_us > 0 ? (int64_t) target->boot_us : VEND_ASSUMED_US;
  const int64_t run_us = target->run_us > 0 ? (int64_t) target->run_us : VEND_ASSUMED_US;
  const int64_t now_us = vend_steady_us ();
  int64_t soonest_us = G_MAXINT64;
  guint slots = 0;
  for (guint i = 0; i < target->instances->len; i++)
    {
      const Instance *instance = g_ptr_array_index (target->instances, i);
      if (instance->state > INSTANCE_READY || instance->stop_when_connected)
        continue;
      slots += instance->slots;
      const int64_t free_us = instance->state == INSTANCE_READY
                                  ? until_free_us (instance, run_us, now_us)
                                  : MAX (instance->created_us + boot_us - now_us, 0);
      soonest_us = MIN (soonest_us, free_us);
    }
  if (slots == 0)
    soonest_us = boot_us;
  /* Whole rounds of all slots before it. */
  return (int64_t) ((position - 1) / MAX (slots, target->slots)) * run_us + soonest_us;
}

/* A boot came to nothing; `gives_up`: those who wait get an error. */
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
vend_target_boot_lost (const Instance *instance, const char *error)
{
  Target *target = instance->target;
  const bool gives_up
      = vend_boot_backoff_lost (&target->backoff, instance->created_us, vend_steady_us ());
  boot_ended (target, true, gives_up, VEND_FAILURE_INSTANCE_LOST, instance->setup_logs->str, error);
}

/* ---- The plan */

/* Its account pays for the time of its instances, and has nothing left to do so: what was accepted
 * is run, and nothing is kept warm. */
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
    .backoff_until_us = target->backoff.until_us,
  };
}

/* Why another one is to take its place; NULL: none is. */
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

/* Instances of one pool know nothing of the others, but boots of all of them share the CPU. */
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

  /* Targets are as many as there are versions; only those in use stay. */
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Target *target = value;
      if (target->retired && target->instances->len == 0 && target->n_runs == 0)
        g_hash_table_iter_remove (&iter);
    }
}

static void
dispatch_freed (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  if (!sched->has_freed_account)
    return;
  sched->has_freed_account = false;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    vend_target_dispatch (value);
}

static gboolean
sweep (void *data)
{
  VendSched *sched = data;
  g_clear_pointer (&sched->sweep, g_source_unref);
  clean_up (sched);
  dispatch_freed (sched);
  if (sched->draining)
    stop_all_idle (sched);
  else if (sched->n_adopting == 0)
    {
      decide_and_apply (sched);
      /* After it: what it stops makes room for a release that waits for hardware. */
      vend_deployments_switch (sched);
    }
  return G_SOURCE_REMOVE;
}

void
vend_sched_sweep_soon (VendSched *sched)
{
  if (sched->sweep != NULL)
    return;
  sched->sweep = g_idle_source_new ();
  g_source_set_priority (sched->sweep, G_PRIORITY_DEFAULT);
  g_source_set_callback (sched->sweep, sweep, sched, NULL);
  g_source_set_static_name (sched->sweep, "sweep");
  g_source_attach (sched->sweep, sched->core);
}
