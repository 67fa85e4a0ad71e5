/* Counts for metrics. Core thread. */
#include "sched/observe/measure.h"
#include "base/clock.h"
#include "sched/instance/instance.h"
#include "sched/run/run.h"
#include "sched/target/target.h"

static VendMeterSeries *
series_of (Target *target)
{
  if (target->series == NULL)
    target->series = vend_meter_series (target->sched->meter, target->name, target->deployment);
  return target->series;
}

static void
count (_Atomic uint64_t *counter)
{
  atomic_fetch_add_explicit (counter, 1, memory_order_relaxed);
}

void
vend_measure_given (const Run *run)
{
  /* For a retry the lost run would count as waiting. */
  if (run->p->attempt == 1)
    vend_histogram_add (&series_of (run->target)->wait, vend_steady_us () - run->since_us);
}

void
vend_measure_ended (const Run *run)
{
  VendMeterSeries *series = series_of (run->target);
  const VendPrediction *p = run->p;
  count (&series->ended[p->status]);
  if (p->started_us > 0)
    vend_histogram_add (&series->run, p->completed_us - p->started_us);
}

void
vend_measure_lost (const Run *run)
{
  count (&series_of (run->target)->lost);
}

void
vend_measure_ready (const Instance *instance)
{
  VendMeterSeries *series = series_of (instance->target);
  vend_histogram_add (&series->boot, instance->ready_us - instance->created_us);
  if (instance->started_fast)
    count (&series->fast_starts);
}

void
vend_measure_boot_failed (Target *target)
{
  count (&series_of (target)->boot_failures);
}

/* ---- Gauges */

static void
measure_all (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  vend_meter_begin_gauges (sched->meter);
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Target *target = value;
      VendMeterGauges *gauges = &series_of (target)->next;
      gauges->queued += vend_queue_length (target->queue);
      gauges->running += target->n_running;
    }
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Instance *instance = value;
      series_of (instance->target)->next.instances[instance->state]++;
    }
  vend_meter_end_gauges (sched->meter);
}

typedef struct
{
  VendSched *sched;
  VendSchedMeasured measured;
  void *data;
} Request;

static void
measure_on_core (void *data)
{
  g_autofree Request *request = data;
  measure_all (request->sched);
  request->measured (request->data);
}

void
vend_sched_measure (VendSched *sched, VendSchedMeasured measured, void *data)
{
  Request *request = g_new0 (Request, 1);
  *request = (Request){ sched, measured, data };
  vend_inbox_post (sched->inbox, measure_on_core, request);
}
