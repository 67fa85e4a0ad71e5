/* The end of a move: the directory gets its new places. The plan says that this has begun, so each
 * step finds out whether it was done before a stop. */
#include "move/move-private.h"
#include "base/error.h"
#include "base/fd.h"
#include "store/integrity.h"
#include "store/postgres.h"
#include "store/rows.h"
#include "store/store-mark.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define INSTALLATION "installation"
#define BOOT_MARK "boot-id" /* of copies, whose folder becomes that of contents, or the reverse */

static char *
path_in (const VendMove *move, const char *name)
{
  return g_build_filename (move->options.data_dir, name, NULL);
}

static bool
remove_file (const char *path, GError **error)
{
  return unlink (path) == 0 || errno == ENOENT
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", path);
}

static bool
sync_file (const char *path, GError **error)
{
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC);
  return (fd >= 0 && fsync (fd) == 0)
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", path);
}

/* ---- Rows */

/* The copy is a file without a log once its last connection is closed. */
static bool
place_file (VendMove *move, GError **error)
{
  const char *copy = move->copied_store;
  g_autofree char *installation = path_in (move, INSTALLATION);
  if (access (copy, F_OK) < 0)
    return errno == ENOENT
           || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "look at '%s'", copy);
  if (!vend_integrity_claim (copy, installation, error))
    return false;
  g_clear_pointer (&move->to, vend_db_close);
  g_autofree char *log = g_strconcat (copy, "-wal", NULL);
  if (access (log, F_OK) == 0)
    return vend_fail (error, VEND_ERROR_STORAGE, "'%s' is still there", log);
  if (!sync_file (copy, error))
    return false;
  if (rename (copy, move->options.to_store) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "rename to '%s'",
                            move->options.to_store);
  return vend_dir_sync (move->options.data_dir, error);
}

static bool
place_rows (VendMove *move, GError **error)
{
  g_autofree char *installation = path_in (move, INSTALLATION);
  if (move->options.to_store == NULL)
    return true;
  if (move->to != NULL && !vend_rows_finish (move->to, error))
    return false;
  const bool is_server = vend_postgres_is_url (move->options.to_store);
  if (is_server ? !vend_integrity_claim (move->options.to_store, installation, error)
                : !place_file (move, error))
    return false;
  vend_move_tell (move, "naming the database", NULL, 0, 0);
  return vend_store_mark_write (move->options.data_dir, move->options.to_store, error);
}

/* ---- Files */

typedef struct
{
  const VendMove *move;
  char *kept;
  GError *error;
} Keeping;

/* A server takes the contents that stay here for copies, and removes what does not fit: another
 * name keeps each. */
static void
keep_content (const char *sha256, const VendDepotStat *stat, void *data)
{
  Keeping *keeping = data;
  g_autofree char *from = vend_depot_disk_path (keeping->move->blobs, sha256);
  g_autofree char *to = vend_depot_disk_path (keeping->kept, sha256);
  g_autofree char *folder = g_path_get_dirname (to);
  if (keeping->error != NULL || link (from, to) == 0 || errno == EEXIST)
    return;
  if (errno != ENOENT || !vend_dir_ensure (folder, &keeping->error) || link (from, to) < 0)
    if (keeping->error == NULL)
      vend_fail_errno (&keeping->error, VEND_ERROR_STORAGE, errno, "link '%s'", to);
}

static bool
keep_contents (const VendMove *move, GError **error)
{
  g_autofree char *kept = path_in (move, VEND_MOVE_KEPT);
  g_autoptr (VendDepot) disk = vend_depot_disk_new (move->blobs, move->spool, true);
  Keeping keeping = { move, kept, NULL };
  if (!disk->ops->each (disk, keep_content, &keeping, error))
    return false;
  if (keeping.error == NULL)
    return true;
  g_propagate_error (error, keeping.error);
  return false;
}

static bool
place_files (const VendMove *move, GError **error)
{
  const VendMoveOptions *options = &move->options;
  g_autofree char *mark = path_in (move, VEND_DEPOT_MARK);
  g_autofree char *boot = g_build_filename (move->blobs, BOOT_MARK, NULL);
  if (!options->moves_files)
    return true;
  if (!remove_file (boot, error))
    return false;
  vend_move_tell (move, "naming the files", NULL, 0, 0);
  if (options->to_files == NULL)
    return remove_file (mark, error) && vend_dir_sync (options->data_dir, error);
  /* With a mark they are copies already. */
  if (access (mark, F_OK) < 0 && !keep_contents (move, error))
    return false;
  return vend_file_replace (mark, options->to_place, strlen (options->to_place), 0600, error);
}

bool
vend_move_name_places (VendMove *move, GError **error)
{
  if (!place_rows (move, error) || !place_files (move, error))
    return false;
  vend_move_tell (move, "done", NULL, 0, 0);
  return vend_move_plan_remove (move->options.data_dir, error);
}
