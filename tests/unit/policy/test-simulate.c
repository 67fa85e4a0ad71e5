/* Simulations of traces that are small enough to do by hand, and of a whole day. */
#include "policy/simulate.h"
#include <string.h>

#define S G_GINT64_CONSTANT (1000000)
#define HOUR (3600.0)

static VendTrace *
trace_of (const char *text)
{
  g_autoptr (VendTrace) trace = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_trace_parse (text, strlen (text), &trace, &error))
    g_error ("%s", error->message);
  return g_steal_pointer (&trace);
}

static VendSimulated
simulate (const char *text, VendPolicy policy, guint hardware)
{
  g_autoptr (VendTrace) trace = trace_of (text);
  const VendSimulation options = {
    .policy = policy,
    .hardware_units = hardware,
    .on_demand = true,
    .idle_timeout_us = 30 * S,
    .scale_down_delay_us = 60 * S,
    .starvation_us = 600 * S,
  };
  VendSimulated result;
  vend_simulate (trace, &options, &result);
  return result;
}

static void
test_one_request (void)
{
  for (guint policy = 0; policy <= VEND_POLICY_FIXED_TIMEOUT; policy++)
    {
      VendSimulated r = simulate ("0,a,10,4\n", (VendPolicy) policy, 1);
      g_assert_cmpuint (r.requests, ==, 1);
      g_assert_cmpuint (r.cold_starts, ==, 1);
      g_assert_cmpfloat_with_epsilon (r.wait_mean_s, 4, 1e-6);
      g_assert_cmpfloat_with_epsilon (r.wait_max_s, 4, 1e-6);
      g_assert_cmpfloat_with_epsilon (r.loading_hours * HOUR, 4, 1e-6);
      g_assert_cmpfloat_with_epsilon (r.busy_hours * HOUR, 10, 1e-6);
      g_assert_cmpfloat_with_epsilon (r.idle_hours * HOUR,
                                      policy == VEND_POLICY_FIXED_TIMEOUT ? 30 : 0, 1e-6);
    }
}

/* Without a look for each of three hundred million seconds. */
static void
test_long_run (void)
{
  VendSimulated r = simulate ("0,a,300000000,10\n5,b,10,10\n", VEND_POLICY_VEND, 1);
  g_assert_cmpuint (r.cold_starts, ==, 2);
  g_assert_cmpfloat_with_epsilon (r.wait_max_s, 300000000 + 10 + 10 - 5, 1e-3);
}

/* The order of arrival loads three times; what is loaded first, twice. */
static void
test_order (void)
{
  static const char *const text = "0,a,10,10\n1,b,10,10\n2,a,10\n";
  VendSimulated fcfs = simulate (text, VEND_POLICY_FCFS_LRU, 1);
  g_assert_cmpuint (fcfs.cold_starts, ==, 3);
  g_assert_cmpuint (fcfs.evictions, ==, 2);
  /* 10, 20 + 10 − 1, 40 + 10 − 2 */
  g_assert_cmpfloat_with_epsilon (fcfs.wait_mean_s, (10 + 29 + 48) / 3.0, 1e-6);
  VendSimulated vend = simulate (text, VEND_POLICY_VEND, 1);
  g_assert_cmpuint (vend.cold_starts, ==, 2);
  g_assert_cmpfloat_with_epsilon (vend.wait_mean_s, (10 + 18 + 39) / 3.0, 1e-6);
  /* The first one's time is over 30 s after its last run. */
  VendSimulated fixed = simulate (text, VEND_POLICY_FIXED_TIMEOUT, 1);
  g_assert_cmpfloat_with_epsilon (fixed.wait_mean_s, (10 + 18 + 69) / 3.0, 1e-6);
}

static void
test_warm_and_timeouts (void)
{
  static const char *const text = "0,a,5,5\n20,a,5\n100,a,5\n";
  g_assert_cmpuint (simulate (text, VEND_POLICY_VEND, 1).cold_starts, ==, 1);
  g_assert_cmpuint (simulate (text, VEND_POLICY_FCFS_LRU, 1).cold_starts, ==, 1);
  g_assert_cmpuint (simulate (text, VEND_POLICY_FIXED_TIMEOUT, 1).cold_starts, ==, 2);
  g_autoptr (VendTrace) trace = trace_of (text);
  const VendSimulation options = { .policy = VEND_POLICY_VEND,
                                   .hardware_units = 1,
                                   .idle_timeout_us = 30 * S,
                                   .scale_down_delay_us = 60 * S };
  VendSimulated result;
  vend_simulate (trace, &options, &result);
  g_assert_cmpuint (result.cold_starts, ==, 2);
}

/* One that was stopped keeps its hardware for as long as a stop takes, and serves nobody then. */
static void
test_stop_time (void)
{
  g_autoptr (VendTrace) trace = trace_of ("0,a,5,5\n11,a,5\n11,b,5,5\n");
  VendSimulation options
      = { .policy = VEND_POLICY_VEND, .hardware_units = 1, .idle_timeout_us = 0 };
  VendSimulated r;
  /* Stopped at 10; a from 16 to 21, b from 26 on. */
  vend_simulate (trace, &options, &r);
  g_assert_cmpuint (r.cold_starts, ==, 3);
  g_assert_cmpfloat_with_epsilon (r.wait_mean_s, (5 + 5 + 15) / 3.0, 1e-6);
  /* Gone at 12 and at 24: a from 17 to 22, b from 29 on. */
  options.stop_us = 2 * S;
  vend_simulate (trace, &options, &r);
  g_assert_cmpuint (r.cold_starts, ==, 3);
  g_assert_cmpfloat_with_epsilon (r.wait_mean_s, (5 + 6 + 18) / 3.0, 1e-6);
  /* The last stop is over before the trace is. */
  g_assert_cmpfloat_with_epsilon (r.idle_hours * HOUR, 3 * 2, 1e-6);
}

