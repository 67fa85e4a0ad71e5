/* Stops of instances that are not needed any more. Pure. */
#include "policy/decide-private.h"

/* A degraded instance serves until its replacement does, unless there is no hardware for both. */
static void
replace_degraded (Decision *d, guint i)
{
  const VendUnit *unit = &d->snapshot->units[i];
  const VendDemand *demand = &d->snapshot->demands[unit->demand];
  const char *why = unit->degraded_reason != NULL ? unit->degraded_reason : "it is replaced";
  bool is_needed = vend_decision_is_needed (d, i);
  bool is_replaced = d->ready[unit->demand] > 0;
  bool has_room = d->held + vend_demand_size (demand) <= d->snapshot->hardware_units
                  || d->have[unit->demand] > 0 || d->promised[unit->demand];
  if (unit->booting || (is_needed && !is_replaced && has_room))
    return;
  if (unit->busy > 0)
    vend_decision_drain (d, i, why);
  else
    vend_decision_stop (d, i, why);
}

static void
shrink (Decision *d, guint i)
{
  const VendUnit *unit = &d->snapshot->units[i];
  const VendDemand *demand = &d->snapshot->demands[unit->demand];
  const int64_t now_us = d->snapshot->now_us;
  int64_t idle_us = now_us - unit->idle_since_us;
  guint have = d->have[unit->demand];
  if (unit->booting || unit->busy > 0 || unit->idle_since_us == 0 || demand->waiting > 0
      || have <= demand->min)
    return;
  if (have > MAX (demand->max, demand->min))
    {
      vend_decision_stop (d, i, "more instances than its maximum");
      return;
    }
  if (demand->on_demand || now_us < demand->panic_until_us)
    return;
  if (have > MAX (vend_demand_wanted (demand), 1) && idle_us >= demand->scale_down_delay_us)
    vend_decision_stop (d, i, "more instances than the load needs");
  else if (idle_us >= demand->idle_timeout_us)
    vend_decision_stop (d, i, "idle");
}

void
vend_decide_shrink (Decision *d)
{
  for (guint i = 0; i < d->snapshot->n_units; i++)
    {
      const VendUnit *unit = &d->snapshot->units[i];
      if (unit->draining && !unit->stopping && unit->busy == 0)
        vend_decision_stop (d, i, "it has ended what it ran, and takes no more");
      else if (vend_decision_serves (d, i) && !unit->degraded)
        shrink (d, i);
    }
}

void
vend_decide_replace (Decision *d)
{
  for (guint i = 0; i < d->snapshot->n_units; i++)
    if (vend_decision_serves (d, i) && d->snapshot->units[i].degraded)
      replace_degraded (d, i);
}
