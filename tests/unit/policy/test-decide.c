/* Scaling of one model and of two that share hardware, one test each. */
#include "policy/decide.h"

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
  return g_test_run ();
}
