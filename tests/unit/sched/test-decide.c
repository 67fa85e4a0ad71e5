/* The scheduler's rules, one test each, and a long random walk over the invariants. */
#include "sched/decide.h"

#define S G_GINT64_CONSTANT (1000000)

static const VendDemand idle_demand = {
  .name = "lab/echo",
  .slots = 1,
  .max = 4,
  .idle_timeout_us = 300 * S,
  .scale_down_delay_us = 60 * S,
  .boot_us = 10 * S,
  .run_us = 10 * S,
};

typedef struct
{
  guint starts;
  guint stops;
} Counts;

static Counts
decide (VendSnapshot snapshot)
{
  Counts counts = { 0, 0 };
  if (snapshot.now_us == 0)
    snapshot.now_us = 1000 * S;
  if (snapshot.hardware_units == 0)
    snapshot.hardware_units = 8;
  if (snapshot.boot_limit == 0)
    snapshot.boot_limit = 8;
  g_autoptr (GPtrArray) plan = vend_decide (&snapshot);
  for (guint i = 0; i < plan->len; i++)
    {
      const VendAction *action = g_ptr_array_index (plan, i);
      g_assert_cmpstr (action->reason, !=, "");
      if (action->kind == VEND_ACTION_START)
        counts.starts++;
      else
        counts.stops++;
    }
  return counts;
}

static VendDemand
waiting (guint n)
{
  VendDemand demand = idle_demand;
  demand.waiting = n;
  demand.oldest_us = 900 * S;
  return demand;
}

static VendUnit
ready (int64_t idle_since_us)
{
  return (
      VendUnit){ .since_us = 100 * S, .busy = idle_since_us == 0, .idle_since_us = idle_since_us };
}

static void
test_first_starts_at_once (void)
{
  VendDemand demand = waiting (1);
  g_assert_cmpuint (decide ((VendSnapshot){ .demands = &demand, .n_demands = 1 }).starts, ==, 1);
}

static void
test_booting_counts_as_capacity (void)
{
  VendDemand demand = waiting (1);
  VendUnit unit = { .booting = true, .since_us = 999 * S };
  g_assert_cmpuint (
      decide ((VendSnapshot){ .demands = &demand, .n_demands = 1, .units = &unit, .n_units = 1 })
          .starts,
      ==, 0);
}

static void
test_short_runs_do_not_start_more (void)
{
  VendDemand demand = waiting (50);
  VendUnit unit = ready (0);
  demand.run_us = S / 10;
  demand.running = 1;
  g_assert_cmpuint (
      decide ((VendSnapshot){ .demands = &demand, .n_demands = 1, .units = &unit, .n_units = 1 })
          .starts,
      ==, 0);
  demand.run_us = 60 * S;
  g_assert_cmpuint (
      decide ((VendSnapshot){ .demands = &demand, .n_demands = 1, .units = &unit, .n_units = 1 })
          .starts,
      ==, 3);
}

static void
test_limits (void)
{
  VendDemand demand = waiting (1000);
  demand.run_us = 100 * S;
  g_assert_cmpuint (decide ((VendSnapshot){ .demands = &demand, .n_demands = 1 }).starts, ==, 4);
  g_assert_cmpuint (
      decide ((VendSnapshot){ .demands = &demand, .n_demands = 1, .boot_limit = 1 }).starts, ==, 1);
  g_assert_cmpuint (
      decide ((VendSnapshot){ .demands = &demand, .n_demands = 1, .hardware_units = 2 }).starts, ==,
      2);
  demand.slots = 500;
  g_assert_cmpuint (decide ((VendSnapshot){ .demands = &demand, .n_demands = 1 }).starts, ==, 2);
  demand.backoff_until_us = 1001 * S;
  g_assert_cmpuint (decide ((VendSnapshot){ .demands = &demand, .n_demands = 1 }).starts, ==, 0);
}

static void
test_idle_stop (void)
{
  VendDemand demand = idle_demand;
  VendUnit one[] = { ready (701 * S) };
  VendUnit two[] = { ready (930 * S), ready (950 * S) };
  VendSnapshot snapshot = { .demands = &demand, .n_demands = 1, .units = one, .n_units = 1 };
  g_assert_cmpuint (decide (snapshot).stops, ==, 0);
  one[0].idle_since_us = 700 * S;
  g_assert_cmpuint (decide (snapshot).stops, ==, 1);
  demand.min = 1;
  g_assert_cmpuint (decide (snapshot).stops, ==, 0);
  demand.min = 0;
  snapshot.units = two;
  snapshot.n_units = 2;
  /* One of two is surplus after the delay, the last one is not. */
  g_assert_cmpuint (decide (snapshot).stops, ==, 1);
}

