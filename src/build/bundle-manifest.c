/* Reads the manifest of an archive of `vend export`: somebody else's text. */
#include "build/bundle-manifest.h"
#include "base/error.h"
#include "base/hash.h"
#include "build/bundle-page.h"
#include "build/manifest.h"
#include "build/pip-line.h"
#include "build/unpack.h"
#include "model/model.h"
#include "model/weight-set.h"
#include <string.h>

#define MAX_VERSION 64
#define MAX_SIZE (G_GUINT64_CONSTANT (1) << 50)

void
vend_bundle_entry_free (VendBundleEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->path);
  g_free (entry->sha256);
  g_free (entry->from);
  g_free (entry);
}

void
vend_bundle_manifest_free (VendBundleManifest *manifest)
{
  if (manifest == NULL)
    return;
  json_decref (manifest->document);
  g_clear_pointer (&manifest->files, g_hash_table_unref);
  g_clear_pointer (&manifest->entries, g_ptr_array_unref);
  g_clear_pointer (&manifest->sets, g_ptr_array_unref);
  g_free (manifest);
}

json_t *
vend_bundle_entry_to_json (const VendBundleEntry *entry)
{
  json_t *object = json_object ();
  json_object_set_new (object, "path", vend_json_string_new (entry->path, strlen (entry->path)));
  vend_json_set_string (object, "kind",
                        entry->is_dir          ? "folder"
                        : entry->is_executable ? "executable"
                                               : "file");
  if (entry->is_dir)
    return object;
  vend_json_set_int (object, "size", (int64_t) entry->size);
  vend_json_set_string (object, "sha256", entry->sha256);
  return object;
}

static bool
wrong (GError **error, const char *field, const char *why)
{
  return vend_fail (error, VEND_ERROR_INVALID, VEND_BUNDLE_MANIFEST ": %s: %s", field, why);
}

/* ---- Files */

static bool
is_in_a_folder_of_ours (const char *path)
{
  static const char *const folders[]
      = { VEND_BUNDLE_SOURCE "/", VEND_BUNDLE_MADE "/", VEND_BUNDLE_WHEELS "/",
          VEND_BUNDLE_WEIGHTS "/", VEND_BUNDLE_PAGE "/" };
  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    if (g_str_has_prefix (path, folders[i]))
      return true;
  return false;
}

/* What is wrong with a path; NULL: nothing. */
static const char *
problem_of (const char *path)
{
  if (strlen (path) > VEND_UNPACK_MAX_NAME + sizeof VEND_BUNDLE_SOURCE)
    return "the path is longer than 1024 bytes";
  for (const char *c = path; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      return "the path holds a control character";
  if (!is_in_a_folder_of_ours (path))
    return "the path begins with none of the folders of an archive";
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (gsize i = 0; parts[i] != NULL; i++)
    {
      if (*parts[i] == '\0' || strcmp (parts[i], ".") == 0 || strcmp (parts[i], "..") == 0)
        return "a part of the path is empty, '.' or '..'";
      if (strlen (parts[i]) > 255)
        return "a part of the path is longer than 255 bytes";
    }
  return NULL;
}

static VendBundleEntry *
read_entry (const json_t *file, size_t i, GError **error)
{
  g_autofree char *field = g_strdup_printf ("files[%zu]", i);
  const char *path = vend_json_string (file, "path");
  const char *kind = vend_json_string (file, "kind");
  const char *sha256 = vend_json_string (file, "sha256");
  const int64_t size = vend_json_int (file, "size", -1);
  const char *problem = path != NULL ? problem_of (path) : "'path' is missing";
  if (problem == NULL
      && (kind == NULL
          || (strcmp (kind, "file") != 0 && strcmp (kind, "executable") != 0
              && strcmp (kind, "folder") != 0)))
    problem = "'kind' is neither 'file' nor 'executable' nor 'folder'";
  const bool is_dir = g_strcmp0 (kind, "folder") == 0;
  if (problem == NULL && !is_dir && (size < 0 || (uint64_t) size > MAX_SIZE))
    problem = "'size' is not a number of bytes";
  if (problem == NULL && !is_dir && (sha256 == NULL || !vend_is_sha256_hex (sha256)))
    problem = "'sha256' is not 64 hex characters";
  if (problem != NULL)
    {
      wrong (error, field, problem);
      return NULL;
    }
  VendBundleEntry *entry = g_new0 (VendBundleEntry, 1);
  entry->path = g_strdup (path);
  entry->is_dir = is_dir;
  entry->is_executable = strcmp (kind, "executable") == 0;
  entry->size = is_dir ? 0 : (uint64_t) size;
  entry->sha256 = is_dir ? NULL : g_strdup (sha256);
  return entry;
}

/* No path twice, and none below a file. */
static bool
check_tree (VendBundleManifest *manifest, GError **error)
{
  const GPtrArray *entries = manifest->entries;
  g_autoptr (GHashTable) all = g_hash_table_new (g_str_hash, g_str_equal);
  manifest->files = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < entries->len; i++)
    {
      VendBundleEntry *entry = g_ptr_array_index (entries, i);
      if (!g_hash_table_add (all, entry->path))
        return wrong (error, entry->path, "it is in the list twice");
      if (!entry->is_dir)
        g_hash_table_insert (manifest->files, entry->path, entry);
    }
  for (guint i = 0; i < entries->len; i++)
    {
      const VendBundleEntry *entry = g_ptr_array_index (entries, i);
      g_autofree char *parent = g_strdup (entry->path);
      for (char *slash; (slash = strrchr (parent, '/')) != NULL;)
        {
          *slash = '\0';
          if (g_hash_table_contains (manifest->files, parent))
            return wrong (error, entry->path, "a file and a folder have the same name");
        }
    }
  return true;
}

