/* Which target gets the next instance. Pure. */
#include "policy/decide-private.h"

/* The last part of the bound is for ending a run and loading the model. */
#define LEAD_PART 2
#define CREDIT_PART 2
#define LAG_PERCENT 75 /* of the bound: the longest time to serve a queue */

typedef enum
{
  CLAIM_STARVING, /* by the time of the wait */
  CLAIM_LAGGING,  /* the same */
  CLAIM_MINIMUM,
  CLAIM_QUEUE, /* by the queue that an instance serves per time that it takes */
} ClaimKind;

typedef struct
{
  guint demand;
  double served; /* runs of the queue that existing and new instances serve */
  bool is_done;  /* nothing more can be granted now */
  bool is_due;   /* an instance is due; the members below are about it */
  ClaimKind kind;
  double value; /* the highest value of a kind goes first */
  const char *why;
} Claim;

static double
runs_in (const VendDemand *demand, int64_t time_us)
{
  return MAX (demand->slots, 1) * (double) MAX (time_us, 0) / (double) MAX (demand->run_us, 1);
}

/* The part of the queue that a new instance takes off the demand: one run a slot, or the runs in
 * the time of a load, so that each instance has a load's worth of work. */
static double
served_by_new (const VendDemand *demand)
{
  return MAX (runs_in (demand, demand->boot_us), MAX (demand->slots, 1));
}

/* The latest run is late by more than a run and a load: a run of another kind, with an unknown
 * end. */
static bool
is_overdue (const VendDemand *demand, const VendUnit *unit, int64_t now_us)
{
  return unit->began_us > 0 && now_us - unit->began_us > 2 * demand->run_us + demand->boot_us;
}

/* The runs of the queue that this instance begins before one more instance could be ready. */
static double
served_by (const VendDemand *demand, const VendUnit *unit, int64_t now_us)
{
  guint slots = MAX (demand->slots, 1);
  if (unit->booting)
    return served_by_new (demand);
  if (unit->busy >= slots && is_overdue (demand, unit, now_us))
    return 0;
  if (slots > 1 || unit->busy == 0 || unit->began_us == 0)
    return slots - MIN (unit->busy, slots) + runs_in (demand, demand->boot_us);
  int64_t left_us = MAX (unit->began_us + demand->run_us - now_us, 0);
  return left_us > demand->boot_us ? 0 : 1 + runs_in (demand, demand->boot_us - left_us);
}

/* The time that the demand has been neglected. A part of the time before its last service
 * counts. */
static int64_t
neglected_us (const VendDemand *demand, int64_t now_us)
{
  return now_us - MAX (demand->oldest_us, demand->served_us - demand->starvation_us / CREDIT_PART);
}

/* Nothing serves the demand, and it has waited so long that it goes before loaded models. A served
 * demand does not starve: demands would take turns, and the machine would only load. */
static bool
starves (const VendDemand *demand, guint have, int64_t now_us)
{
  return have == 0 && demand->starvation_us > 0 && demand->oldest_us > 0
         && neglected_us (demand, now_us)
                >= demand->starvation_us - demand->starvation_us / LEAD_PART;
}

/* The demand is served so slowly that the end of its queue would wait too long. */
static bool
lags (const Decision *d, guint demand)
{
  const VendDemand *what = &d->snapshot->demands[demand];
  return d->have[demand] > 0 && what->starvation_us > 0
         && vend_demand_outlasts (what, d->have[demand], LAG_PERCENT)
         && !vend_decision_overflows (d, demand);
}

/* All instances that serve the demand are degraded. */
static bool
lacks_replacement (const Decision *d, guint demand)
{
  return d->have[demand] == 0 && d->degraded[demand] > 0 && d->snapshot->demands[demand].max > 0;
}

/* Busy instances of other demands drain for an urgent claim. */
static bool
is_urgent (const Claim *claim)
{
  return claim->kind == CLAIM_STARVING || claim->kind == CLAIM_LAGGING;
}

/* Finds the next due instance of the demand; false for none. */
static bool
find_due (const Decision *d, Claim *claim)
{
  const VendDemand *demand = &d->snapshot->demands[claim->demand];
  const int64_t now_us = d->snapshot->now_us;
  const guint kept = vend_demand_kept (demand);
  guint have = d->have[claim->demand];
  double left = have == 0 ? demand->waiting : demand->waiting - claim->served;
  if (claim->is_done || now_us < demand->backoff_until_us)
    return false;
  if (demand->waiting > 0 && have < vend_demand_wanted (demand) && left > 0)
    {
      claim->kind = starves (demand, have, now_us) ? CLAIM_STARVING
                    : lags (d, claim->demand)      ? CLAIM_LAGGING
                    : have < kept                  ? CLAIM_MINIMUM
                                                   : CLAIM_QUEUE;
      claim->value
          = is_urgent (claim)
                ? (double) neglected_us (demand, now_us)
                : left / MAX ((double) demand->boot_us + vend_demand_work_us (demand, left), 1);
      claim->why = have < kept ? "below its minimum"
                   : have == 0 ? "somebody waits and nothing runs"
                               : "one more serves the queue sooner";
      return true;
    }
  claim->kind = CLAIM_MINIMUM;
  claim->value = 0;
  claim->why = have < kept ? "below its minimum" : "the one there is to be replaced";
  return have < kept || lacks_replacement (d, claim->demand);
}

