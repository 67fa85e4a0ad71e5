/* Traces: what is read, what is refused, and that synthetic ones have the figures they claim. */
#include "policy/trace.h"
#include "base/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define S G_GINT64_CONSTANT (1000000)

static void
test_reads (void)
{
  g_autoptr (VendTrace) trace = NULL;
  g_autoptr (GError) error = NULL;
  static const char text[]
      = "time_s,model,run_s,load_s\r\n2.5, b ,1\n\n0,a,0.25,3\n7,b,2,\n1,a,4,5";
  g_assert_true (vend_trace_parse (text, strlen (text), &trace, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (trace->requests->len, ==, 4);
  g_assert_cmpuint (trace->models->len, ==, 2);
  const VendTraceRequest *first = &g_array_index (trace->requests, VendTraceRequest, 0);
  const VendTraceModel *models = (const VendTraceModel *) (void *) trace->models->data;
  g_assert_cmpint (first->at_us, ==, 0);
  g_assert_cmpint (first->run_us, ==, S / 4);
  g_assert_cmpstr (models[first->model].name, ==, "a");
  g_assert_cmpint (vend_trace_load_us (trace, first->model, 0), ==, 3 * S);
  g_assert_cmpint (vend_trace_load_us (trace, first->model, 1 * S), ==, 5 * S);
  g_assert_cmpint (vend_trace_load_us (trace, 0, 3 * S), ==, 10 * S);
  g_assert_cmpint (vend_trace_end_us (trace), ==, 7 * S);
}

/* Out of order, with lines that say nothing, and two that say it of the same time. */
static void
test_loads_change (void)
{
  g_autoptr (VendTrace) trace = NULL;
  g_autoptr (GError) error = NULL;
  static const int64_t expected_s[] = { 4, 4, 4, 4, 6, 6, 6, 6, 1, 1, 1, 8, 8 };
  static const char text[] = "11,a,1,8\n0,a,1\n8,a,1,9\n2,a,1,4\n4,a,1,6\n6,a,1\n"
                             "5,b,1,3\n8,a,1,1\n";
  g_assert_true (vend_trace_parse (text, strlen (text), &trace, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (expected_s); i++)
    {
      g_assert_cmpint (vend_trace_load_us (trace, 0, i * S), ==, expected_s[i] * S);
      g_assert_cmpint (vend_trace_load_us (trace, 1, i * S), ==, 3 * S);
    }
  g_assert_cmpint (vend_trace_load_us (trace, 0, 4 * S - 1), ==, 4 * S);
}

/* What spreadsheets write, and the usual numbers of seconds since 1970. */
static void
test_other_notations (void)
{
  g_autoptr (VendTrace) trace = NULL;
  g_autoptr (GError) error = NULL;
  static const char text[] = "\xef\xbb\xbf"
                             "time_s , model,run_s\r\n1.7e9,a, 1e1 \r\n1700000001.5,a,+2";
  g_assert_true (vend_trace_parse (text, strlen (text), &trace, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_array_index (trace->requests, VendTraceRequest, 0).run_us, ==, 10 * S);
  g_assert_cmpint (vend_trace_end_us (trace), ==, 1700000001 * S + S / 2);
}

static void
test_refuses (void)
{
  static const struct
  {
    const char *text;
    const char *problem;
  } bad[] = {
    { "", "no requests" },
    { "time_s,model,run_s\n", "no requests" },
    { "1,a\n", "line 1: expected time_s,model,run_s[,load_s]" },
    { "1,a,2,3,4\n", "line 1: expected" },
    { "0,a,1\nx,a,2\n", "line 2: time_s is 'x'" },
    { "1,a,-2\n", "line 1: run_s is '-2'" },
    { "1,a,nan\n", "run_s is 'nan'" },
    { "1,a,1e99\n", "run_s is '1e99'" },
    { "1,a,2,soon\n", "load_s is 'soon'" },
    { "1,a,1e308\n", "line 1: run_s is '1e308', expected seconds from 0 to 315576000" },
    { "1,a,inf\n", "run_s is 'inf'" },
    { "1,a,0x10\n", "run_s is '0x10'" },
    { "0,a,1\n1.7e12,a,1\n", "line 2: time_s is '1.7e12', expected seconds from 0 to" },
    { "time_s,run_s,model\n1,2,3\n", "line 1: column 2 is 'run_s', expected time_s,model,run_s" },
    { "time_s,model\n", "line 1: column 3 is ''" },
    { "time_s,model,run_s,load_s,wait_s\n", "line 1: column 5 is 'wait_s'" },
    { "time_s,model,run_s,load_s,wait_s,more,than\n", "line 1: column 5 is 'wait_s'" },
    { "1,,2\n", "model is not a name" },
    { "1,\xff,2\n", "model is not a name" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VendTrace) trace = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_trace_parse (bad[i].text, strlen (bad[i].text), &trace, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, bad[i].problem));
      g_assert_null (trace);
    }
}

/* What follows the byte would be left out without a word. */
static void
test_refuses_nul (void)
{
  g_autoptr (VendTrace) trace = NULL;
  g_autoptr (GError) error = NULL;
  static const char text[] = "0,a,1\n1,a\0,5\n2,a,1\n";
  g_assert_false (vend_trace_parse (text, sizeof text - 1, &trace, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "line 2: "));
}

/* Ten years each, until their sum would not fit the microseconds of an int64_t. */
static void
test_refuses_eternity (void)
{
  static const char *const lines[] = { "0,a,315576000\n", "0,a,1,315576000\n" };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autoptr (VendTrace) trace = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (GString) text = g_string_new (NULL);
      for (guint n = 0; n < 30000; n++)
        g_string_append (text, lines[i]);
      g_assert_false (vend_trace_parse (text->str, text->len, &trace, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "line 9507: run_s and load_s add up to more"));
    }
}

/* ---- Synthetic */

typedef struct
{
  guint n;
  double sum;
  double squares;
  int64_t last_us;
} Pauses;

static int
by_size (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

/* A long trace, so that chance has little part in it. */
static VendTrace *
long_trace (guint32 seed)
{
  const VendSynthetic options = { .models = 50, .hours = 1000, .rate = 200, .seed = seed };
  return vend_trace_synthetic (&options);
}

static void
test_synthetic_shares (void)
{
  g_autoptr (VendTrace) trace = long_trace (1);
  double counts[50] = { 0 }, log_sum = 0, log_squares = 0, by_hour[24] = { 0 };
  const guint n = trace->requests->len;
  g_assert_cmpfloat_with_epsilon (n, 200000, 20000);
  for (guint i = 0; i < n; i++)
    {
      const VendTraceRequest *request = &g_array_index (trace->requests, VendTraceRequest, i);
      double logarithm = log ((double) request->run_us / S);
      log_sum += logarithm;
      log_squares += logarithm * logarithm;
      counts[request->model]++;
      by_hour[request->at_us / (3600 * S) % 24]++;
    }
  double mean = log_sum / n;
  g_assert_cmpfloat_with_epsilon (mean, 3.18, 0.02);
  g_assert_cmpfloat_with_epsilon (sqrt (log_squares / n - mean * mean), 0.57, 0.02);
  g_assert_cmpfloat_with_epsilon (counts[0] / n, 0.31, 0.05);
  g_assert_cmpfloat_with_epsilon ((counts[0] + counts[1] + counts[2] + counts[3] + counts[4]) / n,
                                  0.70, 0.05);
  g_assert_cmpfloat (by_hour[12], >, 2.5 * by_hour[0]);
}

static void
test_synthetic_loads (void)
{
  guint quick = 0, slow = 0;
  g_autoptr (VendTrace) trace = long_trace (2);
  for (guint i = 0; i < trace->models->len; i++)
    {
      int64_t load_us = g_array_index (trace->models, VendTraceModel, i).load_us;
      g_assert_cmpint (load_us, >=, 3 * S);
      g_assert_cmpint (load_us, <=, 45 * S);
      g_assert_true (load_us <= 12 * S || load_us >= 20 * S);
      quick += load_us <= 12 * S;
      slow += load_us >= 20 * S;
    }
  g_assert_cmpuint (quick, >, 10);
  g_assert_cmpuint (slow, >, 10);
}

static void
test_synthetic_variation (void)
{
  g_autoptr (VendTrace) trace = long_trace (3);
  Pauses pauses[50] = { 0 };
  double variations[50];
  for (guint i = 0; i < trace->requests->len; i++)
    {
      const VendTraceRequest *request = &g_array_index (trace->requests, VendTraceRequest, i);
      Pauses *of = &pauses[request->model];
      double pause = (double) (request->at_us - of->last_us);
      of->n++;
      of->sum += pause;
      of->squares += pause * pause;
      of->last_us = request->at_us;
    }
  for (guint i = 0; i < 50; i++)
    {
      double mean = pauses[i].sum / pauses[i].n;
      variations[i] = sqrt (pauses[i].squares / pauses[i].n - mean * mean) / mean;
    }
  qsort (variations, 50, sizeof (double), by_size);
  g_assert_cmpfloat_with_epsilon (variations[5], 1.5, 0.4);
  g_assert_cmpfloat_with_epsilon (variations[25], 2.3, 0.6);
  g_assert_cmpfloat_with_epsilon (variations[45], 5.4, 1.5);
}

static void
test_synthetic_is_repeatable (void)
{
  const VendSynthetic options = { .models = 9, .hours = 5, .rate = 100, .seed = 4 };
  const VendSynthetic other = { .models = 9, .hours = 5, .rate = 100, .seed = 5 };
  g_autoptr (VendTrace) a = vend_trace_synthetic (&options);
  g_autoptr (VendTrace) b = vend_trace_synthetic (&options);
  g_autoptr (VendTrace) c = vend_trace_synthetic (&other);
  gsize size = a->requests->len * sizeof (VendTraceRequest);
  g_assert_cmpmem (a->requests->data, size, b->requests->data,
                   b->requests->len * sizeof (VendTraceRequest));
  g_assert_true (a->requests->len != c->requests->len
                 || memcmp (a->requests->data, c->requests->data, size) != 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trace/reads", test_reads);
  g_test_add_func ("/trace/loads-change", test_loads_change);
  g_test_add_func ("/trace/other-notations", test_other_notations);
  g_test_add_func ("/trace/refuses", test_refuses);
  g_test_add_func ("/trace/refuses-nul", test_refuses_nul);
  g_test_add_func ("/trace/refuses-eternity", test_refuses_eternity);
  g_test_add_func ("/trace/synthetic/shares", test_synthetic_shares);
  g_test_add_func ("/trace/synthetic/loads", test_synthetic_loads);
  g_test_add_func ("/trace/synthetic/variation", test_synthetic_variation);
  g_test_add_func ("/trace/synthetic/is-repeatable", test_synthetic_is_repeatable);
  return g_test_run ();
}