static bool
read_files (VendBundleManifest *manifest, GError **error)
{
  const json_t *files = json_object_get (manifest->document, "files");
  size_t i;
  json_t *file;
  if (!json_is_array (files))
    return wrong (error, "files", "expected a list");
  manifest->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_bundle_entry_free);
  json_array_foreach (files, i, file)
    {
      VendBundleEntry *entry = read_entry (file, i, error);
      if (entry == NULL)
        return false;
      g_ptr_array_add (manifest->entries, entry);
      if (entry->size > MAX_SIZE - manifest->size)
        return wrong (error, entry->path, "the files sum to more than any disk has");
      manifest->size += entry->size;
    }
  return check_tree (manifest, error);
}

static const VendBundleEntry *
find_entry (const VendBundleManifest *manifest, const char *folder, const char *name)
{
  g_autofree char *path = g_strconcat (folder, "/", name, NULL);
  return g_hash_table_lookup (manifest->files, path);
}

/* ---- What the version is */

static bool
read_texts (VendBundleManifest *manifest, GError **error)
{
  const struct
  {
    const char *key;
    const char **out;
  } texts[] = { { "model", &manifest->model },
                { "version", &manifest->version },
                { "python", &manifest->python },
                { "platform", &manifest->platform },
                { "cog_version", &manifest->cog } };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      *texts[i].out = vend_json_string (manifest->document, texts[i].key);
      if (*texts[i].out == NULL)
        return wrong (error, texts[i].key, "expected a text");
    }
  const gsize length = strlen (manifest->cog);
  if (length == 0 || length > MAX_VERSION
      || strspn (manifest->cog, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".+-_") != length)
    return wrong (error, "cog_version", "expected a version of a package");
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  if (!vend_reference_parse (manifest->model, &owner, &name, &version, error))
    {
      g_prefix_error (error, VEND_BUNDLE_MANIFEST ": model: ");
      return false;
    }
  return version == NULL || wrong (error, "model", "expected owner/name");
}