/* Frees so many units; false when that is impossible. */
static bool
make_room (Decision *d, const Claim *claim, guint units)
{
  if (d->freeing < units && !is_urgent (claim)
      && d->freeing + vend_decide_evictable (d, claim->demand) < units)
    return false;
  while (d->freeing < units)
    if (!vend_decide_evict (d, claim->demand)
        && !(is_urgent (claim) && vend_decide_drain (d, claim->demand)))
      return false;
  return true;
}

/* Grants one instance now, or hardware that is about to be free. */
static void
grant (Decision *d, Claim *claim)
{
  const VendDemand *demand = &d->snapshot->demands[claim->demand];
  guint size = vend_demand_size (demand);
  const guint units = d->snapshot->hardware_units;
  if (size > units)
    {
      claim->is_done = true;
      return;
    }
  if (d->held + size <= units)
    {
      vend_decision_start (d, claim->demand, claim->why);
      claim->served += served_by_new (demand);
      return;
    }
  claim->is_done = true;
  if (!make_room (d, claim, d->held + size - units))
    return;
  d->held += size;
  d->promised[claim->demand] = true;
  d->n_booting++;
}

/* Per demand, the runs of the queue that existing instances serve. */
static double *
find_served (const Decision *d)
{
  double *served = g_new0 (double, d->snapshot->n_demands);
  for (guint i = 0; i < d->snapshot->n_units; i++)
    {
      const VendUnit *unit = &d->snapshot->units[i];
      if (vend_decision_serves (d, i) && !unit->degraded)
        served[unit->demand]
            += served_by (&d->snapshot->demands[unit->demand], unit, d->snapshot->now_us);
    }
  return served;
}

/* Demands that may want an instance; other demands are not looked at again. */
static GArray *
find_claims (const Decision *d)
{
  GArray *claims = g_array_new (FALSE, FALSE, sizeof (Claim));
  g_autofree double *served = NULL;
  for (guint i = 0; i < d->snapshot->n_demands; i++)
    {
      const VendDemand *demand = &d->snapshot->demands[i];
      if (demand->waiting == 0 && d->have[i] >= demand->min && !lacks_replacement (d, i))
        continue;
      if (served == NULL)
        served = find_served (d);
      const Claim claim = { .demand = i, .served = served[i] };
      g_array_append_val (claims, claim);
    }
  return claims;
}

/* Negative when `a` goes before `b`. Ties go to the longest wait. */
static int
in_order (const void *a, const void *b, void *data)
{
  const Decision *d = data;
  const Claim *one = a, *other = b;
  if (one->is_due != other->is_due)
    return one->is_due ? -1 : 1;
  if (one->kind != other->kind)
    return one->kind < other->kind ? -1 : 1;
  if (one->value > other->value || one->value < other->value)
    return one->value > other->value ? -1 : 1;
  const int64_t came_us = d->snapshot->demands[one->demand].oldest_us;
  const int64_t other_us = d->snapshot->demands[other->demand].oldest_us;
  if (came_us != other_us)
    return came_us > 0 && (other_us == 0 || came_us < other_us) ? -1 : 1;
  return one->demand < other->demand ? -1 : one->demand > other->demand;
}

static void
sort (Decision *d, GArray *claims)
{
  for (guint i = 0; i < claims->len; i++)
    {
      Claim *claim = &g_array_index (claims, Claim, i);
      claim->is_due = find_due (d, claim);
    }
  g_array_sort_with_data (claims, in_order, d);
}

/* The first claim was granted: moves it to the place of its next due instance. */
static void
move_first (Decision *d, Claim *claims, guint n)
{
  Claim moved = claims[0];
  guint i = 0;
  moved.is_due = find_due (d, &moved);
  for (; i + 1 < n && in_order (&claims[i + 1], &moved, d) < 0; i++)
    claims[i] = claims[i + 1];
  claims[i] = moved;
}

void
vend_decide_grow (Decision *d)
{
  g_autoptr (GArray) claims = find_claims (d);
  Claim *all = (Claim *) (void *) claims->data;
  sort (d, claims);
  for (guint i = 0; i < claims->len && all[i].is_due && d->n_booting < d->snapshot->boot_limit;)
    {
      const guint freeing = d->freeing;
      grant (d, &all[i]);
      if (d->freeing != freeing)
        {
          /* Another demand has lost an instance. */
          sort (d, claims);
          i = 0;
        }
      else if (all[i].is_done)
        i++;
      else
        move_first (d, all + i, claims->len - i);
    }
}
