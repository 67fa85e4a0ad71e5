/* Hardware taken from other models. Pure. Never from an instance that is needed for a minimum or
 * younger than its own load, or the machine would only load. Busy instances drain; idle instances
 * are evicted. */
#include "policy/decide-private.h"

/* The part of the hardware that may drain at a time. The rest serves loaded models; else a queue
 * that outgrows the machine would make all models take turns. */
#define DRAINING_PART 2
/* A busy instance serves for this part of the bound before it gives way. With shorter turns the
 * machine mostly loads; with longer turns the waits of others pass the bound. */
#define TURN_PERCENT 35

static bool
may_go (const Decision *d, guint i, guint for_demand)
{
  const VendUnit *unit = &d->snapshot->units[i];
  const VendDemand *demand = &d->snapshot->demands[unit->demand];
  return unit->demand != for_demand && vend_decision_serves (d, i) && !unit->booting
         && (unit->degraded || d->have[unit->demand] > vend_demand_kept (demand))
         && d->snapshot->now_us - unit->since_us >= demand->boot_us;
}

/* The value of an idle instance: the cost of its load per hardware unit, less the longer it has
 * been idle. */
static double
worth (const Decision *d, const VendUnit *unit)
{
  const VendDemand *demand = &d->snapshot->demands[unit->demand];
  int64_t idle_us = d->snapshot->now_us - unit->idle_since_us;
  return (double) demand->boot_us / vend_demand_size (demand) / (double) MAX (idle_us, 1);
}

static bool
may_be_evicted (const Decision *d, guint i, guint for_demand)
{
  const VendUnit *unit = &d->snapshot->units[i];
  return unit->busy == 0 && d->snapshot->demands[unit->demand].waiting == 0
         && may_go (d, i, for_demand);
}

guint
vend_decide_evictable (const Decision *d, guint for_demand)
{
  guint size = 0;
  for (guint i = 0; i < d->snapshot->n_units; i++)
    if (may_be_evicted (d, i, for_demand))
      size += vend_demand_size (&d->snapshot->demands[d->snapshot->units[i].demand]);
  return size;
}

bool
vend_decide_evict (Decision *d, guint for_demand)
{
  gssize victim = -1;
  double least = 0;
  for (guint i = 0; i < d->snapshot->n_units; i++)
    {
      const VendUnit *unit = &d->snapshot->units[i];
      if (!may_be_evicted (d, i, for_demand))
        continue;
      double value = worth (d, unit);
      if (victim < 0 || value < least)
        {
          victim = i;
          least = value;
        }
    }
  if (victim < 0)
    return false;
  vend_decision_stop (d, (guint) victim, "idle, and its hardware is wanted by another model");
  vend_decision_evicts (d);
  return true;
}

/* The cost of a load, unless other instances of the model stay, and the time until that load can
 * begin. */
static int64_t
cost_of_drain (const Decision *d, const VendUnit *unit)
{
  const VendDemand *demand = &d->snapshot->demands[unit->demand];
  int64_t left_us = MAX (unit->began_us + demand->run_us - d->snapshot->now_us, 0);
  return left_us + (d->have[unit->demand] > 1 ? 0 : demand->boot_us);
}

/* The demand's own first has waited longer, in a queue that ends: a queue without an end would keep
 * its hardware for ever. */
static bool
waits_longer (const Decision *d, guint demand, const VendDemand *starving)
{
  int64_t oldest_us = d->snapshot->demands[demand].oldest_us;
  return oldest_us > 0 && oldest_us < starving->oldest_us && !vend_decision_overflows (d, demand);
}

/* The instance has had its turn, and its own queue has waited less. */
static bool
may_be_drained (const Decision *d, guint i, guint for_demand)
{
  const VendUnit *unit = &d->snapshot->units[i];
  const VendDemand *starving = &d->snapshot->demands[for_demand];
  const int64_t now_us = d->snapshot->now_us;
  return unit->busy > 0 && may_go (d, i, for_demand)
         && now_us - unit->since_us >= starving->starvation_us * TURN_PERCENT / 100
         && !waits_longer (d, unit->demand, starving);
}

bool
vend_decide_drain (Decision *d, guint for_demand)
{
  gssize victim = -1;
  if (d->n_draining >= MAX (d->snapshot->hardware_units / DRAINING_PART, 1))
    return false;
  for (guint i = 0; i < d->snapshot->n_units; i++)
    {
      const VendUnit *unit = &d->snapshot->units[i];
      if (!may_be_drained (d, i, for_demand))
        continue;
      if (victim < 0 || cost_of_drain (d, unit) < cost_of_drain (d, &d->snapshot->units[victim]))
        victim = i;
    }
  if (victim < 0)
    return false;
  vend_decision_drain (d, (guint) victim, "somebody has waited for its hardware for too long");
  vend_decision_evicts (d);
  return true;
}
