/* `vend migrate-storage`: rows and files of a data directory to PostgreSQL and S3, and back. Main
 * thread only. */
#include "cli/commands.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/arguments/options.h"
#include "cli/client/client-config.h"
#include "cli/commands/doctor-audit.h"
#include "cli/commands/file-place.h"
#include "cli/terminal/terminal.h"
#include "move/move.h"
#include "store/postgres.h"
#include <signal.h>
#include <string.h>

/* A URL has a password, which the arguments of a process show to everybody. */
#define STORE_VARIABLE "VEND_TO_STORE"
/* The step in which the process is killed, for tests only. */
#define KILL_VARIABLE "VEND_TEST_KILL_AT"
#define LINE_PAUSE_US (10 * VEND_US_PER_S)

typedef struct
{
  char *data_dir;
  char *to_store;
  char *to_files;
  char *to_endpoint;
  gboolean deep;
  gboolean abandon;
} Flags;

static void
flags_clear (Flags *flags)
{
  g_free (flags->data_dir);
  g_free (flags->to_store);
  g_free (flags->to_files);
  g_free (flags->to_endpoint);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)

static bool
check_flags (const Flags *flags, GError **error)
{
  if (flags->abandon)
    return true;
  if (flags->to_store == NULL && flags->to_files == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "name where to move to, with --to-store or --to-files");
  if (flags->to_store != NULL && strcmp (flags->to_store, "sqlite") != 0
      && !vend_postgres_is_url (flags->to_store))
    return vend_fail (
        error, VEND_ERROR_INVALID,
        "--to-store: expected postgres://USER:PASSWORD@HOST:5432/DATABASE, or sqlite");
  return flags->to_files == NULL || strcmp (flags->to_files, "disk") == 0
         || g_str_has_prefix (flags->to_files, "s3://")
         || vend_fail (error, VEND_ERROR_INVALID,
                       "--to-files: expected s3://bucket/prefix, or disk");
}

static bool
parse (int argc, char **argv, Flags *flags, GError **error)
{
  g_auto (GStrv) words = NULL;
  const GOptionEntry entries[] = {
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &flags->data_dir,
      "data directory; default $VEND_DATA or ~/.local/share/vend", "DIR" },
    { "to-store", 0, 0, G_OPTION_ARG_STRING, &flags->to_store,
      "where rows go: postgres://USER:PASSWORD@HOST/DATABASE, or sqlite; default $" STORE_VARIABLE
      ", else they stay",
      "STORE" },
    { "to-files", 0, 0, G_OPTION_ARG_STRING, &flags->to_files,
      "where files go: s3://bucket/prefix, or disk; default: they stay", "FILES" },
    { "to-files-endpoint", 0, 0, G_OPTION_ARG_STRING, &flags->to_endpoint,
      "S3 server of --to-files: https://host:port; default: the setting files-endpoint", "URL" },
    { "deep", 0, 0, G_OPTION_ARG_NONE, &flags->deep,
      "read the bytes of all files at their new place, too", NULL },
    { "abandon", 0, 0, G_OPTION_ARG_NONE, &flags->abandon,
      "give up a move that has begun and not ended", NULL },
    { NULL },
  };
  const VendOptions options = {
    .command = "migrate-storage",
    .usage = "[--to-store STORE] [--to-files FILES]",
    .summary = "Moves the rows of a data directory to a PostgreSQL server, its files to a bucket, "
               "or both,\nand back. The server is stopped. Rows are compared by checksums, and the "
               "audit of\n'vend doctor' has to find the same at both places. A move that was cut "
               "off goes on\nwhen it is called again.",
    .details = "What was moved stays at its old place until you remove it. The new place has to be "
               "empty. Afterwards the settings of the server name it: see docs/migrate-storage.md.",
    .entries = entries,
    .least = 0,
    .most = 0,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  const char *store = g_getenv (STORE_VARIABLE);
  if (flags->to_store == NULL && store != NULL && *store != '\0')
    flags->to_store = g_strdup (store);
  return check_flags (flags, error);
}

/* ---- Progress: one line on a terminal, else a line for each thing that is done, and now and then
 * one more */

