/* A bucket, or a prefix of one, that backups are kept in. */
#include "backup/repository-private.h"
#include "backup/bucket-lock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "files/depot.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MAX_PUTS 3 /* of a file that changes while it is sent */

typedef struct
{
  VendBackupRepository base;
  VendS3 *s3;
  VendS3 *objects_s3;
  VendDepot *objects;   /* has `objects_s3` */
  GHashTable *known;    /* SHA-256 → uint64_t, its size; NULL: for reading */
  VendBucketLock *lock; /* NULL: for reading */
} Bucket;

static VendS3 *
s3_of (const VendBackupRepository *repository)
{
  return ((const Bucket *) repository)->s3;
}

/* ---- Objects */

static bool
bucket_has (const VendBackupRepository *repository, const char *sha256, uint64_t size)
{
  const Bucket *bucket = (const Bucket *) repository;
  const uint64_t *known
      = bucket->known != NULL ? g_hash_table_lookup (bucket->known, sha256) : NULL;
  return known != NULL && *known == size;
}

static void
note_object (GHashTable *known, const char *sha256, uint64_t size)
{
  g_hash_table_replace (known, g_strdup (sha256), g_memdup2 (&size, sizeof size));
}

static bool
send_object (Bucket *bucket, int fd, const char *sha256, uint64_t size, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%.2s/%s", sha256, sha256);
  if (bucket_has (&bucket->base, sha256, size))
    return true;
  if (!vend_s3_upload (bucket->objects_s3, name, fd, size, sha256, error))
    return false;
  note_object (bucket->known, sha256, size);
  bucket->base.added += size;
  return true;
}

