/* Times as text, also those that no prediction has but a query may name. */
#include "base/clock.h"
#include "base/error.h"

static void
test_round_trip (void)
{
  static const struct
  {
    const char *text;
    const char *shown;
  } good[] = {
    { "2026-01-05T10:00:00.120345Z", "2026-01-05T10:00:00.120345Z" },
    { "2026-01-05T10:00:00+02:00", "2026-01-05T08:00:00.000000Z" },
    { "1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z" },
    { "0260-01-05T10:00:00Z", "0260-01-05T10:00:00.000000Z" },
    { "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      int64_t us = 0;
      g_autoptr (GError) error = NULL;
      g_assert_true (vend_time_parse (good[i].text, &us, &error));
      g_autofree char *shown = vend_time_format (us);
      g_assert_cmpstr (shown, ==, good[i].shown);
    }
}

static void
test_bad (void)
{
  static const char *const bad[] = { "", "now", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+12:00",
                                     "9999-12-31T23:59:59-12:00" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      int64_t us = 7;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_time_parse (bad[i], &us, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_cmpint (us, ==, 7);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/clock/round-trip", test_round_trip);
  g_test_add_func ("/clock/bad", test_bad);
  return g_test_run ();
}
