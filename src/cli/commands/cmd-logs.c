/* `vend logs`: what a prediction or training printed. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/watch.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

typedef struct
{
  gsize n_shown;
  bool is_line_open;
} Shown;

static void
show_new (const json_t *prediction, void *user)
{
  Shown *shown = user;
  const char *text = vend_watch_new_logs (prediction, &shown->n_shown);
  gsize length = strlen (text);
  if (length == 0)
    return;
  vend_terminal_write (stdout, text, strlen (text));
  fflush (stdout);
  shown->is_line_open = text[length - 1] != '\n';
}

static bool
fetch (VendClient *client, const char *id, bool is_following,
       void (*on_change) (const json_t *, void *), Shown *shown, json_t **out, GError **error)
{
  json_auto_t *found = NULL;
  bool is_training = false;
  if (!vend_watch_find (client, id, &is_training, &found, error))
    return false;
  if (on_change != NULL)
    on_change (found, shown);
  if (!is_following || vend_watch_is_over (found))
    {
      *out = g_steal_pointer (&found);
      return true;
    }
  const VendWatch watch
      = { .id = id, .is_training = is_training, .on_change = on_change, .user = shown };
  return vend_watch_run (&watch, client, out, error);
}

static bool
logs (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *prediction = NULL;
  gboolean is_following = FALSE;
  Shown shown = { 0 };
  const GOptionEntry entries[] = {
    { "follow", 'f', 0, G_OPTION_ARG_NONE, &is_following,
      "follow the logs until the prediction or training ends", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "logs",
    .usage = "ID",
    .summary = "Prints the logs of a prediction or training.",
    .entries = entries,
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_id_check ("prediction or training", words[0], error)
      || !vend_client_new (&connection, &client, error))
    return false;

  bool good = fetch (client, words[0], is_following, connection.json ? NULL : show_new, &shown,
                     &prediction, error);
  if (shown.is_line_open)
    vend_terminal_print ("\n");
  if (good && connection.json)
    {
      json_auto_t *body = json_pack ("{s:s, s:s, s:s}", "id", words[0], "status",
                                     vend_argument_shown (prediction, "status"), "logs",
                                     vend_argument_shown (prediction, "logs"));
      vend_terminal_json (body);
    }
  return good;
}

int
vend_cmd_logs (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = logs (argc, argv, &error);
  return vend_exit_code (good, error);
}
