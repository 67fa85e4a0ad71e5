/* The two kinds of places behind a repository. */
#pragma once
#include "backup/repository.h"

#define VEND_BACKUP_MARK "vend-backup.json"
#define VEND_BACKUP_MARK_TEXT "{\"format\":1}\n"
#define VEND_BACKUP_OBJECTS "objects"
#define VEND_BACKUP_SNAPSHOTS "snapshots"
#define VEND_BACKUP_MAX_SNAPSHOT ((gsize) 2 << 30)

typedef struct
{
  bool (*has) (const VendBackupRepository *repository, const char *sha256, uint64_t size);
  bool (*put) (VendBackupRepository *repository, int fd, char **out_sha256, uint64_t *out_size,
               GError **error);
  bool (*get) (const VendBackupRepository *repository, const char *sha256, int fd, GError **error);
  /* Adds names of files, "NAME.json" (of char *), in any order. */
  bool (*list) (const VendBackupRepository *repository, GPtrArray *files, GError **error);
  bool (*read) (const VendBackupRepository *repository, const char *file, char **out,
                gsize *out_size, GError **error);
  /* Durable, and all objects that were put before it. */
  bool (*write) (VendBackupRepository *repository, const char *file, const char *text,
                 GError **error);
  bool (*remove) (VendBackupRepository *repository, const char *file, GError **error);
  bool (*keep_only) (VendBackupRepository *repository, GHashTable *needed, GError **error);
  void (*free) (VendBackupRepository *repository);
} VendBackupRepositoryOps;

/* The first member of each kind. */
struct VendBackupRepository
{
  const VendBackupRepositoryOps *ops;
  char *path;      /* for people, too */
  char *temporary; /* a folder of this machine; NULL: for reading */
  uint64_t added;
};

/* From the position of `from` to its end; `to` -1: nowhere. */
bool vend_backup_copy_and_hash (int from, int to, char **out_sha256, uint64_t *out_size,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_backup_fail_not_one (const char *path, GError **error);
bool vend_backup_fail_busy (const char *path, GError **error);

/* ---- repository-folder.c */
bool vend_backup_folder_open (const char *path, bool for_writing, VendBackupRepository **out,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- repository-bucket.c */
bool vend_backup_bucket_open (const VendBackupPlace *place, bool for_writing,
                              VendBackupRepository **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
