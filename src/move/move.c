/* Moves of a data directory's storage. */
#include "move/move-private.h"
#include "base/error.h"
#include "base/fd.h"
#include "store/audit.h"
#include "store/postgres.h"
#include "store/rows.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define COPY_SUFFIX ".moving"
#define MAX_INSTALLATION ((gsize) 4096)
#define MAX_PLACE ((gsize) 4096)
#define GIVE_UP "give that one up with 'vend migrate-storage --abandon'"

static bool
exists (const char *path)
{
  struct stat st;
  return lstat (path, &st) == 0;
}

/* ---- Keeping servers out */

static bool
lock_directory (const char *data_dir, int *out, GError **error)
{
  g_autofree char *installation = g_build_filename (data_dir, "installation", NULL);
  g_autofree char *path = g_build_filename (data_dir, "lock", NULL);
  g_autoptr (GError) problem = NULL;
  if (!exists (installation))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' is no data directory of Vend, or no server has used it yet; name "
                      "another one with --data",
                      data_dir);
  if (vend_lock_file (path, out, &problem))
    return true;
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_BUSY))
    return vend_fail (error, VEND_ERROR_BUSY,
                      "a server uses the data directory '%s'; stop it first", data_dir);
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

/* As long as the connection lives: its lock keeps others out, and a lease that nobody renews would
 * let a standby end the connection. */
static bool
hold_database (const char *place, VendDb **out, GError **error)
{
  const VendLease lease = { 0 };
  g_autofree char *former = NULL;
  g_autoptr (VendDb) db = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_db_open (place, false, &db, error))
    return false;
  if (!vend_db_take (db, &lease, &former, &problem) || !vend_db_release (db, &problem))
    {
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_BUSY))
        return vend_fail (error, VEND_ERROR_BUSY, "a server uses the database; stop it first (%s)",
                          problem->message);
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  *out = g_steal_pointer (&db);
  return true;
}

/* ---- What may be moved where */

static bool
check_rows (const VendMoveOptions *options, GError **error)
{
  g_autoptr (VendDb) db = NULL;
  if (options->to_store == NULL)
    return true;
  const bool from_server = vend_postgres_is_url (options->store);
  const bool to_server = vend_postgres_is_url (options->to_store);
  if (from_server && to_server)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "--to-store: the rows are on a PostgreSQL server already; its own tools "
                      "(pg_dump, pg_restore) move them to another one");
  if (!from_server && !to_server)
    return vend_fail (error, VEND_ERROR_INVALID, "--to-store: the rows are in '%s' already",
                      options->store);
  return vend_store_audit_open (options->store, &db, error);
}

static bool
check_files (const VendMoveOptions *options, GError **error)
{
  g_autofree char *mark = g_build_filename (options->data_dir, VEND_DEPOT_MARK, NULL);
  g_autofree char *place = NULL;
  if (!options->moves_files)
    return true;
  if (options->files == NULL && options->to_files == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "--to-files: the files are in the data directory already");
  if (options->files != NULL && options->to_files != NULL
      && vend_file_read (mark, MAX_PLACE, &place, NULL, NULL)
      && strcmp (place, options->to_place) == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "--to-files: the files are in %s already",
                      options->to_place);
  return true;
}

static bool
remove_copy (const char *copy, GError **error)
{
  g_autofree char *log = g_strconcat (copy, "-wal", NULL);
  g_autofree char *index = g_strconcat (copy, "-shm", NULL);
  return vend_tree_remove (log, error) && vend_tree_remove (index, error)
         && vend_tree_remove (copy, error);
}

