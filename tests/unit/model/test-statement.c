/* Statements and budgets: lines that belong together, exact amounts, a CSV that nothing breaks. */
#include "base/error.h"
#include "model/budget.h"
#include "model/hardware.h"
#include "model/statement.h"
#include <string.h>

static VendPrices *
prices (void)
{
  json_auto_t *list = NULL;
  VendPrices *made = NULL;
  g_assert_true (vend_hardware_parse ("cpu=CPU,free=F", &list, NULL));
  g_assert_true (vend_prices_parse ("cpu=0.5", list, &made, NULL));
  return made;
}

static void
add (VendStatement *statement, const char *model, const char *deployment, const char *hardware,
     int64_t price, int64_t billed_us)
{
  VendStatementLine *line = g_new0 (VendStatementLine, 1);
  line->model_id = model != NULL ? 1 : 2;
  line->model = g_strdup (model);
  line->deployment = g_strdup (deployment);
  line->hardware = g_strdup (hardware);
  line->price = price;
  line->predictions = 1;
  line->run_us = billed_us;
  line->billed_us = billed_us;
  vend_statement_add (statement, line);
}

static void
test_lines (void)
{
  g_autoptr (VendPrices) now = prices ();
  g_autoptr (VendStatement) statement = vend_statement_new (now);
  VendAmount amount = 0;
  /* What has no price has that of now, and is of the same line then. */
  add (statement, "a/b", NULL, "cpu", VEND_NO_PRICE, 1000000);
  add (statement, "a/b", NULL, "cpu", 500000000, 2000000);
  add (statement, "a/b", NULL, "cpu", 100000000, 1000000);
  add (statement, "a/b", "a/d", "cpu", VEND_NO_PRICE, 0);
  g_assert_true (vend_statement_amount (statement, &amount));
  json_auto_t *shown = vend_statement_to_json (statement);
  const json_t *lines = json_object_get (shown, "lines");
  g_assert_cmpint ((int) json_array_size (lines), ==, 3);
  g_assert_cmpstr (vend_json_string (json_array_get (lines, 0), "amount"), ==, "0.1");
  g_assert_cmpstr (vend_json_string (json_array_get (lines, 1), "amount"), ==, "1.5");
  g_assert_cmpstr (vend_json_string (json_array_get (lines, 2), "amount"), ==, "0");
  g_assert_cmpstr (vend_json_string (json_object_get (shown, "total"), "amount"), ==, "1.6");
}

static void
test_without_a_price (void)
{
  g_autoptr (VendPrices) now = prices ();
  g_autoptr (VendStatement) statement = vend_statement_new (now);
  VendAmount amount = 0;
  add (statement, "a/b", NULL, "cpu", VEND_NO_PRICE, 1000000);
  add (statement, "a/b", NULL, "free", VEND_NO_PRICE, 1);
  g_assert_false (vend_statement_amount (statement, &amount));
  g_autofree char *known = vend_amount_text (amount);
  g_assert_cmpstr (known, ==, "0.5");
  json_auto_t *shown = vend_statement_to_json (statement);
  g_assert_null (vend_json_string (json_object_get (shown, "total"), "amount"));
}

static void
test_csv (void)
{
  g_autoptr (VendPrices) now = prices ();
  g_autoptr (VendStatement) statement = vend_statement_new (now);
  add (statement, "a/b", "=1+2", "x,\"y\"", 7, 2500000);
  add (statement, NULL, NULL, "free", VEND_NO_PRICE, 1);
  g_autofree char *csv = vend_statement_to_csv (statement);
  const char *lines = strchr (csv, '\n') + 1;
  g_assert_cmpstr (lines, ==,
                   "a/b,\"'=1+2\",\"x,\"\"y\"\"\",1,2.5,0,0,0,2.5,0.000000007,0.0000000175\r\n"
                   "(deleted),,free,1,0.000001,0,0,0,0.000001,,\r\n");
}

static void
test_budgets (void)
{
  static const struct
  {
    const char *body;
    VendBudgetState at[3]; /* when 9.99, 10 and 20 are spent */
  } good[] = {
    { "{}", { VEND_BUDGET_LEFT, VEND_BUDGET_LEFT, VEND_BUDGET_LEFT } },
    { "{\"soft\": \"10\"}", { VEND_BUDGET_LEFT, VEND_BUDGET_SOFT, VEND_BUDGET_SOFT } },
    { "{\"soft\": \"10.0\", \"hard\": \"20\"}",
      { VEND_BUDGET_LEFT, VEND_BUDGET_SOFT, VEND_BUDGET_HARD } },
    { "{\"soft\": null, \"hard\": \"0\"}",
      { VEND_BUDGET_HARD, VEND_BUDGET_HARD, VEND_BUDGET_HARD } },
    { "{\"hard\": \"999999999999.999999999\"}",
      { VEND_BUDGET_LEFT, VEND_BUDGET_LEFT, VEND_BUDGET_LEFT } },
  };
  static const char *const bad[]
      = { "{\"soft\": 1}",       "{\"hard\": \"\"}",
          "{\"hard\": \"-1\"}",  "{\"hard\": \"1e3\"}",
          "{\"hard\": \" 1\"}",  "{\"soft\": \"1.0000000001\"}",
          "{\"soft\": \".5\"}",  "{\"soft\": \"1234567890123\"}",
          "{\"hard\": [\"1\"]}", "{\"soft\": \"2\", \"hard\": \"1.999999999\"}" };
  static const char *const spent[] = { "9.99", "10", "20" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      json_auto_t *body = json_loads (good[i].body, 0, NULL);
      VendBudget budget = { 0 };
      g_assert_true (vend_budget_read (body, &budget, NULL));
      for (gsize j = 0; j < G_N_ELEMENTS (spent); j++)
        {
          VendAmount amount = 0;
          g_assert_true (vend_amount_parse (spent[j], &amount));
          g_assert_cmpint (vend_budget_state (&budget, amount), ==, good[i].at[j]);
        }
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_auto_t *body = json_loads (bad[i], 0, NULL);
      g_autoptr (GError) error = NULL;
      VendBudget budget = { .soft = 7 };
      g_assert_false (vend_budget_read (body, &budget, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_true (budget.soft == 7);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/statement/lines", test_lines);
  g_test_add_func ("/statement/without-a-price", test_without_a_price);
  g_test_add_func ("/statement/csv", test_csv);
  g_test_add_func ("/budget/limits", test_budgets);
  return g_test_run ();
}
