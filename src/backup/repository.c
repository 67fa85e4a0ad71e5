/* What both kinds of places of backups share: snapshots by name, and what none of them needs. */
#include "backup/repository.h"
#include "backup/repository-private.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define CHUNK ((gsize) 1 << 20)
#define SUFFIX ".json"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)

bool
vend_backup_fail_not_one (const char *path, GError **error)
{
  return vend_fail (error, VEND_ERROR_INVALID,
                    "'%s' has no backups: 'vend backup %s' makes the first one", path, path);
}

bool
vend_backup_fail_busy (const char *path, GError **error)
{
  return vend_fail (error, VEND_ERROR_BUSY, "another backup writes to '%s'", path);
}

static bool
open_place (const VendBackupPlace *place, bool for_writing, VendBackupRepository **out,
            GError **error)
{
  return place->bucket != NULL ? vend_backup_bucket_open (place, for_writing, out, error)
                               : vend_backup_folder_open (place->path, for_writing, out, error);
}

bool
vend_backup_repository_open (const VendBackupPlace *place, VendBackupRepository **out,
                             GError **error)
{
  return open_place (place, false, out, error);
}

bool
vend_backup_repository_make (const VendBackupPlace *place, VendBackupRepository **out,
                             GError **error)
{
  return open_place (place, true, out, error);
}

void
vend_backup_repository_free (VendBackupRepository *repository)
{
  if (repository == NULL)
    return;
  g_autofree char *path G_GNUC_UNUSED = repository->path;
  g_autofree char *temporary G_GNUC_UNUSED = repository->temporary;
  repository->ops->free (repository);
}

/* ---- Objects */

bool
vend_backup_copy_and_hash (int from, int to, char **out_sha256, uint64_t *out_size, GError **error)
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

bool
vend_backup_repository_has (const VendBackupRepository *repository, const char *sha256,
                            uint64_t size)
{
  return repository->ops->has (repository, sha256, size);
}

bool
vend_backup_repository_put (VendBackupRepository *repository, int fd, char **out_sha256,
                            uint64_t *out_size, GError **error)
{
  return repository->ops->put (repository, fd, out_sha256, out_size, error);
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
  return repository->ops->get (repository, sha256, fd, error);
}

char *
vend_backup_repository_temporary (const VendBackupRepository *repository, const char *name)
{
  return g_build_filename (repository->temporary, name, NULL);
}

/* ---- Snapshots */

static char *
file_of (const char *name)
{
  return g_strconcat (name, SUFFIX, NULL);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

bool
vend_backup_repository_list (const VendBackupRepository *repository, GPtrArray **out,
                             GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (!repository->ops->list (repository, files, error))
    return false;
  for (guint i = 0; i < files->len; i++)
    {
      const char *file = g_ptr_array_index (files, i);
      if (g_str_has_suffix (file, SUFFIX))
        g_ptr_array_add (names, g_strndup (file, strlen (file) - strlen (SUFFIX)));
    }
  g_ptr_array_sort (names, by_name);
  *out = g_steal_pointer (&names);
  return true;
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
  g_autoptr (GPtrArray) names = NULL;
  if (!vend_backup_repository_list (repository, &names, error))
    return false;
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
  g_autofree char *file = file_of (wanted);
  if (repository->ops->read (repository, file, &text, &size, error)
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
  g_autofree char *file = file_of (snapshot->name);
  g_autofree char *text = vend_json_text (json);
  return repository->ops->write (repository, file, text, error);
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

bool
vend_backup_repository_trim (VendBackupRepository *repository, guint keep, guint *out_removed,
                             GError **error)
{
  g_autoptr (GPtrArray) names = NULL;
  g_autoptr (GHashTable) needed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!vend_backup_repository_list (repository, &names, error))
    return false;
  const guint old = names->len > keep ? names->len - keep : 0;
  for (guint i = old; i < names->len; i++)
    if (!add_needed (repository, g_ptr_array_index (names, i), needed, error))
      return false;
  for (guint i = 0; i < old; i++)
    {
      g_autofree char *file = file_of (g_ptr_array_index (names, i));
      if (!repository->ops->remove (repository, file, error))
        return false;
    }
  if (!repository->ops->keep_only (repository, needed, error))
    return false;
  *out_removed = old;
  return true;
}
