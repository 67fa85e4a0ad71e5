/* Where backups are kept, a folder or a bucket: objects, each under the SHA-256 of its bytes, and
 * snapshots that name them.
 *
 *     vend-backup.json          says that the place is one
 *     lock                      held by whoever writes
 *     objects/<2 hex>/<SHA-256>
 *     snapshots/<time>.json
 *
 * One thread; blocks on disk, and on the network where it is a bucket. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "backup/snapshot.h"
#include "files/s3.h"

typedef struct VendBackupRepository VendBackupRepository;

typedef struct
{
  const char *path;            /* of a folder; with `bucket` how people call it */
  const VendS3Options *bucket; /* NULL: a folder */
} VendBackupPlace;

/* For reading. INVALID when the place has no backups. */
bool vend_backup_repository_open (const VendBackupPlace *place, VendBackupRepository **out,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* For writing; makes the place. INVALID when it has something else in it, BUSY while another backup
 * writes to it. */
bool vend_backup_repository_make (const VendBackupPlace *place, VendBackupRepository **out,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_backup_repository_free (VendBackupRepository *repository);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBackupRepository, vend_backup_repository_free)

/* ---- Objects */
/* Only of one for writing. */
bool vend_backup_repository_has (const VendBackupRepository *repository, const char *sha256,
                                 uint64_t size);
/* Copies the bytes of `fd`, from its position to the end. `*out_sha256`: free with g_free. */
bool vend_backup_repository_put (VendBackupRepository *repository, int fd, char **out_sha256,
                                 uint64_t *out_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Bytes of objects that were not there before. */
uint64_t vend_backup_repository_added (const VendBackupRepository *repository);
/* Copies an object to `fd`. STORAGE when its bytes are others than its name says. */
bool vend_backup_repository_get (const VendBackupRepository *repository, const char *sha256, int fd,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A name for a file on this machine, which goes with the repository or the next backup. Free with
 * g_free. */
char *vend_backup_repository_temporary (const VendBackupRepository *repository, const char *name)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- Snapshots */
/* Names, the oldest first. Free with g_ptr_array_unref. */
bool vend_backup_repository_list (const VendBackupRepository *repository, GPtrArray **out,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* `name` NULL: the newest. NOT_FOUND when there is none. */
bool vend_backup_repository_load (const VendBackupRepository *repository, const char *name,
                                  VendBackupSnapshot **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Durable, and all objects before it. */
bool vend_backup_repository_save (VendBackupRepository *repository,
                                  const VendBackupSnapshot *snapshot, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Removes all snapshots but the newest `keep`, then the objects that none names. */
bool vend_backup_repository_trim (VendBackupRepository *repository, guint keep, guint *out_removed,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
