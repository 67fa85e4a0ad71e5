/* Histories as a server tells them, good and bad, become traces; what advice says of them. */
#include "cli/commands/advise-text.h"
#include "cli/commands/history.h"
#include "base/clock.h"
#include <string.h>

#define HEAD \
  "{\"from\": \"2026-01-01T00:00:00Z\", \"to\": \"2026-01-02T00:00:00Z\", \"complete\": false, "
#define ITEMS \
  "\"targets\": [{\"name\": \"lab/a\", \"kind\": \"model\", \"hardware\": \"cpu\", \"room\": " \
  "4, " \
  "\"price\": " \
  "\"0.5\", \"billed\": \"run\", \"scaling\": {\"min_instances\": 0, \"max_instances\": 3, " \
  "\"concurrency\": 2, \"target\": 50, \"on_demand\": false, \"idle_timeout\": 60.0, " \
  "\"scale_down_delay\": 5.0}, \"load_seconds\": null, \"requests\": 1, \"wait_seconds\": 1.5}, " \
  "{\"name\": \"lab/b\", \"kind\": \"deployment\", \"hardware\": null, \"price\": null, " \
  "\"load_seconds\": 20.0}], "
#define COLUMNS \
  "\"requests\": {\"at_us\": [5000000, 1000000, 7000000], \"run_us\": [1, 2, 3], \"wait_us\": " \
  "[0, " \
  "0, 0], \"target\": [1, 0, 1]}}"

static void
test_good (void)
{
  json_auto_t *reply = json_loads (HEAD ITEMS COLUMNS, 0, NULL);
  g_autoptr (VendHistory) history = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_history_read (reply, &history, &error));
  g_assert_no_error (error);
  g_assert_false (history->is_complete);
  const VendHistoryItem *first = g_ptr_array_index (history->items, 0);
  const VendHistoryItem *second = g_ptr_array_index (history->items, 1);
  g_assert_cmpstr (first->name, ==, "lab/b");
  g_assert_true (first->is_deployment && !first->is_known && first->is_load_known);
  g_assert_cmpfloat (first->price, <, 0);
  g_assert_cmpuint (first->trace->requests->len, ==, 2);
  g_assert_true (second->is_known && second->bills_runs && !second->is_load_known);
  g_assert_cmpfloat (second->price, ==, 0.5);
  g_assert_cmpfloat (second->target, ==, 0.5);
  g_assert_cmpuint (second->slots, ==, 2);
  g_assert_true (second->room == 4 && first->room == 0);
  g_assert_cmpint (second->idle_timeout_us, ==, 60 * VEND_US_PER_S);
  /* All times are a load later, the longest one. */
  g_assert_cmpint (history->until_us, ==, (86400 + 20) * VEND_US_PER_S);
  g_assert_cmpuint (history->trace->requests->len, ==, 3);
  const VendTraceRequest *request = &g_array_index (history->trace->requests, VendTraceRequest, 0);
  g_assert_cmpint (request->at_us, ==, 21 * VEND_US_PER_S);
  g_assert_cmpstr (g_array_index (history->trace->models, VendTraceModel, request->model).name, ==,
                   "lab/a");
}

static void
test_bad (void)
{
  static const char *const texts[] = {
    "{}",
    "[]",
    "{\"from\": \"x\", \"to\": \"y\"}",
    HEAD ITEMS "\"requests\": {\"at_us\": [1], \"run_us\": [1, 2], \"target\": [0]}}",
    HEAD ITEMS "\"requests\": {\"at_us\": [1], \"run_us\": [1], \"target\": [2]}}",
    HEAD ITEMS "\"requests\": {\"at_us\": [1], \"run_us\": [1], \"target\": [-1]}}",
    HEAD "\"requests\": {\"at_us\": [1], \"run_us\": [1], \"target\": [0]}}",
  };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      json_auto_t *reply = json_loads (texts[i], 0, NULL);
      g_autoptr (VendHistory) history = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_nonnull (reply);
      g_assert_false (vend_history_read (reply, &history, &error));
      g_assert_nonnull (error);
      g_assert_null (history);
    }
}

static void
test_numbers (void)
{
  static const struct
  {
    double value;
    const char *time;
    const char *money;
  } cases[] = {
    { 0, "0.0 s", "0.00" },         { 0.25, "0.2 s", "0.2500" }, { 9.99, "10 s", "9.99" },
    { 119, "119 s", "119.00" },     { 300, "5 min", "300.00" },  { 7200, "2 h", "7200.00" },
    { 259200, "3 d", "259200.00" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *time = vend_advise_time_text (cases[i].value);
      g_autofree char *money = vend_advise_money_text (cases[i].value);
      g_assert_cmpstr (time, ==, cases[i].time);
      g_assert_cmpstr (money, ==, cases[i].money);
    }
}

static void
test_own_hardware (void)
{
  VendAdviseOwn own = { .units = 2, .unit_month = 100, .price = 0.001, .billed_s = 250000 };
  g_assert_cmpfloat (vend_advise_break_even_s (&own), ==, 200000);
  g_auto (GStrv) cheaper = vend_advise_recommend_own (&own);
  g_assert_nonnull (strstr (cheaper[2], "own hardware is cheaper"));
  g_assert_cmpstr (cheaper[3], ==, "The difference is 50.00 a month.");
  own.billed_s = 100000;
  g_auto (GStrv) dearer = vend_advise_recommend_own (&own);
  g_assert_nonnull (strstr (dearer[2], "renting is cheaper"));
  /* Two units have 5,259,600 s a month. */
  own.price = 0.00001;
  g_auto (GStrv) never = vend_advise_recommend_own (&own);
  g_assert_nonnull (strstr (never[1], "never cheaper"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/history/good", test_good);
  g_test_add_func ("/history/bad", test_bad);
  g_test_add_func ("/advise-text/numbers", test_numbers);
  g_test_add_func ("/advise-text/own-hardware", test_own_hardware);
  return g_test_run ();
}