static bool
read_contents (VendBundleManifest *manifest, GError **error)
{
  const json_t *document = manifest->document;
  manifest->content = json_object_get (document, "content");
  manifest->pushed = json_object_get (document, "pushed");
  manifest->facts = json_object_get (document, "facts");
  manifest->page = json_object_get (document, "page");
  manifest->wheels = json_object_get (document, "wheels");
  manifest->weights = json_object_get (document, "weights");
  manifest->base = vend_json_string (manifest->content, "base");
  if (!json_is_object (manifest->content) || !json_is_object (manifest->page))
    return wrong (error, json_is_object (manifest->page) ? "content" : "page",
                  "expected an object");
  if (!json_is_array (manifest->wheels) || !json_is_array (manifest->weights))
    return wrong (error, json_is_array (manifest->wheels) ? "weights" : "wheels",
                  "expected a list");
  if (manifest->base == NULL)
    manifest->pushed = manifest->content;
  else if (!json_is_object (manifest->pushed) || !json_is_object (manifest->facts))
    return wrong (error, "content", "a trained version has the objects 'pushed' and 'facts' too");
  const char *source = vend_json_string (manifest->pushed, "source");
  if (source == NULL || !vend_is_sha256_hex (source)
      || !json_is_array (json_object_get (manifest->pushed, "packages")))
    return wrong (error, "content", "it says nothing of a source and packages");
  g_autofree char *id = vend_manifest_id (manifest->content);
  return strcmp (id, manifest->version) == 0
         || wrong (error, "version", "it is not the SHA-256 of 'content'");
}

/* As vend_source_text says the tree, whose order the files have. */
static bool
check_source (const VendBundleManifest *manifest, GError **error)
{
  const gsize skip = strlen (VEND_BUNDLE_SOURCE "/");
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < manifest->entries->len; i++)
    {
      const VendBundleEntry *entry = g_ptr_array_index (manifest->entries, i);
      if (!g_str_has_prefix (entry->path, VEND_BUNDLE_SOURCE "/"))
        continue;
      if (entry->is_dir)
        g_string_append_printf (text, "d %s\n", entry->path + skip);
      else
        g_string_append_printf (text, "%c %s %s\n", entry->is_executable ? 'x' : 'f', entry->sha256,
                                entry->path + skip);
    }
  g_autofree char *digest = vend_sha256_text (text->str);
  return strcmp (digest, vend_json_string (manifest->pushed, "source")) == 0
         || wrong (error, "files", "the source is not the one that the id of the version is of");
}

static bool
has_weights (const VendBundleManifest *manifest, const char *sha256)
{
  size_t i;
  json_t *item;
  json_array_foreach (manifest->weights, i, item)
    if (g_strcmp0 (vend_json_string (item, "sha256"), sha256) == 0)
      return true;
  return false;
}

static bool
check_weights (const VendBundleManifest *manifest, GError **error)
{
  size_t i;
  json_t *item;
  json_array_foreach (manifest->weights, i, item)
    {
      const char *name = vend_json_string (item, "name");
      const char *sha256 = vend_json_string (item, "sha256");
      const VendBundleEntry *entry
          = sha256 != NULL ? find_entry (manifest, VEND_BUNDLE_WEIGHTS, sha256) : NULL;
      if (name == NULL || *name == '\0' || strchr (name, '/') != NULL || strcmp (name, ".") == 0
          || strcmp (name, "..") == 0)
        return wrong (error, "weights", "a name is missing, or no name of a file");
      if (entry == NULL || strcmp (entry->sha256, sha256) != 0
          || (int64_t) entry->size != vend_json_int (item, "size", -1))
        return wrong (error, "weights", "'files' has not the file");
    }
  return manifest->base == NULL
         || has_weights (manifest, vend_json_string (manifest->content, "weights"))
         || wrong (error, "weights", "those that the training made are missing");
}

/* ---- Managed weights */

static bool
check_set (const VendBundleManifest *manifest, const VendWeightSet *set, GError **error)
{
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      const VendBundleEntry *entry = find_entry (manifest, VEND_BUNDLE_WEIGHTS, file->sha256);
      if (entry == NULL || strcmp (entry->sha256, file->sha256) != 0
          || (int64_t) entry->size != file->size)
        return wrong (error, VEND_BUNDLE_WEIGHT_SETS, "'files' has not the file");
    }
  for (guint i = 0; i < manifest->sets->len; i++)
    {
      const VendWeightSet *other = g_ptr_array_index (manifest->sets, i);
      if (strcmp (other->name, set->name) == 0
          || vend_weight_paths_overlap (other->target, set->target))
        return wrong (error, VEND_BUNDLE_WEIGHT_SETS, "two have the same name or target");
    }
  return true;
}

