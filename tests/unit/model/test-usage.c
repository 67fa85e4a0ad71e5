/* Prices and amounts: exact, whatever their size. */
#include "base/error.h"
#include "model/hardware.h"
#include "model/usage.h"
#include <string.h>

static json_t *
hardware (void)
{
  json_t *list = NULL;
  g_assert_true (vend_hardware_parse ("cpu=CPU,x=X", &list, NULL));
  return list;
}

static void
test_amounts (void)
{
  static const struct
  {
    const char *prices;
    int64_t run_us;
    const char *amount;
  } cases[] = {
    { "cpu=0.0001", 1000000, "0.0001" },
    { "cpu=0.0001", 1, "0.0000000001" },
    { "cpu=0.000000001", 1, "0.000000000000001" },
    { "cpu=1", 2500000, "2.5" },
    { "cpu=0", 2500000, "0" },
    { " cpu = 0.5 , x=1", 0, "0" },
    { "cpu=999999.999999999", G_MAXINT64, "9223372036854766583.627963145224193" },
  };
  json_auto_t *list = hardware ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VendPrices) prices = NULL;
      VendAmount amount = 0;
      g_assert_true (vend_prices_parse (cases[i].prices, list, &prices, &error));
      g_assert_true (vend_prices_amount (prices, "cpu", cases[i].run_us, &amount));
      g_autofree char *text = vend_amount_text (amount);
      g_assert_cmpstr (text, ==, cases[i].amount);
    }
}

static void
test_bad_prices (void)
{
  static const char *const bad[] = { "cpu",         "cpu=",   "cpu=x",
                                     "cpu=1 2",     "cpu=-1", "cpu=1e3",
                                     "cpu=.5",      "cpu=5.", "cpu=1.0000000000",
                                     "cpu=1000000", "gpu=1",  "cpu=1,cpu=1",
                                     "cpu=1,",      "=1" };
  json_auto_t *list = hardware ();
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VendPrices) prices = NULL;
      g_assert_false (vend_prices_parse (bad[i], list, &prices, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (error->message, "hardware-price: "));
    }
}

static void
test_without_prices (void)
{
  json_auto_t *list = hardware ();
  g_autoptr (VendPrices) prices = NULL;
  VendAmount amount = 7;
  g_assert_true (vend_prices_parse ("", list, &prices, NULL));
  g_assert_false (vend_prices_amount (prices, "cpu", 5, &amount));
  g_assert_true (amount == 7);
}

static void
test_seconds (void)
{
  static const struct
  {
    int64_t run_us;
    const char *text;
  } cases[] = { { 0, "0" },       { 1, "0.000001" },  { 100000, "0.1" },
                { 1000000, "1" }, { 2500000, "2.5" }, { 61000001, "61.000001" } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = vend_usage_seconds_text (cases[i].run_us);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/usage/amounts", test_amounts);
  g_test_add_func ("/usage/bad-prices", test_bad_prices);
  g_test_add_func ("/usage/without-prices", test_without_prices);
  g_test_add_func ("/usage/seconds", test_seconds);
  return g_test_run ();
}
