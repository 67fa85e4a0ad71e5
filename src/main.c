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

static void
print_help (FILE *stream)
{
  fputs ("Usage:\n  vend COMMAND [OPTION…]\n\nCommands:\n", stream);
  for (const VendCommand *command = vend_commands; command->name != NULL; command++)
    if (command->help != NULL)
      fprintf (stream, "  %-12s %s\n", command->name, command->help);
  fputs (
      "  help         show this, or the help of a command\n"
      "  version      print the version\n"
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
static const char *const secret_options[] = { "--token", NULL };

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
