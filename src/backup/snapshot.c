/* A snapshot of a backup as JSON. */
#include "backup/snapshot.h"
#include "base/error.h"
#include "base/hash.h"
#include <string.h>

#define FORMAT 1
#define MODE_BITS 07777U

static const char *const kind_words[] = { "folder", "file", "link" };

VendBackupEntry *
vend_backup_entry_new (const char *path, VendBackupKind kind, guint mode)
{
  VendBackupEntry *entry = g_new0 (VendBackupEntry, 1);
  entry->path = g_strdup (path);
  entry->kind = kind;
  entry->mode = mode & MODE_BITS;
  return entry;
}

VendBackupEntry *
vend_backup_entry_copy (const VendBackupEntry *entry)
{
  VendBackupEntry *copy = g_memdup2 (entry, sizeof *entry);
  copy->path = g_strdup (entry->path);
  copy->sha256 = g_strdup (entry->sha256);
  copy->target = g_strdup (entry->target);
  return copy;
}

void
vend_backup_entry_free (VendBackupEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->path);
  g_free (entry->sha256);
  g_free (entry->target);
  g_free (entry);
}

VendBackupSnapshot *
vend_backup_snapshot_new (const char *name, const char *data_dir)
{
  VendBackupSnapshot *snapshot = g_new0 (VendBackupSnapshot, 1);
  snapshot->name = g_strdup (name);
  snapshot->data_dir = g_strdup (data_dir);
  snapshot->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_backup_entry_free);
  return snapshot;
}

void
vend_backup_snapshot_free (VendBackupSnapshot *snapshot)
{
  if (snapshot == NULL)
    return;
  g_free (snapshot->name);
  g_free (snapshot->data_dir);
  g_ptr_array_unref (snapshot->entries);
  g_free (snapshot);
}

static int
by_path (gconstpointer a, gconstpointer b)
{
  const VendBackupEntry *one = *(VendBackupEntry *const *) a;
  const VendBackupEntry *other = *(VendBackupEntry *const *) b;
  return strcmp (one->path, other->path);
}

void
vend_backup_snapshot_sort (VendBackupSnapshot *snapshot)
{
  g_ptr_array_sort (snapshot->entries, by_path);
}

/* ---- JSON. Paths of files are bytes, and JSON is UTF-8: others are escaped as in URIs. */

static json_t *
entry_to_json (const VendBackupEntry *entry)
{
  g_autofree char *path = g_uri_escape_string (entry->path, "/ ", TRUE);
  json_t *json = json_pack ("{s:s, s:s, s:i}", "path", path, "kind", kind_words[entry->kind],
                            "mode", (int) entry->mode);
  if (entry->kind == VEND_BACKUP_LINK)
    {
      g_autofree char *target = g_uri_escape_string (entry->target, "/ ", TRUE);
      vend_json_set_string (json, "target", target);
    }
  if (entry->kind != VEND_BACKUP_FILE)
    return json;
  vend_json_set_string (json, "sha256", entry->sha256);
  json_object_set_new (json, "size", json_integer ((json_int_t) entry->size));
  json_object_set_new (json, "inode", json_integer ((json_int_t) entry->inode));
  json_object_set_new (json, "modified_ns", json_integer (entry->modified_ns));
  json_object_set_new (json, "changed_ns", json_integer (entry->changed_ns));
  return json;
}

json_t *
vend_backup_snapshot_to_json (const VendBackupSnapshot *snapshot)
{
  json_t *entries = json_array ();
  for (guint i = 0; i < snapshot->entries->len; i++)
    json_array_append_new (entries, entry_to_json (g_ptr_array_index (snapshot->entries, i)));
  return json_pack ("{s:i, s:s, s:s, s:I, s:I, s:o}", "format", FORMAT, "name", snapshot->name,
                    "data", snapshot->data_dir, "size", (json_int_t) snapshot->size, "added",
                    (json_int_t) snapshot->added, "entries", entries);
}

static bool
kind_of (const char *word, VendBackupKind *out)
{
  for (guint i = 0; word != NULL && i < G_N_ELEMENTS (kind_words); i++)
    if (strcmp (word, kind_words[i]) == 0)
      {
        *out = (VendBackupKind) i;
        return true;
      }
  return false;
}

static bool
is_inside (const char *path)
{
  g_auto (GStrv) parts = path != NULL ? g_strsplit (path, "/", -1) : NULL;
  for (guint i = 0; parts != NULL && parts[i] != NULL; i++)
    if (parts[i][0] == '\0' || strcmp (parts[i], ".") == 0 || strcmp (parts[i], "..") == 0)
      return false;
  return parts != NULL && parts[0] != NULL;
}

