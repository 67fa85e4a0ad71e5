/* `vend usage`: usage and its cost. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/table.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/month.h"
#include "model/usage.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

typedef struct
{
  char *month;
  char *by;
  char *account;
  gboolean csv;
} Asked;

static void
asked_clear (Asked *asked)
{
  g_free (asked->month);
  g_free (asked->by);
  g_free (asked->account);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Asked, asked_clear)

/* "2026-11" as from and to. */
static void
append_period (GString *path, int64_t month_us)
{
  g_autofree char *from = vend_time_format (month_us);
  g_autofree char *to = vend_time_format (vend_month_end (month_us));
  vend_argument_add_query (path, "from", from);
  vend_argument_add_query (path, "to", to);
}

static bool
path_of (const Asked *asked, char **out, GError **error)
{
  g_autoptr (GString) path = g_string_new (asked->by != NULL ? "/v1/usage" : "/v1/usage/statement");
  int64_t month_us = 0;
  if (asked->by != NULL && strcmp (asked->by, "model") != 0 && strcmp (asked->by, "day") != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "--by: expected model or day, got '%.50s'",
                      asked->by);
  if (asked->month != NULL && !vend_month_parse (asked->month, &month_us))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "--month: expected a month such as 2026-11, got '%.50s'", asked->month);
  if (asked->by != NULL)
    vend_argument_add_query (path, "group_by", asked->by);
  if (asked->by != NULL && asked->month != NULL)
    append_period (path, month_us);
  else if (asked->month != NULL)
    vend_argument_add_query (path, "month", asked->month);
  if (asked->account != NULL)
    vend_argument_add_query (path, "account", asked->account);
  if (asked->csv && asked->by == NULL)
    vend_argument_add_query (path, "format", "csv");
  *out = g_string_free (g_steal_pointer (&path), FALSE);
  return true;
}

/* ---- The statement */

static bool
print_piece (const char *data, gsize size, void *user)
{
  vend_terminal_write (stdout, data, size);
  return ferror (stdout) == 0;
}

/* "12.5", of a member in microseconds. */
static char *
seconds_of (const json_t *line, const char *key)
{
  return vend_usage_seconds_text (vend_json_int (line, key, 0));
}

static void
add_line (VendTable *table, const char *name, const json_t *line)
{
  g_autofree char *n
      = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (line, "predictions", 0));
  g_autofree char *run = seconds_of (line, "run_us");
  g_autofree char *setup = seconds_of (line, "setup_us");
  g_autofree char *idle = seconds_of (line, "idle_us");
  g_autofree char *active = seconds_of (line, "active_us");
  g_autofree char *billed = seconds_of (line, "billed_us");
  vend_table_add (table, name, vend_argument_shown (line, "hardware"), n, run, setup, idle, active,
                  billed, vend_argument_shown (line, "price"),
                  vend_argument_shown (line, "amount"));
}

static const char *
name_of (const json_t *line)
{
  const char *deployment = vend_json_string (line, "deployment");
  const char *model = vend_json_string (line, "model");
  return deployment != NULL ? deployment : model != NULL ? model : "(deleted)";
}

static void
warn_of_budget (const json_t *budget)
{
  const char *reached = vend_json_string (budget, "reached");
  if (reached != NULL)
    vend_terminal_warn (
        "the %s budget of %s is reached%s", reached, vend_argument_shown (budget, reached),
        strcmp (reached, "hard") == 0 ? ": new predictions and trainings are refused" : "");
}

static void
print_statement (const json_t *statement)
{
  static const char *const columns[] = { "MODEL OR DEPLOYMENT",
                                         "HARDWARE",
                                         "PREDICTIONS",
                                         "RUN s",
                                         "SETUP s",
                                         "IDLE s",
                                         "ACTIVE s",
                                         "BILLED s",
                                         "PRICE/s",
                                         "AMOUNT",
                                         NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *line;
  for (guint column = 2; columns[column] != NULL; column++)
    vend_table_align_right (table, column);
  json_array_foreach (json_object_get (statement, "lines"), i, line)
    add_line (table, name_of (line), line);
  add_line (table, "total", json_object_get (statement, "total"));
  vend_table_print (table);
  warn_of_budget (json_object_get (statement, "budget"));
}

/* ---- Sums by model or day */

static const char *
group_of (const json_t *sum, const char *by)
{
  const char *shown = vend_argument_shown (sum, by);
  return *shown == '\0' && strcmp (by, "model") == 0 ? "(deleted)" : shown;
}

/* Runs of instances that are billed themselves. */
static bool
is_billed_otherwise (const json_t *sum)
{
  return vend_json_int (sum, "run_us", 0) > 0 && vend_json_int (sum, "billed_us", 1) == 0;
}

static void
add_row (VendTable *table, const char *group, const json_t *sum)
{
  g_autofree char *n = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (sum, "predictions", 0));
  vend_table_add (table, group, vend_argument_shown (sum, "hardware"), n,
                  vend_argument_shown (sum, "seconds"),
                  is_billed_otherwise (sum) ? "-" : vend_argument_shown (sum, "amount"));
}

