/* The folder that backups are kept in. */
#include "backup/repository.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define MARK "vend-backup.json"
#define MARK_TEXT "{\"format\":1}\n"
#define OBJECTS "objects"
#define SNAPSHOTS "snapshots"
#define TEMPORARY "tmp"
#define CHUNK ((gsize) 1 << 20)
#define MAX_SNAPSHOT ((gsize) 2 << 30)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)

struct VendBackupRepository
{
  char *path;
  int lock; /* -1: for reading */
  uint64_t added;
};

static char *
object_path (const VendBackupRepository *repository, const char *sha256)
{
  const char folder[3] = { sha256[0], sha256[1], '\0' };
  return g_build_filename (repository->path, OBJECTS, folder, sha256, NULL);
}

static bool
is_repository (const char *path)
{
  g_autofree char *mark = g_build_filename (path, MARK, NULL);
  return g_file_test (mark, G_FILE_TEST_IS_REGULAR);
}

bool
vend_backup_repository_open (const char *path, VendBackupRepository **out, GError **error)
{
  if (!is_repository (path))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' has no backups: 'vend backup %s' makes the first one", path, path);
  *out = g_new0 (VendBackupRepository, 1);
  (*out)->path = g_canonicalize_filename (path, NULL);
  (*out)->lock = -1;
  return true;
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
  static const char *const folders[] = { OBJECTS, SNAPSHOTS, TEMPORARY };
  g_autofree char *mark = g_build_filename (repository->path, MARK, NULL);
  g_autofree char *temporary = g_build_filename (repository->path, TEMPORARY, NULL);
  if (!vend_tree_remove (temporary, error))
    return false;
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = g_build_filename (repository->path, folders[i], NULL);
      if (!vend_dir_ensure (path, error))
        return false;
    }
  return is_repository (repository->path)
         || vend_file_replace (mark, MARK_TEXT, strlen (MARK_TEXT), 0600, error);
}

bool
vend_backup_repository_make (const char *path, VendBackupRepository **out, GError **error)
{
  g_autoptr (VendBackupRepository) repository = g_new0 (VendBackupRepository, 1);
  repository->path = g_canonicalize_filename (path, NULL);
  repository->lock = -1;
  g_autofree char *lock = g_build_filename (repository->path, "lock", NULL);
  g_autoptr (GError) problem = NULL;
  if ((!is_repository (path) && !check_is_empty (path, error))
      || !vend_dir_ensure (repository->path, error))
    return false;
  if (!vend_lock_file (lock, &repository->lock, &problem))
    {
      const bool is_busy = g_error_matches (problem, VEND_ERROR, VEND_ERROR_BUSY);
      return vend_fail (error, is_busy ? VEND_ERROR_BUSY : VEND_ERROR_STORAGE,
                        is_busy ? "another backup writes to '%s'" : "%s",
                        is_busy ? path : problem->message);
    }
  if (!prepare (repository, error))
    return false;
  *out = g_steal_pointer (&repository);
  return true;
}

void
vend_backup_repository_free (VendBackupRepository *repository)
{
  if (repository == NULL)
    return;
  vend_fd_clear (&repository->lock);
  g_free (repository->path);
  g_free (repository);
}

/* ---- Objects */

bool
vend_backup_repository_has (const VendBackupRepository *repository, const char *sha256,
                            uint64_t size)
{
  struct stat st;
  g_autofree char *path = object_path (repository, sha256);
  return stat (path, &st) == 0 && S_ISREG (st.st_mode) && (uint64_t) st.st_size == size;
}

/* From `from` to its end; `to` -1: nowhere. */
static bool
copy_and_hash (int from, int to, char **out_sha256, uint64_t *out_size, GError **error)
{
  guchar bytes[EVP_MAX_MD_SIZE];
  guint n_bytes = 0;
  uint64_t size = 0;
  g_autofree char *chunk = g_malloc (CHUNK);
  g_autoptr (EVP_MD_CTX) hash = EVP_MD_CTX_new ();
  EVP_DigestInit_ex (hash, EVP_sha256 (), NULL);
  for (;;)
    {
      const ssize_t n = read (from, chunk, CHUNK);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read");
      if (n == 0)
        break;
      EVP_DigestUpdate (hash, chunk, (size_t) n);
      if (to >= 0 && !vend_fd_write_all (to, chunk, (gsize) n, error))
        return false;
      size += (uint64_t) n;
    }
  EVP_DigestFinal_ex (hash, bytes, &n_bytes);
  *out_sha256 = vend_hex (bytes, n_bytes);
  *out_size = size;
  return true;
}

static bool
keep_object (VendBackupRepository *repository, const char *temporary, const char *sha256,
             uint64_t size, GError **error)
{
  g_autofree char *path = object_path (repository, sha256);
  g_autofree char *folder = g_path_get_dirname (path);
  if (vend_backup_repository_has (repository, sha256, size))
    return unlink (temporary) == 0
           || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", temporary);
  if (!vend_dir_ensure (folder, error))
    return false;
  if (rename (temporary, path) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "rename to '%s'", path);
  repository->added += size;
  return true;
}

