/* Reads models, readmes, schemas and deployments through the official API of another server, makes
 * the models here, and says what is missing. Nothing is changed there. */
#include "cli/commands/import-replicate.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands/skeleton.h"
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include "model/model.h"
#include <errno.h>
#include <string.h>
#include <glib/gstdio.h>

#define DEFAULT_TOKEN "REPLICATE_API_TOKEN"
#define DEFAULT_HARDWARE "cpu"
#define MAX_README ((gsize) 4 * 1024 * 1024)

typedef struct
{
  VendConnection connection;
  char *from;
  char *token_env;
  char *dir;
} Flags;

static void
flags_clear (Flags *flags)
{
  vend_connection_clear (&flags->connection);
  g_free (flags->from);
  g_free (flags->token_env);
  g_free (flags->dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

typedef struct
{
  const Flags *flags;
  VendClient *there;
  VendClient *here;
  char *owner; /* the account here */
  json_t *models;
  json_t *deployments;
} Import;

static void
import_clear (Import *import)
{
  g_clear_pointer (&import->there, vend_client_free);
  g_clear_pointer (&import->here, vend_client_free);
  g_clear_pointer (&import->owner, g_free);
  g_clear_pointer (&import->models, json_decref);
  g_clear_pointer (&import->deployments, json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

static bool
parse (int argc, char **argv, Flags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "from", 0, 0, G_OPTION_ARG_STRING, &flags->from, "the other server; required", "URL" },
    { "token-env", 0, 0, G_OPTION_ARG_STRING, &flags->token_env,
      "variable that holds the token of the other server (default: " DEFAULT_TOKEN ")", "NAME" },
    { "dir", 0, 0, G_OPTION_ARG_FILENAME, &flags->dir,
      "write a project without its code for each model", "DIR" },
    { NULL },
  };
  const VendOptions options = {
    .command = "import replicate",
    .usage = "--from URL [owner/name…]",
    .summary
    = "Makes here, without code and weights, the models that an account has on another server\n"
      "of the Replicate API, and says what is missing.",
    .details = "Without names all models of the account are read. Nothing is changed there, and no "
               "model that is here already.",
    .entries = entries,
    .connection = &flags->connection,
    .most = 1000,
  };
  if (!vend_options_parse (&options, argc, argv, out_words, error))
    return false;
  for (gsize i = 0; (*out_words)[i] != NULL; i++)
    {
      g_autofree char *path = NULL;
      if (!vend_argument_model_path ((*out_words)[i], &path, error))
        return false;
    }
  return flags->from != NULL
         || vend_fail (error, VEND_ERROR_INVALID, "--from: name the URL of the other server");
}

static bool
connect_there (const Flags *flags, VendClient **out, GError **error)
{
  const char *name = flags->token_env != NULL ? flags->token_env : DEFAULT_TOKEN;
  const char *token = g_getenv (name);
  if (token == NULL || *token == '\0')
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the variable %s is not set: it holds the token of %s (--token-env names "
                      "another one)",
                      name, flags->from);
  const VendConnection connection
      = { .url = flags->from, .token = (char *) token, .ca = flags->connection.ca };
  return vend_client_new (&connection, out, error);
}

static bool
find_username (VendClient *client, char **out, GError **error)
{
  json_auto_t *account = NULL;
  if (!vend_client_call (client, "GET", "/v1/account", NULL, &account, error))
    return false;
  const char *username = vend_json_string (account, "username");
  if (username == NULL)
    return vend_fail (error, VEND_ERROR_INTERNAL, "the server says no name of the account");
  *out = g_strdup (username);
  return true;
}

/* ---- Which models */

/* Of json strings "owner/name", each once. */
static void
add_name (json_t *names, const char *owner, const char *name)
{
  size_t i;
  json_t *item;
  g_autofree char *text = g_strdup_printf ("%s/%s", owner, name);
  json_array_foreach (names, i, item)
    if (strcmp (json_string_value (item), text) == 0)
      return;
  json_array_append_new (names, json_string (text));
}

/* Lists show no private models of the official server; deployments name them. */
static bool
list_names (const Import *import, json_t *names, GError **error)
{
  g_autofree char *username = NULL;
  json_auto_t *models = NULL;
  size_t i;
  json_t *item;
  if (!find_username (import->there, &username, error)
      || !vend_client_list (import->there, "/v1/models", 0, &models, error))
    return false;
  json_array_foreach (json_object_get (models, "results"), i, item)
    if (g_strcmp0 (vend_json_string (item, "owner"), username) == 0
        && vend_json_string (item, "name") != NULL)
      add_name (names, username, vend_json_string (item, "name"));
  json_array_foreach (import->deployments, i, item)
    {
      const json_t *release = json_object_get (item, "current_release");
      const char *model = vend_json_string (release, "model");
      g_autofree char *owner = NULL, *name = NULL, *version = NULL;
      g_autoptr (GError) ignored = NULL;
      if (model != NULL && vend_reference_parse (model, &owner, &name, &version, &ignored)
          && strcmp (owner, username) == 0)
        add_name (names, owner, name);
    }
  return true;
}

static bool
read_deployments (Import *import, GError **error)
{
  json_auto_t *page = NULL;
  if (!vend_client_list (import->there, "/v1/deployments", 0, &page, error))
    return false;
  import->deployments = json_incref (json_object_get (page, "results"));
  return true;
}

/* ---- One model */

static bool
add_text (const char *data, gsize size, void *user)
{
  GString *text = user;
  if (size > MAX_README - text->len)
    return false;
  g_string_append_len (text, data, (gssize) size);
  return true;
}

/* "" when the other server has none. */
static bool
read_readme (const Import *import, const char *path, GString *text, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *readme = g_strconcat (path, "/readme", NULL);
  if (vend_client_read (import->there, readme, add_text, text, &problem))
    return true;
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

static bool
is_here (const Import *import, const char *name, bool *out, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *path = g_strdup_printf ("/v1/models/%s/%s", import->owner, name);
  *out = vend_client_call (import->here, "GET", path, NULL, NULL, &problem);
  if (*out || g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

static bool
make_model (const Import *import, const char *name, const json_t *model, const char *readme,
            GError **error)
{
  static const char *const kept[] = { "description", "github_url", "paper_url", "license_url" };
  const char *visibility = vend_json_string (model, "visibility");
  json_auto_t *body = json_pack (
      "{s:s, s:s, s:s, s:s}", "owner", import->owner, "name", name, "visibility",
      g_strcmp0 (visibility, "public") == 0 ? "public" : "private", "hardware", DEFAULT_HARDWARE);
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    if (vend_json_string (model, kept[i]) != NULL)
      json_object_set (body, kept[i], json_object_get (model, kept[i]));
  if (*readme != '\0')
    vend_json_set_string (body, "readme", readme);
  if (vend_client_call (import->here, "POST", "/v1/models", body, NULL, error))
    return true;
  g_prefix_error (error, "create %s/%s: ", import->owner, name);
  return false;
}

static bool
write_text (const char *dir, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  return vend_file_replace (path, text, strlen (text), 0644, error);
}

/* `*out` is the folder; NULL when the schema is not simple or the folder is there already. */
static bool
write_project (const Import *import, const char *reference, const char *name, const json_t *model,
               const char *readme, char **out, GError **error)
{
  static const char yaml[] = "build:\n  gpu: false\nrun: \"run.py:Runner\"\n";
  const json_t *schema
      = json_object_get (json_object_get (model, "latest_version"), "openapi_schema");
  g_autofree char *predict = vend_skeleton_predict (reference, schema);
  g_autofree char *dir = g_build_filename (import->flags->dir, name, NULL);
  if (predict == NULL)
    return true;
  if (g_mkdir_with_parents (import->flags->dir, 0755) < 0)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "create '%s'", import->flags->dir);
  if (g_mkdir (dir, 0755) < 0)
    return errno == EEXIST
           || vend_fail_errno (error, VEND_ERROR_INVALID, errno, "create '%s'", dir);
  if (!write_text (dir, "cog.yaml", yaml, error) || !write_text (dir, "run.py", predict, error)
      || (*readme != '\0' && !write_text (dir, "README.md", readme, error)))
    return false;
  *out = g_steal_pointer (&dir);
  return true;
}

static bool
count_versions (const Import *import, const char *path, guint *out, GError **error)
{
  json_auto_t *versions = NULL;
  g_autofree char *list = g_strconcat (path, "/versions", NULL);
  g_autoptr (GError) problem = NULL;
  *out = 0;
  if (vend_client_list (import->there, list, 0, &versions, &problem))
    {
      *out = (guint) json_array_size (json_object_get (versions, "results"));
      return true;
    }
  /* The official server hides those of its own models. */
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

static bool
import_model (const Import *import, const char *reference, GError **error)
{
  json_auto_t *model = NULL;
  g_autofree char *path = NULL, *dir = NULL, *owner = NULL, *name = NULL, *version = NULL;
  g_autoptr (GString) readme = g_string_new (NULL);
  guint n_versions = 0;
  bool is_there = false;
  /* Names are those that were checked, never those of an answer. */
  if (!vend_argument_model_path (reference, &path, error)
      || !vend_reference_parse (reference, &owner, &name, &version, error)
      || !vend_client_call (import->there, "GET", path, NULL, &model, error))
    return false;
  if (!read_readme (import, path, readme, error)
      || !count_versions (import, path, &n_versions, error)
      || !is_here (import, name, &is_there, error)
      || (!is_there && !make_model (import, name, model, readme->str, error))
      || (import->flags->dir != NULL
          && !write_project (import, reference, name, model, readme->str, &dir, error)))
    return false;
  g_autofree char *made = g_strdup_printf ("%s/%s", import->owner, name);
  json_t *row
      = json_pack ("{s:s, s:s, s:b, s:i, s:[s, s]}", "from", reference, "model", made, "created",
                   !is_there, "versions", (int) n_versions, "missing", "code", "weights");
  vend_json_set_string (row, "project", dir);
  json_array_append_new (import->models, row);
  return true;
}

/* ---- The result */

/* The command that makes a deployment once there is a version; NULL when its names are none. */
static char *
command_of (const Import *import, const json_t *deployment)
{
  const json_t *release = json_object_get (deployment, "current_release");
  const json_t *configuration = json_object_get (release, "configuration");
  g_autofree char *own
      = g_strdup_printf ("%s/%s", import->owner, vend_argument_shown (deployment, "name"));
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  g_autofree char *model_owner = NULL, *model = NULL, *model_version = NULL;
  if (!vend_reference_parse (own, &owner, &name, &version, NULL)
      || !vend_reference_parse (vend_argument_shown (release, "model"), &model_owner, &model,
                                &model_version, NULL))
    return NULL;
  return g_strdup_printf (
      "vend deployments create %s %s/%s --min %" G_GINT64_FORMAT " --max %" G_GINT64_FORMAT, name,
      import->owner, model, vend_json_int (configuration, "min_instances", 0),
      vend_json_int (configuration, "max_instances", 1));
}

static json_t *
shown_deployments (const Import *import)
{
  json_t *list = json_array ();
  size_t i;
  json_t *item;
  json_array_foreach (import->deployments, i, item)
    {
      const json_t *release = json_object_get (item, "current_release");
      g_autofree char *command = command_of (import, item);
      if (command == NULL)
        continue;
      json_array_append_new (
          list, json_pack ("{s:s, s:s, s:s, s:s}", "name", vend_argument_shown (item, "name"),
                           "model", vend_argument_shown (release, "model"), "version",
                           vend_argument_shown (release, "version"), "command", command));
    }
  return list;
}

static void
show (const Import *import)
{
  static const char *const columns[]
      = { "MODEL", "HERE", "VERSIONS THERE", "MISSING", "PROJECT", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  json_auto_t *deployments = shown_deployments (import);
  size_t i;
  json_t *row;
  if (import->flags->connection.json)
    {
      json_auto_t *object
          = json_pack ("{s:O, s:O}", "models", import->models, "deployments", deployments);
      vend_terminal_json (object);
      return;
    }
  json_array_foreach (import->models, i, row)
    {
      g_autofree char *count
          = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (row, "versions", 0));
      vend_table_add (table, vend_argument_shown (row, "model"),
                      vend_json_bool (row, "created", false) ? "created" : "was there", count,
                      "code, weights", vend_argument_shown (row, "project"));
    }
  vend_table_print (table);
  json_array_foreach (deployments, i, row)
    vend_terminal_note ("deployment %s needs a version of %s; then: %s",
                        vend_argument_shown (row, "name"), vend_argument_shown (row, "model"),
                        vend_argument_shown (row, "command"));
}

bool
vend_import_replicate (int argc, char **argv, GError **error)
{
  g_auto (Flags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_auto (Import) import = { .flags = &flags, .models = json_array () };
  json_auto_t *names = json_array ();
  size_t i;
  json_t *name;
  if (!parse (argc, argv, &flags, &words, error) || !connect_there (&flags, &import.there, error)
      || !vend_client_new (&flags.connection, &import.here, error)
      || !find_username (import.here, &import.owner, error) || !read_deployments (&import, error))
    return false;
  for (i = 0; words[i] != NULL; i++)
    json_array_append_new (names, json_string (words[i]));
  if (words[0] == NULL && !list_names (&import, names, error))
    return false;
  json_array_foreach (names, i, name)
    if (!import_model (&import, json_string_value (name), error))
      return false;
  show (&import);
  return true;
}