static void
test_evicts_only_idle_and_old (void)
{
  VendDemand demands[] = { waiting (1), idle_demand };
  VendUnit unit = { .demand = 1, .since_us = 900 * S, .idle_since_us = 950 * S };
  VendSnapshot snapshot
      = { .demands = demands, .n_demands = 2, .units = &unit, .n_units = 1, .hardware_units = 1 };
  g_assert_cmpuint (decide (snapshot).stops, ==, 1);
  unit.busy = 1;
  g_assert_cmpuint (decide (snapshot).stops, ==, 0);
  unit.busy = 0;
  unit.since_us = 995 * S; /* younger than its own load */
  g_assert_cmpuint (decide (snapshot).stops, ==, 0);
  unit.since_us = 900 * S;
  demands[1].min = 1;
  g_assert_cmpuint (decide (snapshot).stops, ==, 0);
}

static void
test_minimum_without_anybody (void)
{
  VendDemand demands[] = { idle_demand, idle_demand };
  VendUnit unit = { .demand = 1, .since_us = 900 * S, .idle_since_us = 950 * S };
  VendSnapshot snapshot = { .demands = demands, .n_demands = 2, .units = &unit, .n_units = 1 };
  demands[0].min = 2;
  g_assert_cmpuint (decide (snapshot).starts, ==, 2);
  snapshot.boot_limit = 1;
  g_assert_cmpuint (decide (snapshot).starts, ==, 1);
  snapshot.boot_limit = 0;
  /* Where all hardware is taken, an idle one of somebody else goes, but never one of a minimum. */
  snapshot.hardware_units = 1;
  g_assert_cmpuint (decide (snapshot).starts, ==, 0);
  g_assert_cmpuint (decide (snapshot).stops, ==, 1);
  demands[1].min = 1;
  g_assert_cmpuint (decide (snapshot).stops, ==, 0);
  demands[1].min = 0;
  unit.stopping = true;
  g_assert_cmpuint (decide (snapshot).stops, ==, 0);
}

static void
test_maximum_of_none (void)
{
  VendDemand demand = waiting (10);
  VendUnit unit = ready (999 * S);
  VendSnapshot snapshot = { .demands = &demand, .n_demands = 1 };
  demand.max = 0;
  g_assert_cmpuint (decide (snapshot).starts, ==, 0);
  /* Nobody is evicted for somebody who may have none. */
  VendDemand demands[] = { demand, idle_demand };
  unit.demand = 1;
  VendSnapshot full
      = { .demands = demands, .n_demands = 2, .units = &unit, .n_units = 1, .hardware_units = 1 };
  g_assert_cmpuint (decide (full).stops, ==, 0);
}

static void
test_above_the_maximum (void)
{
  VendDemand demand = idle_demand;
  VendUnit units[] = { ready (999 * S), ready (999 * S), ready (0) };
  VendSnapshot snapshot = { .demands = &demand, .n_demands = 1, .units = units, .n_units = 3 };
  demand.running = 1;
  g_assert_cmpuint (decide (snapshot).stops, ==, 0);
  demand.max = 1;
  /* At once, without the delay, but what is busy ends first. */
  g_assert_cmpuint (decide (snapshot).stops, ==, 2);
  demand.max = 0;
  g_assert_cmpuint (decide (snapshot).stops, ==, 2);
}

/* ---- A random walk: the plan is carried out, instances boot and go, predictions come and end. */

#define DEMANDS 4
#define MAX_UNITS 16

typedef struct
{
  VendDemand demands[DEMANDS];
  VendUnit units[MAX_UNITS];
  guint n_units;
  int64_t now_us;
} World;

static void
remove_unit (World *w, guint i)
{
  w->demands[w->units[i].demand].running -= w->units[i].busy;
  w->units[i] = w->units[--w->n_units];
}

