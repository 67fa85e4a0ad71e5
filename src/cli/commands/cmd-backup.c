/* `vend backup`: backs a data directory up, lists and verifies backups. Main thread only. */
#include "cli/commands.h"
#include "backup/backup.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/arguments/options.h"
#include "cli/client/client-config.h"
#include "cli/commands/backup-place.h"
#include "cli/commands/backup-progress.h"
#include "cli/commands/doctor-audit.h"
#include "cli/commands/file-place.h"
#include "cli/terminal/table.h"
#include "cli/terminal/terminal.h"
#include "store/audit.h"
#include <stdlib.h>
#include <string.h>

static json_t *
snapshot_json (const VendBackupSnapshot *snapshot)
{
  return json_pack ("{s:s, s:s, s:I, s:I, s:I}", "name", snapshot->name, "data", snapshot->data_dir,
                    "entries", (json_int_t) snapshot->entries->len, "size",
                    (json_int_t) snapshot->size, "added", (json_int_t) snapshot->added);
}

/* ---- make */

typedef struct
{
  char *data_dir;
  char *endpoint;
  int keep;
  gboolean json;
} MakeFlags;

static void
make_flags_clear (MakeFlags *flags)
{
  g_free (flags->data_dir);
  g_free (flags->endpoint);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MakeFlags, make_flags_clear)

static bool
parse_make (int argc, char **argv, MakeFlags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &flags->data_dir,
      "data directory; default $VEND_DATA or ~/.local/share/vend", "DIR" },
    { "keep", 0, 0, G_OPTION_ARG_INT, &flags->keep,
      "then remove all backups in TO but the newest N; 0, the default: keep all", "N" },
    { "endpoint", 0, 0, G_OPTION_ARG_STRING, &flags->endpoint, VEND_BACKUP_ENDPOINT_HELP, "URL" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &flags->json, "print JSON", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "backup",
    .usage = "TO",
    .summary = "Backs a data directory up to TO, a folder or s3://bucket/prefix, beside a running\n"
               "server. A further backup to the same place adds what is new.",
    .details = "Other forms:\n"
               "  vend backup list FROM      the backups at a place\n"
               "  vend backup verify FROM    restores one to a scratch directory and audits it\n"
               "'vend restore FROM' makes a data directory from one. A backup has the secrets and "
               "the tokens' hashes of the server: keep it as closed as the server.",
    .entries = entries,
    .least = 1,
    .most = 1,
  };
  if (!vend_options_parse (&options, argc, argv, out_words, error))
    return false;
  return flags->keep >= 0
         || vend_fail (error, VEND_ERROR_INVALID, "--keep: %d is not a number of backups",
                       flags->keep);
}

static bool
trim (VendBackupRepository *repository, const MakeFlags *flags, GError **error)
{
  guint removed = 0;
  if (flags->keep == 0)
    return true;
  if (!vend_backup_repository_trim (repository, (guint) flags->keep, &removed, error))
    return false;
  if (removed > 0)
    vend_terminal_note ("removed %u older backups", removed);
  return true;
}

typedef struct
{
  char *data_dir;
  char *store;
  VendDepot *files;
} Source;

static void
source_clear (Source *source)
{
  g_free (source->data_dir);
  g_free (source->store);
  vend_depot_free (source->files);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Source, source_clear)

/* Also where it has its rows and files elsewhere. Nothing is made for one without a database. */
static bool
find_source (const MakeFlags *flags, Source *out, GError **error)
{
  g_autoptr (VendDb) db = NULL;
  g_autofree char *standard = vend_data_dir ();
  out->data_dir
      = g_canonicalize_filename (flags->data_dir != NULL ? flags->data_dir : standard, NULL);
  g_autofree char *installation = g_build_filename (out->data_dir, "installation", NULL);
  if (!g_file_test (installation, G_FILE_TEST_EXISTS))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' is no data directory of Vend; name another one with --data",
                      out->data_dir);
  return vend_data_dir_store (out->data_dir, &out->store, error)
         && vend_file_depot_find (out->data_dir, &out->files, error)
         && vend_store_audit_open (out->store, &db, error);
}

