/* `vend explain`: the timeline of a prediction. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

/* "10:00:00.123" below the date of the line before; the whole time when the date is another one. */
static void
print_entry (const json_t *entry, char **date)
{
  g_autofree char *time = vend_argument_local_time (entry, "at");
  g_autofree char *sentence = vend_terminal_one_line (vend_argument_shown (entry, "sentence"));
  const gsize date_length = strlen ("2026-01-05");
  if (strlen (time) > date_length && (*date == NULL || strncmp (*date, time, date_length) != 0))
    {
      g_free (*date);
      *date = g_strndup (time, date_length);
      vend_terminal_print ("%s\n", *date);
    }
  vend_terminal_print ("  %-12s  %s\n", strlen (time) > date_length ? time + date_length + 1 : "",
                       sentence);
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *timeline = NULL;
  g_autofree char *date = NULL;
  size_t i;
  json_t *entry;
  const VendOptions options = {
    .command = "explain",
    .usage = "PREDICTION",
    .summary = "Shows the events of a prediction in the order of time, with their reasons.",
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_id_check ("prediction", words[0], error)
      || !vend_client_new (&connection, &client, error))
    return false;
  g_autofree char *path = g_strdup_printf ("/v1/predictions/%s/explanation", words[0]);
  if (!vend_client_call (client, "GET", path, NULL, &timeline, error))
    return false;
  if (connection.json)
    {
      vend_terminal_json (timeline);
      return true;
    }
  json_array_foreach (json_object_get (timeline, "entries"), i, entry)
    print_entry (entry, &date);
  return true;
}

int
vend_cmd_explain (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
