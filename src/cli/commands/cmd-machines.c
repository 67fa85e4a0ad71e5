/* `vend machines`: list, drain, resume, remove. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include "base/error.h"

#define PATH "/v1/machines"

static void
print_machines (const json_t *machines)
{
  static const char *const columns[] = { "MACHINE", "STATE",   "UNITS",     "INSTANCES", "CORES",
                                         "MEMORY",  "ADDRESS", "LAST SEEN", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *machine;
  for (guint column = 2; column <= 5; column++)
    vend_table_align_right (table, column);
  json_array_foreach ((json_t *) machines, i, machine)
    {
      const json_t *hardware = json_object_get (machine, "hardware");
      char numbers[3][32];
      const int64_t values[3]
          = { vend_json_int (hardware, "units", 0), vend_json_int (machine, "instances", 0),
              vend_json_int (hardware, "cores", 0) };
      for (guint n = 0; n < G_N_ELEMENTS (values); n++)
        g_snprintf (numbers[n], sizeof numbers[n], "%" G_GINT64_FORMAT, values[n]);
      g_autofree char *memory = g_format_size_full (
          (guint64) MAX (vend_json_int (hardware, "memory", 0), 0), G_FORMAT_SIZE_IEC_UNITS);
      g_autofree char *seen = vend_argument_shown_time (machine, "last_seen_at");
      vend_table_add (table, vend_argument_shown (machine, "name"),
                      vend_argument_shown (machine, "state"), numbers[0], numbers[1], numbers[2],
                      memory, vend_argument_shown (machine, "address"), seen);
    }
  vend_table_print (table);
}

static bool
list (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *page = NULL;
  const VendOptions options = {
    .command = "machines list",
    .usage = "",
    .summary = "Lists the machines that run instances beside the one of the server; needs an\n"
               "admin token.",
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "GET", PATH, NULL, &page, error))
    return false;
  if (connection.json)
    vend_terminal_json (json_object_get (page, "results"));
  else
    print_machines (json_object_get (page, "results"));
  return true;
}

static bool
parse_one (const char *command, const char *summary, int argc, char **argv,
           VendConnection *connection, char **out_path, GError **error)
{
  g_auto (GStrv) words = NULL;
  const VendOptions options = {
    .command = command,
    .usage = "NAME",
    .summary = summary,
    .connection = connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  g_autofree char *escaped = g_uri_escape_string (words[0], NULL, FALSE);
  *out_path = g_strconcat (PATH "/", escaped, NULL);
  return true;
}

static bool
set_draining (const VendConnection *connection, const char *path, bool drains, GError **error)
{
  g_autoptr (VendClient) client = NULL;
  json_auto_t *machine = NULL;
  json_auto_t *body = json_pack ("{s:b}", "draining", (int) drains);
  if (!vend_client_new (connection, &client, error)
      || !vend_client_call (client, "PATCH", path, body, &machine, error))
    return false;
  json_auto_t *list = json_pack ("[O]", machine);
  if (connection->json)
    vend_terminal_json (machine);
  else
    print_machines (list);
  return true;
}

static bool
drain (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_autofree char *path = NULL;
  return parse_one (
             "machines drain",
             "Starts nothing on a machine any more; its instances finish their runs and end.", argc,
             argv, &connection, &path, error)
         && set_draining (&connection, path, true, error);
}

static bool
resume (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_autofree char *path = NULL;
  return parse_one ("machines resume", "Starts instances on a drained machine again.", argc, argv,
                    &connection, &path, error)
         && set_draining (&connection, path, false, error);
}

static bool
remove_machine (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_autofree char *path = NULL;
  g_autoptr (VendClient) client = NULL;
  if (!parse_one ("machines remove",
                  "Removes a machine without instances, or one that is lost; its agent is refused\n"
                  "from then on.",
                  argc, argv, &connection, &path, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "DELETE", path, NULL, NULL, error))
    return false;
  vend_terminal_note ("removed");
  return true;
}

int
vend_cmd_machines (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list", list },
    { "drain", "drain NAME", drain },
    { "resume", "resume NAME", resume },
    { "remove", "remove NAME", remove_machine },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("machines", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
