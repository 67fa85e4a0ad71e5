/* A data directory from a snapshot. */
#include "backup/backup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/move-scripts.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct
{
  const VendBackupRepository *repository;
  const VendBackupOptions *options;
  const char *root;
  GHashTable *inodes; /* inode → path (borrowed): files that have several names */
  uint64_t n_files;
  uint64_t n_bytes;
} Restoring;

static bool
write_file (const Restoring *restoring, const VendBackupEntry *entry, const char *path,
            GError **error)
{
  vend_autofd fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  if (!vend_backup_repository_get (restoring->repository, entry->sha256, fd, error))
    {
      g_prefix_error (error, "'%s': ", entry->path);
      return false;
    }
  return fchmod (fd, entry->mode & 0777) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "mode of '%s'", path);
}

static bool
restore_file (Restoring *restoring, VendBackupEntry *entry, const char *path, GError **error)
{
  const VendBackupEntry *first
      = entry->inode != 0 ? g_hash_table_lookup (restoring->inodes, &entry->inode) : NULL;
  g_autofree char *of
      = first != NULL ? g_build_filename (restoring->root, first->path, NULL) : NULL;
  /* An inode may have been given to another file while the backup was made. */
  if (first != NULL && strcmp (first->sha256, entry->sha256) == 0)
    {
      if (link (of, path) == 0)
        return true;
    }
  else if (entry->inode != 0)
    g_hash_table_replace (restoring->inodes, &entry->inode, entry);
  if (!write_file (restoring, entry, path, error))
    return false;
  restoring->n_files++;
  restoring->n_bytes += entry->size;
  if (restoring->options->progress != NULL)
    restoring->options->progress (restoring->n_files, restoring->n_bytes,
                                  restoring->options->progress_data);
  return true;
}

static bool
restore_entry (Restoring *restoring, VendBackupEntry *entry, GError **error)
{
  g_autofree char *path = g_build_filename (restoring->root, entry->path, NULL);
  switch (entry->kind)
    {
    case VEND_BACKUP_FOLDER:
      return mkdir (path, 0700) == 0
             || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
    case VEND_BACKUP_LINK:
      return symlink (entry->target, path) == 0
             || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
    case VEND_BACKUP_FILE:
    default:
      return restore_file (restoring, entry, path, error);
    }
}

/* Last, since a folder may forbid writing. */
static bool
set_folder_modes (const Restoring *restoring, const VendBackupSnapshot *snapshot, GError **error)
{
  for (guint i = snapshot->entries->len; i-- > 0;)
    {
      const VendBackupEntry *entry = g_ptr_array_index (snapshot->entries, i);
      g_autofree char *path = g_build_filename (restoring->root, entry->path, NULL);
      if (entry->kind == VEND_BACKUP_FOLDER && chmod (path, entry->mode & 0777) < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "mode of '%s'", path);
    }
  return true;
}

/* ---- Environments hold their path: the first lines of their scripts name their interpreter */

static bool
move_environments (const char *root, const char *from, const char *to, GError **error)
{
  g_autofree char *venvs = g_build_filename (root, "venvs", NULL);
  g_autofree char *old = g_strconcat (from, "/venvs/", NULL);
  g_autofree char *new = g_strconcat (to, "/venvs/", NULL);
  g_autoptr (GDir) listing = strcmp (from, to) != 0 ? g_dir_open (venvs, 0, NULL) : NULL;
  for (const char *key; listing != NULL && (key = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *bin = g_build_filename (venvs, key, "bin", NULL);
      if (!vend_scripts_move (bin, old, new, error))
        return false;
    }
  return true;
}

GPtrArray *
vend_backup_missing_interpreters (const char *data_dir)
{
  GPtrArray *missing = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *venvs = g_build_filename (data_dir, "venvs", NULL);
  g_autoptr (GDir) listing = g_dir_open (venvs, 0, NULL);
  for (const char *key; listing != NULL && (key = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *python = g_build_filename (venvs, key, "bin", "python", NULL);
      g_autofree char *target = g_file_read_link (python, NULL);
      if (target != NULL && !g_file_test (python, G_FILE_TEST_EXISTS)
          && !g_ptr_array_find_with_equal_func (missing, target, g_str_equal, NULL))
        g_ptr_array_add (missing, g_steal_pointer (&target));
    }
  return missing;
}

/* ---- The whole */

static bool
sync_all (const char *root, GError **error)
{
  vend_autofd fd = open (root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || syncfs (fd) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", root);
  return true;
}

static bool
fill (Restoring *restoring, const VendBackupSnapshot *snapshot, const char *to, GError **error)
{
  for (guint i = 0; i < snapshot->entries->len; i++)
    if (!restore_entry (restoring, g_ptr_array_index (snapshot->entries, i), error))
      return false;
  return move_environments (restoring->root, snapshot->data_dir, to, error)
         && set_folder_modes (restoring, snapshot, error) && sync_all (restoring->root, error);
}

static bool
check_place (const char *to, GError **error)
{
  g_autoptr (GDir) folder = g_dir_open (to, 0, NULL);
  if (folder != NULL && g_dir_read_name (folder) == NULL)
    return true;
  if (folder == NULL && !g_file_test (to, G_FILE_TEST_EXISTS))
    return true;
  return vend_fail (error, VEND_ERROR_INVALID,
                    "'%s' is not empty: a backup is restored into a new data directory", to);
}

bool
vend_backup_restore (const VendBackupRepository *repository, const VendBackupSnapshot *snapshot,
                     const char *to, const VendBackupOptions *options, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (to);
  g_autofree char *root = g_strconcat (to, ".restore-XXXXXX", NULL);
  g_autoptr (GHashTable) inodes = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (GError) ignored = NULL;
  if (!check_place (to, error) || !vend_dir_ensure (parent, error))
    return false;
  if (g_mkdtemp (root) == NULL)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", root);
  Restoring restoring = { repository, options, root, inodes, 0, 0 };
  bool good = fill (&restoring, snapshot, to, error);
  if (good && rename (root, to) < 0)
    good = vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "rename to '%s'", to);
  if (good)
    return vend_dir_sync (parent, error);
  (void) !vend_tree_remove (root, &ignored);
  return false;
}
