/* Backups of a data directory: made beside a running server, restored into a new one. A repository
 * (repository.h) keeps each content once, so a further backup costs what is new. Rows on a server
 * and files in a bucket are in it as an SQLite file and as files of the directory, and are restored
 * so. One thread; blocks on disk, and on the network where one is asked. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "backup/repository.h"
#include "files/depot.h"

/* Files and bytes looked at so far. */
typedef void (*VendBackupProgress) (uint64_t files, uint64_t bytes, void *data);

typedef struct
{
  const char *data_dir;        /* absolute */
  const char *store;           /* its database: a path or a postgres:// URL */
  VendDepot *files;            /* where its contents are; NULL: in the directory */
  VendBackupProgress progress; /* may be NULL */
  void *progress_data;
} VendBackupOptions;

/* Adds a snapshot of `data_dir` with all that its database names at one moment. `*out_missing` is
 * the number of contents and versions that the database names and the directory itself lacks. Not
 * in it: instances and their unfinished runs, caches, unfinished uploads, what models keep in
 * their homes. */
bool vend_backup_make (VendBackupRepository *repository, const VendBackupOptions *options,
                       VendBackupSnapshot **out, guint *out_missing, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Makes the data directory `to`, which must not be there or be empty; it appears as a whole, and
 * durably. INVALID when something is at its place. */
bool vend_backup_restore (const VendBackupRepository *repository,
                          const VendBackupSnapshot *snapshot, const char *to,
                          const VendBackupOptions *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Interpreters that environments of a data directory need and this machine lacks: of char *. Free
 * with g_ptr_array_unref. */
GPtrArray *vend_backup_missing_interpreters (const char *data_dir) G_GNUC_WARN_UNUSED_RESULT;
