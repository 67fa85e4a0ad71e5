/* A folder that backups are kept in. */
#include "backup/repository-private.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define TEMPORARY "tmp"

typedef struct
{
  VendBackupRepository base;
  int lock; /* -1: for reading */
} Folder;

static char *
object_path (const VendBackupRepository *repository, const char *sha256)
{
  const char folder[3] = { sha256[0], sha256[1], '\0' };
  return g_build_filename (repository->path, VEND_BACKUP_OBJECTS, folder, sha256, NULL);
}

static bool
is_repository (const char *path)
{
  g_autofree char *mark = g_build_filename (path, VEND_BACKUP_MARK, NULL);
  return g_file_test (mark, G_FILE_TEST_IS_REGULAR);
}

static bool
check_is_empty (const char *path, GError **error)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name = folder != NULL ? g_dir_read_name (folder) : NULL;
  return name == NULL
         || vend_fail (error, VEND_ERROR_INVALID,
                       "'%s' is neither empty nor a folder of backups: it has '%s'", path, name);
}

static bool
prepare (const VendBackupRepository *repository, GError **error)
{
  static const char *const folders[] = { VEND_BACKUP_OBJECTS, VEND_BACKUP_SNAPSHOTS, TEMPORARY };
  g_autofree char *mark = g_build_filename (repository->path, VEND_BACKUP_MARK, NULL);
  if (!vend_tree_remove (repository->temporary, error))
    return false;
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = g_build_filename (repository->path, folders[i], NULL);
      if (!vend_dir_ensure (path, error))
        return false;
    }
  return is_repository (repository->path)
         || vend_file_replace (mark, VEND_BACKUP_MARK_TEXT, strlen (VEND_BACKUP_MARK_TEXT), 0600,
                               error);
}

/* ---- Objects */

static bool
folder_has (const VendBackupRepository *repository, const char *sha256, uint64_t size)
{
  struct stat st;
  g_autofree char *path = object_path (repository, sha256);
  return stat (path, &st) == 0 && S_ISREG (st.st_mode) && (uint64_t) st.st_size == size;
}

static bool
keep_object (VendBackupRepository *repository, const char *temporary, const char *sha256,
             uint64_t size, GError **error)
{
  g_autofree char *path = object_path (repository, sha256);
  g_autofree char *folder = g_path_get_dirname (path);
  if (folder_has (repository, sha256, size))
    return unlink (temporary) == 0
           || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", temporary);
  if (!vend_dir_ensure (folder, error))
    return false;
  if (rename (temporary, path) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "rename to '%s'", path);
  repository->added += size;
  return true;
}

static bool
folder_put (VendBackupRepository *repository, int fd, char **out_sha256, uint64_t *out_size,
            GError **error)
{
  g_autofree char *temporary = vend_backup_repository_temporary (repository, "object");
  g_autofree char *sha256 = NULL;
  vend_autofd to = open (temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (to < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", temporary);
  if (!vend_backup_copy_and_hash (fd, to, &sha256, out_size, error)
      || !keep_object (repository, temporary, sha256, *out_size, error))
    return false;
  *out_sha256 = g_steal_pointer (&sha256);
  return true;
}

static bool
folder_get (const VendBackupRepository *repository, const char *sha256, int fd, GError **error)
{
  uint64_t size = 0;
  g_autofree char *path = object_path (repository, sha256);
  g_autofree char *actual = NULL;
  vend_autofd from = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (from < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  if (!vend_backup_copy_and_hash (from, fd, &actual, &size, error))
    return false;
  return strcmp (actual, sha256) == 0
         || vend_fail (error, VEND_ERROR_STORAGE, "'%s' is damaged: its bytes are those of %s",
                       path, actual);
}

/* ---- Snapshots */

static char *
snapshot_path (const VendBackupRepository *repository, const char *file)
{
  return g_build_filename (repository->path, VEND_BACKUP_SNAPSHOTS, file, NULL);
}

static bool
folder_list (const VendBackupRepository *repository, GPtrArray *files, GError **error)
{
  g_autofree char *path = snapshot_path (repository, NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;)
    g_ptr_array_add (files, g_strdup (name));
  return true;
}

static bool
folder_read (const VendBackupRepository *repository, const char *file, char **out, gsize *out_size,
             GError **error)
{
  g_autofree char *path = snapshot_path (repository, file);
  return vend_file_read (path, VEND_BACKUP_MAX_SNAPSHOT, out, out_size, error);
}

static bool
folder_write (VendBackupRepository *repository, const char *file, const char *text, GError **error)
{
  g_autofree char *path = snapshot_path (repository, file);
  if (syncfs (((const Folder *) repository)->lock) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", repository->path);
  return vend_file_replace (path, text, strlen (text), 0600, error);
}

static bool
folder_remove (VendBackupRepository *repository, const char *file, GError **error)
{
  g_autofree char *path = snapshot_path (repository, file);
  return unlink (path) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", path);
}

static void
remove_others (const char *path, GHashTable *needed)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;)
    {
      g_autofree char *object = g_build_filename (path, name, NULL);
      /* What stays is found by the next backup. */
      if (!g_hash_table_contains (needed, name))
        unlink (object);
    }
}

static bool
folder_keep_only (VendBackupRepository *repository, GHashTable *needed, GError **error)
{
  g_autofree char *snapshots = snapshot_path (repository, NULL);
  g_autofree char *objects = g_build_filename (repository->path, VEND_BACKUP_OBJECTS, NULL);
  if (!vend_dir_sync (snapshots, error))
    return false;
  g_autoptr (GDir) folder = g_dir_open (objects, 0, NULL);
  for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;)
    {
      g_autofree char *path = g_build_filename (objects, name, NULL);
      remove_others (path, needed);
    }
  return true;
}

static void
folder_free (VendBackupRepository *repository)
{
  vend_fd_clear (&((Folder *) repository)->lock);
  g_free (repository);
}

static const VendBackupRepositoryOps folder_ops = {
  .has = folder_has,
  .put = folder_put,
  .get = folder_get,
  .list = folder_list,
  .read = folder_read,
  .write = folder_write,
  .remove = folder_remove,
  .keep_only = folder_keep_only,
  .free = folder_free,
};

/* ---- The folder */

static bool
make (Folder *folder, const char *path, GError **error)
{
  VendBackupRepository *repository = &folder->base;
  g_autofree char *lock = g_build_filename (repository->path, "lock", NULL);
  g_autoptr (GError) problem = NULL;
  repository->temporary = g_build_filename (repository->path, TEMPORARY, NULL);
  if ((!is_repository (path) && !check_is_empty (path, error))
      || !vend_dir_ensure (repository->path, error))
    return false;
  if (vend_lock_file (lock, &folder->lock, &problem))
    return prepare (repository, error);
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_BUSY))
    return vend_backup_fail_busy (path, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

bool
vend_backup_folder_open (const char *path, bool for_writing, VendBackupRepository **out,
                         GError **error)
{
  if (!for_writing && !is_repository (path))
    return vend_backup_fail_not_one (path, error);
  Folder *folder = g_new0 (Folder, 1);
  g_autoptr (VendBackupRepository) owned = &folder->base;
  folder->base.ops = &folder_ops;
  folder->base.path = g_canonicalize_filename (path, NULL);
  folder->lock = -1;
  if (for_writing && !make (folder, path, error))
    return false;
  *out = g_steal_pointer (&owned);
  return true;
}
