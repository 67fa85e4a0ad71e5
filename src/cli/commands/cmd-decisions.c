/* `vend decisions`: what the scheduler decided and why. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/terminal/table.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/settings.h"

#define DEFAULT_LIMIT 20

static void
print (const json_t *page)
{
  static const char *const columns[] = { "TIME", "KIND", "MODEL", "SENTENCE", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *item;
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      g_autofree char *time = vend_argument_local_time (item, "at");
      vend_table_add (table, time, vend_argument_shown (item, "kind"),
                      vend_argument_shown (item, "model"), vend_argument_shown (item, "sentence"));
    }
  vend_table_print (table);
}

/* "2h" becomes a time. */
static bool
path_of (const char *model, const char *since, char **out, GError **error)
{
  g_autoptr (GString) path = g_string_new ("/v1/decisions");
  int64_t ago_us = 0;
  if (since != NULL)
    {
      if (!vend_duration_parse (since, &ago_us, error))
        {
          g_prefix_error (error, "--since: ");
          return false;
        }
      g_autofree char *time = vend_time_format (vend_now_us () - ago_us);
      vend_argument_add_query (path, "since", time);
    }
  if (model != NULL)
    {
      g_autofree char *unused = NULL;
      if (!vend_argument_model_path (model, &unused, error))
        {
          g_prefix_error (error, "--model: ");
          return false;
        }
      vend_argument_add_query (path, "model", model);
    }
  *out = g_string_free (g_steal_pointer (&path), FALSE);
  return true;
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  g_autofree char *model = NULL, *since = NULL, *path = NULL;
  json_auto_t *page = NULL;
  int limit = DEFAULT_LIMIT;
  const GOptionEntry entries[] = {
    { "model", 0, 0, G_OPTION_ARG_STRING, &model, "only decisions about this model", "OWNER/NAME" },
    { "since", 0, 0, G_OPTION_ARG_STRING, &since, "only decisions of the last 30m, 2h, 1d",
      "DURATION" },
    { "limit", 'n', 0, G_OPTION_ARG_INT, &limit, "most decisions listed, newest first; 0 = all",
      "N" },
    { NULL },
  };
  const VendOptions options = {
    .command = "decisions",
    .usage = "",
    .summary
    = "Lists the scheduler's decisions with their reasons, newest first. Needs an admin token.",
    .entries = entries,
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if (limit < 0)
    return vend_fail (error, VEND_ERROR_INVALID, "--limit: expected 0 or more, got %d", limit);
  if (!path_of (model, since, &path, error) || !vend_client_new (&connection, &client, error)
      || !vend_client_list (client, path, (guint) limit, &page, error))
    return false;
  if (connection.json)
    vend_terminal_json (page);
  else
    print (page);
  return true;
}

int
vend_cmd_decisions (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
