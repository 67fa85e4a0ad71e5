/* `vend usage`: running time and what it costs. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments.h"
#include "cli/client.h"
#include "cli/table.h"
#include "base/error.h"
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
static bool
append_month (GString *path, const char *month, GError **error)
{
  gint64 year = 0, number = 0;
  g_auto (GStrv) parts = g_strsplit (month, "-", 3);
  if (strlen (month) != strlen ("2026-11") || g_strv_length (parts) != 2
      || !g_ascii_string_to_signed (parts[0], 10, 1970, 9999, &year, NULL)
      || !g_ascii_string_to_signed (parts[1], 10, 1, 12, &number, NULL))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "--month: expected one such as 2026-11, got '%.50s'", month);
  const gint64 next_year = number == 12 ? year + 1 : year;
  const gint64 next = number == 12 ? 1 : number + 1;
  g_string_append_printf (path,
                          "&from=%04" G_GINT64_FORMAT "-%02" G_GINT64_FORMAT "-01"
                          "&to=%04" G_GINT64_FORMAT "-%02" G_GINT64_FORMAT "-01",
                          year, number, next_year, next);
  return true;
}

static bool
path_of (const Asked *asked, char **out, GError **error)
{
  const char *by = asked->by != NULL ? asked->by : "model";
  g_autoptr (GString) path = g_string_new ("/v1/usage");
  if (strcmp (by, "model") != 0 && strcmp (by, "day") != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "--by: expected model or day, got '%.50s'", by);
  g_string_append_printf (path, "?group_by=%s", by);
  if (asked->month != NULL && !append_month (path, asked->month, error))
    return false;
  if (asked->account != NULL)
    {
      g_autofree char *escaped = g_uri_escape_string (asked->account, NULL, FALSE);
      g_string_append_printf (path, "&account=%s", escaped);
    }
  *out = g_string_free (g_steal_pointer (&path), FALSE);
  return true;
}

static const char *
group_of (const json_t *sum, const char *by)
{
  const char *shown = vend_argument_shown (sum, by);
  return *shown == '\0' && strcmp (by, "model") == 0 ? "(deleted)" : shown;
}

static void
add_row (VendTable *table, const char *group, const json_t *sum)
{
  g_autofree char *n = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (sum, "predictions", 0));
  vend_table_add (table, group, vend_argument_shown (sum, "hardware"), n,
                  vend_argument_shown (sum, "seconds"), vend_argument_shown (sum, "amount"));
}

static void
print_table (const json_t *statement, const char *by)
{
  const char *const columns[] = {
    strcmp (by, "day") == 0 ? "DAY" : "MODEL", "HARDWARE", "PREDICTIONS", "SECONDS", "AMOUNT", NULL
  };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *sum;
  json_array_foreach (json_object_get (statement, "results"), i, sum)
    add_row (table, group_of (sum, by), sum);
  add_row (table, "total", json_object_get (statement, "total"));
  vend_table_print (table);
}

/* Names of models and hardware have no commas, quotes or line ends. */
static void
print_csv (const json_t *statement, const char *by)
{
  size_t i;
  json_t *sum;
  printf ("%s,hardware,predictions,seconds,amount\n", by);
  json_array_foreach (json_object_get (statement, "results"), i, sum)
    printf ("%s,%s,%" G_GINT64_FORMAT ",%s,%s\n", vend_argument_shown (sum, by),
            vend_argument_shown (sum, "hardware"), vend_json_int (sum, "predictions", 0),
            vend_argument_shown (sum, "seconds"), vend_argument_shown (sum, "amount"));
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_auto (Asked) asked = { 0 };
  g_autoptr (VendClient) client = NULL;
  g_autofree char *path = NULL;
  json_auto_t *statement = NULL;
  const GOptionEntry entries[] = {
    { "month", 0, 0, G_OPTION_ARG_STRING, &asked.month, "a month, UTC; this one by default",
      "2026-11" },
    { "by", 0, 0, G_OPTION_ARG_STRING, &asked.by, "model (default) or day", "GROUP" },
    { "account", 0, 0, G_OPTION_ARG_STRING, &asked.account, "of another account; needs admin",
      "NAME" },
    { "csv", 0, 0, G_OPTION_ARG_NONE, &asked.csv, "as comma-separated values", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "usage",
    .usage = "",
    .summary = "Sums up running time of predictions and what it costs.",
    .entries = entries,
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if (asked.csv && connection.json)
    return vend_fail (error, VEND_ERROR_INVALID, "expected either --csv or --json");
  if (!path_of (&asked, &path, error) || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "GET", path, NULL, &statement, error))
    return false;
  const char *by = asked.by != NULL ? asked.by : "model";
  if (connection.json)
    vend_terminal_json (statement);
  else if (asked.csv)
    print_csv (statement, by);
  else
    print_table (statement, by);
  return true;
}

int
vend_cmd_usage (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