/* Where they come from is the word of somebody else, and is never asked. */
static bool
read_sets (VendBundleManifest *manifest, GError **error)
{
  const json_t *list = json_object_get (manifest->document, VEND_BUNDLE_WEIGHT_SETS);
  size_t i;
  json_t *item;
  manifest->sets = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_weight_set_free);
  if (json_array_size (list) > VEND_WEIGHT_SETS_MAX)
    return wrong (error, VEND_BUNDLE_WEIGHT_SETS, "there are more than a version may have");
  json_array_foreach ((json_t *) list, i, item)
    {
      g_autoptr (VendWeightSet) set = NULL;
      if (!vend_weight_set_from_json (item, &set, error))
        {
          g_prefix_error (error, VEND_BUNDLE_MANIFEST ": ");
          return false;
        }
      set->can_fetch = set->any_host = false;
      if (!check_set (manifest, set, error))
        return false;
      g_ptr_array_add (manifest->sets, g_steal_pointer (&set));
    }
  json_auto_t *content = vend_weight_sets_content (manifest->sets);
  json_t *expected = json_object_get (manifest->pushed, "weights");
  return (content == NULL && expected == NULL) || json_equal (content, expected)
         || wrong (error, VEND_BUNDLE_WEIGHT_SETS,
                   "they are not those that the id of the version is of");
}

static bool
is_plain (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("._+!-", *c) == NULL)
      return false;
  return *text != '\0' && *text != '-';
}

static bool
check_wheels (const VendBundleManifest *manifest, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  size_t i;
  json_t *item;
  json_array_foreach (manifest->wheels, i, item)
    {
      const char *name = vend_json_string (item, "name");
      const char *version = vend_json_string (item, "version");
      const char *file = vend_json_string (item, "file");
      if (name == NULL || version == NULL || !is_plain (name) || !is_plain (version))
        return wrong (error, "wheels", "a name or a version is missing or has other characters");
      if (file == NULL || strchr (file, '/') != NULL || !g_str_has_suffix (file, ".whl")
          || find_entry (manifest, VEND_BUNDLE_WHEELS, file) == NULL)
        return wrong (error, "wheels", "'files' has not the file");
      g_hash_table_add (names, vend_pip_package_name (name));
    }
  json_array_foreach (json_object_get (manifest->pushed, "packages"), i, item)
    {
      const char *line = json_string_value (item);
      g_autofree char *name = line != NULL ? vend_pip_package_name (line) : NULL;
      /* Others are folders of the project, with names of their own. */
      if (name != NULL && g_ascii_isalnum (*name) && !g_hash_table_contains (names, name))
        return vend_fail (error, VEND_ERROR_INVALID,
                          VEND_BUNDLE_MANIFEST ": wheels: the package '%s' is missing", name);
    }
  return true;
}

static bool
check_format (const json_t *document, GError **error)
{
  const int64_t format = vend_json_int (document, "format", 0);
  if (g_strcmp0 (vend_json_string (document, "type"), VEND_BUNDLE_TYPE) != 0 || format < 1)
    return vend_fail (error, VEND_ERROR_INVALID, "this is not an archive of 'vend export'");
  return format <= VEND_BUNDLE_FORMAT
         || vend_fail (error, VEND_ERROR_INVALID,
                       "the archive has the format %" G_GINT64_FORMAT
                       ", and this Vend reads formats up to %d: import it with a newer Vend",
                       format, VEND_BUNDLE_FORMAT);
}

bool
vend_bundle_manifest_parse (const char *text, gsize size, VendBundleManifest **out, GError **error)
{
  g_autoptr (VendBundleManifest) manifest = g_new0 (VendBundleManifest, 1);
  if (!vend_json_parse (text, size, &manifest->document, error))
    {
      g_prefix_error (error, VEND_BUNDLE_MANIFEST ": ");
      return false;
    }
  if (!check_format (manifest->document, error) || !read_texts (manifest, error)
      || !read_files (manifest, error) || !read_contents (manifest, error)
      || !check_source (manifest, error) || !check_weights (manifest, error)
      || !read_sets (manifest, error) || !check_wheels (manifest, error)
      || !vend_bundle_page_check (manifest->page, manifest->files, error))
    return false;
  *out = g_steal_pointer (&manifest);
  return true;
}