/* A load takes what holds when it begins. */
static void
test_loads_change (void)
{
  /* a runs from 8 on, b from 18 + 4 on, a again from 32 + 2 on. */
  static const char *const text = "0,a,10,8\n9,b,10,4\n20,a,10,2\n";
  for (guint policy = 0; policy <= VEND_POLICY_FCFS_LRU; policy++)
    {
      VendSimulated r = simulate (text, (VendPolicy) policy, 1);
      g_assert_cmpuint (r.cold_starts, ==, 3);
      g_assert_cmpfloat_with_epsilon (r.wait_mean_s, (8 + 13 + 14) / 3.0, 1e-6);
      g_assert_cmpfloat_with_epsilon (r.loading_hours * HOUR, 8 + 4 + 2, 1e-6);
    }
  /* a is still there at 20 and stops at 60, b runs from 64 on; at 94 a loads as its line at 70
   * says.
   */
  VendSimulated fixed
      = simulate ("0,a,10,8\n9,b,0,4\n20,a,10,2\n70,a,10,1\n", VEND_POLICY_FIXED_TIMEOUT, 1);
  g_assert_cmpfloat_with_epsilon (fixed.wait_mean_s, (8 + 55 + 0 + 25) / 4.0, 1e-6);
}

/* Both servers are taken when the last two come: the load begins at 18, when the last line holds.
 */
static void
test_least_waits_of_loads_that_change (void)
{
  int64_t least_us[4];
  g_autoptr (VendTrace) trace = trace_of ("0,a,10,8\n0,b,20,8\n15,a,1,6\n17,a,1,2\n");
  vend_simulate_least_waits (trace, 2, 10 * S, least_us);
  g_assert_cmpint (least_us[0], ==, 8 * S);
  g_assert_cmpint (least_us[2], ==, (18 + 2 - 15) * S);
  g_assert_cmpint (least_us[3], ==, (21 - 17) * S);
}

static void
test_slots (void)
{
  g_autoptr (VendTrace) trace = trace_of ("0,a,10,5\n0,a,20\n0,a,10\n");
  const VendSimulation options
      = { .policy = VEND_POLICY_VEND, .hardware_units = 1, .slots = 2, .on_demand = true };
  VendSimulated r;
  vend_simulate (trace, &options, &r);
  g_assert_cmpfloat_with_epsilon (r.wait_mean_s, (5 + 5 + 15) / 3.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (r.busy_hours * HOUR, 20, 1e-6);
}

/* A day on four units: hours add up, the same again gives the same, and the rule that the policy
 * stands for holds. */
static void
test_day (void)
{
  const VendSynthetic synthetic = { .models = 50, .hours = 24, .rate = 200, .seed = 4 };
  g_autoptr (VendTrace) trace = vend_trace_synthetic (&synthetic);
  double run_us = 0;
  for (guint i = 0; i < trace->requests->len; i++)
    run_us += (double) g_array_index (trace->requests, VendTraceRequest, i).run_us;
  VendSimulated results[3], again;
  for (guint policy = 0; policy <= VEND_POLICY_FIXED_TIMEOUT; policy++)
    {
      VendSimulation options = { .policy = (VendPolicy) policy,
                                 .hardware_units = 4,
                                 .on_demand = true,
                                 .idle_timeout_us = 300 * S,
                                 .starvation_us = 600 * S };
      VendSimulated *r = &results[policy];
      vend_simulate (trace, &options, r);
      vend_simulate (trace, &options, &again);
      g_assert_cmpmem (r, sizeof *r, &again, sizeof again);
      g_assert_cmpuint (r->requests, ==, trace->requests->len);
      g_assert_cmpfloat_with_epsilon (r->busy_hours * HOUR, run_us / S, 1);
      g_assert_cmpfloat (r->busy_hours + r->loading_hours + r->idle_hours, <=, 4 * r->hours + 0.01);
      g_assert_cmpfloat (r->wait_p50_s, <=, r->wait_p95_s);
      g_assert_cmpfloat (r->wait_p99_s, <=, r->wait_max_s);
    }
  g_assert_cmpfloat (results[VEND_POLICY_VEND].wait_mean_s, <,
                     results[VEND_POLICY_FCFS_LRU].wait_mean_s);
  g_assert_cmpuint (results[VEND_POLICY_VEND].late, ==, 0);
}

static void
test_names (void)
{
  VendPolicy policy;
  for (guint i = 0; i <= VEND_POLICY_FIXED_TIMEOUT; i++)
    {
      g_assert_true (vend_policy_parse (vend_policy_name ((VendPolicy) i), &policy));
      g_assert_cmpuint (policy, ==, i);
    }
  g_assert_false (vend_policy_parse ("lru", &policy));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/simulate/one-request", test_one_request);
  g_test_add_func ("/simulate/long-run", test_long_run);
  g_test_add_func ("/simulate/order", test_order);
  g_test_add_func ("/simulate/warm-and-timeouts", test_warm_and_timeouts);
  g_test_add_func ("/simulate/stop-time", test_stop_time);
  g_test_add_func ("/simulate/loads-change", test_loads_change);
  g_test_add_func ("/simulate/least-waits-of-loads-that-change",
                   test_least_waits_of_loads_that_change);
  g_test_add_func ("/simulate/slots", test_slots);
  g_test_add_func ("/simulate/day", test_day);
  g_test_add_func ("/simulate/names", test_names);
  return g_test_run ();
}