static bool
check_targets_are_empty (const VendMove *move, GError **error)
{
  const VendMoveOptions *options = &move->options;
  bool is_empty = true;
  if (options->to_store != NULL && !vend_postgres_is_url (options->to_store))
    {
      g_autofree char *log = g_strconcat (options->to_store, "-wal", NULL);
      if (exists (options->to_store) || exists (log))
        return vend_fail (
            error, VEND_ERROR_INVALID,
            "--to-store: there is a '%s' of an earlier time; move it and its -wal and "
            "-shm away",
            options->to_store);
      if (!remove_copy (move->copied_store, error))
        return false;
    }
  if (!options->moves_files || options->to_files == NULL)
    return true;
  return vend_depot_s3_is_empty (options->to_files, &is_empty, error)
         && (is_empty
             || vend_fail (error, VEND_ERROR_INVALID,
                           "--to-files: %s is not empty; name another prefix, or empty it",
                           options->to_place));
}

/* ---- Begin */

static const char *
store_word (const VendMoveOptions *options)
{
  if (options->to_store == NULL)
    return "";
  return vend_postgres_is_url (options->to_store) ? "postgres" : "sqlite";
}

static const char *
files_word (const VendMoveOptions *options)
{
  if (!options->moves_files)
    return "";
  return options->to_files != NULL ? options->to_place : "disk";
}

/* `*out_is_new`: the plan was made now. */
static bool
find_plan (VendMove *move, bool *out_is_new, GError **error)
{
  const VendMoveOptions *options = &move->options;
  if (!vend_move_plan_load (options->data_dir, &move->plan, error))
    return false;
  if (move->plan != NULL)
    return (strcmp (move->plan->store, store_word (options)) == 0
            && strcmp (move->plan->files, files_word (options)) == 0)
           || vend_fail (error, VEND_ERROR_INVALID,
                         "another move of this directory has begun (store: %s, files: %s); end it "
                         "with the same options, or " GIVE_UP,
                         *move->plan->store != '\0' ? move->plan->store : "stays",
                         *move->plan->files != '\0' ? move->plan->files : "stay");
  if (!check_rows (options, error) || !check_files (options, error)
      || !check_targets_are_empty (move, error))
    return false;
  move->plan = vend_move_plan_new (store_word (options), files_word (options));
  *out_is_new = vend_move_plan_save (move->plan, options->data_dir, error);
  return *out_is_new;
}

static bool
claim_bucket (const VendMove *move, GError **error)
{
  g_autofree char *path = g_build_filename (move->options.data_dir, "installation", NULL);
  g_autofree char *owner = NULL;
  return vend_file_read (path, MAX_INSTALLATION, &owner, NULL, error)
         && vend_depot_s3_claim (move->options.to_files, owner, error);
}

static bool
take_targets (VendMove *move, GError **error)
{
  const VendMoveOptions *options = &move->options;
  const bool is_decided = move->plan->is_decided;
  /* Its last step may have been done. */
  const bool is_placed = is_decided && options->to_store != NULL
                         && !vend_postgres_is_url (options->to_store)
                         && !exists (move->copied_store);
  if (options->to_store != NULL && !is_placed
      && (!hold_database (move->copied_store, &move->to, error)
          || (!is_decided && !vend_rows_prepare (move->to, move->plan->id, error))))
    return false;
  return !options->moves_files || options->to_files == NULL || is_decided
         || claim_bucket (move, error);
}

static bool
begin (VendMove *move, GError **error)
{
  const VendMoveOptions *options = &move->options;
  bool is_new = false;
  if (options->to_store != NULL)
    move->copied_store = vend_postgres_is_url (options->to_store)
                             ? g_strdup (options->to_store)
                             : g_strconcat (options->to_store, COPY_SUFFIX, NULL);
  if (!lock_directory (options->data_dir, &move->lock, error) || !find_plan (move, &is_new, error))
    return false;
  if ((!vend_postgres_is_url (options->store) || move->plan->is_decided
       || hold_database (options->store, &move->held, error))
      && take_targets (move, error))
    return true;
  g_autoptr (GError) ignored = NULL;
  if (is_new)
    (void) !vend_move_plan_remove (options->data_dir, &ignored);
  return false;
}

