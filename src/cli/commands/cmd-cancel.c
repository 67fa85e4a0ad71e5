/* `vend cancel`: ends a prediction or training. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/watch.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>

static bool
cancel (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *found = NULL, *prediction = NULL;
  bool is_training = false;
  const VendOptions options = {
    .command = "cancel",
    .usage = "ID",
    .summary = "Cancels a prediction or training. One that has ended is not changed.",
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_id_check ("prediction or training", words[0], error)
      || !vend_client_new (&connection, &client, error)
      || !vend_watch_find (client, words[0], &is_training, &found, error)
      || !vend_watch_cancel (client, words[0], is_training, &prediction, error))
    return false;
  if (connection.json)
    vend_terminal_json (prediction);
  else if (vend_watch_is_over (prediction))
    vend_terminal_print ("%s %s\n", words[0], vend_argument_shown (prediction, "status"));
  else
    vend_terminal_print ("%s: cancel requested\n", words[0]);
  return true;
}

int
vend_cmd_cancel (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = cancel (argc, argv, &error);
  return vend_exit_code (good, error);
}
