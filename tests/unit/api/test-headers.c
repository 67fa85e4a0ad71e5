/* Prefer and Cancel-After, as clients really send them. */
#include "api/headers.h"
#include "base/error.h"

static void
test_prefer (void)
{
  static const struct
  {
    const char *header;
    int64_t hold_ms;
    const char *applied;
  } rows[] = {
    { NULL, 0, NULL },
    { "", 0, NULL },
    { "wait", 59500, "wait" },
    { "WAIT", 59500, "WAIT" },
    { "wait=10", 9500, "wait=10" },
    { "wait=5000", 59500, "wait=5000" },
    { "wait=2.5", 2000, "wait=2.5" },
    { "wait=0", 500, "wait=0" },
    { "respond-async, wait = 7", 6500, "wait = 7" },
    { "respond-async", 0, NULL },
    { "wait=abc", 0, NULL },
    { "wait=-3", 0, NULL },
    { "wait=nan", 0, NULL },
    { "waiting", 0, NULL },
    { ",,,wait=3", 2500, "wait=3" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *applied = NULL;
      g_assert_cmpint (vend_prefer_wait_us (rows[i].header, &applied), ==, rows[i].hold_ms * 1000);
      g_assert_cmpstr (applied, ==, rows[i].applied);
    }
}

static void
test_cancel_after (void)
{
  int64_t us = -1;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_cancel_after_us (NULL, &us, &error));
  g_assert_cmpint (us, ==, 0);
  g_assert_true (vend_cancel_after_us ("1h5m10s", &us, &error));
  g_assert_cmpint (us, ==, 3910000000);
  static const char *const bad[] = { "4", "4.9s", "soon", "", "-10" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_false (vend_cancel_after_us (bad[i], &us, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_clear_error (&error);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/headers/prefer", test_prefer);
  g_test_add_func ("/headers/cancel-after", test_cancel_after);
  return g_test_run ();
}