bool
vend_backup_repository_put (VendBackupRepository *repository, int fd, char **out_sha256,
                            uint64_t *out_size, GError **error)
{
  g_autofree char *temporary = vend_backup_repository_temporary (repository, "object");
  g_autofree char *sha256 = NULL;
  vend_autofd to = open (temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (to < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", temporary);
  if (!copy_and_hash (fd, to, &sha256, out_size, error)
      || !keep_object (repository, temporary, sha256, *out_size, error))
    return false;
  *out_sha256 = g_steal_pointer (&sha256);
  return true;
}

uint64_t
vend_backup_repository_added (const VendBackupRepository *repository)
{
  return repository->added;
}

bool
vend_backup_repository_get (const VendBackupRepository *repository, const char *sha256, int fd,
                            GError **error)
{
  uint64_t size = 0;
  g_autofree char *path = object_path (repository, sha256);
  g_autofree char *actual = NULL;
  vend_autofd from = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (from < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  if (!copy_and_hash (from, fd, &actual, &size, error))
    return false;
  return strcmp (actual, sha256) == 0
         || vend_fail (error, VEND_ERROR_STORAGE, "'%s' is damaged: its bytes are those of %s",
                       path, actual);
}

char *
vend_backup_repository_temporary (const VendBackupRepository *repository, const char *name)
{
  return g_build_filename (repository->path, TEMPORARY, name, NULL);
}

/* ---- Snapshots */

static char *
snapshot_path (const VendBackupRepository *repository, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".json", NULL);
  return g_build_filename (repository->path, SNAPSHOTS, file, NULL);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
vend_backup_repository_list (const VendBackupRepository *repository)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = g_build_filename (repository->path, SNAPSHOTS, NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;)
    if (g_str_has_suffix (name, ".json"))
      g_ptr_array_add (names, g_strndup (name, strlen (name) - strlen (".json")));
  g_ptr_array_sort (names, by_name);
  return names;
}

static bool
parse_snapshot (const char *text, gsize size, VendBackupSnapshot **out, GError **error)
{
  json_auto_t *json = NULL;
  return vend_json_parse (text, size, &json, error)
         && vend_backup_snapshot_from_json (json, out, error);
}

bool
vend_backup_repository_load (const VendBackupRepository *repository, const char *name,
                             VendBackupSnapshot **out, GError **error)
{
  g_autoptr (GPtrArray) names = vend_backup_repository_list (repository);
  const char *newest = names->len > 0 ? g_ptr_array_index (names, names->len - 1) : NULL;
  const char *wanted = name != NULL ? name : newest;
  g_autofree char *text = NULL;
  gsize size = 0;
  if (wanted == NULL)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "'%s' has no backup yet", repository->path);
  if (!g_ptr_array_find_with_equal_func (names, wanted, g_str_equal, NULL))
    return vend_fail (error, VEND_ERROR_NOT_FOUND,
                      "'%s' has no backup '%s'; 'vend backup list' shows those that there are",
                      repository->path, wanted);
  g_autofree char *path = snapshot_path (repository, wanted);
  if (vend_file_read (path, MAX_SNAPSHOT, &text, &size, error)
      && parse_snapshot (text, size, out, error))
    return true;
  g_prefix_error (error, "backup '%s': ", wanted);
  return false;
}

bool
vend_backup_repository_save (VendBackupRepository *repository, const VendBackupSnapshot *snapshot,
                             GError **error)
{
  json_auto_t *json = vend_backup_snapshot_to_json (snapshot);
  g_autofree char *path = snapshot_path (repository, snapshot->name);
  g_autofree char *text = vend_json_text (json);
  if (syncfs (repository->lock) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", repository->path);
  return vend_file_replace (path, text, strlen (text), 0600, error);
}

/* ---- What no snapshot needs */

static bool
add_needed (const VendBackupRepository *repository, const char *name, GHashTable *needed,
            GError **error)
{
  g_autoptr (VendBackupSnapshot) snapshot = NULL;
  if (!vend_backup_repository_load (repository, name, &snapshot, error))
    return false;
  for (guint i = 0; i < snapshot->entries->len; i++)
    {
      VendBackupEntry *entry = g_ptr_array_index (snapshot->entries, i);
      if (entry->sha256 != NULL)
        g_hash_table_add (needed, g_steal_pointer (&entry->sha256));
    }
  return true;
}

static void
remove_others (const char *path, GHashTable *needed, guint *removed)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;)
    {
      g_autofree char *object = g_build_filename (path, name, NULL);
      if (!g_hash_table_contains (needed, name) && unlink (object) == 0)
        (*removed)++;
    }
}

bool
vend_backup_repository_trim (VendBackupRepository *repository, guint keep, guint *out_removed,
                             GError **error)
{
  g_autoptr (GPtrArray) names = vend_backup_repository_list (repository);
  g_autoptr (GHashTable) needed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const guint old = names->len > keep ? names->len - keep : 0;
  guint removed = 0;
  for (guint i = old; i < names->len; i++)
    if (!add_needed (repository, g_ptr_array_index (names, i), needed, error))
      return false;
  for (guint i = 0; i < old; i++)
    {
      g_autofree char *path = snapshot_path (repository, g_ptr_array_index (names, i));
      if (unlink (path) < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", path);
    }
  g_autofree char *snapshots = g_build_filename (repository->path, SNAPSHOTS, NULL);
  g_autofree char *objects = g_build_filename (repository->path, OBJECTS, NULL);
  if (!vend_dir_sync (snapshots, error))
    return false;
  g_autoptr (GDir) folder = g_dir_open (objects, 0, NULL);
  for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;)
    {
      g_autofree char *path = g_build_filename (objects, name, NULL);
      remove_others (path, needed, &removed);
    }
  *out_removed = old;
  return true;
}
