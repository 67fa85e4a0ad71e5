/* The number of instances while arrivals go from 0.1 to 100 a second and back, and at a burst: the
 * decision of the scheduler over simulated time.
 *
 * A run takes 0.2 s and a boot 2 s, so ten seconds after a step the boots that it takes are over; a
 * surplus instance stops after 3 s, and slots are to be used for 90 %. Ideal is what that comes to:
 * arrivals × run / 0.9, and one at least. */
#include "policy/simulate.h"
#include <math.h>

#define S G_GINT64_CONSTANT (1000000)
#define RUN_S 0.2
#define BOOT_S 2
#define TARGET 0.9
#define SETTLED_S 10
/* Longer than a panic, in which nothing is stopped. */
#define STEP_S 120
/* Nobody waits for much more than the boot of what is started for him. */
#define MAX_WAIT_S (BOOT_S + 1)

static const double rates[]
    = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 50, 20, 10, 5, 2, 1, .5, .2, .1 };
#define N_STEPS G_N_ELEMENTS (rates)

typedef struct
{
  int settled; /* instances, ten seconds after the step */
  int least;   /* from then on */
  int most;
  int reversals; /* a stop after a start, or a start after a stop */
  double wait_s; /* the longest of its requests */
} Step;

static double
pause_s (GRand *random, double rate)
{
  return random != NULL ? -log (1 - g_rand_double (random)) / rate : 1 / rate;
}

static VendTrace *
make_trace (GRand *random)
{
  VendTrace *trace = vend_trace_new ();
  const guint model = vend_trace_add_model (trace, "lab/steady", BOOT_S * S);
  for (guint i = 0; i < N_STEPS; i++)
    {
      const double begin_s = (double) i * STEP_S;
      double at_s = begin_s + (random != NULL ? pause_s (random, rates[i]) : 0);
      for (; at_s < begin_s + STEP_S; at_s += pause_s (random, rates[i]))
        vend_trace_add (trace, model, (int64_t) (at_s * S), (int64_t) (RUN_S * S));
    }
  return trace;
}

static void
see_counts (const GArray *counts, Step *steps)
{
  for (guint i = 0; i < N_STEPS; i++)
    {
      const int64_t begin_us = (int64_t) i * STEP_S * S;
      Step *step = &steps[i];
      int now = 0, direction = 0;
      for (guint k = 0; k < counts->len; k++)
        {
          const VendSimCount *count = &g_array_index (counts, VendSimCount, k);
          const int before = now;
          const int64_t in_us = count->at_us - begin_us;
          if (in_us >= STEP_S * S)
            break;
          now = (int) count->units;
          if (in_us < SETTLED_S * S)
            step->settled = step->least = step->most = now;
          step->least = MIN (step->least, now);
          step->most = MAX (step->most, now);
          if (in_us < 0 || now == before)
            continue;
          step->reversals += direction != 0 && direction != (now > before ? 1 : -1);
          direction = now > before ? 1 : -1;
        }
    }
}

static void
simulate (GRand *random, Step *steps)
{
  g_autoptr (VendTrace) trace = make_trace (random);
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (VendSimCount));
  g_autoptr (GArray) waits = g_array_new (FALSE, FALSE, sizeof (double));
  const VendSimulation options = { .policy = VEND_POLICY_VEND,
                                   .hardware_units = 64,
                                   .target = TARGET,
                                   .idle_timeout_us = 300 * S,
                                   .scale_down_delay_us = 3 * S,
                                   .starvation_us = 600 * S,
                                   .counts = counts,
                                   .waits = waits };
  VendSimulated result;
  vend_simulate (trace, &options, &result);
  see_counts (counts, steps);
  for (guint i = 0; i < waits->len; i++)
    {
      const VendTraceRequest *request = &g_array_index (trace->requests, VendTraceRequest, i);
      double *wait_s = &steps[request->at_us / (STEP_S * S)].wait_s;
      *wait_s = MAX (*wait_s, g_array_index (waits, double, i));
    }
}

static int
ideal_of (double rate)
{
  return MAX (1, (int) ceil (rate * RUN_S / TARGET - 1e-9));
}

static void
test_even_arrivals (void)
{
  Step steps[N_STEPS] = { 0 };
  simulate (NULL, steps);
  for (guint i = 0; i < N_STEPS; i++)
    {
      const int ideal = ideal_of (rates[i]);
      g_test_message ("%g a second: ideal %d, settled %d, then %d to %d, longest wait %.2f s",
                      rates[i], ideal, steps[i].settled, steps[i].least, steps[i].most,
                      steps[i].wait_s);
      g_assert_cmpint (ABS (steps[i].settled - ideal), <=, 1);
      g_assert_cmpint (steps[i].least, >=, ideal - 1);
      g_assert_cmpint (steps[i].most, <=, ideal + 1);
      g_assert_cmpint (steps[i].reversals, ==, 0);
      g_assert_cmpfloat (steps[i].wait_s, <=, MAX_WAIT_S);
    }
}

/* Arrivals at random: the number follows their chances to be close together, and still does not
 * swing. */
static void
test_random_arrivals (void)
{
  for (guint32 seed = 1; seed <= 5; seed++)
    {
      Step steps[N_STEPS] = { 0 };
      g_autoptr (GRand) random = g_rand_new_with_seed (seed);
      simulate (random, steps);
      for (guint i = 0; i < N_STEPS; i++)
        {
          const int ideal = ideal_of (rates[i]);
          g_test_message ("seed %u, %g a second: ideal %d, settled %d, then %d to %d, longest wait "
                          "%.2f s",
                          seed, rates[i], ideal, steps[i].settled, steps[i].least, steps[i].most,
                          steps[i].wait_s);
          g_assert_cmpint (steps[i].least, >=, ideal - 2);
          g_assert_cmpint (steps[i].most, <=, ideal + ideal / 2 + 2);
          g_assert_cmpint (steps[i].reversals, <=, 1);
          g_assert_cmpfloat (steps[i].wait_s, <=, MAX_WAIT_S);
        }
    }
}

/* A thousand runs of 0.1 s at once, of a model whose instances have gone: each has a boot's time of
 * 10 s of work. */
static void
test_a_burst_on_a_cold_model (void)
{
  g_autoptr (VendTrace) trace = vend_trace_new ();
  const guint model = vend_trace_add_model (trace, "lab/burst", 10 * S);
  vend_trace_add (trace, model, 0, S / 10);
  for (guint i = 0; i < 1000; i++)
    vend_trace_add (trace, model, 60 * S, S / 10);
  const VendSimulation options = { .policy = VEND_POLICY_VEND,
                                   .hardware_units = 1000,
                                   .idle_timeout_us = 5 * S,
                                   .scale_down_delay_us = 3 * S };
  VendSimulated result;
  vend_simulate (trace, &options, &result);
  g_assert_cmpuint (result.requests, ==, 1001);
  g_assert_cmpuint (result.cold_starts, ==, 1 + 10);
  g_assert_cmpfloat_with_epsilon (result.wait_max_s, 10 + 9.9, 1e-3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/steady/even-arrivals", test_even_arrivals);
  g_test_add_func ("/steady/random-arrivals", test_random_arrivals);
  g_test_add_func ("/steady/a-burst-on-a-cold-model", test_a_burst_on_a_cold_model);
  return g_test_run ();
}
