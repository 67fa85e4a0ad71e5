/* `vend models`: list, create, show, scaling, delete. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands/listing.h"
#include "cli/commands/models-openai.h"
#include "cli/arguments/scaling-flags.h"
#include "cli/terminal/table.h"
#include "base/error.h"
#include "model/model.h"
#include "model/scaling.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

static const char *
latest_of (const json_t *model)
{
  return vend_argument_shown (json_object_get (model, "latest_version"), "id");
}

static void
print_list (const json_t *page)
{
  static const char *const columns[]
      = { "MODEL", "VISIBILITY", "RUNS", "LATEST", "DESCRIPTION", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *item;
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      g_autofree char *name = g_strdup_printf ("%s/%s", vend_argument_shown (item, "owner"),
                                               vend_argument_shown (item, "name"));
      g_autofree char *runs
          = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (item, "run_count", 0));
      g_autofree char *latest = g_strdup_printf ("%.12s", latest_of (item));
      vend_table_add (table, name, vend_argument_shown (item, "visibility"), runs, latest,
                      vend_argument_shown (item, "description"));
    }
  vend_table_print (table);
}

static bool
list (int argc, char **argv, GError **error)
{
  static const VendListing listing = {
    .command = "models list",
    .summary = "Lists models.",
    .path = "/v1/models",
    .print = print_list,
  };
  return vend_listing_run (&listing, argc, argv, error);
}

static void
print_one (const json_t *model)
{
  static const char *const members[]
      = { "owner", "name", "visibility", "description", "url", "created_at" };
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autofree char *text = vend_terminal_one_line (vend_argument_shown (model, members[i]));
      if (*text != '\0')
        vend_terminal_print ("%-12s %s\n", members[i], text);
    }
  vend_terminal_print ("%-12s %" G_GINT64_FORMAT "\n", "runs",
                       vend_json_int (model, "run_count", 0));
  vend_terminal_print ("%-12s %s\n", "latest",
                       *latest_of (model) != '\0' ? latest_of (model) : "none");
  vend_models_openai_print (json_object_get (model, "openai"));
}

static void
show_model (const VendConnection *connection, const json_t *model)
{
  if (connection->json)
    vend_terminal_json (model);
  else
    print_one (model);
}

static bool
create (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *model = NULL;
  gboolean is_public = FALSE, is_private = FALSE;
  g_autofree char *description = NULL, *hardware = NULL;
  const GOptionEntry entries[] = {
    { "public", 0, 0, G_OPTION_ARG_NONE, &is_public, "every account may run the model", NULL },
    { "private", 0, 0, G_OPTION_ARG_NONE, &is_private, "only the owner may run the model (default)",
      NULL },
    { "description", 0, 0, G_OPTION_ARG_STRING, &description, "description of the model", "TEXT" },
    { "hardware", 0, 0, G_OPTION_ARG_STRING, &hardware, "hardware to run on; default cpu", "SKU" },
    { NULL },
  };
  const VendOptions options = {
    .command = "models create",
    .usage = "owner/name",
    .summary = "Creates an empty model.",
    .entries = entries,
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  g_autofree char *owner = NULL, *name = NULL, *path = NULL, *version = NULL;
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_model_path (words[0], &path, error)
      || !vend_reference_parse (words[0], &owner, &name, &version, error))
    return false;
  if (is_public && is_private)
    return vend_fail (error, VEND_ERROR_INVALID, "--public and --private exclude each other");

  json_auto_t *body = json_object ();
  vend_json_set_string (body, "owner", owner);
  vend_json_set_string (body, "name", name);
  vend_json_set_string (body, "visibility", is_public ? "public" : "private");
  vend_json_set_string (body, "hardware", hardware != NULL ? hardware : "cpu");
  if (description != NULL)
    vend_json_set_string (body, "description", description);
  if (!vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "POST", "/v1/models", body, &model, error))
    return false;
  show_model (&connection, model);
  return true;
}

/* The one argument of `show` and `delete`, as the model's path. */
static bool
parse_model (const char *command, const char *summary, int argc, char **argv,
             VendConnection *connection, char **out_path, GError **error)
{
  g_auto (GStrv) words = NULL;
  const VendOptions options = {
    .command = command,
    .usage = "owner/name",
    .summary = summary,
    .connection = connection,
    .least = 1,
    .most = 1,
  };
  return vend_options_parse (&options, argc, argv, &words, error)
         && vend_argument_model_path (words[0], out_path, error);
}

/* Which its owner alone is told. */
static void
print_network (VendClient *client, const char *path)
{
  g_autofree char *scaling_path = g_strconcat (path, "/scaling", NULL);
  json_auto_t *scaling = NULL;
  g_autoptr (GError) not_ours = NULL;
  if (!vend_client_call (client, "GET", scaling_path, NULL, &scaling, &not_ours))
    return;
  const char *network = vend_json_string (json_object_get (scaling, "effective"), "network");
  if (network != NULL)
    vend_terminal_print ("%-12s %s\n", "network", network);
}

static bool
show (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_autofree char *path = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *model = NULL;
  if (!parse_model ("models show", "Shows one model.", argc, argv, &connection, &path, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "GET", path, NULL, &model, error))
    return false;
  show_model (&connection, model);
  if (!connection.json)
    print_network (client, path);
  return true;
}

