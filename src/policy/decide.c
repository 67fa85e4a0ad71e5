/* The decision of the scheduler: snapshot + now → plan. Pure. Stops are decided before starts. */
#include "policy/decide.h"
#include "policy/decide-private.h"
#include <math.h>

static void
action_free (void *data)
{
  VendAction *action = data;
  g_free (action->reason);
  g_free (action);
}

static void act (Decision *d, VendActionKind kind, guint index, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static void
act (Decision *d, VendActionKind kind, guint index, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  VendAction *action = g_new0 (VendAction, 1);
  action->kind = kind;
  action->index = index;
  action->reason = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (d->plan, action);
}

bool
vend_decision_serves (const Decision *d, guint i)
{
  const VendUnit *unit = &d->snapshot->units[i];
  return !unit->stopping && !unit->draining && !d->leaving[i];
}

bool
vend_decision_is_needed (const Decision *d, guint i)
{
  const VendUnit *unit = &d->snapshot->units[i];
  const VendDemand *demand = &d->snapshot->demands[unit->demand];
  return demand->waiting + demand->running > 0 || demand->min > 0
         || d->snapshot->now_us - unit->idle_since_us < demand->idle_timeout_us;
}

guint
vend_demand_size (const VendDemand *demand)
{
  return MAX (demand->size, 1);
}

guint
vend_demand_kept (const VendDemand *demand)
{
  return demand->yields ? 0 : demand->min;
}

guint
vend_demand_wanted (const VendDemand *demand)
{
  double target = demand->target > 0 ? MIN (demand->target, 1) : 1;
  double room = MAX (demand->slots, 1) * target;
  double instances = ceil (((double) demand->running + demand->waiting) / room - 1e-9);
  guint wanted = instances < (double) demand->max ? (guint) instances : demand->max;
  return MAX (wanted, demand->min);
}

double
vend_demand_work_us (const VendDemand *demand, double runs)
{
  return runs * (double) demand->run_us / MAX (demand->slots, 1);
}

bool
vend_demand_outlasts (const VendDemand *demand, guint instances, guint percent)
{
  return vend_demand_work_us (demand, demand->waiting)
         > (double) demand->starvation_us * percent / 100 * instances;
}

bool
vend_decision_overflows (const Decision *d, guint index)
{
  const VendDemand *demand = &d->snapshot->demands[index];
  guint fit = d->snapshot->hardware_units / vend_demand_size (demand);
  return vend_demand_outlasts (demand, MIN (demand->max, fit), 100);
}

void
vend_decision_start (Decision *d, guint index, const char *why)
{
  const VendDemand *demand = &d->snapshot->demands[index];
  act (d, VEND_ACTION_START, index, "%s: %s (%u waiting, %u running, %u instance%s)", demand->name,
       why, demand->waiting, demand->running, d->have[index], d->have[index] == 1 ? "" : "s");
  d->have[index]++;
  d->n_booting++;
  d->held += vend_demand_size (demand);
}

static void
leave (Decision *d, guint i, VendActionKind kind, const char *reason)
{
  const VendUnit *unit = &d->snapshot->units[i];
  const VendDemand *demand = &d->snapshot->demands[unit->demand];
  act (d, kind, i, "%s: %s", demand->name, reason);
  /* A unit that drains was counted when the drain began. */
  if (unit->draining)
    return;
  d->leaving[i] = true;
  d->n_draining += kind == VEND_ACTION_DRAIN;
  d->freeing += vend_demand_size (demand);
  if (unit->degraded)
    return;
  d->have[unit->demand]--;
  d->ready[unit->demand] -= !unit->booting;
}

void
vend_decision_stop (Decision *d, guint unit, const char *reason)
{
  leave (d, unit, VEND_ACTION_STOP, reason);
}

void
vend_decision_drain (Decision *d, guint unit, const char *reason)
{
  leave (d, unit, VEND_ACTION_DRAIN, reason);
}

void
vend_decision_evicts (Decision *d)
{
  ((VendAction *) g_ptr_array_index (d->plan, d->plan->len - 1))->evicts = true;
}

static void
count_units (Decision *d)
{
  for (guint i = 0; i < d->snapshot->n_units; i++)
    {
      const VendUnit *unit = &d->snapshot->units[i];
      guint size = vend_demand_size (&d->snapshot->demands[unit->demand]);
      d->held += size;
      d->n_draining += unit->draining && unit->busy > 0;
      if (unit->stopping || unit->draining)
        d->freeing += size;
      else
        {
          d->n_booting += unit->booting;
          d->have[unit->demand] += !unit->degraded;
          d->degraded[unit->demand] += unit->degraded && vend_decision_is_needed (d, i);
          d->ready[unit->demand] += !unit->degraded && !unit->booting;
        }
    }
}

GPtrArray *
vend_decide (const VendSnapshot *snapshot)
{
  g_autofree guint *have = g_new0 (guint, snapshot->n_demands + 1);
  g_autofree guint *degraded = g_new0 (guint, snapshot->n_demands + 1);
  g_autofree guint *ready = g_new0 (guint, snapshot->n_demands + 1);
  g_autofree bool *promised = g_new0 (bool, snapshot->n_demands + 1);
  g_autofree bool *leaving = g_new0 (bool, snapshot->n_units + 1);
  Decision d = { .snapshot = snapshot,
                 .plan = g_ptr_array_new_with_free_func (action_free),
                 .have = have,
                 .degraded = degraded,
                 .ready = ready,
                 .promised = promised,
                 .leaving = leaving };
  count_units (&d);
  vend_decide_shrink (&d);
  vend_decide_grow (&d);
  vend_decide_replace (&d);
  return d.plan;
}
