/* Advice: on traces whose best setting can be reckoned by hand; and what simulations add for it. */
#include "policy/advise.h"
#include "base/clock.h"

#define S VEND_US_PER_S

static VendTrace *
make_trace (double load_s)
{
  VendTrace *trace = vend_trace_new ();
  vend_trace_add_model (trace, "lab/a", (int64_t) (load_s * VEND_US_PER_S));
  return trace;
}

/* Times begin a load after 0, so that a minimum is warm in time. */
static void
add_every (VendTrace *trace, double from_s, double pause_s, guint n, double run_s)
{
  for (guint i = 0; i < n; i++)
    vend_trace_add (trace, 0, (int64_t) ((from_s + i * pause_s) * VEND_US_PER_S),
                    (int64_t) (run_s * VEND_US_PER_S));
}

static VendAdviseQuestion
ask (const VendTrace *trace, double until_s)
{
  return (VendAdviseQuestion){
    .trace = trace,
    .until_us = (int64_t) (until_s * VEND_US_PER_S),
    .now = { .min_instances = 0, .max_instances = 2, .idle_timeout_us = 300 * S },
    .slots = 1,
    .target = 1,
    .scale_down_delay_us = 60 * S,
    .wait_weight = 10
  };
}

static void
assert_near (double value, double wanted, double part)
{
  if (value < wanted * (1 - part) || value > wanted * (1 + part))
    g_error ("%g is not near %g", value, wanted);
}

static void
test_minimum_and_end (void)
{
  g_autoptr (VendTrace) trace = make_trace (30);
  VendSimulated result;
  add_every (trace, 100, 1000, 3, 5);
  VendSimulation simulation = { .hardware_units = 3,
                                .min_instances = 2,
                                .slots = 1,
                                .target = 1,
                                .idle_timeout_us = 60 * S,
                                .scale_down_delay_us = 60 * S,
                                .until_us = 4000 * S };
  vend_simulate (trace, &simulation, &result);
  g_assert_cmpuint (result.cold_starts, ==, 2);
  g_assert_cmpuint (result.most_units, ==, 2);
  g_assert_cmpfloat (result.wait_max_s, ==, 0);
  /* Two from 70 s to 4,000 s. */
  g_assert_cmpfloat (result.loading_hours * 3600, ==, 60);
  g_assert_cmpfloat (result.busy_hours * 3600, ==, 15);
  assert_near (result.idle_hours * 3600, 2 * 3900 - 15, 1e-9);

  /* Without a minimum each one waits for a load, and the end costs nothing. */
  simulation.min_instances = 0;
  vend_simulate (trace, &simulation, &result);
  g_assert_cmpuint (result.cold_starts, ==, 3);
  g_assert_cmpuint (result.most_units, ==, 1);
  g_assert_cmpfloat (result.wait_mean_s, ==, 30);
  assert_near (result.idle_hours * 3600, 3 * 60, 1e-9);
}

/* What it costs does not depend on how long nothing happens: looks are not made every second. */
static void
test_long_pauses (void)
{
  g_autoptr (VendTrace) trace = make_trace (30);
  VendSimulated result;
  add_every (trace, 100, 12 * 3600, 2 * 365, 5);
  const VendSimulation simulation = { .hardware_units = 1,
                                      .slots = 1,
                                      .target = 1,
                                      .idle_timeout_us = 6 * 3600 * S,
                                      .scale_down_delay_us = 60 * S,
                                      .until_us = 366 * 86400 * S };
  vend_simulate (trace, &simulation, &result);
  g_assert_cmpuint (result.cold_starts, ==, 2 * 365);
  assert_near (result.idle_hours, 2 * 365 * 6, 1e-9);
}

static const VendAdviseSetting *
best_of (const VendAdvice *advice)
{
  return &vend_advice_at (advice, advice->best)->setting;
}

static void
test_keep_warm (void)
{
  g_autoptr (VendTrace) trace = make_trace (60);
  add_every (trace, 60, 600, 200, 10);
  const VendAdviseQuestion question = ask (trace, 60 + 200 * 600);
  g_autoptr (VendAdvice) advice = vend_advise (&question);
  g_assert_cmpuint (best_of (advice)->min_instances, ==, 1);
  assert_near (vend_advice_at (advice, advice->best)->score, 200 * 600 + 60, 1e-6);
  assert_near (vend_advice_at (advice, 0)->score, 200 * (60 + 10 + 300 + 10 * 60), 0.01);
  g_assert_cmpfloat (advice->pause_s, ==, 600);
  g_assert_cmpfloat (advice->run_s, ==, 10);
  g_assert_cmpuint (advice->most_at_once, ==, 1);
}

