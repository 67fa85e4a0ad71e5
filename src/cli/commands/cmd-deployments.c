/* `vend deployments`: list, get, create, update, delete. Main thread only. */
#include "cli/commands.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands/listing.h"
#include "cli/arguments/scaling-flags.h"
#include "cli/terminal/table.h"
#include "base/error.h"
#include "model/model.h"
#include "model/scaling.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>

/* A count that the command line does not give. */
#define UNSET G_MININT
#define SCALING_DETAILS \
  "'default' as the value of an option from --idle-timeout to --retry-safe means the\n" \
  "server's setting again."

static const json_t *
configuration_of (const json_t *deployment)
{
  return json_object_get (json_object_get (deployment, "current_release"), "configuration");
}

static void
print_list (const json_t *page)
{
  static const char *const columns[]
      = { "DEPLOYMENT", "RELEASE", "MODEL", "VERSION", "HARDWARE", "INSTANCES", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *item;
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      const json_t *release = json_object_get (item, "current_release");
      const json_t *configuration = configuration_of (item);
      g_autofree char *name = g_strdup_printf ("%s/%s", vend_argument_shown (item, "owner"),
                                               vend_argument_shown (item, "name"));
      g_autofree char *number
          = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (release, "number", 0));
      g_autofree char *version
          = g_strdup_printf ("%.12s", vend_argument_shown (release, "version"));
      g_autofree char *instances
          = g_strdup_printf ("%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT,
                             vend_json_int (configuration, "min_instances", 0),
                             vend_json_int (configuration, "max_instances", 0));
      vend_table_add (table, name, number, vend_argument_shown (release, "model"), version,
                      vend_argument_shown (configuration, "hardware"), instances);
    }
  vend_table_print (table);
}

static bool
list (int argc, char **argv, GError **error)
{
  static const VendListing listing = {
    .command = "deployments list",
    .summary = "Lists your deployments.",
    .path = "/v1/deployments",
    .print = print_list,
  };
  return vend_listing_run (&listing, argc, argv, error);
}

static void
show (const VendConnection *connection, const json_t *deployment)
{
  static const char *const members[] = { "model", "version", "created_at" };
  const json_t *release = json_object_get (deployment, "current_release");
  const json_t *configuration = configuration_of (deployment);
  if (connection->json)
    {
      vend_terminal_json (deployment);
      return;
    }
  vend_terminal_print ("%-14s %s/%s\n", "deployment", vend_argument_shown (deployment, "owner"),
                       vend_argument_shown (deployment, "name"));
  vend_terminal_print ("%-14s %" G_GINT64_FORMAT "\n", "release",
                       vend_json_int (release, "number", 0));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    vend_terminal_print ("%-14s %s\n", members[i], vend_argument_shown (release, members[i]));
  vend_terminal_print ("%-14s %s\n", "hardware", vend_argument_shown (configuration, "hardware"));
  gsize n = 0;
  const VendScalingInfo *infos = vend_scaling_infos (&n);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = vend_scaling_shown (configuration, i, NULL);
      if (text != NULL)
        vend_terminal_print ("%-14s %s\n", infos[i].name, text);
    }
}

/* "owner/name" as the deployment's path. */
static bool
path_of (const char *text, char **out, GError **error)
{
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  if (!vend_reference_parse (text, &owner, &name, &version, error))
    return false;
  if (version != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "'%s': expected a deployment as owner/name", text);
  *out = g_strdup_printf ("/v1/deployments/%s/%s", owner, name);
  return true;
}

/* ---- History */

/* "version, max_instances 1 to 3": what differs between two releases. */
static char *
changes_between (const json_t *older, const json_t *newer)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const json_t *before = json_object_get (older, "configuration");
  json_t *now = json_object_get (newer, "configuration");
  const char *key;
  json_t *value;
  if (g_strcmp0 (vend_json_string (older, "version"), vend_json_string (newer, "version")) != 0)
    g_string_append (text, "version");
  json_object_foreach (now, key, value)
    if (!json_equal (value, json_object_get (before, key)))
      {
        const json_t *was = json_object_get (before, key);
        g_autofree char *from = was != NULL ? vend_json_text (was) : g_strdup ("default");
        g_autofree char *to = vend_json_text (value);
        g_string_append_printf (text, "%s%s %s to %s", text->len > 0 ? ", " : "", key, from, to);
      }
  json_object_foreach ((json_t *) before, key, value)
    if (json_object_get (now, key) == NULL)
      {
        g_autofree char *from = vend_json_text (value);
        g_string_append_printf (text, "%s%s %s to default", text->len > 0 ? ", " : "", key, from);
      }
  return vend_terminal_one_line (text->str);
}

