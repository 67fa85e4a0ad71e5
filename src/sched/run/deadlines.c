/* Deadlines of predictions: unreachable deadlines, and deadlines that pass. Core thread. */
#include "base/clock.h"
#include "model/failure.h"
#include "policy/admission.h"
#include "sched/instance/fast-start.h"
#include "sched/instance/instance.h"
#include "sched/observe/decisions.h"
#include "sched/run/run.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"

/* The part that a fast start leaves of a boot that is mostly imports, of half its time. */
#define FIRST_FAST_PART 4

/* Queued runs ahead of this run that leave the queue only by beginning. */
static guint
count_before (const Run *run)
{
  const Target *target = run->target;
  /* Accounts at their limit are passed over; all earlier runs of the own account begin before. */
  const guint before = run->sched->limits.account_max_running > 0
                           ? vend_queue_before_in_lane (&run->place)
                           : vend_queue_position (target->queue, &run->place) - 1;
  /* Runs with a deadline may be gone before their turn. */
  return before - MIN (target->n_dated - 1, before);
}

/* The most slots that the target can get. */
static guint
count_slots (const Target *target)
{
  const guint fit = vend_pool_units (target->sched, target->pool) / MAX (target->size, 1);
  guint there = 0;
  for (guint i = 0; i < target->instances->len; i++)
    there += ((const Instance *) g_ptr_array_index (target->instances, i))->slots;
  return MAX (there, MIN (target->max, fit) * target->slots);
}

/* The first start from loaded imports, or after setup, may be much shorter than all measured boots.
 */
static int64_t
shortest_boot_us (const Target *target)
{
  const bool may_be_first_fast
      = target->scaling.fast_start != 0
        && (target->fast_boot_us == 0
            || (target->snapshot_boot_us == 0 && vend_fast_start_has_snapshot (target)));
  return vend_least_us (&target->least_boot) / (may_be_first_fast ? FIRST_FAST_PART : 1);
}

static VendOutlook
outlook_of (const Run *run)
{
  const Target *target = run->target;
  VendOutlook outlook = { .now_us = vend_steady_us (),
                          .before = count_before (run),
                          .slots = count_slots (target),
                          .boot_us = shortest_boot_us (target),
                          .run_us = vend_least_us (&target->least_run) };
  for (guint i = 0; i < target->instances->len; i++)
    {
      const Instance *instance = g_ptr_array_index (target->instances, i);
      if (instance->state == INSTANCE_READY)
        outlook.has_ready = true;
      else if (instance->state < INSTANCE_READY
               && (outlook.boots_us == 0 || instance->created_us < outlook.boots_us))
        outlook.boots_us = instance->created_us;
    }
  return outlook;
}

void
vend_run_admit (Run *run)
{
  if (run->p->deadline_us == 0 || run->place.link == NULL || run->sched->n_adopting > 0)
    return;
  const VendOutlook outlook = outlook_of (run);
  const int64_t earliest_us = vend_earliest_start_us (&outlook);
  if (earliest_us <= run->due_us)
    return;
  const double wait_s = (double) (earliest_us - outlook.now_us) / VEND_US_PER_S;
  const double left_s = (double) (run->due_us - outlook.now_us) / VEND_US_PER_S;
  g_autofree char *why = g_strdup_printf (
      "it could not begin before its deadline: that is %.1f s away, and with %s and %u before it "
      "it waits for %.1f s at least",
      MAX (left_s, 0),
      outlook.has_ready ? "an instance that is ready" : "an instance that has to boot",
      outlook.before, wait_s);
  vend_decided_unreachable (run, why, wait_s);
  vend_run_complete (run, &(RunResult){ .status = VEND_STATUS_ABORTED,
                                        .error = why,
                                        .error_code = VEND_FAILURE_DEADLINE_UNREACHABLE });
}

static void
deadline_passed (void *data)
{
  Run *run = data;
  run->deadline = NULL;
  const bool waits = run->p->started_us == 0 && run->instance == NULL;
  if (run->completion == NULL)
    vend_decided_deadline (run, waits);
  if (waits)
    vend_run_complete (run, &(RunResult){ .status = VEND_STATUS_ABORTED });
  else
    vend_run_cancel (run);
}

void
vend_run_arm_deadline (Run *run)
{
  if (run->p->deadline_us == 0)
    return;
  run->due_us = vend_steady_of (run->p->deadline_us);
  run->deadline = vend_timer_set (run->sched->timers, run->due_us, deadline_passed, run);
}
