/* A backup beside a running server. */
#include "backup/backup.h"
#include "backup/left-out.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "store/audit.h"
#include "store/copy.h"
#include "store/integrity.h"
#include "store/postgres.h"
#include "store/store-mark.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DATABASE "vend.db"
#define BLOBS "blobs"
#define INSTALLATION "installation"
#define MAX_LOOKS 5
#define NS_PER_S G_GINT64_CONSTANT (1000000000)

typedef struct
{
  VendBackupRepository *repository;
  const VendBackupOptions *options;
  GPtrArray *seen; /* of VendBackupEntry: all that this backup has read, also what changed since */
  GHashTable *entries; /* path → the newest of `seen` */
  GHashTable *inodes;  /* inode → one of `seen` */
  GHashTable *known; /* path → VendBackupEntry (borrowed) of the snapshot before; may be empty */
  uint64_t n_files;
  uint64_t n_bytes;
} Making;

static int64_t
ns_of (const struct timespec *time)
{
  return (int64_t) time->tv_sec * NS_PER_S + time->tv_nsec;
}

/* ---- Files */

static bool
is_same (const VendBackupEntry *known, const struct stat *st)
{
  return known != NULL && known->kind == VEND_BACKUP_FILE && known->inode == st->st_ino
         && known->size == (uint64_t) st->st_size && known->modified_ns == ns_of (&st->st_mtim)
         && known->changed_ns == ns_of (&st->st_ctim);
}

/* The content of a file, where it is known without reading. Names of blobs are that of their
 * content; the first backup reads them nevertheless. */
static const char *
known_content (const Making *making, const char *path, const struct stat *st)
{
  const VendBackupEntry *linked = g_hash_table_lookup (making->inodes, &st->st_ino);
  const VendBackupEntry *known = g_hash_table_lookup (making->known, path);
  if (is_same (linked, st))
    return linked->sha256;
  if (is_same (known, st)
      && vend_backup_repository_has (making->repository, known->sha256, known->size))
    return known->sha256;
  return NULL;
}

static bool
read_file (Making *making, const char *full, bool is_linked, VendBackupEntry *entry, GError **error)
{
  struct stat st;
  vend_autofd fd = open (full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (is_linked ? 0 : O_NOFOLLOW));
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_fail_errno (error, errno == ENOENT ? VEND_ERROR_NOT_FOUND : VEND_ERROR_STORAGE,
                            errno, "open '%s'", full);
  const char *content = known_content (making, entry->path, &st);
  entry->size = (uint64_t) st.st_size;
  entry->inode = st.st_ino;
  entry->modified_ns = ns_of (&st.st_mtim);
  entry->changed_ns = ns_of (&st.st_ctim);
  entry->sha256 = g_strdup (content);
  if (content == NULL
      && !vend_backup_repository_put (making->repository, fd, &entry->sha256, &entry->size, error))
    {
      g_prefix_error (error, "'%s': ", full);
      return false;
    }
  return true;
}

static bool
read_link (const char *full, VendBackupEntry *entry, GError **error)
{
  entry->target = g_file_read_link (full, NULL);
  return entry->target != NULL || vend_fail (error, VEND_ERROR_NOT_FOUND, "'%s' is gone", full);
}

static void
keep (Making *making, VendBackupEntry *entry)
{
  if (entry->kind == VEND_BACKUP_FILE)
    {
      making->n_files++;
      making->n_bytes += entry->size;
    }
  g_ptr_array_add (making->seen, entry);
  g_hash_table_replace (making->entries, entry->path, entry);
  if (entry->inode != 0)
    g_hash_table_replace (making->inodes, &entry->inode, entry);
  if (making->options->progress != NULL)
    making->options->progress (making->n_files, making->n_bytes, making->options->progress_data);
}

/* ---- The walk */

static bool walk (Making *making, const char *folder, GError **error);

/* What goes away meanwhile was removed by the server, so no row names it any more. */
static bool
forgive (GError *problem, GError **error)
{
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_error_free (problem);
      return true;
    }
  g_propagate_error (error, problem);
  return false;
}

static bool
add (Making *making, const char *path, GError **error)
{
  struct stat st;
  GError *problem = NULL;
  g_autofree char *full = g_build_filename (making->options->data_dir, path, NULL);
  if (lstat (full, &st) < 0)
    return errno == ENOENT
           || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "look at '%s'", full);
  /* A file, such as settings that are kept elsewhere, is taken for what it leads to. */
  const bool is_linked = S_ISLNK (st.st_mode) && !vend_backup_link_fits (path);
  if (is_linked && (stat (full, &st) < 0 || !S_ISREG (st.st_mode)))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' is a symbolic link, and what it leads to would be missing in the "
                      "backup; mount that at its place instead",
                      full);
  if (!S_ISDIR (st.st_mode) && !S_ISREG (st.st_mode) && !S_ISLNK (st.st_mode))
    return true;
  const VendBackupEntry *seen = g_hash_table_lookup (making->entries, path);
  if (S_ISREG (st.st_mode) && is_same (seen, &st))
    return true;
  const VendBackupKind kind = S_ISDIR (st.st_mode)   ? VEND_BACKUP_FOLDER
                              : S_ISREG (st.st_mode) ? VEND_BACKUP_FILE
                                                     : VEND_BACKUP_LINK;
  g_autoptr (VendBackupEntry) entry = vend_backup_entry_new (path, kind, st.st_mode);
  if ((kind == VEND_BACKUP_FILE && !read_file (making, full, is_linked, entry, &problem))
      || (kind == VEND_BACKUP_LINK && !read_link (full, entry, &problem)))
    return forgive (problem, error);
  keep (making, g_steal_pointer (&entry));
  return kind != VEND_BACKUP_FOLDER || walk (making, path, error);
}

