/* A snapshot of a backup: what was in the data directory at a moment, as a list of paths; the bytes
 * are objects of the repository. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef enum
{
  VEND_BACKUP_FOLDER,
  VEND_BACKUP_FILE,
  VEND_BACKUP_LINK, /* symbolic */
} VendBackupKind;

typedef struct
{
  char *path; /* below the data directory */
  VendBackupKind kind;
  guint mode;   /* permission bits */
  char *sha256; /* of a file's bytes */
  char *target; /* of a link */
  uint64_t size;
  /* Whether the file is the same as at the last look, without reading it. Files with one `inode`
   * are one file under several names. */
  uint64_t inode;
  int64_t modified_ns;
  int64_t changed_ns;
} VendBackupEntry;

typedef struct
{
  char *name;         /* its time: "2026-12-01T06-40-00Z" */
  char *data_dir;     /* that it is of */
  uint64_t size;      /* of all files */
  uint64_t added;     /* bytes of objects that were new */
  GPtrArray *entries; /* of VendBackupEntry, by path, folders before their content */
} VendBackupSnapshot;

VendBackupEntry *vend_backup_entry_new (const char *path, VendBackupKind kind, guint mode)
    G_GNUC_WARN_UNUSED_RESULT;
VendBackupEntry *vend_backup_entry_copy (const VendBackupEntry *entry) G_GNUC_WARN_UNUSED_RESULT;
void vend_backup_entry_free (VendBackupEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBackupEntry, vend_backup_entry_free)

VendBackupSnapshot *vend_backup_snapshot_new (const char *name, const char *data_dir)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_backup_snapshot_free (VendBackupSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBackupSnapshot, vend_backup_snapshot_free)

/* Whether a symbolic link may be at this path of a data directory: in an environment, whose
 * interpreter is elsewhere. What a server writes to and reads from is never behind one. */
bool vend_backup_link_fits (const char *path);

/* Sorts the entries. */
void vend_backup_snapshot_sort (VendBackupSnapshot *snapshot);
json_t *vend_backup_snapshot_to_json (const VendBackupSnapshot *snapshot) G_GNUC_WARN_UNUSED_RESULT;
/* INVALID for what a restore must not follow: paths that leave the data directory, links that do
 * not fit or with content below them, names that come twice. */
bool vend_backup_snapshot_from_json (const json_t *json, VendBackupSnapshot **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
