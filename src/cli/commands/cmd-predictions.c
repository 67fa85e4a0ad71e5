/* `vend predictions`: predictions and trainings, the list and one of them. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/watch.h"
#include "cli/commands/listing.h"
#include "cli/terminal/table.h"
#include "base/error.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>

#define DEFAULT_LIMIT 20

static void
print_list (const json_t *page)
{
  static const char *const columns[] = { "ID", "MODEL", "STATUS", "CREATED", "SECONDS", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *item;
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      double seconds = vend_json_double (json_object_get (item, "metrics"), "predict_time", -1);
      g_autofree char *time = seconds >= 0 ? g_strdup_printf ("%.2f", seconds) : NULL;
      g_autofree char *created = vend_argument_shown_time (item, "created_at");
      vend_table_add (table, vend_argument_shown (item, "id"), vend_argument_shown (item, "model"),
                      vend_argument_shown (item, "status"), created, time);
    }
  vend_table_print (table);
}

static bool
list (int argc, char **argv, GError **error)
{
  static const VendListing listing = {
    .command = "predictions list",
    .summary = "Lists predictions, newest first.",
    .path = "/v1/predictions",
    .limit = DEFAULT_LIMIT,
    .is_newest_first = true,
    .print = print_list,
    .flag = "trainings",
    .flag_help = "list trainings instead",
    .flag_path = "/v1/trainings",
  };
  return vend_listing_run (&listing, argc, argv, error);
}

static void
print_one (const json_t *prediction)
{
  static const char *const members[]
      = { "id", "model", "version", "status", "created_at", "started_at", "completed_at", "error" };
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (vend_json_string (prediction, members[i]) != NULL)
      {
        g_autofree char *text = vend_terminal_one_line (vend_json_string (prediction, members[i]));
        vend_terminal_print ("%-13s %s\n", members[i], text);
      }
  static const char *const values[] = { "input", "output", "metrics" };
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text = vend_json_text (json_object_get (prediction, values[i]));
      vend_terminal_print ("%-13s %s\n", values[i], text);
    }
}

static bool
get (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *prediction = NULL;
  bool is_training = false;
  const VendOptions options = {
    .command = "predictions get",
    .usage = "ID",
    .summary = "Shows one prediction or training.",
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_id_check ("prediction or training", words[0], error))
    return false;
  if (!vend_client_new (&connection, &client, error)
      || !vend_watch_find (client, words[0], &is_training, &prediction, error))
    return false;
  if (connection.json)
    vend_terminal_json (prediction);
  else
    print_one (prediction);
  return true;
}

int
vend_cmd_predictions (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list [--trainings] [--limit N]", list },
    { "get", "get ID", get },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("predictions", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