/* Copies of what is in a bucket lie in folders of two hex digits. */
static bool
is_copy (const Making *making, const char *path)
{
  return making->options->files != NULL && g_str_has_prefix (path, BLOBS "/")
         && strlen (path) == strlen (BLOBS "/") + 2;
}

/* `folder` "" is the data directory. */
static bool
walk (Making *making, const char *folder, GError **error)
{
  g_autofree char *full = g_build_filename (making->options->data_dir, folder, NULL);
  g_autoptr (GDir) listing = g_dir_open (full, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path
          = folder[0] != '\0' ? g_build_filename (folder, name, NULL) : g_strdup (name);
      if (!vend_backup_leaves_out (path) && !is_copy (making, path) && !add (making, path, error))
        return false;
    }
  return true;
}

/* ---- The database */

/* A file that is not one of the data directory, for the path that it is restored to. */
static bool
add_made (Making *making, const char *file, const char *path, GError **error)
{
  vend_autofd fd = open (file, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", file);
  g_autoptr (VendBackupEntry) entry = vend_backup_entry_new (path, VEND_BACKUP_FILE, 0600);
  if (!vend_backup_repository_put (making->repository, fd, &entry->sha256, &entry->size, error))
    return false;
  keep (making, g_steal_pointer (&entry));
  return true;
}

static bool
add_database (Making *making, const char *copy, GError **error)
{
  const VendBackupOptions *options = making->options;
  g_autofree char *installation = g_build_filename (options->data_dir, INSTALLATION, NULL);
  if (unlink (copy) < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", copy);
  return vend_store_copy (options->store, copy, error)
         && vend_integrity_claim (copy, installation, error)
         && add_made (making, copy, DATABASE, error);
}

/* What is restored has its rows in an SQLite file, whatever its settings say of a server. */
static bool
add_mark (Making *making, GError **error)
{
  g_autofree char *file = vend_backup_repository_temporary (making->repository, VEND_STORE_MARK);
  if (!vend_postgres_is_url (making->options->store))
    return true;
  if (!vend_file_replace (file, VEND_STORE_MARK_SQLITE, strlen (VEND_STORE_MARK_SQLITE), 0600,
                          error)
      || !add_made (making, file, VEND_STORE_MARK, error))
    return false;
  return unlink (file) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", file);
}

/* ---- Contents of a bucket */

static void
keep_folder (Making *making, const char *path)
{
  if (!g_hash_table_contains (making->entries, path))
    keep (making, vend_backup_entry_new (path, VEND_BACKUP_FOLDER, 0700));
}

static bool
fetch_content (Making *making, const char *sha256, GError **error)
{
  g_autofree char *file = vend_backup_repository_temporary (making->repository, "content");
  g_autofree char *name = NULL;
  uint64_t size = 0;
  vend_autofd fd = open (file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", file);
  if (!vend_depot_fetch (making->options->files, sha256, fd, error))
    return false;
  if (lseek (fd, 0, SEEK_SET) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", file);
  const bool good = vend_backup_repository_put (making->repository, fd, &name, &size, error);
  unlink (file);
  return good;
}

/* One that the repository has is not fetched again. `size` -1: not known. */
static bool
add_content (Making *making, const char *path, const char *sha256, int64_t size, GError **error)
{
  VendDepot *files = making->options->files;
  VendDepotStat stat = { (uint64_t) size, 0 };
  if (size < 0 && !files->ops->stat (files, sha256, &stat, error))
    return false;
  if (!vend_backup_repository_has (making->repository, sha256, stat.size)
      && !fetch_content (making, sha256, error))
    return false;
  g_autofree char *folder = g_path_get_dirname (path);
  keep_folder (making, BLOBS);
  keep_folder (making, folder);
  VendBackupEntry *entry = vend_backup_entry_new (path, VEND_BACKUP_FILE, 0600);
  entry->sha256 = g_strdup (sha256);
  entry->size = stat.size;
  keep (making, entry);
  return true;
}

typedef struct
{
  Making *making;
  GError *error;
  guint n_missing;  /* in the snapshot, and not in the data directory either */
  guint n_too_late; /* removed by the server before it was read, and named by this database */
} Naming;

static void
look_for (Naming *naming, const char *path)
{
  g_autofree char *full = g_build_filename (naming->making->options->data_dir, path, NULL);
  if (g_hash_table_contains (naming->making->entries, path))
    return;
  naming->n_too_late++;
  naming->n_missing += !g_file_test (full, G_FILE_TEST_EXISTS);
}

static void
named_content (const char *sha256, const char *of, int64_t size, void *data)
{
  Naming *naming = data;
  g_autoptr (GError) problem = NULL;
  g_autofree char *path = g_strdup_printf (BLOBS "/%.2s/%s", sha256, sha256);
  (void) of;
  if (naming->making->options->files == NULL)
    {
      look_for (naming, path);
      return;
    }
  if (naming->error != NULL || !vend_is_sha256_hex (sha256)
      || g_hash_table_contains (naming->making->entries, path)
      || add_content (naming->making, path, sha256, size, &problem))
    return;
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      naming->error = g_steal_pointer (&problem);
      return;
    }
  naming->n_too_late++;
  naming->n_missing++;
}

static void
named_version (const char *id, const char *of, int64_t number, void *data)
{
  g_autofree char *path = g_build_filename ("versions", id, NULL);
  (void) of;
  (void) number;
  look_for (data, path);
}

static bool
compare (Making *making, const char *copy, Naming *out, GError **error)
{
  g_autoptr (VendDb) db = NULL;
  *out = (Naming){ .making = making };
  if (!vend_store_audit_open (copy, &db, error) || !vend_store_audit_begin (db, error)
      || !vend_store_audit_contents (db, named_content, out, error)
      || !vend_store_audit_versions (db, named_version, out, error)
      || !vend_store_audit_end (db, error))
    return false;
  if (out->error == NULL)
    return true;
  g_propagate_error (error, g_steal_pointer (&out->error));
  return false;
}

/* Files first, then the database, then the files that came meanwhile: what the database names was
 * there before or came since. What was removed again before it was read asks for a newer database.
 */
static bool
collect (Making *making, guint *out_missing, GError **error)
{
  g_autofree char *copy = vend_backup_repository_temporary (making->repository, DATABASE);
  Naming naming = { 0 };
  if (!add_mark (making, error) || !walk (making, "", error))
    return false;
  for (guint look = 0; look < MAX_LOOKS; look++)
    {
      if (!add_database (making, copy, error) || !walk (making, "", error)
          || !compare (making, copy, &naming, error))
        return false;
      if (naming.n_too_late == 0)
        break;
    }
  *out_missing = naming.n_missing;
  if (unlink (copy) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", copy);
  return naming.n_too_late == naming.n_missing
         || vend_fail (error, VEND_ERROR_STORAGE,
                       "%u files came and went while the backup was made; try again",
                       naming.n_too_late - naming.n_missing);
}

/* ---- The snapshot */

static bool
name_of_now (const VendBackupRepository *repository, char **out, GError **error)
{
  g_autoptr (GPtrArray) names = NULL;
  if (!vend_backup_repository_list (repository, &names, error))
    return false;
  const char *newest = names->len > 0 ? g_ptr_array_index (names, names->len - 1) : "";
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *name = g_date_time_format (now, "%Y-%m-%dT%H-%M-%SZ");
  /* Also two within a second, and after a clock that went back, in their order. */
  *out = strcmp (name, newest) > 0 ? g_steal_pointer (&name) : g_strconcat (newest, "+", NULL);
  return true;
}

static VendBackupSnapshot *
snapshot_of (const Making *making, const char *name)
{
  VendBackupSnapshot *snapshot = vend_backup_snapshot_new (name, making->options->data_dir);
  for (guint i = 0; i < making->seen->len; i++)
    {
      const VendBackupEntry *entry = g_ptr_array_index (making->seen, i);
      if (g_hash_table_lookup (making->entries, entry->path) != entry)
        continue;
      snapshot->size += entry->size;
      g_ptr_array_add (snapshot->entries, vend_backup_entry_copy (entry));
    }
  snapshot->added = vend_backup_repository_added (making->repository);
  vend_backup_snapshot_sort (snapshot);
  return snapshot;
}

static void
learn (Making *making, VendBackupSnapshot *previous)
{
  for (guint i = 0; previous != NULL && i < previous->entries->len; i++)
    {
      VendBackupEntry *entry = g_ptr_array_index (previous->entries, i);
      g_hash_table_replace (making->known, entry->path, entry);
    }
}

bool
vend_backup_make (VendBackupRepository *repository, const VendBackupOptions *options,
                  VendBackupSnapshot **out, guint *out_missing, GError **error)
{
  g_autoptr (VendBackupSnapshot) previous = NULL;
  g_autoptr (GError) problem = NULL;
  g_autoptr (GPtrArray) seen
      = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_backup_entry_free);
  g_autoptr (GHashTable) entries = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) inodes = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  Making making = { repository, options, seen, entries, inodes, known, 0, 0 };
  if (!vend_backup_repository_load (repository, NULL, &previous, &problem)
      && !g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  learn (&making, previous);
  g_autofree char *name = NULL;
  if (!collect (&making, out_missing, error) || !name_of_now (repository, &name, error))
    return false;
  g_autoptr (VendBackupSnapshot) snapshot = snapshot_of (&making, name);
  if (!vend_backup_repository_save (repository, snapshot, error))
    return false;
  *out = g_steal_pointer (&snapshot);
  return true;
}
