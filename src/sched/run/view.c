/* The view of a run for callers. */
#include "sched/run/run.h"
#include "sched/target/target.h"

static void
refresh_queue_place (Run *run)
{
  const bool is_queued = run->place.link != NULL;
  run->p->queue_position = is_queued ? vend_queue_position (run->target->queue, &run->place) : 0;
  if (is_queued)
    run->p->queue_eta_us = vend_target_eta_us (run->target, run->p->queue_position);
}

const VendPrediction *
vend_run_view (Run *run)
{
  refresh_queue_place (run);
  if (run->completion == NULL && !run->is_viewed)
    {
      run->is_viewed = true;
      g_free (run->p->logs);
      run->p->logs = g_strdup (run->logs->str);
      if (run->chunks != NULL)
        {
          json_decref (run->p->output);
          run->p->output = json_copy (run->chunks);
        }
    }
  return run->p;
}
