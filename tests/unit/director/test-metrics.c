/* Metrics of a run: modes, dotted names, bounds. */
#include "director/metrics.h"
#include <string.h>

static char *
merge_all (const char *const (*steps)[3], gsize n)
{
  VendMetrics metrics;
  vend_metrics_init (&metrics);
  for (gsize i = 0; i < n; i++)
    {
      json_auto_t *value = NULL;
      g_assert_true (vend_json_parse (steps[i][1], strlen (steps[i][1]), &value, NULL));
      (void) vend_metrics_merge (&metrics, steps[i][0], value, steps[i][2]);
    }
  char *text = vend_json_text (metrics.values);
  vend_metrics_clear (&metrics);
  return text;
}

static void
test_modes (void)
{
  static const struct
  {
    const char *steps[3][3];
    const char *result;
  } cases[] = {
    { { { "a", "1", "replace" }, { "a", "\"x\"", NULL } }, "{\"a\":\"x\"}" },
    { { { "a", "1", "replace" }, { "a", "null", "replace" } }, "{}" },
    { { { "a", "1", "increment" }, { "a", "2", "increment" } }, "{\"a\":3}" },
    { { { "a", "1", "increment" }, { "a", "0.5", "increment" } }, "{\"a\":1.5}" },
    { { { "a", "\"x\"", "replace" }, { "a", "2", "increment" } }, "{\"a\":\"x\"}" },
    { { { "a", "9223372036854775807", "increment" }, { "a", "1", "increment" } },
      "{\"a\":9.223372036854775807e18}" },
    { { { "a", "1", "append" }, { "a", "2", "append" } }, "{\"a\":[1,2]}" },
    { { { "a", "1", "replace" }, { "a", "2", "append" } }, "{\"a\":[1,2]}" },
    { { { "a.b.c", "1", "replace" }, { "a.b.d", "2", "increment" } },
      "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}" },
    { { { "a", "1", "replace" }, { "a.b", "2", "replace" } }, "{\"a\":{\"b\":2}}" },
    { { { "", "1", "replace" }, { "a.", "2", "replace" }, { ".b", "2", "replace" } }, "{}" },
    { { { "a..b", "1", "replace" } }, "{}" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize n = 0;
      while (n < 3 && cases[i].steps[n][0] != NULL)
        n++;
      g_autofree char *text = merge_all (cases[i].steps, n);
      if (strstr (cases[i].result, "e18") != NULL)
        g_assert_true (g_str_has_prefix (text, "{\"a\":9.22337203685477"));
      else
        g_assert_cmpstr (text, ==, cases[i].result);
    }
}

static void
test_bounds (void)
{
  VendMetrics metrics;
  vend_metrics_init (&metrics);
  json_auto_t *one = json_integer (1);
  for (guint i = 0; i < 2 * VEND_METRICS_MAX; i++)
    {
      g_autofree char *name = g_strdup_printf ("m%u", i);
      g_assert_true (vend_metrics_merge (&metrics, name, one, NULL) == (i < VEND_METRICS_MAX));
    }
  g_assert_true (vend_metrics_merge (&metrics, "m0", one, "increment"));
  g_autofree char *fill = g_strnfill (1000, 'x');
  json_auto_t *text = json_string (fill);
  for (guint i = 0; i < 10000; i++)
    (void) vend_metrics_merge (&metrics, "m1", text, "append");
  g_assert_cmpuint (vend_json_size (metrics.values), <=, 2 * VEND_METRICS_MAX_SIZE);
  /* What is replaced again and again takes no more room. */
  vend_metrics_clear (&metrics);
  vend_metrics_init (&metrics);
  for (guint i = 0; i < 10000; i++)
    g_assert_true (vend_metrics_merge (&metrics, "m", text, NULL));
  vend_metrics_clear (&metrics);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics/modes", test_modes);
  g_test_add_func ("/metrics/bounds", test_bounds);
  return g_test_run ();
}
