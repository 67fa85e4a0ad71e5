/* The load of the last seconds, and what counts as a panic. */
#include "policy/load-history.h"

#define S G_GINT64_CONSTANT (1000000)

static void
test_panic_needs_six_seconds (void)
{
  VendLoadHistory history = { 0 };
  for (int64_t second = 100; second <= 105; second++)
    {
      vend_load_note (&history, second * S, 8, 4);
      g_assert_cmpint (history.panic_until_us, ==, 0);
    }
  vend_load_note (&history, 106 * S, 0, 4);
  g_assert_cmpint (history.panic_until_us, ==, 106 * S + VEND_PANIC_US);
  /* Over when the last six seconds are: their load was low. */
  for (int64_t second = 107; second <= 120; second++)
    vend_load_note (&history, second * S, 0, 4);
  g_assert_cmpint (history.panic_until_us, <, 120 * S + VEND_PANIC_US);
}

static void
test_less_than_twice_is_no_panic (void)
{
  VendLoadHistory history = { 0 };
  for (int64_t second = 100; second <= 200; second++)
    vend_load_note (&history, second * S, 7, 4);
  g_assert_cmpint (history.panic_until_us, ==, 0);
}

static void
test_bursts_are_averaged (void)
{
  VendLoadHistory history = { 0 };
  /* Twenty for a second in every six, with nothing between. */
  for (int64_t second = 100; second <= 200; second++)
    vend_load_note (&history, second * S, second % 6 == 0 ? 20 : 0, 1);
  g_assert_cmpint (history.panic_until_us, >, 0);
}

static void
test_silence_and_clocks (void)
{
  VendLoadHistory history = { 0 };
  vend_load_note (&history, 100 * S, 0, 4);
  vend_load_note (&history, 100000 * S, 100, 4);
  g_assert_cmpint (history.panic_until_us, ==, 0);
  vend_load_note (&history, 100000 * S + S / 2, 100, 4);
  g_assert_cmpint (history.panic_until_us, >, 0);
  /* A clock that was set back. */
  vend_load_note (&history, 50 * S, 100, 4);
  vend_load_note (&history, 51 * S, 100, 4);
  g_assert_cmpint (history.panic_until_us, ==, 0);
}

static void
test_measures (void)
{
  double average = 0;
  vend_measure_boot (&average, 10 * S);
  g_assert_cmpfloat (average, ==, 10.0 * S);
  vend_measure_boot (&average, 20 * S);
  g_assert_cmpfloat (average, ==, 13.0 * S);
  vend_measure_boot (&average, 0);
  g_assert_cmpfloat (average, ==, 13.0 * S);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load-history/panic-needs-six-seconds", test_panic_needs_six_seconds);
  g_test_add_func ("/load-history/less-than-twice-is-no-panic", test_less_than_twice_is_no_panic);
  g_test_add_func ("/load-history/bursts-are-averaged", test_bursts_are_averaged);
  g_test_add_func ("/load-history/silence-and-clocks", test_silence_and_clocks);
  g_test_add_func ("/load-history/measures", test_measures);
  return g_test_run ();
}
