/* The text of metrics: escapes, numbers, and the bound of series. */
#include "meter/exposition.h"
#include "meter/meter.h"
#include <string.h>

static void
test_labels (void)
{
  g_autofree char *text = vend_exposition_labels ("model", "a\"b\\c\nd", "deployment", "", NULL);
  g_assert_cmpstr (text, ==, "model=\"a\\\"b\\\\c\\nd\",deployment=\"\"");
}

static void
test_numbers (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  vend_exposition_number (text, "x", "", 0.0025);
  vend_exposition_number (text, "x", "a=\"b\"", 1764000000.25);
  vend_exposition_count (text, "x", "", G_MAXUINT64);
  g_assert_cmpstr (text->str, ==, "x 0.0025\nx{a=\"b\"} 1764000000.25\nx 18446744073709551615\n");
}

static void
test_histogram (void)
{
  static const int64_t bounds[] = { 500, 2500000 };
  g_autoptr (GString) text = g_string_new (NULL);
  VendHistogram histogram;
  vend_histogram_init (&histogram, bounds, G_N_ELEMENTS (bounds));
  vend_histogram_add (&histogram, 500);
  vend_histogram_add (&histogram, 3000000);
  vend_exposition_histogram (text, "h", "m=\"x\"", &histogram, 1e6);
  g_assert_cmpstr (text->str, ==,
                   "h_bucket{m=\"x\",le=\"0.0005\"} 1\nh_bucket{m=\"x\",le=\"2.5\"} 1\n"
                   "h_bucket{m=\"x\",le=\"+Inf\"} 2\nh_sum{m=\"x\"} 3.0005\nh_count{m=\"x\"} 2\n");
}

static void
test_bound (void)
{
  g_autoptr (VendMeter) meter = vend_meter_new (2);
  g_autoptr (GString) text = g_string_new (NULL);
  VendMeterSeries *a = vend_meter_series (meter, "lab/a", NULL);
  VendMeterSeries *deployed = vend_meter_series (meter, "lab/a", "lab/a");
  VendMeterSeries *other = vend_meter_series (meter, "lab/b", NULL);
  g_assert_true (a != deployed && other != a && other != deployed);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *name = g_strdup_printf ("lab/m%u", i);
      g_assert_true (vend_meter_series (meter, name, NULL) == other);
    }
  g_assert_true (vend_meter_series (meter, "lab/a", NULL) == a);
  vend_meter_begin_gauges (meter);
  other->next.queued += 2;
  other->next.queued += 3;
  vend_meter_end_gauges (meter);
  vend_meter_write (meter, text);
  g_assert_nonnull (
      strstr (text->str, "vend_queued_predictions{model=\"other\",deployment=\"\"} 5\n"));
  g_assert_null (strstr (text->str, "lab/b"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/meter/labels", test_labels);
  g_test_add_func ("/meter/numbers", test_numbers);
  g_test_add_func ("/meter/histogram", test_histogram);
  g_test_add_func ("/meter/bound", test_bound);
  return g_test_run ();
}
