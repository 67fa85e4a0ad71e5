/* The decision of the scheduler: snapshot + now → plan. Pure. */
#include "sched/decide.h"
#include "base/clock.h"

typedef struct
{
  const VendSnapshot *snapshot;
  GPtrArray *plan;
  guint *have;   /* per demand: instances that serve or will serve */
  bool *stopped; /* per unit: stopped by this plan */
  guint n_booting;
  guint n_held; /* hardware units in use */
} Decision;

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

static bool
serves (const Decision *d, guint i)
{
  return !d->snapshot->units[i].stopping && !d->stopped[i];
}

static guint
wanted (const VendDemand *demand)
{
  guint slots = MAX (demand->slots, 1);
  guint load = demand->running + demand->waiting;
  return CLAMP ((load + slots - 1) / slots, demand->min, MAX (demand->max, demand->min));
}

/* How many of the queue the instances that are there begin before one more could be ready. */
static double
served_before_boot (const Decision *d, guint index)
{
  const VendDemand *demand = &d->snapshot->demands[index];
  double run_us = (double) MAX (demand->run_us, 1);
  double served = 0;
  for (guint i = 0; i < d->snapshot->n_units; i++)
    {
      const VendUnit *unit = &d->snapshot->units[i];
      if (unit->demand != index || !serves (d, i))
        continue;
      int64_t age_us = d->snapshot->now_us - unit->since_us;
      int64_t time_us = unit->booting ? MIN (age_us, demand->boot_us) : demand->boot_us;
      served += (double) demand->slots * (double) MAX (time_us, 0) / run_us;
      if (!unit->booting)
        served += (double) (demand->slots - MIN (unit->busy, demand->slots));
    }
  return served;
}

static void
start (Decision *d, guint index, const char *why)
{
  const VendDemand *demand = &d->snapshot->demands[index];
  act (d, VEND_ACTION_START, index, "%s: %s (%u waiting, %u running, %u instances)", demand->name,
       why, demand->waiting, demand->running, d->have[index]);
  d->have[index]++;
  d->n_booting++;
  d->n_held++;
}

static bool
has_room (const Decision *d)
{
  return d->n_held < d->snapshot->hardware_units && d->n_booting < d->snapshot->boot_limit;
}

/* An idle instance of somebody who does not need it: the cheapest to load again, and the longest
 * idle of equals. Never busy, never below its minimum, never younger than its own load. */
static gssize
find_victim (const Decision *d, guint for_demand)
{
  gssize victim = -1;
  for (guint i = 0; i < d->snapshot->n_units; i++)
    {
      const VendUnit *unit = &d->snapshot->units[i];
      const VendDemand *demand = &d->snapshot->demands[unit->demand];
      if (unit->demand == for_demand || !serves (d, i) || unit->booting || unit->busy > 0
          || demand->waiting > 0 || d->have[unit->demand] <= demand->min
          || d->snapshot->now_us - unit->since_us < demand->boot_us)
        continue;
      if (victim < 0)
        {
          victim = i;
          continue;
        }
      const VendUnit *best = &d->snapshot->units[victim];
      int64_t best_boot_us = d->snapshot->demands[best->demand].boot_us;
      if (demand->boot_us < best_boot_us
          || (demand->boot_us == best_boot_us && unit->idle_since_us < best->idle_since_us))
        victim = i;
    }
  return victim;
}

static void
stop (Decision *d, guint unit, const char *reason)
{
  d->stopped[unit] = true;
  d->have[d->snapshot->units[unit].demand]--;
  act (d, VEND_ACTION_STOP, unit, "%s: %s",
       d->snapshot->demands[d->snapshot->units[unit].demand].name, reason);
}

static bool
is_leaving (const Decision *d)
{
  for (guint i = 0; i < d->snapshot->n_units; i++)
    if (d->snapshot->units[i].stopping || d->stopped[i])
      return true;
  return false;
}

static void
grow (Decision *d, guint index)
{
  const VendDemand *demand = &d->snapshot->demands[index];
  if (d->snapshot->now_us < demand->backoff_until_us)
    return;

  while (d->have[index] < demand->min && has_room (d))
    start (d, index, "below its minimum");
  if (d->have[index] == 0 && demand->waiting > 0 && demand->max > 0 && has_room (d))
    start (d, index, "somebody waits and nothing runs");
  const bool lacks_one = d->have[index] == 0 && demand->waiting > 0 && demand->max > 0;
  if (lacks_one || d->have[index] < demand->min)
    {
      if (d->n_held >= d->snapshot->hardware_units && !is_leaving (d))
        {
          gssize victim = find_victim (d, index);
          if (victim >= 0)
            {
              stop (d, (guint) victim, "idle, and its hardware is wanted by another model");
              ((VendAction *) g_ptr_array_index (d->plan, d->plan->len - 1))->evicts = true;
            }
        }
      return;
    }
  /* Instances started above are booting with all of their time still to go: they serve nobody
   * before the next one would, so only what stood before counts. */
  double served = served_before_boot (d, index);
  while (d->have[index] > 0 && d->have[index] < wanted (demand) && has_room (d)
         && (double) demand->waiting > served)
    start (d, index, "one more serves the queue sooner");
}

static void
shrink (Decision *d, guint i)
{
  const VendUnit *unit = &d->snapshot->units[i];
  const VendDemand *demand = &d->snapshot->demands[unit->demand];
  int64_t idle_us = d->snapshot->now_us - unit->idle_since_us;
  guint have = d->have[unit->demand];
  if (!serves (d, i) || unit->booting || unit->busy > 0 || unit->idle_since_us == 0
      || demand->waiting > 0 || have <= demand->min)
    return;
  if (have > MAX (demand->max, demand->min))
    stop (d, i, "more instances than its maximum");
  else if (have > MAX (wanted (demand), 1) && idle_us >= demand->scale_down_delay_us)
    stop (d, i, "more instances than the load needs");
  else if (idle_us >= demand->idle_timeout_us)
    stop (d, i, "idle");
}

static int
by_longest_wait (const void *a, const void *b, void *data)
{
  const VendSnapshot *snapshot = data;
  int64_t x = snapshot->demands[*(const guint *) a].oldest_us;
  int64_t y = snapshot->demands[*(const guint *) b].oldest_us;
  x = x == 0 ? G_MAXINT64 : x;
  y = y == 0 ? G_MAXINT64 : y;
  return x < y ? -1 : x > y;
}

GPtrArray *
vend_decide (const VendSnapshot *snapshot)
{
  g_autofree guint *have = g_new0 (guint, snapshot->n_demands + 1);
  g_autofree bool *stopped = g_new0 (bool, snapshot->n_units + 1);
  g_autofree guint *order = g_new0 (guint, snapshot->n_demands + 1);
  Decision d = { snapshot, g_ptr_array_new_with_free_func (action_free), have, stopped, 0, 0 };

  for (guint i = 0; i < snapshot->n_units; i++)
    {
      d.n_held++;
      if (snapshot->units[i].stopping)
        continue;
      have[snapshot->units[i].demand]++;
      d.n_booting += snapshot->units[i].booting;
    }
  for (guint i = 0; i < snapshot->n_demands; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint) snapshot->n_demands, sizeof *order, by_longest_wait,
                     (void *) snapshot);

  for (guint i = 0; i < snapshot->n_units; i++)
    shrink (&d, i);
  for (guint i = 0; i < snapshot->n_demands; i++)
    grow (&d, order[i]);
  return d.plan;
}