static void
print_history (const json_t *page, guint shown)
{
  static const char *const columns[]
      = { "RELEASE", "CREATED", "TOKEN", "VERSION", "CHANGES", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  const json_t *results = json_object_get (page, "results");
  for (gsize i = 0; i < MIN (json_array_size (results), shown); i++)
    {
      const json_t *release = json_array_get (results, i), *older = json_array_get (results, i + 1);
      const int64_t number = vend_json_int (release, "number", 0);
      g_autofree char *cell = g_strdup_printf ("%" G_GINT64_FORMAT, number);
      g_autofree char *created = vend_argument_shown_time (release, "created_at");
      g_autofree char *version
          = g_strdup_printf ("%.12s", vend_argument_shown (release, "version"));
      g_autofree char *changes
          = older != NULL ? changes_between (older, release) : g_strdup ("created");
      vend_table_add (table, cell, created, vend_argument_shown (release, "token"), version,
                      changes);
    }
  vend_table_print (table);
}

static bool
history (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autofree char *path = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *page = NULL;
  int limit = 20;
  const GOptionEntry entries[] = {
    { "limit", 'n', 0, G_OPTION_ARG_INT, &limit, "most rows listed, newest first; 0 = all", "N" },
    { NULL },
  };
  const VendOptions options = {
    .command = "deployments history",
    .usage = "owner/name",
    .summary = "Lists the releases of a deployment: when, by which token, and what each changed.",
    .entries = entries,
    .connection = &connection,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error)
      || !path_of (words[0], &path, error))
    return false;
  if (limit < 0)
    return vend_fail (error, VEND_ERROR_INVALID, "--limit: expected 0 or more, got %d", limit);
  g_autofree char *releases = g_strconcat (path, "/releases", NULL);
  /* One more tells what the last one changed. */
  const guint wanted = limit == 0 || connection.json ? (guint) limit : (guint) limit + 1;
  if (!vend_client_new (&connection, &client, error)
      || !vend_client_list (client, releases, wanted, &page, error))
    return false;
  if (connection.json)
    vend_terminal_json (page);
  else
    print_history (page, limit == 0 ? G_MAXUINT : (guint) limit);
  return true;
}

/* ---- What a release is made of */

typedef struct
{
  VendConnection connection;
  char *version;
  char *hardware;
  int min_instances;
  int max_instances;
  VendScalingFlags scaling;
} Flags;

