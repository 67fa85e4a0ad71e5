/* `vend hardware`: what models and deployments may run on, and for administrators how much of it is
 * taken. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/table.h"
#include "base/error.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>

#define PATH "/v1/hardware"
#define STATUS_PATH "/v1/status"

static void
print_kinds (const json_t *kinds)
{
  static const char *const columns[] = { "SKU", "GPUS", "NAME", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *kind;
  vend_table_align_right (table, 1);
  json_array_foreach ((json_t *) kinds, i, kind)
    {
      g_autofree char *gpus
          = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (kind, "gpus", 0));
      vend_table_add (table, vend_argument_shown (kind, "sku"), gpus,
                      vend_argument_shown (kind, "name"));
    }
  vend_table_print (table);
}

static void
print_use (const json_t *kinds)
{
  static const char *const columns[] = { "SKU", "GPUS", "UNITS", "USED", "NAME", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *kind;
  for (guint column = 1; column <= 3; column++)
    vend_table_align_right (table, column);
  json_array_foreach ((json_t *) kinds, i, kind)
    {
      static const char *const keys[] = { "gpus", "units", "used" };
      char cells[3][32];
      for (guint cell = 0; cell < 3; cell++)
        g_snprintf (cells[cell], sizeof cells[cell], "%" G_GINT64_FORMAT,
                    vend_json_int (kind, keys[cell], 0));
      vend_table_add (table, vend_argument_shown (kind, "sku"), cells[0], cells[1], cells[2],
                      vend_argument_shown (kind, "name"));
    }
  vend_table_print (table);
}

static void
print_gpus (const json_t *gpus)
{
  static const char *const columns[] = { "GPU", "MEMORY", "INSTANCE", "HEALTH", "NAME", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *gpu;
  vend_table_align_right (table, 1);
  json_array_foreach ((json_t *) gpus, i, gpu)
    {
      g_autofree char *index
          = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (gpu, "index", 0));
      g_autofree char *size = g_format_size_full (
          (guint64) MAX (vend_json_int (gpu, "memory", 0), 0), G_FORMAT_SIZE_IEC_UNITS);
      const char *fault = vend_json_string (gpu, "fault");
      const char *instance = vend_json_string (gpu, "instance");
      vend_table_add (table, index, size, instance != NULL ? instance : "-",
                      fault != NULL ? fault : "ok", vend_argument_shown (gpu, "name"));
    }
  vend_terminal_print ("\n");
  vend_table_print (table);
}

/* The used units, for callers who may see them; NULL for others and from other servers. */
static bool
ask_status (VendClient *client, json_t **out, GError **error)
{
  int status = 0;
  json_auto_t *body = NULL;
  if (!vend_client_send (client, "GET", STATUS_PATH, NULL, &status, &body, error))
    return false;
  if (status / 100 == 2 && json_is_array (json_object_get (body, "hardware")))
    *out = json_incref (body);
  return true;
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *kinds = NULL;
  json_auto_t *now = NULL;
  int status = 0;
  const VendOptions options = {
    .command = "hardware",
    .usage = "",
    .summary
    = "Lists the hardware that models and deployments may run on; with an admin token also\n"
      "the units, the used units and the state of the GPUs.",
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_send (client, "GET", PATH, NULL, &status, &kinds, error))
    return false;
  /* The only list of the API without pages. */
  if (status / 100 != 2 || !json_is_array (kinds))
    return vend_client_problem (client, "GET", PATH, status, kinds, error);
  if (connection.json)
    {
      vend_terminal_json (kinds);
      return true;
    }
  if (!ask_status (client, &now, error))
    return false;
  if (now == NULL)
    {
      print_kinds (kinds);
      return true;
    }
  print_use (json_object_get (now, "hardware"));
  if (json_array_size (json_object_get (now, "gpus")) > 0)
    print_gpus (json_object_get (now, "gpus"));
  return true;
}

int
vend_cmd_hardware (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
