/* `vend login`: a link that signs a browser in to the web page. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/terminal.h"

static bool
login (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *link = NULL;
  const VendOptions options = {
    .command = "login",
    .usage = "",
    .summary = "Prints a link that signs a browser in to the web page, with the rights of your "
               "token. It works once, within ten minutes.",
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "POST", "/-/session/links", NULL, &link, error))
    return false;
  if (connection.json)
    vend_terminal_json (link);
  else
    vend_terminal_print ("%s\n", vend_argument_shown (link, "url"));
  return true;
}

int
vend_cmd_login (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = login (argc, argv, &error);
  return vend_exit_code (good, error);
}
