/* `vend hardware`: what models and deployments may run on. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments.h"
#include "cli/client.h"
#include "cli/table.h"

#define PATH "/v1/hardware"

static void
print (const json_t *kinds)
{
  static const char *const columns[] = { "SKU", "NAME", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *kind;
  json_array_foreach ((json_t *) kinds, i, kind)
    vend_table_add (table, vend_argument_shown (kind, "sku"), vend_argument_shown (kind, "name"));
  vend_table_print (table);
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *kinds = NULL;
  int status = 0;
  const VendOptions options = {
    .command = "hardware",
    .usage = "",
    .summary = "Lists the hardware that models and deployments may run on.",
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_send (client, "GET", PATH, NULL, &status, &kinds, error))
    return false;
  /* The one list of the API that is no page. */
  if (status / 100 != 2 || !json_is_array (kinds))
    return vend_client_problem (client, "GET", PATH, status, kinds, error);
  if (connection.json)
    vend_terminal_json (kinds);
  else
    print (kinds);
  return true;
}

int
vend_cmd_hardware (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
