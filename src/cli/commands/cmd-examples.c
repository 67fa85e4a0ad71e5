/* `vend examples`: list, show and push the example models that Vend ships. Main thread only. */
#include "base/error.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client.h"
#include "cli/commands.h"
#include "cli/commands/push.h"
#include "cli/commands/shipped-examples.h"
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

typedef struct
{
  VendConnection connection;
  char *dir;
  char **accepted;
  gboolean all;
  gboolean is_public;
  gboolean is_private;
  gboolean smoke;
} Flags;

static void
flags_clear (Flags *flags)
{
  vend_connection_clear (&flags->connection);
  g_free (flags->dir);
  g_strfreev (flags->accepted);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

#define DIR_ENTRY(variable) \
  { "dir", 0, 0, G_OPTION_ARG_FILENAME, variable, "folder of the examples", "DIR" }

static bool
load (const char *given, GPtrArray **out, GError **error)
{
  g_autofree char *dir = NULL;
  return vend_shipped_examples_find (given, &dir, error)
         && vend_shipped_examples_load (dir, out, error);
}

/* ---- list */

static json_t *
to_json (const VendShippedExample *example)
{
  json_t *object = json_object ();
  const json_t *licenses = json_object_get (example->card, "licenses");
  const json_t *download = json_object_get (example->card, "download");
  json_t *shown = json_object ();
  vend_json_set_string (object, "name", example->name);
  vend_json_set_string (object, "description", vend_json_string (example->card, "description"));
  vend_json_set_string (shown, "code", vend_json_string (licenses, "code"));
  vend_json_set_string (shown, "weights", vend_json_string (licenses, "weights"));
  json_object_set_new (object, "licenses", shown);
  json_object_set_new (object, "download",
                       download != NULL ? json_incref ((json_t *) download) : json_null ());
  vend_json_set_string (object, "accept", vend_json_string (example->card, "accept"));
  vend_json_set_string (object, "path", example->dir);
  return object;
}

static void
print_list (const json_t *results)
{
  static const char *const columns[]
      = { "NAME", "CODE", "WEIGHTS", "DOWNLOAD", "ACCEPT", "DESCRIPTION", NULL };
  g_autoptr (VendTable) table = vend_table_new (columns);
  size_t i;
  json_t *example;
  json_array_foreach (results, i, example)
    {
      const json_t *licenses = json_object_get (example, "licenses");
      const int64_t bytes = vend_json_int (example, "download", 0);
      g_autofree char *size = bytes > 0 ? g_format_size ((guint64) bytes) : g_strdup ("-");
      const char *code = vend_json_string (licenses, "code");
      const char *weights = vend_json_string (licenses, "weights");
      vend_table_add (table, vend_argument_shown (example, "name"), code != NULL ? code : "-",
                      weights != NULL ? weights : "-", size,
                      vend_json_string (example, "accept") != NULL ? "yes" : "no",
                      vend_argument_shown (example, "description"));
    }
  vend_table_print (table);
}

static bool
list (int argc, char **argv, GError **error)
{
  g_autofree char *dir = NULL;
  gboolean json = FALSE;
  g_auto (GStrv) words = NULL;
  g_autoptr (GPtrArray) examples = NULL;
  const GOptionEntry entries[] = {
    DIR_ENTRY (&dir),
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "print JSON", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "examples list",
    .usage = "",
    .summary = "Lists the example models that come with Vend.",
    .details
    = "DOWNLOAD is what a push or the first start fetches; ACCEPT says whether a push takes "
      "--accept-license.",
    .entries = entries,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error) || !load (dir, &examples, error))
    return false;
  json_auto_t *results = json_array ();
  for (guint i = 0; i < examples->len; i++)
    json_array_append_new (results, to_json (g_ptr_array_index (examples, i)));
  if (!json)
    {
      print_list (results);
      return true;
    }
  json_auto_t *page = json_pack ("{s:O}", "results", results);
  vend_terminal_json (page);
  return true;
}

/* ---- show */

static bool
show (int argc, char **argv, GError **error)
{
  g_autofree char *dir = NULL;
  gboolean json = FALSE;
  g_auto (GStrv) words = NULL;
  g_autoptr (GPtrArray) examples = NULL;
  const VendShippedExample *example = NULL;
  const GOptionEntry entries[] = {
    DIR_ENTRY (&dir),
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "print JSON", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "examples show",
    .usage = "NAME",
    .summary = "Prints the README of an example model.",
    .entries = entries,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error) || !load (dir, &examples, error)
      || !vend_shipped_examples_get (examples, words[0], &example, error))
    return false;
  const char *readme = vend_json_string (example->card, "readme");
  if (json)
    {
      json_auto_t *object = to_json (example);
      vend_json_set_string (object, "readme", readme);
      vend_terminal_json (object);
      return true;
    }
  if (readme == NULL)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "'%s' has no README.md", example->name);
  vend_terminal_print ("%s%s", readme, g_str_has_suffix (readme, "\n") ? "" : "\n");
  return true;
}

/* ---- push */