static void
print_table (const json_t *statement, const char *by)
{
  const char *const columns[] = {
    strcmp (by, "day") == 0 ? "DAY" : "MODEL", "HARDWARE", "PREDICTIONS", "SECONDS", "AMOUNT", NULL
  };
  g_autoptr (VendTable) table = vend_table_new (columns);
  bool is_incomplete = false;
  size_t i;
  json_t *sum;
  for (guint column = 2; columns[column] != NULL; column++)
    vend_table_align_right (table, column);
  json_array_foreach (json_object_get (statement, "results"), i, sum)
    {
      add_row (table, group_of (sum, by), sum);
      is_incomplete = is_incomplete || is_billed_otherwise (sum);
    }
  add_row (table, "total", json_object_get (statement, "total"));
  vend_table_print (table);
  if (is_incomplete)
    vend_terminal_print ("\n-: private models and deployments are billed by the time of their "
                         "instances; see 'vend usage'\n");
}

/* Names of models and hardware have no commas, quotes or line ends. */
static void
print_csv (const json_t *statement, const char *by)
{
  size_t i;
  json_t *sum;
  vend_terminal_print ("%s,hardware,predictions,seconds,amount\n", by);
  json_array_foreach (json_object_get (statement, "results"), i, sum)
    vend_terminal_print ("%s,%s,%" G_GINT64_FORMAT ",%s,%s\n", vend_argument_shown (sum, by),
                         vend_argument_shown (sum, "hardware"),
                         vend_json_int (sum, "predictions", 0),
                         vend_argument_shown (sum, "seconds"), vend_argument_shown (sum, "amount"));
}

/* ---- Storage */

static char *
size_text (const json_t *account, const char *key)
{
  return g_format_size_full ((guint64) MAX (vend_json_int (account, key, 0), 0),
                             G_FORMAT_SIZE_IEC_UNITS);
}

static bool
print_stored (VendClient *client, GError **error)
{
  json_auto_t *account = NULL;
  if (!vend_client_call (client, "GET", "/v1/account", NULL, &account, error))
    return false;
  g_autofree char *stored = size_text (account, "stored_bytes");
  g_autofree char *limit = size_text (account, "stored_bytes_limit");
  const bool is_limited = json_is_integer (json_object_get (account, "stored_bytes_limit"));
  vend_terminal_print ("\nstored now: %s%s%s\n", stored, is_limited ? " of " : "",
                       is_limited ? limit : "");
  return true;
}

static bool
show (VendClient *client, const VendConnection *connection, const Asked *asked, GError **error)
{
  g_autofree char *path = NULL;
  json_auto_t *answer = NULL;
  if (!path_of (asked, &path, error))
    return false;
  if (asked->csv && asked->by == NULL)
    return vend_client_read (client, path, print_piece, NULL, error);
  if (!vend_client_call (client, "GET", path, NULL, &answer, error))
    return false;
  if (connection->json)
    vend_terminal_json (answer);
  else if (asked->by != NULL && asked->csv)
    print_csv (answer, asked->by);
  else if (asked->by != NULL)
    print_table (answer, asked->by);
  else
    print_statement (answer);
  /* The bytes are those of now, and of the caller's own account. */
  const bool is_own_now = asked->by == NULL && asked->month == NULL && asked->account == NULL;
  return connection->json || !is_own_now || print_stored (client, error);
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_auto (Asked) asked = { 0 };
  g_autoptr (VendClient) client = NULL;
  g_autofree char *path = NULL;
  const GOptionEntry entries[] = {
    { "month", 0, 0, G_OPTION_ARG_STRING, &asked.month, "month to show (UTC); default: this month",
      "2026-11" },
    { "by", 0, 0, G_OPTION_ARG_STRING, &asked.by, "sum the runs of predictions by model or by day",
      "GROUP" },
    { "account", 0, 0, G_OPTION_ARG_STRING, &asked.account,
      "show another account; needs an admin token", "NAME" },
    { "csv", 0, 0, G_OPTION_ARG_NONE, &asked.csv, "print comma-separated values", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "usage",
    .usage = "",
    .summary
    = "Shows the usage of a month and its cost: runs, and seconds of instances. Without --month\n"
      "and --account, the last line has the bytes stored for the account now.",
    .entries = entries,
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if (asked.csv && connection.json)
    return vend_fail (error, VEND_ERROR_INVALID, "expected either --csv or --json");
  /* Mistakes in the options are reported before the first request. */
  return path_of (&asked, &path, error) && vend_client_new (&connection, &client, error)
         && show (client, &connection, &asked, error);
}

int
vend_cmd_usage (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
