/* Entry: picks the subcommand. */
#include "base/process-start.h"
#include "cli/commands.h"
#include "cli/terminal/terminal.h"
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define TOKEN_OPTION "--token"
#define STORE_OPTION "--to-store" /* a URL with a password */

static void
print_help (FILE *stream)
{
  fputs ("Usage:\n  vend COMMAND [OPTION…]\n\nCommands:\n", stream);
  for (const VendCommand *command = vend_commands; command->name != NULL; command++)
    if (command->help != NULL)
      fprintf (stream, "  %-15s %s\n", command->name, command->help);
  fputs (
      "  help            show this, or the help of a command\n"
      "  version         print the version\n"
      "\n"
      "'vend COMMAND --help' shows the options of a command. The server is --url, VEND_URL or\n"
      "REPLICATE_BASE_URL, else the server on this machine. The token is --token, VEND_API_TOKEN\n"
      "or REPLICATE_API_TOKEN, else the token that 'vend serve' wrote for its owner.\n",
      stream);
}

static const VendCommand *
find (const char *name)
{
  for (const VendCommand *command = vend_commands; command->name != NULL; command++)
    if (strcmp (command->name, name) == 0)
      return command;
  return NULL;
}

static int
run_unknown (const char *name)
{
  g_autofree char *text = g_strdup_printf ("unknown command '%.80s'; see 'vend help'", name);
  vend_terminal_error (text);
  return EXIT_USAGE;
}

/* `previous` is the word before, whose value this may be. */
static void
append_word (GString *text, const char *previous, const char *word)
{
  if (strcmp (previous, TOKEN_OPTION) == 0)
    g_string_append (text, " TOKEN");
  else if (strcmp (previous, STORE_OPTION) == 0)
    g_string_append (text, " STORE");
  else if (g_str_has_prefix (word, TOKEN_OPTION "="))
    g_string_append (text, " " TOKEN_OPTION "=TOKEN");
  else if (g_str_has_prefix (word, STORE_OPTION "="))
    g_string_append (text, " " STORE_OPTION "=STORE");
  else
    g_string_append_printf (text, " %.80s", word);
}

/* Shows the words with the command first, and no secret. */
static int
refuse_options_first (char **words)
{
  g_autoptr (GString) text = g_string_new ("options go behind the command: vend");
  guint at = 1;
  while (words[at] != NULL && find (words[at]) == NULL)
    at++;
  if (words[at] == NULL)
    g_string_append (text, " COMMAND");
  for (guint i = at; words[i] != NULL; i++)
    append_word (text, i > at ? words[i - 1] : "", words[i]);
  for (guint i = 1; i < at; i++)
    append_word (text, words[i - 1], words[i]);
  vend_terminal_error (text->str);
  return EXIT_USAGE;
}

static int
run_help (int argc, char **argv)
{
  const VendCommand *command = argc > 1 ? find (argv[1]) : NULL;
  if (argc > 1 && command == NULL)
    return run_unknown (argv[1]);
  if (command == NULL)
    {
      print_help (stdout);
      return 0;
    }
  char flag[] = "--help";
  char *words[] = { argv[1], flag, NULL };
  return command->main (2, words);
}

static int
run (int argc, char **argv)
{
  const char *name = argc > 1 ? argv[1] : NULL;
  if (name == NULL)
    {
      print_help (stderr);
      return EXIT_USAGE;
    }
  if (strcmp (name, "help") == 0 || strcmp (name, "--help") == 0 || strcmp (name, "-h") == 0)
    return run_help (argc - 1, argv + 1);
  if (strcmp (name, "version") == 0 || strcmp (name, "--version") == 0)
    {
      puts ("vend " VEND_VERSION);
      return 0;
    }
  if (*name == '-')
    return refuse_options_first (argv);
  const VendCommand *command = find (name);
  return command != NULL ? command->main (argc - 1, argv + 1) : run_unknown (name);
}

/* The thread that started us may have had signals blocked, and a child keeps that. Models use
 * libraries that try out instructions and catch SIGILL: blocked, it kills them. */
static void
unblock_signals (void)
{
  sigset_t none;
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* Everybody on the machine may read the arguments of a process. */
static const char *const secret_options[] = { TOKEN_OPTION, STORE_OPTION, NULL };

int
main (int argc, char **argv)
{
  vend_process_fill_descriptors ();
  unblock_signals ();
  setlocale (LC_ALL, "");
  /* JSON numbers have a point in every language. */
  setlocale (LC_NUMERIC, "C");
  g_auto (GStrv) words = vend_process_hide_options (argv, secret_options);
  /* Parsers of options take words out of what they are given. */
  g_autofree char **given = g_memdup2 (words, sizeof *words * ((gsize) argc + 1));
  int code = run (argc, given);
  /* A full disk or a closed pipe is no success. */
  if ((fflush (stdout) != 0 || ferror (stdout) != 0) && code == 0)
    {
      vend_terminal_error ("the output could not be written");
      code = EXIT_FAILED;
    }
  return code;
}
