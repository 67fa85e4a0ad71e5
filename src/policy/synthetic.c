/* Requests like those of real image generation services. Pure: the same options give the same
 * trace.
 *
 * The figures are from published measurements. Run times are log-normal. One model has 31 % of the
 * requests and five have 70 %; the others fall off by the power −1.7 of their rank. Times between
 * two requests of a model vary more than by chance (coefficients of variation 1.5, 2.3 and 5.4 at
 * the 10th, 50th and 90th percentile of the models). Days are busy and nights are quiet. A model
 * loads in 3 s to 45 s, either quickly or slowly. */
#include "policy/trace.h"
#include "base/clock.h"
#include <math.h>

#define RUN_MU 3.18 /* of the logarithm of seconds */
#define RUN_SIGMA 0.57
#define TOP_SHARE 0.31
#define TOP_MODELS 5
#define TOP_MODELS_SHARE 0.70
/* The power by which ranks 2 to 5 fall off, so that the first five have their share. */
#define TOP_SLOPE 1.02
#define ZIPF_SLOPE 1.7
#define DAY_S 86400.0
/* The busiest hour has four times the requests of the quietest. */
#define DAY_SWING 0.6
#define SLOW_LOADS 0.5

static double
uniform (GRand *rand)
{
  /* Never 0: the caller takes logarithms. */
  return 1 - g_rand_double (rand);
}

static double
normal (GRand *rand)
{
  double r = sqrt (-2 * log (uniform (rand)));
  return r * cos (2 * G_PI * g_rand_double (rand));
}

static double
load_seconds (GRand *rand)
{
  bool is_slow = g_rand_double (rand) < SLOW_LOADS;
  double seconds = is_slow ? 32 + 6 * normal (rand) : 6 + 2 * normal (rand);
  return is_slow ? CLAMP (seconds, 20, 45) : CLAMP (seconds, 3, 12);
}

/* The share of requests of each rank; adds up to 1. */
static double *
make_shares (guint n)
{
  double *shares = g_new0 (double, MAX (n, 1));
  double tail = 0, sum = 0;
  for (guint i = TOP_MODELS; i < n; i++)
    tail += pow (i + 1, -ZIPF_SLOPE);
  for (guint i = 0; i < n; i++)
    {
      shares[i] = i < TOP_MODELS ? TOP_SHARE * pow (i + 1, -TOP_SLOPE)
                                 : (1 - TOP_MODELS_SHARE) * pow (i + 1, -ZIPF_SLOPE) / tail;
      sum += shares[i];
    }
  for (guint i = 0; i < n; i++)
    shares[i] /= sum;
  return shares;
}

/* The coefficient of variation at a quantile of the models. */
static double
variation_at (double quantile)
{
  static const double at[] = { 0, 0.1, 0.5, 0.9, 1 };
  static const double values[] = { 1.35, 1.5, 2.3, 5.4, 6.7 };
  guint i = 1;
  while (i < G_N_ELEMENTS (at) - 1 && quantile > at[i])
    i++;
  double part = (quantile - at[i - 1]) / (at[i] - at[i - 1]);
  return values[i - 1] * pow (values[i] / values[i - 1], part);
}

/* A pause of mean 1: hyperexponential, with the wanted variation. */
static double
pause_of (GRand *rand, double variation)
{
  double squared = variation * variation;
  double p = (1 + sqrt ((squared - 1) / (squared + 1))) / 2;
  double rate = g_rand_double (rand) < p ? 2 * p : 2 * (1 - p);
  return -log (uniform (rand)) / rate;
}

/* Requests up to second t of a day that begins at its quietest, at a mean of one a second. */
static double
passed_by (double t)
{
  double turn = 2 * G_PI / DAY_S;
  return t - DAY_SWING * sin (turn * t) / turn;
}

/* The inverse, by bisection, to a microsecond. */
static double
time_of (double passed)
{
  double low = MAX (passed - DAY_S, 0), high = passed + DAY_S;
  for (guint i = 0; i < 60; i++)
    {
      double middle = (low + high) / 2;
      if (passed_by (middle) < passed)
        low = middle;
      else
        high = middle;
    }
  return high;
}

static void
add_requests (VendTrace *trace, guint model, double rate_s, double variation, double seconds,
              GRand *rand)
{
  /* A part of the first pause passed before the trace began. */
  double passed = pause_of (rand, variation) * g_rand_double (rand) / rate_s;
  for (; passed < passed_by (seconds) && trace->requests->len < VEND_TRACE_MAX_REQUESTS;
       passed += pause_of (rand, variation) / rate_s)
    {
      double run_s = exp (RUN_MU + RUN_SIGMA * normal (rand));
      vend_trace_add (trace, model, (int64_t) (time_of (passed) * VEND_US_PER_S),
                      (int64_t) (run_s * VEND_US_PER_S));
    }
}

VendTrace *
vend_trace_synthetic (const VendSynthetic *options)
{
  VendTrace *trace = vend_trace_new ();
  GRand *rand = g_rand_new_with_seed (options->seed);
  g_autofree double *shares = make_shares (options->models);
  g_autofree guint *places = g_new0 (guint, options->models + 1);
  for (guint i = 0; i < options->models; i++)
    {
      guint j = (guint) g_rand_int_range (rand, 0, (gint32) i + 1);
      places[i] = places[j];
      places[j] = i;
    }
  for (guint i = 0; i < options->models; i++)
    {
      g_autofree char *name = g_strdup_printf ("model-%u", i + 1);
      int64_t load_us = (int64_t) (load_seconds (rand) * VEND_US_PER_S);
      guint model = vend_trace_add_model (trace, name, load_us);
      double variation = variation_at ((places[i] + 0.5) / options->models);
      add_requests (trace, model, options->rate * shares[i] / 3600, variation,
                    options->hours * 3600, rand);
    }
  g_rand_free (rand);
  vend_trace_sort (trace);
  return trace;
}