static void
test_scale_to_zero (void)
{
  g_autoptr (VendTrace) trace = make_trace (60);
  add_every (trace, 60, 43200, 20, 10);
  VendAdviseQuestion question = ask (trace, 20 * 43200);
  question.now.min_instances = 1;
  g_autoptr (VendAdvice) advice = vend_advise (&question);
  g_assert_cmpuint (best_of (advice)->min_instances, ==, 0);
  g_assert_cmpint (best_of (advice)->idle_timeout_us, ==, 30 * S);
  assert_near (vend_advice_at (advice, advice->best)->instance_s, 20 * 100, 1e-6);
  assert_near (vend_advice_at (advice, 0)->instance_s, 20 * 43200, 1e-3);
}

/* Ten times eight at once. */
static VendTrace *
make_bursts (void)
{
  VendTrace *trace = make_trace (5);
  for (guint i = 0; i < 8; i++)
    add_every (trace, 10, 7200, 10, 30);
  vend_trace_sort (trace);
  return trace;
}

static void
test_bursts (void)
{
  g_autoptr (VendTrace) trace = make_bursts ();
  VendAdviseQuestion question = ask (trace, 10 * 7200);
  question.now.max_instances = 1;
  g_autoptr (VendAdvice) advice = vend_advise (&question);
  g_assert_cmpuint (advice->most_at_once, ==, 8);
  g_assert_cmpuint (best_of (advice)->max_instances, ==, 8);
  g_assert_cmpint (best_of (advice)->idle_timeout_us, ==, 30 * S);
  /* More than the eight that come at once are not tried. */
  for (guint i = 0; i < advice->variants->len; i++)
    g_assert_cmpuint (vend_advice_at (advice, i)->setting.max_instances, <=, 8);
}

/* What the hardware cannot hold is not advised, and the setting of now is no better than it. */
static void
test_room (void)
{
  g_autoptr (VendTrace) trace = make_bursts ();
  VendAdviseQuestion question = ask (trace, 10 * 7200);
  question.now.max_instances = 1;
  question.room = 3;
  g_autoptr (VendAdvice) advice = vend_advise (&question);
  g_assert_cmpuint (best_of (advice)->max_instances, ==, 3);
  for (guint i = 0; i < advice->variants->len; i++)
    g_assert_cmpuint (vend_advice_at (advice, i)->setting.max_instances, <=, 3);
  const double three_s = vend_advice_at (advice, advice->best)->result.wait_mean_s;

  question.now = *best_of (advice);
  question.now.max_instances = 100;
  g_autoptr (VendAdvice) more = vend_advise (&question);
  g_assert_cmpfloat (vend_advice_at (more, 0)->result.wait_mean_s, ==, three_s);
  g_assert_cmpuint (more->best, ==, 0);
}

/* A gain of less than 2 % is no reason to change anything. */
static void
test_nothing_to_change (void)
{
  g_autoptr (VendTrace) trace = make_trace (1);
  add_every (trace, 10, 20, 500, 10);
  const VendAdviseQuestion question = ask (trace, 10 + 500 * 20);
  g_autoptr (VendAdvice) advice = vend_advise (&question);
  g_assert_cmpuint (advice->best, ==, 0);
  g_autoptr (VendTrace) empty = make_trace (1);
  const VendAdviseQuestion nothing = ask (empty, 100);
  g_assert_null (vend_advise (&nothing));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/advise/minimum-and-end", test_minimum_and_end);
  g_test_add_func ("/advise/long-pauses", test_long_pauses);
  g_test_add_func ("/advise/keep-warm", test_keep_warm);
  g_test_add_func ("/advise/scale-to-zero", test_scale_to_zero);
  g_test_add_func ("/advise/bursts", test_bursts);
  g_test_add_func ("/advise/room", test_room);
  g_test_add_func ("/advise/nothing-to-change", test_nothing_to_change);
  return g_test_run ();
}
