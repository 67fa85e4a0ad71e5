/* `vend budget`: show, set, clear. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/table.h"
#include "base/error.h"
#include "model/account.h"
#include "model/budget.h"

static void
print (const VendConnection *connection, const json_t *budget)
{
  static const char *const columns[]
      = { "ACCOUNT", "MONTH", "SPENT", "SOFT", "HARD", "REACHED", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  if (connection->json)
    {
      vend_terminal_json (budget);
      return;
    }
  vend_table_add (table, vend_argument_shown (budget, "account"),
                  vend_argument_shown (budget, "month"), vend_argument_shown (budget, "spent"),
                  vend_argument_shown (budget, "soft"), vend_argument_shown (budget, "hard"),
                  vend_argument_shown (budget, "reached"));
  vend_table_print (table);
}

/* Of `account`, or of the caller when that is NULL. */
static bool
path_of (VendClient *client, const char *account, char **out, GError **error)
{
  json_auto_t *own = NULL;
  if (account == NULL && !vend_client_call (client, "GET", "/v1/account", NULL, &own, error))
    return false;
  const char *name = account != NULL ? account : vend_argument_shown (own, "username");
  g_autofree char *escaped = g_uri_escape_string (name, NULL, FALSE);
  *out = g_strdup_printf ("/v1/accounts/%s/budget", escaped);
  return true;
}

static bool
call (const VendConnection *connection, const char *method, const char *account, const json_t *body,
      GError **error)
{
  g_autoptr (VendClient) client = NULL;
  g_autofree char *path = NULL;
  json_auto_t *budget = NULL;
  if (!vend_client_new (connection, &client, error) || !path_of (client, account, &path, error)
      || !vend_client_call (client, method, path, body, &budget, error))
    return false;
  print (connection, budget);
  return true;
}

static bool
show (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  const VendOptions options = {
    .command = "budget show",
    .usage = "[ACCOUNT]",
    .summary = "Shows the monthly budget of an account and the amount spent in this month.",
    .connection = &connection,
    .most = 1,
  };
  return vend_options_parse (&options, argc, argv, &words, error)
         && (words[0] == NULL || vend_name_check ("ACCOUNT", words[0], error))
         && call (&connection, "GET", words[0], NULL, error);
}

static bool
check_amount (const char *name, const char *text, GError **error)
{
  VendAmount amount = 0;
  return text == NULL || vend_amount_parse (text, &amount)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "--%s: expected an amount such as 12.50, with at most %d digits before and "
                       "%d after the point, got '%.50s'",
                       name, VEND_AMOUNT_WHOLE_DIGITS, VEND_PRICE_DIGITS, text);
}

static bool
set (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *soft = NULL, *hard = NULL;
  VendBudget wanted = { 0 };
  const GOptionEntry entries[] = {
    { "soft", 0, 0, G_OPTION_ARG_STRING, &soft, "soft amount: a warning in the log", "AMOUNT" },
    { "hard", 0, 0, G_OPTION_ARG_STRING, &hard,
      "hard amount: new predictions and trainings are refused", "AMOUNT" },
    { NULL },
  };
  const VendOptions options = {
    .command = "budget set",
    .usage = "ACCOUNT",
    .summary = "Sets the budget of an account for a calendar month (UTC); needs an admin token.",
    .details = "An amount that is not given is removed.",
    .entries = entries,
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_name_check ("ACCOUNT", words[0], error))
    return false;
  if (soft == NULL && hard == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "expected --soft or --hard, or both");
  json_auto_t *body = json_object ();
  if (!check_amount ("soft", soft, error) || !check_amount ("hard", hard, error))
    return false;
  vend_json_set_string (body, "soft", soft);
  vend_json_set_string (body, "hard", hard);
  if (!vend_budget_read (body, &wanted, error))
    {
      g_prefix_error (error, "--");
      return false;
    }
  return call (&connection, "PUT", words[0], body, error);
}

static bool
clear (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  json_auto_t *body = json_pack ("{s:n, s:n}", "soft", "hard");
  const VendOptions options = {
    .command = "budget clear",
    .usage = "ACCOUNT",
    .summary = "Removes the budget of an account; needs an admin token.",
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  return vend_options_parse (&options, argc, argv, &words, error)
         && vend_name_check ("ACCOUNT", words[0], error)
         && call (&connection, "PUT", words[0], body, error);
}

int
vend_cmd_budget (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "show", "show [ACCOUNT]", show },
    { "set", "set ACCOUNT [--soft AMOUNT] [--hard AMOUNT]", set },
    { "clear", "clear ACCOUNT", clear },
    { NULL, NULL, NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("budget", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
