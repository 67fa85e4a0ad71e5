/* Estimates of free slots, by measured boots and runs. */
#include "base/clock.h"
#include "policy/decide.h"
#include "sched/instance/instance.h"
#include "sched/target/target.h"

/* Time until the instance has a free slot: its runs are half done on the average. The longer a run
 * is over its time, the longer it still takes. */
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
  if (slots == 0 && target->max == 0)
    return VEND_ETA_UNKNOWN;
  if (slots == 0)
    soonest_us = MAX (target->backoff.until_us - now_us, 0) + boot_us;
  /* Whole rounds of all slots before this position. */
  return (int64_t) ((position - 1) / MAX (slots, target->slots)) * run_us + soonest_us;
}