/* A backup would have all earlier ones in it. */
static bool
check_is_outside (const char *data_dir, const char *path, GError **error)
{
  g_autofree char *there = g_canonicalize_filename (path, NULL);
  g_autofree char *data = realpath (data_dir, NULL);
  while (!g_file_test (there, G_FILE_TEST_EXISTS))
    {
      char *parent = g_path_get_dirname (there);
      g_free (there);
      there = parent;
    }
  g_autofree char *real = realpath (there, NULL);
  const gsize length = data != NULL ? strlen (data) : 0;
  const bool is_inside = data != NULL && real != NULL && strncmp (real, data, length) == 0
                         && (real[length] == '/' || real[length] == '\0');
  return !is_inside
         || vend_fail (error, VEND_ERROR_INVALID,
                       "'%s' lies in the data directory '%s'; name a folder outside of it", path,
                       data_dir);
}

static void
show_made (const VendBackupSnapshot *snapshot, guint missing, const MakeFlags *flags)
{
  g_autofree char *size = g_format_size (snapshot->size);
  g_autofree char *added = g_format_size (snapshot->added);
  json_auto_t *json = snapshot_json (snapshot);
  if (missing > 0)
    vend_terminal_warn ("%u files or versions that the database names are not at their "
                        "places; 'vend doctor --audit' names them",
                        missing);
  if (flags->json)
    vend_terminal_json (json);
  else
    {
      vend_terminal_note ("%s in all, %s new", size, added);
      vend_terminal_print ("%s\n", snapshot->name);
    }
}

static bool
make (int argc, char **argv, GError **error)
{
  g_auto (MakeFlags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendBackupRepository) repository = NULL;
  g_autoptr (VendBackupSnapshot) snapshot = NULL;
  g_autoptr (VendProgress) progress = vend_progress_new ();
  VendBackupShown shown = { progress, "reading" };
  guint missing = 0;
  if (!parse_make (argc, argv, &flags, &words, error))
    return false;
  g_auto (Source) source = { 0 };
  VendBackupWhere where = { 0 };
  if (!find_source (&flags, &source, error))
    return false;
  vend_backup_where (words[0], flags.endpoint, &where);
  if (where.place.bucket == NULL && !check_is_outside (source.data_dir, where.place.path, error))
    return false;
  const VendBackupOptions options
      = { source.data_dir, source.store, source.files, vend_backup_show, &shown };
  const bool good = vend_backup_repository_make (&where.place, &repository, error)
                    && vend_backup_make (repository, &options, &snapshot, &missing, error);
  vend_progress_clear (progress);
  if (!good)
    return false;
  show_made (snapshot, missing, &flags);
  return trim (repository, &flags, error);
}

/* ---- list */

static bool
list (int argc, char **argv, GError **error)
{
  static const char *const columns[] = { "NAME", "SIZE", "NEW", "DATA DIRECTORY", NULL };
  gboolean is_json = FALSE;
  g_autofree char *endpoint = NULL;
  VendBackupWhere where = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendBackupRepository) repository = NULL;
  g_autoptr (VendTable) table = vend_table_new (columns);
  const GOptionEntry entries[] = {
    { "endpoint", 0, 0, G_OPTION_ARG_STRING, &endpoint, VEND_BACKUP_ENDPOINT_HELP, "URL" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &is_json, "print JSON", NULL },
    { NULL },
  };
  const VendOptions options
      = { .command = "backup list",
          .usage = "FROM",
          .summary = "Lists the backups in a folder or s3://bucket/prefix, the oldest first.",
          .entries = entries,
          .least = 1,
          .most = 1 };
  g_autoptr (GPtrArray) names = NULL;
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  vend_backup_where (words[0], endpoint, &where);
  if (!vend_backup_repository_open (&where.place, &repository, error)
      || !vend_backup_repository_list (repository, &names, error))
    return false;
  json_auto_t *results = json_array ();
  for (guint i = 0; i < names->len; i++)
    {
      g_autoptr (VendBackupSnapshot) snapshot = NULL;
      if (!vend_backup_repository_load (repository, g_ptr_array_index (names, i), &snapshot, error))
        return false;
      g_autofree char *size = g_format_size (snapshot->size);
      g_autofree char *added = g_format_size (snapshot->added);
      vend_table_add (table, snapshot->name, size, added, snapshot->data_dir);
      json_array_append_new (results, snapshot_json (snapshot));
    }
  json_auto_t *page = json_pack ("{s:O}", "results", results);
  if (is_json)
    vend_terminal_json (page);
  else
    vend_table_print (table);
  return true;
}