/* Why a setting is not in effect as it is set. */
static void
add_reason (GString *reasons, const char *name, const char *own, const char *effect)
{
  if (strcmp (name, "concurrency") == 0)
    g_string_append_printf (reasons,
                            "\nconcurrency: %s is set; cog.yaml of the latest version allows %s "
                            "(concurrency.max)\n",
                            own, effect);
  else
    g_string_append_printf (reasons, "\n%s: %s is set; other settings make it %s\n", name, own,
                            effect);
}

static void
show_scaling (const VendConnection *connection, const json_t *scaling)
{
  static const char *const columns[] = { "SETTING", "SET", "IN EFFECT", NULL };
  if (connection->json)
    {
      vend_terminal_json (scaling);
      return;
    }
  gsize n = 0;
  const VendScalingInfo *infos = vend_scaling_infos (&n);
  const json_t *effective = json_object_get (scaling, "effective");
  g_autoptr (GString) reasons = g_string_new (NULL);
  g_autoptr (VendTable) table = vend_table_new (columns);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *own = vend_scaling_shown (scaling, i, "-");
      g_autofree char *effect = vend_scaling_shown (effective, i, "-");
      vend_table_add (table, infos[i].name, own, effect);
      if (strcmp (own, "-") != 0 && strcmp (own, effect) != 0)
        add_reason (reasons, infos[i].name, own, effect);
    }
  vend_table_print (table);
  vend_terminal_print ("%s", reasons->str);
}

static bool
scaling (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (VendScalingFlags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *model = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *change = json_object ();
  json_auto_t *now = NULL;
  vend_scaling_flags_init (&flags, true);
  const VendOptions options = {
    .command = "models scaling",
    .usage = "owner/name",
    .summary = "Shows the scaling settings of a model, and changes those that options name.",
    .details = "'default' as a value means the server's setting again.",
    .more = flags.entries,
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !vend_argument_model_path (words[0], &model, error)
      || !vend_scaling_flags_read (&flags, change, error)
      || !vend_client_new (&connection, &client, error))
    return false;
  const bool changes = json_object_size (change) > 0;
  g_autofree char *path = g_strconcat (model, "/scaling", NULL);
  if (!vend_client_call (client, changes ? "PATCH" : "GET", path, changes ? change : NULL, &now,
                         error))
    return false;
  show_scaling (&connection, now);
  return true;
}

static void
print_aliases (const json_t *page)
{
  static const char *const columns[] = { "ALIAS", "MODEL", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *alias;
  json_array_foreach (json_object_get (page, "results"), i, alias)
    vend_table_add (table, vend_argument_shown (alias, "name"),
                    vend_argument_shown (alias, "model"));
  vend_table_print (table);
}

/* Lists without a word, sets with two, removes with --remove. */
static bool
alias (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *reply = NULL;
  gboolean removes = FALSE;
  const GOptionEntry entries[]
      = { { "remove", 0, 0, G_OPTION_ARG_NONE, &removes, "remove the alias", NULL }, { NULL } };
  const VendOptions options = {
    .command = "models alias",
    .usage = "[NAME [owner/name]]",
    .summary = "Lists, sets and removes names for models in calls of the OpenAI endpoints.",
    .entries = entries,
    .connection = &connection,
    .most = 2,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  const guint n = g_strv_length (words);
  if (n == 1 ? !removes : removes)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "expected nothing, NAME owner/name, or NAME --remove");
  if (!vend_client_new (&connection, &client, error))
    return false;
  g_autofree char *name = n > 0 ? g_uri_escape_string (words[0], NULL, TRUE) : NULL;
  g_autofree char *path = n > 0 ? g_strconcat ("/v1/aliases/", name, NULL) : NULL;
  json_auto_t *body = n == 2 ? json_pack ("{s:s}", "model", words[1]) : NULL;
  if (!vend_client_call (client,
                         n == 0    ? "GET"
                         : removes ? "DELETE"
                                   : "PUT",
                         n == 0 ? "/v1/aliases" : path, body, removes ? NULL : &reply, error))
    return false;
  if (removes)
    vend_terminal_note ("removed");
  else if (connection.json)
    vend_terminal_json (reply);
  else if (n == 0)
    print_aliases (reply);
  else
    vend_terminal_note ("%s stands for %s", vend_argument_shown (reply, "name"),
                        vend_argument_shown (reply, "model"));
  return true;
}

static bool delete (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_autofree char *path = NULL;
  g_autoptr (VendClient) client = NULL;
  if (!parse_model ("models delete", "Deletes a private model that has no versions.", argc, argv,
                    &connection, &path, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "DELETE", path, NULL, NULL, error))
    return false;
  vend_terminal_note ("deleted");
  return true;
}

int
vend_cmd_models (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list [--limit N]", list },
    { "create", "create owner/name [--public] [--description TEXT] [--hardware SKU]", create },
    { "show", "show owner/name", show },
    { "scaling", "scaling owner/name [--min N] [--max N] [--idle-timeout DURATION] …", scaling },
    { "alias", "alias [NAME owner/name | NAME --remove]", alias },
    { "openai", "openai owner/name [--set FILE | --clear]", vend_models_openai },
    { "delete", "delete owner/name", delete },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("models", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