static bool
parse_push (int argc, char **argv, Flags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &flags->all, "push all examples", NULL },
    { "accept-license", 0, 0, G_OPTION_ARG_STRING_ARRAY, &flags->accepted,
      "accept the license of this example; may be repeated", "NAME" },
    DIR_ENTRY (&flags->dir),
    { "private", 0, 0, G_OPTION_ARG_NONE, &flags->is_private,
      "for new models: only the owner may run them (default)", NULL },
    { "public", 0, 0, G_OPTION_ARG_NONE, &flags->is_public,
      "for new models: every account may run them", NULL },
    { "smoke", 0, 0, G_OPTION_ARG_NONE, &flags->smoke,
      "start each model once; a failed start fails the build", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "examples push",
    .usage = "NAME… | --all",
    .summary = "Pushes example models to the account of the token, each under its own name.",
    .entries = entries,
    .connection = &flags->connection,
    .most = G_MAXUINT,
  };
  if (!vend_options_parse (&options, argc, argv, out_words, error))
    return false;
  if (flags->is_public && flags->is_private)
    return vend_fail (error, VEND_ERROR_INVALID, "--public and --private exclude each other");
  if (flags->all == ((*out_words)[0] != NULL))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "expected 'vend examples push NAME…' or 'vend examples push --all'");
  return true;
}

/* Borrowed from `examples`. */
static bool
choose (const GPtrArray *examples, const Flags *flags, char **words, GPtrArray **out,
        GError **error)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  const VendShippedExample *example = NULL;
  for (guint i = 0; flags->all && i < examples->len; i++)
    g_ptr_array_add (chosen, g_ptr_array_index (examples, i));
  for (guint i = 0; words[i] != NULL; i++)
    {
      if (!vend_shipped_examples_get (examples, words[i], &example, error))
        return false;
      if (!g_ptr_array_find (chosen, example, NULL))
        g_ptr_array_add (chosen, (void *) example);
    }
  for (guint i = 0; flags->accepted != NULL && flags->accepted[i] != NULL; i++)
    if (!vend_shipped_examples_get (examples, flags->accepted[i], &example, error))
      {
        g_prefix_error (error, "--accept-license: ");
        return false;
      }
  *out = g_steal_pointer (&chosen);
  return true;
}

/* Before the first one is pushed. */
static bool
check (const GPtrArray *chosen, const Flags *flags, GError **error)
{
  for (guint i = 0; i < chosen->len; i++)
    {
      const VendShippedExample *example = g_ptr_array_index (chosen, i);
      const char *sentence = vend_json_string (example->card, "accept");
      if (example->card == NULL)
        return vend_fail (error, VEND_ERROR_INVALID, "the vend.yaml of '%s' is wrong",
                          example->name);
      if (sentence == NULL
          || (flags->accepted != NULL
              && g_strv_contains ((const char *const *) flags->accepted, example->name)))
        continue;
      g_autofree char *line = vend_terminal_one_line (sentence);
      return vend_fail (error, VEND_ERROR_INVALID, "%s: %s Accept with '--accept-license %s'",
                        example->name, line, example->name);
    }
  return true;
}

static bool
fetch_owner (const VendConnection *connection, char **out, GError **error)
{
  g_autoptr (VendClient) client = NULL;
  json_auto_t *account = NULL;
  if (!vend_client_new (connection, &client, error)
      || !vend_client_call (client, "GET", "/v1/account", NULL, &account, error))
    return false;
  *out = g_strdup (vend_json_string (account, "username"));
  return *out != NULL
         || vend_fail (error, VEND_ERROR_INTERNAL, "the server shows an account without name");
}

static bool
push_one (const Flags *flags, const char *owner, const VendShippedExample *example, GError **error)
{
  g_autofree char *reference = g_strdup_printf ("%s/%s", owner, example->name);
  const VendPushRequest request = { .connection = &flags->connection,
                                    .dir = example->dir,
                                    .reference = reference,
                                    .is_public = flags->is_public,
                                    .is_private = flags->is_private,
                                    .smoke = flags->smoke };
  vend_terminal_note ("pushing %s", reference);
  if (vend_push (&request, error))
    return true;
  g_prefix_error (error, "%s: ", example->name);
  return false;
}

static bool
push (int argc, char **argv, GError **error)
{
  g_auto (Flags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (GPtrArray) examples = NULL;
  g_autoptr (GPtrArray) chosen = NULL;
  g_autofree char *owner = NULL;
  if (!parse_push (argc, argv, &flags, &words, error) || !load (flags.dir, &examples, error)
      || !choose (examples, &flags, words, &chosen, error) || !check (chosen, &flags, error)
      || !fetch_owner (&flags.connection, &owner, error))
    return false;
  for (guint i = 0; i < chosen->len; i++)
    if (!push_one (&flags, owner, g_ptr_array_index (chosen, i), error))
      return false;
  return true;
}

int
vend_cmd_examples (int argc, char **argv)
{
  static const VendSubcommand table[] = {
    { "list", "list [--dir DIR]", list },
    { "show", "show NAME", show },
    { "push", "push NAME… | --all [--accept-license NAME]", push },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  bool good = vend_subcommand_run ("examples", table, argc, argv, &error);
  return vend_exit_code (good, error);
}
