/* Budgets of requests: bursts, refill, two budgets at once, no limit. */
#include "auth/rate.h"
#include "base/clock.h"

#define START_US (1000 * VEND_US_PER_S)

static bool
take (VendRate *rate, VendRateKind kind, int64_t account, const char *token, int64_t at_us,
      VendRateState *state)
{
  return vend_rate_take (rate, kind, account, token, START_US + at_us, state);
}

static void
test_burst_and_refill (void)
{
  const guint limits[VEND_RATE_N_KINDS] = { [VEND_RATE_CREATE] = 6 };
  g_autoptr (VendRate) rate = vend_rate_new (limits);
  VendRateState state;
  for (guint i = 0; i < 6; i++)
    {
      g_assert_true (take (rate, VEND_RATE_CREATE, 1, "a", 0, &state));
      g_assert_cmpuint (state.remaining, ==, 5 - i);
      g_assert_cmpint (state.retry_us, ==, 0);
    }
  g_assert_cmpint (state.reset_us, ==, 60 * VEND_US_PER_S);
  g_assert_false (take (rate, VEND_RATE_CREATE, 1, "a", 0, &state));
  g_assert_cmpuint (state.remaining, ==, 0);
  g_assert_cmpint (state.retry_us, ==, 10 * VEND_US_PER_S);

  /* A refused request costs nothing, and one in ten seconds fits for ever. */
  g_assert_false (take (rate, VEND_RATE_CREATE, 1, "a", 9 * VEND_US_PER_S, &state));
  for (int64_t s = 10; s < 1000; s += 10)
    {
      g_assert_true (take (rate, VEND_RATE_CREATE, 1, "a", s * VEND_US_PER_S, &state));
      g_assert_false (take (rate, VEND_RATE_CREATE, 1, "a", s * VEND_US_PER_S, &state));
    }
  g_assert_true (take (rate, VEND_RATE_CREATE, 1, "a", 2000 * VEND_US_PER_S, &state));
  g_assert_cmpuint (state.remaining, ==, 5);
}

static void
test_token_and_account (void)
{
  const guint limits[VEND_RATE_N_KINDS] = { [VEND_RATE_OTHER] = 4 };
  g_autoptr (VendRate) rate = vend_rate_new (limits);
  VendRateState state;
  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (take (rate, VEND_RATE_OTHER, 1, "a", 0, &state));
      g_assert_true (take (rate, VEND_RATE_OTHER, 1, "b", 0, &state));
    }
  /* The tokens have two left each, their account none; another account is not concerned. */
  g_assert_false (take (rate, VEND_RATE_OTHER, 1, "a", 0, &state));
  g_assert_false (take (rate, VEND_RATE_OTHER, 1, "c", 0, &state));
  g_assert_true (take (rate, VEND_RATE_OTHER, 2, "d", 0, &state));
  g_assert_cmpuint (state.remaining, ==, 3);
}

static void
test_kinds_are_apart (void)
{
  const guint limits[VEND_RATE_N_KINDS] = { 1, 1, 0 };
  g_autoptr (VendRate) rate = vend_rate_new (limits);
  VendRateState state;
  g_assert_true (take (rate, VEND_RATE_CREATE, 1, "a", 0, &state));
  g_assert_false (take (rate, VEND_RATE_CREATE, 1, "a", 0, &state));
  g_assert_true (take (rate, VEND_RATE_OTHER, 1, "a", 0, &state));
  for (guint i = 0; i < 1000; i++)
    g_assert_true (take (rate, VEND_RATE_POLL, 1, "a", 0, &state));
  g_assert_cmpuint (state.remaining, ==, G_MAXUINT);
}

static void
test_requests_that_stand_for_several (void)
{
  const guint limits[VEND_RATE_N_KINDS] = { [VEND_RATE_CREATE] = 6 };
  g_autoptr (VendRate) rate = vend_rate_new (limits);
  VendRateState state;
  g_assert_true (take (rate, VEND_RATE_CREATE, 1, "a", 0, &state));
  vend_rate_charge (rate, VEND_RATE_CREATE, 1, "a", START_US, 7);
  /* Eight of six: the next fits when two have come back, and one for itself. */
  g_assert_false (take (rate, VEND_RATE_CREATE, 1, "b", 0, &state));
  g_assert_cmpuint (state.remaining, ==, 0);
  g_assert_cmpint (state.retry_us, ==, 30 * VEND_US_PER_S);
  g_assert_false (take (rate, VEND_RATE_CREATE, 1, "a", 29 * VEND_US_PER_S, &state));
  g_assert_true (take (rate, VEND_RATE_CREATE, 1, "a", 30 * VEND_US_PER_S, &state));
  vend_rate_charge (rate, VEND_RATE_OTHER, 1, "a", START_US, 7);
  g_assert_true (take (rate, VEND_RATE_OTHER, 1, "a", 0, &state));
}

static void
test_many_spenders (void)
{
  const guint limits[VEND_RATE_N_KINDS] = { [VEND_RATE_OTHER] = 1 };
  g_autoptr (VendRate) rate = vend_rate_new (limits);
  VendRateState state;
  g_assert_true (take (rate, VEND_RATE_OTHER, 0, "spent", 0, &state));
  for (gint i = 1; i < 60000; i++)
    {
      g_autofree char *token = g_strdup_printf ("t%d", i);
      g_assert_true (take (rate, VEND_RATE_OTHER, i, token, 61 * VEND_US_PER_S, &state));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rate/burst-and-refill", test_burst_and_refill);
  g_test_add_func ("/rate/token-and-account", test_token_and_account);
  g_test_add_func ("/rate/kinds-are-apart", test_kinds_are_apart);
  g_test_add_func ("/rate/requests-that-stand-for-several", test_requests_that_stand_for_several);
  g_test_add_func ("/rate/many-spenders", test_many_spenders);
  return g_test_run ();
}