typedef struct
{
  VendProgress *progress;
  const char *what; /* of the last line */
  int64_t shown_us;
  const char *kill_at; /* a step by its number or name; NULL: none */
  int64_t n_steps;
} Shown;

static void
show (const char *what, const char *subject, uint64_t n, uint64_t bytes, void *data)
{
  Shown *shown = data;
  const int64_t now_us = g_get_monotonic_time ();
  g_autofree char *size = g_format_size (bytes);
  g_autofree char *line = subject != NULL
                              ? g_strdup_printf ("%s: %s, %" G_GUINT64_FORMAT, what, subject, n)
                          : n > 0 ? g_strdup_printf ("%s: %" G_GUINT64_FORMAT ", %s", what, n, size)
                                  : g_strdup (what);
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, ++shown->n_steps);
  if (g_strcmp0 (shown->kill_at, number) == 0 || g_strcmp0 (shown->kill_at, what) == 0)
    raise (SIGKILL);
  if (vend_progress_is_shown (shown->progress))
    {
      if (vend_progress_is_due (shown->progress))
        vend_progress_show (shown->progress, "%s", line);
      return;
    }
  if (g_strcmp0 (shown->what, what) == 0 && now_us - shown->shown_us < LINE_PAUSE_US)
    return;
  shown->what = what;
  shown->shown_us = now_us;
  vend_terminal_note ("%s", line);
}

/* ---- Both audits */

static bool
has_row (const VendAuditCheck *check, const VendAuditRow *row)
{
  for (guint i = 0; i < check->rows->len; i++)
    {
      const VendAuditRow *other = g_ptr_array_index (check->rows, i);
      if (strcmp (other->subject, row->subject) == 0)
        return true;
    }
  return false;
}

static bool
compare_checks (const GPtrArray *before, const GPtrArray *after, GError **error)
{
  for (guint i = 0; i < after->len; i++)
    {
      const VendAuditCheck *check = g_ptr_array_index (after, i);
      for (guint j = 0; j < check->rows->len; j++)
        {
          const VendAuditRow *row = g_ptr_array_index (check->rows, j);
          if (!has_row (g_ptr_array_index (before, i), row))
            return vend_fail (error, VEND_ERROR_STORAGE,
                              "the audit of the new place finds what that of the old one did not: "
                              "%s: %s: %s",
                              check->name, row->subject, row->detail);
        }
    }
  return true;
}

typedef struct
{
  char *data_dir;
  char *store;
  VendDepot *files;
  char *to_store;
  VendDepot *to_files;
  char *to_place;
  VendMoveOptions options;
} Places;

