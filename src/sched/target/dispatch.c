/* Dispatch: free slots for queued runs. */
#include "base/clock.h"
#include "runner/frame.h"
#include "sched/account/accounts.h"
#include "sched/instance/instance.h"
#include "sched/run/run.h"
#include "sched/target/target.h"

#define SHORT_RUN_US (20 * VEND_US_PER_MS)
/* The most work that is prefetched to a director: more would bind runs to an instance for no
 * gain. */
#define PREFETCH_US (4 * VEND_US_PER_MS)
#define SHORT_INPUT ((gsize) 64 * 1024)

/* The fullest instance with room: the others can be stopped sooner. */
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

/* For a retry after out of memory: the instance that is likely to use the least memory. */
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

/* Without prefetch a slot idles while the end of a run travels here and the next run there. For
 * short runs that is much of their time, so some wait at the director: one per slot, or the work of
 * a moment. Prefetched runs are bound to the instance, which costs little while other runs are
 * short as well. */
static Instance *
find_prefetch_room (Target *target, const Run *run)
{
  Instance *best = NULL;
  if (target->run_us == 0 || target->run_us > SHORT_RUN_US)
    return NULL;
  /* The director keeps the inputs in memory. One that has left ours was long. */
  const bool is_short = run->p->input != NULL && vend_json_is_short (run->p->input, SHORT_INPUT);
  const guint of_a_moment
      = is_short ? (guint) MIN (PREFETCH_US / target->run_us, VEND_PREFETCH_MAX) : 0;
  for (guint i = 0; i < target->instances->len; i++)
    {
      Instance *instance = g_ptr_array_index (target->instances, i);
      const guint prefetch = MIN (MAX (instance->slots, of_a_moment), instance->prefetch);
      if (vend_instance_has_prefetch_room (instance, prefetch)
          && (best == NULL
              || g_hash_table_size (instance->running) < g_hash_table_size (best->running)))
        best = instance;
    }
  return best;
}

static Instance *
find_room (Target *target, const Run *run)
{
  if (run->lost_out_of_memory > 0)
    return find_fresh (target);
  Instance *slot = find_slot (target);
  return slot != NULL ? slot : find_prefetch_room (target, run);
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