static void
live (World *w, GRand *rand)
{
  w->now_us += g_rand_int_range (rand, 1, 20) * S;
  for (guint i = 0; i < DEMANDS; i++)
    if (g_rand_int_range (rand, 0, 4) == 0)
      w->demands[i].waiting += (guint) g_rand_int_range (rand, 0, 5);
  for (guint i = 0; i < w->n_units;)
    {
      VendUnit *unit = &w->units[i];
      VendDemand *demand = &w->demands[unit->demand];
      if (unit->stopping)
        {
          remove_unit (w, i);
          continue;
        }
      if (unit->booting && w->now_us - unit->since_us >= demand->boot_us)
        *unit = (VendUnit){ .demand = unit->demand,
                            .since_us = w->now_us,
                            .idle_since_us = w->now_us };
      if (unit->busy > 0 && g_rand_boolean (rand))
        {
          unit->busy = 0;
          demand->running--;
          unit->idle_since_us = w->now_us;
        }
      if (!unit->booting && unit->busy == 0 && demand->waiting > 0)
        {
          demand->waiting--;
          demand->running++;
          unit->busy = 1;
          unit->idle_since_us = 0;
        }
      i++;
    }
  for (guint i = 0; i < DEMANDS; i++)
    w->demands[i].oldest_us = w->demands[i].waiting > 0 ? w->now_us - 1 : 0;
}

static void
carry_out (World *w, const GPtrArray *plan)
{
  for (guint i = 0; i < plan->len; i++)
    {
      const VendAction *action = g_ptr_array_index (plan, i);
      if (action->kind == VEND_ACTION_STOP)
        {
          VendUnit *unit = &w->units[action->index];
          g_assert_false (unit->stopping);
          g_assert_false (unit->booting);
          g_assert_cmpuint (unit->busy, ==, 0);
          unit->stopping = true;
        }
      else
        {
          g_assert_cmpuint (w->n_units, <, MAX_UNITS);
          w->units[w->n_units++]
              = (VendUnit){ .demand = action->index, .booting = true, .since_us = w->now_us };
        }
    }
}

static void
check_invariants (const World *w, guint hardware, guint boot_limit)
{
  guint have[DEMANDS] = { 0 }, booting = 0;
  g_assert_cmpuint (w->n_units, <=, hardware);
  for (guint i = 0; i < w->n_units; i++)
    {
      have[w->units[i].demand] += !w->units[i].stopping;
      booting += w->units[i].booting;
    }
  g_assert_cmpuint (booting, <=, boot_limit);
  for (guint i = 0; i < DEMANDS; i++)
    {
      g_assert_cmpuint (have[i], <=, w->demands[i].max);
      /* With hardware and a boot to spare nobody waits without an instance. */
      if (w->demands[i].waiting > 0 && w->n_units < hardware && booting < boot_limit)
        g_assert_cmpuint (have[i], >, 0);
    }
}

static void
test_invariants (void)
{
  const guint hardware = 6, boot_limit = 2;
  GRand *rand = g_rand_new_with_seed (42);
  World w = { .now_us = 1000 * S };
  for (guint i = 0; i < DEMANDS; i++)
    {
      w.demands[i] = idle_demand;
      w.demands[i].max = 3;
      w.demands[i].boot_us = (int64_t) (i + 1) * 4 * S;
      w.demands[i].min = i == 0 ? 1 : 0;
    }
  for (guint step = 0; step < 100000; step++)
    {
      live (&w, rand);
      VendSnapshot snapshot = { .now_us = w.now_us,
                                .hardware_units = hardware,
                                .boot_limit = boot_limit,
                                .demands = w.demands,
                                .n_demands = DEMANDS,
                                .units = w.units,
                                .n_units = w.n_units };
      g_autoptr (GPtrArray) plan = vend_decide (&snapshot);
      carry_out (&w, plan);
      check_invariants (&w, hardware, boot_limit);
    }
  g_rand_free (rand);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/decide/first-starts-at-once", test_first_starts_at_once);
  g_test_add_func ("/decide/booting-counts-as-capacity", test_booting_counts_as_capacity);
  g_test_add_func ("/decide/short-runs-do-not-start-more", test_short_runs_do_not_start_more);
  g_test_add_func ("/decide/limits", test_limits);
  g_test_add_func ("/decide/idle-stop", test_idle_stop);
  g_test_add_func ("/decide/evicts-only-idle-and-old", test_evicts_only_idle_and_old);
  g_test_add_func ("/decide/minimum-without-anybody", test_minimum_without_anybody);
  g_test_add_func ("/decide/maximum-of-none", test_maximum_of_none);
  g_test_add_func ("/decide/above-the-maximum", test_above_the_maximum);
  g_test_add_func ("/decide/invariants", test_invariants);
  return g_test_run ();
}
