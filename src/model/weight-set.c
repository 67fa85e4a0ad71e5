/* Managed weights of a version. Plain values. */
#include "model/weight-set.h"
#include "base/error.h"
#include "base/hash.h"
#include <string.h>

#define MAX_NAME 64

static void
file_free (void *data)
{
  VendWeightFile *file = data;
  g_free (file->path);
  g_free (file->sha256);
  g_free (file);
}

VendWeightSet *
vend_weight_set_new (void)
{
  VendWeightSet *set = g_new0 (VendWeightSet, 1);
  set->files = g_ptr_array_new_with_free_func (file_free);
  return set;
}

void
vend_weight_set_free (VendWeightSet *set)
{
  if (set == NULL)
    return;
  g_free (set->name);
  g_free (set->target);
  g_free (set->source);
  g_free (set->digest);
  g_ptr_array_unref (set->files);
  g_free (set);
}

void
vend_weight_set_add (VendWeightSet *set, const char *path, int64_t size, const char *sha256)
{
  VendWeightFile *file = g_new0 (VendWeightFile, 1);
  file->path = g_strdup (path);
  file->size = size;
  file->sha256 = g_strdup (sha256);
  g_ptr_array_add (set->files, file);
}

static int
by_path (const void *a, const void *b)
{
  return strcmp ((*(VendWeightFile *const *) a)->path, (*(VendWeightFile *const *) b)->path);
}

void
vend_weight_set_seal (VendWeightSet *set)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_ptr_array_sort (set->files, by_path);
  set->size = 0;
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      g_string_append_printf (text, "%s%s  %s", i > 0 ? "\n" : "", file->sha256, file->path);
      set->size += file->size;
    }
  g_free (set->digest);
  set->digest = vend_sha256_text (text->str);
}

/* ---- Rules */

bool
vend_weight_path_is_good (const char *path)
{
  if (*path == '\0' || strlen (path) > VEND_WEIGHT_PATH_MAX || !g_utf8_validate (path, -1, NULL))
    return false;
  for (const char *at = path; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at) || *at == '\\')
      return false;
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (gsize i = 0; parts[i] != NULL; i++)
    if (*parts[i] == '\0' || strlen (parts[i]) > 255 || strcmp (parts[i], ".") == 0
        || strcmp (parts[i], "..") == 0)
      return false;
  return true;
}

bool
vend_weight_name_is_good (const char *name)
{
  for (const char *at = name; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && (at == name || strchr ("._-", *at) == NULL))
      return false;
  return *name != '\0' && strlen (name) <= MAX_NAME;
}

bool
vend_weight_paths_overlap (const char *a, const char *b)
{
  const gsize length = MIN (strlen (a), strlen (b));
  return strncmp (a, b, length) == 0 && (a[length] == '\0' || a[length] == '/')
         && (b[length] == '\0' || b[length] == '/');
}

/* ---- JSON */

json_t *
vend_weight_set_to_json (const VendWeightSet *set)
{
  json_t *object = json_object ();
  json_t *files = json_array ();
  vend_json_set_string (object, "name", set->name);
  vend_json_set_string (object, "target", set->target);
  vend_json_set_string (object, "source", set->source);
  vend_json_set_bool (object, "can_fetch", set->can_fetch);
  vend_json_set_bool (object, "any_host", set->any_host);
  vend_json_set_string (object, "digest", set->digest);
  vend_json_set_int (object, "size", set->size);
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      json_t *item = json_object ();
      vend_json_set_string (item, "path", file->path);
      vend_json_set_int (item, "size", file->size);
      vend_json_set_string (item, "sha256", file->sha256);
      json_array_append_new (files, item);
    }
  json_object_set_new (object, "files", files);
  return object;
}