static void
places_clear (Places *places)
{
  g_free (places->data_dir);
  g_free (places->store);
  vend_depot_free (places->files);
  g_free (places->to_store);
  vend_depot_free (places->to_files);
  g_free (places->to_place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Places, places_clear)

static bool
audit_both (const Places *places, const VendMove *move, bool deep, Shown *shown, GError **error)
{
  g_autoptr (GPtrArray) before = NULL;
  g_autoptr (GPtrArray) after = NULL;
  const VendStoppedData from = { places->data_dir, places->store, places->files, false };
  const VendStoppedData to
      = { places->data_dir, vend_move_copied_store (move),
          places->options.moves_files ? places->to_files : places->files, deep };
  show ("auditing the old place", NULL, 0, 0, shown);
  if (!vend_doctor_look (&from, &before, error))
    return false;
  show ("auditing the new place", NULL, 0, 0, shown);
  if (!vend_doctor_look (&to, &after, error) || !compare_checks (before, after, error))
    return false;
  const guint n = vend_audit_count (before);
  vend_progress_clear (shown->progress);
  if (n > 0)
    vend_terminal_warn ("an audit finds %u faults at both places; 'vend doctor --audit' names them",
                        n);
  return true;
}

/* ---- The move */

static bool
find_places (const Flags *flags, Places *places, GError **error)
{
  g_autofree char *standard = vend_data_dir ();
  g_autoptr (VendSettings) settings = NULL;
  places->data_dir
      = g_canonicalize_filename (flags->data_dir != NULL ? flags->data_dir : standard, NULL);
  if (!vend_data_dir_store (places->data_dir, &places->store, error)
      || !vend_file_depot_find (places->data_dir, &places->files, error)
      || !vend_data_dir_settings (places->data_dir, &settings, error))
    return false;
  if (flags->to_store != NULL)
    places->to_store = strcmp (flags->to_store, "sqlite") == 0
                           ? g_build_filename (places->data_dir, "vend.db", NULL)
                           : g_strdup (flags->to_store);
  const char *endpoint = flags->to_endpoint != NULL
                             ? flags->to_endpoint
                             : vend_settings_text (settings, "files-endpoint");
  return flags->to_files == NULL || strcmp (flags->to_files, "disk") == 0
         || vend_file_depot_at (flags->to_files, endpoint, &places->to_files, &places->to_place,
                                error);
}

static bool
copy_and_check (const Places *places, VendMove *move, bool deep, Shown *shown, GError **error)
{
  uint64_t missing = 0;
  if (!vend_move_copy (move, &missing, error))
    return false;
  if (missing > 0)
    {
      vend_progress_clear (shown->progress);
      vend_terminal_warn ("%" G_GUINT64_FORMAT " files that rows name were not at the old place",
                          missing);
    }
  return vend_move_compare (move, error) && audit_both (places, move, deep, shown, error);
}

static void
say_what_is_next (const Flags *flags, const Places *places)
{
  if (places->to_store != NULL)
    vend_terminal_note (vend_postgres_is_url (places->to_store)
                            ? "rows are on the PostgreSQL server: set 'store' to its URL in "
                              "%s/vend.conf, or VEND_STORE"
                            : "rows are in %s/vend.db: remove the setting 'store', and VEND_STORE",
                        places->data_dir);
  if (places->to_files != NULL)
    vend_terminal_note ("files are in the bucket: set 'files = %s' in %s/vend.conf",
                        places->to_place, places->data_dir);
  if (places->to_files != NULL && flags->to_endpoint != NULL)
    vend_terminal_note ("and 'files-endpoint = %s'", flags->to_endpoint);
  if (places->options.moves_files && places->to_files == NULL)
    vend_terminal_note ("files are in %s: remove the setting 'files'", places->data_dir);
  vend_terminal_note ("what was moved is still at its old place");
}

static bool
migrate (const Flags *flags, GError **error)
{
  g_auto (Places) places = { 0 };
  g_autoptr (VendMove) move = NULL;
  g_autoptr (VendProgress) progress = vend_progress_new ();
  Shown shown = { .progress = progress, .kill_at = g_getenv (KILL_VARIABLE) };
  if (!find_places (flags, &places, error))
    return false;
  places.options = (VendMoveOptions){ .data_dir = places.data_dir,
                                      .store = places.store,
                                      .files = places.files,
                                      .to_store = places.to_store,
                                      .moves_files = flags->to_files != NULL,
                                      .to_files = places.to_files,
                                      .to_place = places.to_place,
                                      .progress = show,
                                      .progress_data = &shown };
  const bool good = vend_move_begin (&places.options, &move, error)
                    && (vend_move_is_decided (move)
                        || copy_and_check (&places, move, flags->deep, &shown, error))
                    && vend_move_end (move, error);
  vend_progress_clear (progress);
  if (good)
    say_what_is_next (flags, &places);
  return good;
}

static bool
abandon (const Flags *flags, GError **error)
{
  g_autofree char *standard = vend_data_dir ();
  g_autofree char *data_dir
      = g_canonicalize_filename (flags->data_dir != NULL ? flags->data_dir : standard, NULL);
  if (!vend_move_abandon (data_dir, error))
    return false;
  vend_terminal_note ("the move is given up; what it copied to a database or a bucket is still "
                      "there, and has to go before the next one");
  return true;
}

int
vend_cmd_migrate_storage (int argc, char **argv)
{
  g_auto (Flags) flags = { 0 };
  g_autoptr (GError) error = NULL;
  const bool good = parse (argc, argv, &flags, &error)
                    && (flags.abandon ? abandon (&flags, &error) : migrate (&flags, &error));
  return vend_exit_code (good, error);
}
