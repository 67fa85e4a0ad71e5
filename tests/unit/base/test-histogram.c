/* Histograms: which bucket, and nothing is lost between threads. */
#include "base/histogram.h"

static const int64_t bounds[] = { 10, 20, 30 };

static void
test_buckets (void)
{
  static const struct
  {
    int64_t value;
    guint first; /* cumulative bucket that has it */
  } cases[] = { { -5, 0 }, { 0, 0 },  { 10, 0 }, { 11, 1 },
                { 20, 1 }, { 30, 2 }, { 31, 3 }, { G_MAXINT64 / 4, 3 } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VendHistogram histogram;
      VendHistogramView view;
      vend_histogram_init (&histogram, bounds, G_N_ELEMENTS (bounds));
      vend_histogram_add (&histogram, cases[i].value);
      vend_histogram_view (&histogram, &view);
      for (guint b = 0; b <= view.n_bounds; b++)
        g_assert_cmpuint (view.counts[b], ==, b >= cases[i].first);
      g_assert_cmpuint (view.sum, ==, MAX (cases[i].value, 0));
    }
}

static void *
add_many (void *data)
{
  for (guint i = 0; i < 10000; i++)
    vend_histogram_add (data, i % 40);
  return NULL;
}

static void
test_threads (void)
{
  VendHistogram histogram;
  VendHistogramView view;
  GThread *threads[4];
  vend_histogram_init (&histogram, bounds, G_N_ELEMENTS (bounds));
  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("add", add_many, &histogram);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  vend_histogram_view (&histogram, &view);
  g_assert_cmpuint (view.counts[3], ==, 40000);
  g_assert_cmpuint (view.counts[0], ==, 11000);
  g_assert_cmpuint (view.sum, ==, 4 * 250 * (39 * 40 / 2));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/histogram/buckets", test_buckets);
  g_test_add_func ("/histogram/threads", test_threads);
  return g_test_run ();
}
