/* Command lines of the subcommands. Main thread only. */
#include "cli/arguments/options.h"
#include "base/error.h"
#include "cli/terminal/terminal.h"
#include <stdio.h>
#include <string.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_INTERRUPTED 130

void
vend_connection_clear (VendConnection *connection)
{
  g_clear_pointer (&connection->url, g_free);
  g_clear_pointer (&connection->token, g_free);
  g_clear_pointer (&connection->ca, g_free);
}

static void
add_connection_entries (GOptionContext *context, VendConnection *connection)
{
  const GOptionEntry entries[] = {
    { "url", 0, 0, G_OPTION_ARG_STRING, &connection->url, "URL of the server (also VEND_URL)",
      "URL" },
    { "token", 0, 0, G_OPTION_ARG_STRING, &connection->token, "API token (also VEND_API_TOKEN)",
      "TOKEN" },
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &connection->ca,
      "CA certificates to trust, PEM (also VEND_CA)", "FILE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &connection->json, "print JSON", NULL },
    { NULL },
  };
  g_option_context_add_main_entries (context, entries, NULL);
}

static bool
check_count (const VendOptions *options, char **arguments, GError **error)
{
  guint n = g_strv_length (arguments);
  if (n < options->least)
    return vend_fail (error, VEND_ERROR_INVALID, "expected 'vend %s %s'; see 'vend %s --help'",
                      options->command, options->usage, options->command);
  if (n > options->most)
    return vend_fail (error, VEND_ERROR_INVALID, "unexpected argument '%s'; see 'vend %s --help'",
                      arguments[options->most], options->command);
  return true;
}

bool
vend_options_parse (const VendOptions *options, int argc, char **argv, GStrv *out_arguments,
                    GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *name = g_strconcat ("vend ", options->command, NULL);
  g_autoptr (GOptionContext) context = g_option_context_new (options->usage);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_set_prgname (name);
  g_option_context_set_summary (context, options->summary);
  g_option_context_set_description (context, options->details);
  if (options->entries != NULL)
    g_option_context_add_main_entries (context, options->entries, NULL);
  if (options->more != NULL)
    g_option_context_add_main_entries (context, options->more, NULL);
  if (options->connection != NULL)
    add_connection_entries (context, options->connection);

  for (int i = 0; i < argc; i++)
    g_strv_builder_add (builder, argv[i]);
  g_auto (GStrv) words = g_strv_builder_end (builder);
  if (!g_option_context_parse_strv (context, &words, &problem))
    {
      problem->message[0] = g_ascii_tolower (problem->message[0]);
      return vend_fail (error, VEND_ERROR_INVALID, "%s; see '%s --help'", problem->message, name);
    }

  g_auto (GStrv) arguments = g_new0 (char *, g_strv_length (words) + 1);
  bool after_dashes = false;
  for (guint from = 1, to = 0; words[from] != NULL; from++)
    if (!after_dashes && strcmp (words[from], "--") == 0)
      after_dashes = true;
    else
      arguments[to++] = g_strdup (words[from]);
  if (!check_count (options, arguments, error))
    return false;
  *out_arguments = g_steal_pointer (&arguments);
  return true;
}

static void
print_subcommands (const char *command, const VendSubcommand *table)
{
  puts ("Usage:");
  for (const VendSubcommand *entry = table; entry->name != NULL; entry++)
    printf ("  vend %s %s\n", command, entry->usage);
  printf ("\n"
          "Options of a subcommand: 'vend %s %s --help'\n",
          command, table->name);
}

bool
vend_subcommand_run (const char *command, const VendSubcommand *table, int argc, char **argv,
                     GError **error)
{
  const char *name = argc > 1 ? argv[1] : "";
  if (strcmp (name, "--help") == 0 || strcmp (name, "-h") == 0)
    {
      print_subcommands (command, table);
      return true;
    }
  if (*name == '\0' || *name == '-')
    return table->main (argc, argv, error);

  g_autoptr (GString) known = g_string_new (NULL);
  for (const VendSubcommand *entry = table; entry->name != NULL; entry++)
    {
      if (strcmp (entry->name, name) == 0)
        return entry->main (argc - 1, argv + 1, error);
      g_string_append_printf (known, "%s%s", known->len > 0 ? ", " : "", entry->name);
    }
  return vend_fail (error, VEND_ERROR_INVALID,
                    "unknown subcommand 'vend %s %s'; expected one of %s; see 'vend %s --help'",
                    command, name, known->str, command);
}

int
vend_exit_code (bool good, const GError *error)
{
  if (good)
    return 0;
  if (error != NULL)
    vend_terminal_error (error->message);
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_CANCELED))
    return EXIT_INTERRUPTED;
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_INVALID)
      || g_error_matches (error, VEND_ERROR, VEND_ERROR_BAD_REQUEST)
      || g_error_matches (error, VEND_ERROR, VEND_ERROR_TOO_LARGE)
      || g_error_matches (error, VEND_ERROR, VEND_ERROR_MEDIA_TYPE))
    return EXIT_USAGE;
  return EXIT_FAILED;
}
