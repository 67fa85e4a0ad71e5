/* `vend restore`: a data directory from a backup. Main thread only. */
#include "cli/commands.h"
#include "backup/backup.h"
#include "base/error.h"
#include "cli/arguments/options.h"
#include "cli/client/client-config.h"
#include "cli/commands/backup-place.h"
#include "cli/commands/backup-progress.h"
#include "cli/terminal/terminal.h"

typedef struct
{
  char *data_dir;
  char *name;
  char *endpoint;
} Flags;

static void
flags_clear (Flags *flags)
{
  g_free (flags->data_dir);
  g_free (flags->name);
  g_free (flags->endpoint);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

static bool
parse (int argc, char **argv, Flags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &flags->data_dir,
      "new data directory; default $VEND_DATA or ~/.local/share/vend", "DIR" },
    { "name", 0, 0, G_OPTION_ARG_STRING, &flags->name,
      "a backup of 'vend backup list'; default: the newest", "NAME" },
    { "endpoint", 0, 0, G_OPTION_ARG_STRING, &flags->endpoint, VEND_BACKUP_ENDPOINT_HELP, "URL" },
    { NULL },
  };
  const VendOptions options = {
    .command = "restore",
    .usage = "FROM",
    .summary = "Makes a data directory from a backup of 'vend backup'. The directory must not be\n"
               "there, or be empty; a stop in the middle leaves nothing at its place.",
    .details = "Predictions that had not ended run again where their model may, as after a crash.",
    .entries = entries,
    .least = 1,
    .most = 1,
  };
  return vend_options_parse (&options, argc, argv, out_words, error);
}

static void
say_what_is_missing (const char *data_dir)
{
  g_autoptr (GPtrArray) missing = vend_backup_missing_interpreters (data_dir);
  for (guint i = 0; i < missing->len; i++)
    vend_terminal_warn ("this machine lacks the Python of an environment: %s",
                        (const char *) g_ptr_array_index (missing, i));
}

static bool
restore (const Flags *flags, const char *from, GError **error)
{
  g_autoptr (VendBackupRepository) repository = NULL;
  g_autoptr (VendBackupSnapshot) snapshot = NULL;
  g_autoptr (VendProgress) progress = vend_progress_new ();
  VendBackupShown shown = { progress, "restoring" };
  g_autofree char *standard = vend_data_dir ();
  g_autofree char *to
      = g_canonicalize_filename (flags->data_dir != NULL ? flags->data_dir : standard, NULL);
  const VendBackupOptions options = { .progress = vend_backup_show, .progress_data = &shown };
  VendBackupWhere where = { 0 };
  vend_backup_where (from, flags->endpoint, &where);
  if (!vend_backup_repository_open (&where.place, &repository, error)
      || !vend_backup_repository_load (repository, flags->name, &snapshot, error))
    return false;
  const bool good = vend_backup_restore (repository, snapshot, to, &options, error);
  vend_progress_clear (progress);
  if (!good)
    return false;
  say_what_is_missing (to);
  vend_terminal_note ("restored backup %s of %s", snapshot->name, snapshot->data_dir);
  vend_terminal_print ("%s\n", to);
  return true;
}

int
vend_cmd_restore (int argc, char **argv)
{
  g_auto (Flags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  const bool good
      = parse (argc, argv, &flags, &words, &error) && restore (&flags, words[0], &error);
  return vend_exit_code (good, error);
}