bool
vend_move_begin (const VendMoveOptions *options, VendMove **out, GError **error)
{
  g_autoptr (VendMove) move = g_new0 (VendMove, 1);
  move->options = *options;
  move->lock = -1;
  move->blobs = g_build_filename (options->data_dir, "blobs", NULL);
  move->spool = g_build_filename (move->blobs, "spool", NULL);
  if (!begin (move, error))
    return false;
  *out = g_steal_pointer (&move);
  return true;
}

void
vend_move_free (VendMove *move)
{
  if (move == NULL)
    return;
  vend_db_close (move->to);
  vend_db_close (move->held);
  vend_move_plan_free (move->plan);
  vend_fd_clear (&move->lock);
  g_free (move->blobs);
  g_free (move->spool);
  g_free (move->copied_store);
  g_free (move);
}

bool
vend_move_is_decided (const VendMove *move)
{
  return move->plan->is_decided;
}

const char *
vend_move_copied_store (const VendMove *move)
{
  return move->copied_store != NULL ? move->copied_store : move->options.store;
}

/* ---- Copy and compare */

static void
tell_rows (const char *table, uint64_t rows, void *data)
{
  vend_move_tell (data, "copying rows", table, rows, 0);
}

static void
tell_sums (const char *table, uint64_t rows, void *data)
{
  vend_move_tell (data, "comparing rows", table, rows, 0);
}

static bool
open_reader (const char *place, VendDb **out, GError **error)
{
  return vend_store_audit_open (place, out, error) && vend_store_audit_begin (*out, error);
}

bool
vend_move_copy (VendMove *move, uint64_t *out_missing, GError **error)
{
  g_autoptr (VendDb) from = NULL;
  *out_missing = 0;
  if (move->copied_store != NULL
      && (!open_reader (move->options.store, &from, error)
          || !vend_rows_copy (from, move->to, move->plan->id, tell_rows, move, error)
          || !vend_store_audit_end (from, error)))
    return false;
  return !move->options.moves_files || vend_move_files (move, out_missing, error);
}

static bool
sum (VendMove *move, const char *place, GPtrArray **out, GError **error)
{
  g_autoptr (VendDb) db = NULL;
  return open_reader (place, &db, error) && vend_rows_sum (db, tell_sums, move, out, error)
         && vend_store_audit_end (db, error);
}

bool
vend_move_compare (VendMove *move, GError **error)
{
  g_autoptr (GPtrArray) from = NULL;
  g_autoptr (GPtrArray) to = NULL;
  return move->copied_store == NULL
         || (sum (move, move->options.store, &from, error)
             && sum (move, move->copied_store, &to, error) && vend_rows_compare (from, to, error));
}

/* ---- End */

bool
vend_move_end (VendMove *move, GError **error)
{
  move->plan->is_decided = true;
  if (!vend_move_plan_save (move->plan, move->options.data_dir, error))
    return false;
  vend_move_tell (move, "ending", NULL, 0, 0);
  return vend_move_name_places (move, error);
}

bool
vend_move_check_none (const char *data_dir, GError **error)
{
  g_autoptr (VendMovePlan) plan = NULL;
  if (!vend_move_plan_load (data_dir, &plan, error))
    return false;
  return plan == NULL
         || vend_fail (error, VEND_ERROR_INVALID,
                       "the storage of this data directory is being moved: end the move with the "
                       "'vend migrate-storage' that began it, or give it up with --abandon");
}

bool
vend_move_abandon (const char *data_dir, GError **error)
{
  g_autoptr (VendMovePlan) plan = NULL;
  vend_autofd lock = -1;
  g_autofree char *copy = g_build_filename (data_dir, "vend.db" COPY_SUFFIX, NULL);
  if (!lock_directory (data_dir, &lock, error) || !vend_move_plan_load (data_dir, &plan, error))
    return false;
  if (plan == NULL)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "no move of '%s' has begun", data_dir);
  if (plan->is_decided)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "the move is at its end, and the directory may have its new places: end it "
                      "with the same options");
  return remove_copy (copy, error) && vend_move_plan_remove (data_dir, error);
}