static bool
read_files (const json_t *files, VendWeightSet *set, GError **error)
{
  size_t i;
  json_t *file;
  const size_t n = json_array_size (files);
  if (n == 0 || n > VEND_WEIGHT_FILES_MAX)
    return vend_fail (error, VEND_ERROR_INVALID, "weights '%s': expected 1 to %d files, got %zu",
                      set->name, VEND_WEIGHT_FILES_MAX, n);
  json_array_foreach ((json_t *) files, i, file)
    {
      const char *path = vend_json_string (file, "path");
      const char *sha256 = vend_json_string (file, "sha256");
      const int64_t size = vend_json_int (file, "size", -1);
      if (path == NULL || !vend_weight_path_is_good (path) || sha256 == NULL
          || !vend_is_sha256_hex (sha256) || size < 0 || size > G_MAXINT64 / (int64_t) n)
        return vend_fail (error, VEND_ERROR_INVALID, "weights '%s': file %zu is wrong", set->name,
                          i);
      vend_weight_set_add (set, path, size, sha256);
    }
  return true;
}

/* Each path once, and no file is a folder of another one. */
static bool
check_tree (const VendWeightSet *set, GError **error)
{
  g_autoptr (GHashTable) paths = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      if (!g_hash_table_add (paths, file->path))
        return vend_fail (error, VEND_ERROR_INVALID, "weights '%s': '%s' is there twice", set->name,
                          file->path);
    }
  for (guint i = 0; i < set->files->len; i++)
    {
      g_autofree char *path
          = g_strdup (((const VendWeightFile *) g_ptr_array_index (set->files, i))->path);
      for (char *slash = strrchr (path, '/'); slash != NULL; slash = strrchr (path, '/'))
        {
          *slash = '\0';
          if (g_hash_table_contains (paths, path))
            return vend_fail (error, VEND_ERROR_INVALID,
                              "weights '%s': '%s' is a file and a folder", set->name, path);
        }
    }
  return true;
}

bool
vend_weight_set_from_json (const json_t *object, VendWeightSet **out, GError **error)
{
  g_autoptr (VendWeightSet) set = vend_weight_set_new ();
  const char *name = vend_json_string (object, "name");
  const char *target = vend_json_string (object, "target");
  const char *source = vend_json_string (object, "source");
  const char *digest = vend_json_string (object, "digest");
  if (name == NULL || !vend_weight_name_is_good (name) || target == NULL
      || !vend_weight_path_is_good (target) || source == NULL || digest == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "weights without a name, target or source");
  set->name = g_strdup (name);
  set->target = g_strdup (target);
  set->source = g_strdup (source);
  set->can_fetch = vend_json_bool (object, "can_fetch", false);
  set->any_host = vend_json_bool (object, "any_host", false);
  if (!read_files (json_object_get (object, "files"), set, error))
    return false;
  vend_weight_set_seal (set);
  if (!check_tree (set, error))
    return false;
  if (strcmp (set->digest, digest) != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "weights '%s': the digest is of other files",
                      name);
  *out = g_steal_pointer (&set);
  return true;
}

GPtrArray *
vend_weight_sets_of_launch (const json_t *launch)
{
  GPtrArray *sets = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_weight_set_free);
  size_t i;
  json_t *object;
  json_array_foreach (json_object_get (launch, VEND_LAUNCH_WEIGHTS), i, object)
    {
      VendWeightSet *set = NULL;
      g_autoptr (GError) ignored = NULL;
      if (vend_weight_set_from_json (object, &set, &ignored))
        g_ptr_array_add (sets, set);
    }
  return sets;
}

static int
by_name (const void *a, const void *b)
{
  return strcmp ((*(VendWeightSet *const *) a)->name, (*(VendWeightSet *const *) b)->name);
}

json_t *
vend_weight_sets_content (const GPtrArray *sets)
{
  if (sets->len == 0)
    return NULL;
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  json_t *list = json_array ();
  for (guint i = 0; i < sets->len; i++)
    g_ptr_array_add (sorted, g_ptr_array_index (sets, i));
  g_ptr_array_sort (sorted, by_name);
  for (guint i = 0; i < sorted->len; i++)
    {
      const VendWeightSet *set = g_ptr_array_index (sorted, i);
      json_array_append_new (list, json_pack ("{s:s, s:s, s:s}", "digest", set->digest, "name",
                                              set->name, "target", set->target));
    }
  return list;
}
