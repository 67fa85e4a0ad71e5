/* What clients are told of a run in progress. */
#include "mcp/progress.h"

static const struct
{
  const char *logs;
  double percent;
} logs[] = {
  { "", -1 },
  { "nothing", -1 },
  { "%", -1 },
  { "a %", -1 },
  { "42%|####    | 21/50", 42 },
  { "  0%|    |\r 10%|#   |\r 55.5%|##  |", 55.5 },
  { "50% done\nnow at 20%\nno number", 20 },
  { "done: 100%\n", 100 },
  { "load at 350%", -1 },
  { "1.2.3%", -1 },
};

static void
test_percent (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (logs); i++)
    {
      g_test_message ("%s", logs[i].logs);
      g_assert_cmpfloat (vend_mcp_percent (logs[i].logs), ==, logs[i].percent);
    }
  g_autofree char *far = g_strdup_printf ("10%%%0*d", 10000, 0);
  g_assert_cmpfloat (vend_mcp_percent (far), ==, -1);
}

static void
check_text (const VendPrediction *prediction, const char *expected)
{
  g_autofree char *text = vend_mcp_progress_text (prediction);
  g_assert_cmpstr (text, ==, expected);
}

static void
set_logs (VendPrediction *prediction, const char *text)
{
  g_free (prediction->logs);
  prediction->logs = g_strdup (text);
}

static void
test_text (void)
{
  g_autoptr (VendPrediction) prediction = vend_prediction_new ();
  prediction->status = VEND_STATUS_STARTING;
  check_text (prediction, "waiting for an instance of the model");
  prediction->queue_position = 3;
  prediction->queue_eta_us = VEND_ETA_UNKNOWN;
  check_text (prediction, "queued at position 3");
  prediction->queue_eta_us = 12400000;
  check_text (prediction, "queued at position 3, starts in about 12 s");
  prediction->status = VEND_STATUS_PROCESSING;
  check_text (prediction, "running");
  set_logs (prediction, "first\n 1%|a\r 2%|\x1b[0m\n\n");
  check_text (prediction, "running:  2%| [0m");
  set_logs (prediction, "bad \xff");
  check_text (prediction, "running: bad \xef\xbf\xbd");
}

static void
test_next (void)
{
  g_assert_cmpfloat (vend_mcp_progress_next (0, 42), ==, 42);
  g_assert_cmpfloat (vend_mcp_progress_next (42, 10), >, 42);
  g_assert_cmpfloat (vend_mcp_progress_next (42, 42), >, 42);
  g_assert_cmpfloat (vend_mcp_progress_next (0, -1), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mcp/progress/percent", test_percent);
  g_test_add_func ("/mcp/progress/text", test_text);
  g_test_add_func ("/mcp/progress/next", test_next);
  return g_test_run ();
}