static void
flags_clear (Flags *flags)
{
  vend_connection_clear (&flags->connection);
  g_free (flags->version);
  g_free (flags->hardware);
  vend_scaling_flags_clear (&flags->scaling);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

static bool
check_counts (const Flags *flags, GError **error)
{
  const int counts[] = { flags->min_instances, flags->max_instances };
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    if (counts[i] != UNSET && counts[i] < 0)
      return vend_fail (error, VEND_ERROR_INVALID, "%s: expected 0 or more, got %d",
                        i == 0 ? "--min" : "--max", counts[i]);
  return true;
}

static void
set_count (json_t *body, const char *key, int count)
{
  if (count != UNSET)
    vend_json_set_int (body, key, count);
}

/* The version that the command line names, or the model's latest one. */
static bool
find_version (VendClient *client, const char *owner, const char *name, const char *version,
              char **out, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/v1/models/%s/%s", owner, name);
  json_auto_t *model = NULL;
  if (version != NULL)
    {
      *out = g_strdup (version);
      return true;
    }
  if (!vend_client_call (client, "GET", path, NULL, &model, error))
    return false;
  *out = g_strdup (vend_json_string (json_object_get (model, "latest_version"), "id"));
  return *out != NULL
         || vend_fail (error, VEND_ERROR_NOT_FOUND,
                       "%s/%s has no version yet; 'vend push' makes one", owner, name);
}

static bool
create (int argc, char **argv, GError **error)
{
  g_auto (Flags) flags = { .min_instances = 0, .max_instances = 1 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  g_autofree char *owner = NULL, *name = NULL, *named = NULL, *version = NULL;
  json_auto_t *deployment = NULL;
  const GOptionEntry entries[] = {
    { "hardware", 0, 0, G_OPTION_ARG_STRING, &flags.hardware, "hardware to run on; default cpu",
      "SKU" },
    { "min", 0, 0, G_OPTION_ARG_INT, &flags.min_instances,
      "minimum of instances, kept warm; default 0", "N" },
    { "max", 0, 0, G_OPTION_ARG_INT, &flags.max_instances, "maximum of instances; default 1", "N" },
    { NULL },
  };
  vend_scaling_flags_init (&flags.scaling, false);
  const VendOptions options = {
    .command = "deployments create",
    .usage = "NAME owner/name[:version]",
    .summary = "Creates a deployment of a version, or of the model's latest one.",
    .entries = entries,
    .more = flags.scaling.entries,
    .details = SCALING_DETAILS,
    .connection = &flags.connection,
    .least = 2,
    .most = 2,
  };
  json_auto_t *body = json_object ();
  if (!vend_options_parse (&options, argc, argv, &words, error) || !check_counts (&flags, error)
      || !vend_scaling_flags_read (&flags.scaling, body, error)
      || !vend_reference_parse (words[1], &owner, &name, &named, error)
      || !vend_client_new (&flags.connection, &client, error)
      || !find_version (client, owner, name, named, &version, error))
    return false;
  g_autofree char *model = g_strdup_printf ("%s/%s", owner, name);
  vend_json_set_string (body, "name", words[0]);
  vend_json_set_string (body, "model", model);
  vend_json_set_string (body, "version", version);
  vend_json_set_string (body, "hardware", flags.hardware != NULL ? flags.hardware : "cpu");
  set_count (body, "min_instances", flags.min_instances);
  set_count (body, "max_instances", flags.max_instances);
  if (!vend_client_call (client, "POST", "/v1/deployments", body, &deployment, error))
    return false;
  show (&flags.connection, deployment);
  return true;
}

static bool
update (int argc, char **argv, GError **error)
{
  g_auto (Flags) flags = { .min_instances = UNSET, .max_instances = UNSET };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  g_autofree char *path = NULL;
  json_auto_t *deployment = NULL;
  const GOptionEntry entries[] = {
    { "version", 0, 0, G_OPTION_ARG_STRING, &flags.version,
      "another version of the deployment's model", "ID" },
    { "hardware", 0, 0, G_OPTION_ARG_STRING, &flags.hardware, "hardware to run on", "SKU" },
    { "min", 0, 0, G_OPTION_ARG_INT, &flags.min_instances, "minimum of instances, kept warm", "N" },
    { "max", 0, 0, G_OPTION_ARG_INT, &flags.max_instances, "maximum of instances", "N" },
    { NULL },
  };
  vend_scaling_flags_init (&flags.scaling, false);
  const VendOptions options = {
    .command = "deployments update",
    .usage = "owner/name",
    .summary = "Makes a new release of a deployment.",
    .entries = entries,
    .more = flags.scaling.entries,
    .details = SCALING_DETAILS,
    .connection = &flags.connection,
    .least = 1,
    .most = 1,
  };
  json_auto_t *body = json_object ();
  if (!vend_options_parse (&options, argc, argv, &words, error) || !check_counts (&flags, error)
      || !vend_scaling_flags_read (&flags.scaling, body, error) || !path_of (words[0], &path, error)
      || (flags.version != NULL && !vend_argument_version_check (flags.version, error)))
    return false;
  if (flags.version != NULL)
    vend_json_set_string (body, "version", flags.version);
  if (flags.hardware != NULL)
    vend_json_set_string (body, "hardware", flags.hardware);
  set_count (body, "min_instances", flags.min_instances);
  set_count (body, "max_instances", flags.max_instances);
  if (json_object_size (body) == 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "nothing to change; see 'vend deployments update --help'");
  if (!vend_client_new (&flags.connection, &client, error)
      || !vend_client_call (client, "PATCH", path, body, &deployment, error))
    return false;
  show (&flags.connection, deployment);
  return true;
}

/* ---- One deployment */

static bool
parse_one (const char *command, const char *summary, int argc, char **argv,
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
         && path_of (words[0], out_path, error);
}

static bool
get (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_autofree char *path = NULL;
  g_autoptr (VendClient) client = NULL;
  json_auto_t *deployment = NULL;
  if (!parse_one ("deployments get", "Shows one deployment.", argc, argv, &connection, &path, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "GET", path, NULL, &deployment, error))
    return false;
  show (&connection, deployment);
  return true;
}

static bool delete (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_autofree char *path = NULL;
  g_autoptr (VendClient) client = NULL;
  if (!parse_one ("deployments delete",
                  "Deletes a deployment that has been idle for the setting deployment-delete-idle.",
                  argc, argv, &connection, &path, error)
      || !vend_client_new (&connection, &client, error)
      || !vend_client_call (client, "DELETE", path, NULL, NULL, error))
    return false;
  vend_terminal_note ("deleted");
  return true;
}

int
vend_cmd_deployments (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list [--limit N]", list },
    { "get", "get owner/name", get },
    { "create", "create NAME owner/name[:version] [--hardware SKU] [--min N] [--max N] …", create },
    { "update", "update owner/name [--version ID] [--hardware SKU] [--min N] [--max N] …", update },
    { "history", "history owner/name [--limit N]", history },
    { "delete", "delete owner/name", delete },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("deployments", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