/* ---- verify */

typedef struct
{
  char *name;
  char *scratch;
  char *endpoint;
  VendConnection connection; /* only `json` of it */
} VerifyFlags;

static void
verify_flags_clear (VerifyFlags *flags)
{
  g_free (flags->name);
  g_free (flags->scratch);
  g_free (flags->endpoint);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VerifyFlags, verify_flags_clear)

static bool
parse_verify (int argc, char **argv, VerifyFlags *flags, GStrv *out_words, GError **error)
{
  const GOptionEntry entries[] = {
    { "name", 0, 0, G_OPTION_ARG_STRING, &flags->name,
      "a backup of 'vend backup list'; default: the newest", "NAME" },
    { "scratch", 0, 0, G_OPTION_ARG_FILENAME, &flags->scratch,
      "where there is room for the data; default: $TMPDIR or /tmp", "DIR" },
    { "endpoint", 0, 0, G_OPTION_ARG_STRING, &flags->endpoint, VEND_BACKUP_ENDPOINT_HELP, "URL" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &flags->connection.json, "print JSON", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "backup verify",
    .usage = "FROM",
    .summary = "Restores a backup to a scratch directory, reads all of it, and audits the\n"
               "directory as 'vend doctor --audit --deep' does. Exit status 1: something is wrong.",
    .entries = entries,
    .least = 1,
    .most = 1,
  };
  return vend_options_parse (&options, argc, argv, out_words, error);
}

static bool
restore_and_audit (const VendBackupRepository *repository, const VerifyFlags *flags,
                   const char *scratch, GError **error)
{
  g_autoptr (VendBackupSnapshot) snapshot = NULL;
  g_autoptr (VendProgress) progress = vend_progress_new ();
  VendBackupShown shown = { progress, "restoring" };
  g_autofree char *to = g_build_filename (scratch, "data", NULL);
  const VendBackupOptions options = { .progress = vend_backup_show, .progress_data = &shown };
  if (!vend_backup_repository_load (repository, flags->name, &snapshot, error))
    return false;
  const bool good = vend_backup_restore (repository, snapshot, to, &options, error);
  vend_progress_clear (progress);
  if (!good)
    return false;
  vend_terminal_note ("backup %s of %s", snapshot->name, snapshot->data_dir);
  return vend_doctor_audit (&flags->connection, to, true, error);
}

static bool
verify (int argc, char **argv, GError **error)
{
  g_auto (VerifyFlags) flags = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendBackupRepository) repository = NULL;
  g_autoptr (GError) problem = NULL;
  VendBackupWhere where = { 0 };
  if (!parse_verify (argc, argv, &flags, &words, error))
    return false;
  vend_backup_where (words[0], flags.endpoint, &where);
  if (!vend_backup_repository_open (&where.place, &repository, error))
    return false;
  g_autofree char *scratch = g_build_filename (
      flags.scratch != NULL ? flags.scratch : g_get_tmp_dir (), "vend-verify-XXXXXX", NULL);
  if (g_mkdtemp (scratch) == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "--scratch: no folder can be made in '%s'",
                      flags.scratch != NULL ? flags.scratch : g_get_tmp_dir ());
  const bool good = restore_and_audit (repository, &flags, scratch, error);
  if (!vend_tree_remove (scratch, &problem))
    vend_terminal_warn ("%s", problem->message);
  return good;
}

int
vend_cmd_backup (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const char *word = argc > 1 ? argv[1] : "";
  bool good;
  if (strcmp (word, "list") == 0)
    good = list (argc - 1, argv + 1, &error);
  else if (strcmp (word, "verify") == 0)
    good = verify (argc - 1, argv + 1, &error);
  else
    good = make (argc, argv, &error);
  return vend_exit_code (good, error);
}