bool
vend_backup_link_fits (const char *path)
{
  static const char folder[] = "venvs/";
  const char *inner = g_str_has_prefix (path, folder) ? strchr (path + strlen (folder), '/') : NULL;
  return inner != NULL && inner[1] != '\0';
}

static int64_t
number_of (const json_t *json, const char *key)
{
  return json_integer_value (json_object_get (json, key));
}

static char *
unescaped (const json_t *json, const char *key)
{
  const char *text = vend_json_string (json, key);
  return text != NULL ? g_uri_unescape_string (text, NULL) : NULL;
}

static bool
is_whole (const VendBackupEntry *entry, int64_t size)
{
  if (entry->kind == VEND_BACKUP_FILE)
    return entry->sha256 != NULL && vend_is_sha256_hex (entry->sha256) && size >= 0;
  return entry->kind == VEND_BACKUP_FOLDER || entry->target != NULL;
}

static bool
entry_from_json (const json_t *json, VendBackupEntry **out, GError **error)
{
  VendBackupKind kind = VEND_BACKUP_FOLDER;
  g_autofree char *path = unescaped (json, "path");
  if (!is_inside (path) || !kind_of (vend_json_string (json, "kind"), &kind))
    return vend_fail (error, VEND_ERROR_INVALID, "the path '%s' has no place in a data directory",
                      path != NULL ? path : "");
  if (kind == VEND_BACKUP_LINK && !vend_backup_link_fits (path))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' must not be a symbolic link", path);
  g_autoptr (VendBackupEntry) entry
      = vend_backup_entry_new (path, kind, (guint) number_of (json, "mode"));
  entry->sha256 = g_strdup (vend_json_string (json, "sha256"));
  entry->target = unescaped (json, "target");
  if (!is_whole (entry, number_of (json, "size")))
    return vend_fail (error, VEND_ERROR_INVALID, "the entry of '%s' is damaged", path);
  entry->size = (uint64_t) number_of (json, "size");
  entry->inode = (uint64_t) number_of (json, "inode");
  entry->modified_ns = number_of (json, "modified_ns");
  entry->changed_ns = number_of (json, "changed_ns");
  *out = g_steal_pointer (&entry);
  return true;
}

/* Each entry lies in a folder of the list, so nothing is written through a link. */
static bool
check_parents (const VendBackupSnapshot *snapshot, GError **error)
{
  g_autoptr (GHashTable) folders = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) all = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < snapshot->entries->len; i++)
    {
      const VendBackupEntry *entry = g_ptr_array_index (snapshot->entries, i);
      g_autofree char *parent = g_path_get_dirname (entry->path);
      if (!g_hash_table_add (all, entry->path))
        return vend_fail (error, VEND_ERROR_INVALID, "'%s' comes twice", entry->path);
      if (strcmp (parent, ".") != 0 && !g_hash_table_contains (folders, parent))
        return vend_fail (error, VEND_ERROR_INVALID, "'%s' lies in no folder", entry->path);
      if (entry->kind == VEND_BACKUP_FOLDER)
        g_hash_table_add (folders, entry->path);
    }
  return true;
}

bool
vend_backup_snapshot_from_json (const json_t *json, VendBackupSnapshot **out, GError **error)
{
  const char *name = vend_json_string (json, "name");
  const char *data_dir = vend_json_string (json, "data");
  const json_t *entries = json_object_get (json, "entries");
  size_t i;
  json_t *item;
  if (number_of (json, "format") != FORMAT)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the snapshot has format %" G_GINT64_FORMAT ", this vend knows %d",
                      number_of (json, "format"), FORMAT);
  if (name == NULL || data_dir == NULL || !json_is_array (entries))
    return vend_fail (error, VEND_ERROR_INVALID, "the snapshot is damaged");
  g_autoptr (VendBackupSnapshot) snapshot = vend_backup_snapshot_new (name, data_dir);
  snapshot->size = (uint64_t) number_of (json, "size");
  snapshot->added = (uint64_t) number_of (json, "added");
  json_array_foreach (entries, i, item)
    {
      VendBackupEntry *entry = NULL;
      if (!entry_from_json (item, &entry, error))
        return false;
      g_ptr_array_add (snapshot->entries, entry);
    }
  vend_backup_snapshot_sort (snapshot);
  if (!check_parents (snapshot, error))
    return false;
  *out = g_steal_pointer (&snapshot);
  return true;
}