/* It is read once for its name, and once more as it is sent. */
static bool
bucket_put (VendBackupRepository *repository, int fd, char **out_sha256, uint64_t *out_size,
            GError **error)
{
  Bucket *bucket = (Bucket *) repository;
  for (guint n = 1;; n++)
    {
      g_autofree char *sha256 = NULL;
      g_autofree char *now = NULL;
      g_autoptr (GError) problem = NULL;
      uint64_t size = 0, size_now = 0;
      if (lseek (fd, 0, SEEK_SET) < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read");
      if (!vend_backup_copy_and_hash (fd, -1, &sha256, &size, error))
        return false;
      if (send_object (bucket, fd, sha256, size, &problem))
        {
          *out_sha256 = g_steal_pointer (&sha256);
          *out_size = size;
          return true;
        }
      const bool may_have_changed = n < MAX_PUTS && lseek (fd, 0, SEEK_SET) == 0
                                    && vend_backup_copy_and_hash (fd, -1, &now, &size_now, NULL);
      if (!may_have_changed || strcmp (now, sha256) == 0)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
    }
}

static bool
bucket_get (const VendBackupRepository *repository, const char *sha256, int fd, GError **error)
{
  if (vend_depot_fetch (((const Bucket *) repository)->objects, sha256, fd, error))
    return true;
  g_prefix_error (error, "%s is missing or damaged: object %s: ", repository->path, sha256);
  return false;
}

/* ---- Snapshots */

static void
add_name (const char *name, uint64_t size, int64_t changed_us, void *data)
{
  g_ptr_array_add (data, g_strdup (name + strlen (VEND_BACKUP_SNAPSHOTS "/")));
}

static bool
bucket_list (const VendBackupRepository *repository, GPtrArray *files, GError **error)
{
  return vend_s3_list (s3_of (repository), VEND_BACKUP_SNAPSHOTS "/", add_name, files, error);
}

static char *
snapshot_name (const char *file)
{
  return g_strconcat (VEND_BACKUP_SNAPSHOTS "/", file, NULL);
}

static bool
append (const char *bytes, gsize size, void *data)
{
  GString *text = data;
  if (text->len + size > VEND_BACKUP_MAX_SNAPSHOT)
    return false;
  g_string_append_len (text, bytes, (gssize) size);
  return true;
}

static bool
bucket_read (const VendBackupRepository *repository, const char *file, char **out, gsize *out_size,
             GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autofree char *name = snapshot_name (file);
  g_autoptr (GString) text = g_string_new (NULL);
  const VendS3Request request
      = { .method = "GET", .name = name, .sink = append, .data = text, .once = true };
  if (!vend_s3_call (s3_of (repository), &request, &answer, error))
    return false;
  *out_size = text->len;
  *out = g_string_free (g_steal_pointer (&text), FALSE);
  return true;
}

/* By a file, since it may take several parts. */
static bool
bucket_write (VendBackupRepository *repository, const char *file, const char *text, GError **error)
{
  const Bucket *bucket = (const Bucket *) repository;
  g_autofree char *name = snapshot_name (file);
  g_autofree char *path = vend_backup_repository_temporary (repository, "snapshot");
  g_autofree char *sha256 = vend_sha256_text (text);
  vend_autofd fd = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  return vend_bucket_lock_check (bucket->lock, error)
         && vend_fd_write_all (fd, text, strlen (text), error)
         && vend_s3_upload (bucket->s3, name, fd, strlen (text), sha256, error);
}

static bool
bucket_remove (VendBackupRepository *repository, const char *file, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autofree char *name = snapshot_name (file);
  const VendS3Request request = { .method = "DELETE", .name = name };
  return vend_s3_call (s3_of (repository), &request, &answer, error);
}

static bool
bucket_keep_only (VendBackupRepository *repository, GHashTable *needed, GError **error)
{
  const Bucket *bucket = (const Bucket *) repository;
  GHashTableIter iter;
  void *sha256;
  if (!vend_bucket_lock_check (bucket->lock, error))
    return false;
  g_hash_table_iter_init (&iter, bucket->known);
  while (g_hash_table_iter_next (&iter, &sha256, NULL))
    if (!g_hash_table_contains (needed, sha256)
        && !bucket->objects->ops->remove (bucket->objects, sha256, error))
      return false;
  return true;
}

static void
bucket_free (VendBackupRepository *repository)
{
  Bucket *bucket = (Bucket *) repository;
  g_autoptr (GError) ignored = NULL;
  vend_bucket_lock_free (bucket->lock);
  vend_depot_free (bucket->objects);
  vend_s3_free (bucket->s3);
  g_clear_pointer (&bucket->known, g_hash_table_unref);
  if (repository->temporary != NULL)
    (void) !vend_tree_remove (repository->temporary, &ignored);
  g_free (bucket);
}

static const VendBackupRepositoryOps bucket_ops = {
  .has = bucket_has,
  .put = bucket_put,
  .get = bucket_get,
  .list = bucket_list,
  .read = bucket_read,
  .write = bucket_write,
  .remove = bucket_remove,
  .keep_only = bucket_keep_only,
  .free = bucket_free,
};

/* ---- The bucket */

static bool
find_mark (VendS3 *s3, bool *out, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autoptr (GError) problem = NULL;
  const VendS3Request request = { .method = "HEAD", .name = VEND_BACKUP_MARK };
  *out = vend_s3_call (s3, &request, &answer, &problem);
  if (*out || g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

static bool
write_mark (VendS3 *s3, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autofree char *sha256 = vend_sha256_text (VEND_BACKUP_MARK_TEXT);
  const VendS3Request request = { .method = "PUT",
                                  .name = VEND_BACKUP_MARK,
                                  .body = VEND_BACKUP_MARK_TEXT,
                                  .body_size = strlen (VEND_BACKUP_MARK_TEXT),
                                  .sha256 = sha256 };
  return vend_s3_call (s3, &request, &answer, error);
}

static bool
claim (VendS3 *s3, const char *path, bool is_one, GError **error)
{
  bool is_empty = true;
  if (is_one)
    return true;
  if (!vend_s3_is_empty (s3, &is_empty, error))
    return false;
  if (!is_empty)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' is neither empty nor a place of backups: it has other objects", path);
  return write_mark (s3, error);
}

static void
learn_object (const char *sha256, const VendDepotStat *stat, void *data)
{
  note_object (data, sha256, stat->size);
}

static bool
make (Bucket *bucket, bool is_one, GError **error)
{
  VendBackupRepository *repository = &bucket->base;
  if (!claim (bucket->s3, repository->path, is_one, error)
      || !vend_bucket_lock_take (bucket->s3, repository->path, &bucket->lock, error))
    return false;
  repository->temporary = g_dir_make_tmp ("vend-backup-XXXXXX", error);
  bucket->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return repository->temporary != NULL
         && bucket->objects->ops->each (bucket->objects, learn_object, bucket->known, error);
}

static bool
open_clients (Bucket *bucket, const VendS3Options *options, GError **error)
{
  g_autofree char *objects = NULL;
  VendS3Options inner = *options;
  if (!vend_s3_new (options, &bucket->s3, error))
    return false;
  objects = g_strconcat (vend_s3_place (bucket->s3), "/" VEND_BACKUP_OBJECTS, NULL);
  inner.place = objects;
  if (!vend_s3_new (&inner, &bucket->objects_s3, error))
    return false;
  bucket->objects = vend_depot_s3_new (bucket->objects_s3);
  return true;
}

bool
vend_backup_bucket_open (const VendBackupPlace *place, bool for_writing, VendBackupRepository **out,
                         GError **error)
{
  Bucket *bucket = g_new0 (Bucket, 1);
  g_autoptr (VendBackupRepository) owned = &bucket->base;
  bool is_one = false;
  bucket->base.ops = &bucket_ops;
  bucket->base.path = g_strdup (place->path);
  if (!open_clients (bucket, place->bucket, error) || !find_mark (bucket->s3, &is_one, error))
    return false;
  if (!for_writing && !is_one)
    return vend_backup_fail_not_one (place->path, error);
  if (for_writing && !make (bucket, is_one, error))
    return false;
  *out = g_steal_pointer (&owned);
  return true;
}
