/* Command lines of the subcommands and what their results mean to the shell: 0 good, 1 failed,
 * 2 bad usage or input, 130 interrupted. Main thread only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Options of every command that talks to a server. */
typedef struct
{
  char *url;
  char *token;
  char *ca;
  gboolean json;
} VendConnection;

void vend_connection_clear (VendConnection *connection);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendConnection, vend_connection_clear)

typedef struct
{
  const char *command;         /* "push", "models create" */
  const char *usage;           /* what follows the name: "[DIR] owner/name" */
  const char *summary;         /* a sentence for --help */
  const char *details;         /* more for the end of --help, or NULL */
  const GOptionEntry *entries; /* or NULL */
  const GOptionEntry *more;    /* the same */
  VendConnection *connection;  /* NULL: a command without server */
  guint least;                 /* number of arguments beside the options */
  guint most;
} VendOptions;

/* Parses argv, argv[0] being a command's name. `*out_arguments` are those that are no options; free
 * with g_strfreev. An error is one sentence with a hint. `--help` prints and exits. */
bool vend_options_parse (const VendOptions *options, int argc, char **argv, GStrv *out_arguments,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef bool (*VendSubcommandMain) (int argc, char **argv, GError **error);

typedef struct
{
  const char *name;
  const char *usage; /* for `vend <command> --help` */
  VendSubcommandMain main;
} VendSubcommand;

/* Runs the entry that argv[1] names, or the first one when argv[1] is absent or an option. `table`
 * ends with a NULL name. */
bool vend_subcommand_run (const char *command, const VendSubcommand *table, int argc, char **argv,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The process exit code; prints `error` when there is one. */
int vend_exit_code (bool good, const GError *error);
