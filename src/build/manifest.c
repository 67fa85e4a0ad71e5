/* The content of a version, which gives its id. Any thread; digests block on disk. */
#include "build/manifest.h"
#include "base/error.h"
#include "base/hash.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MANIFEST_FORMAT 1
#define MAX_DEPTH 600

static int
compare_text (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static bool add_folder (GString *list, const char *root, const char *relative, guint depth,
                        GError **error);

static bool
add_entry (GString *list, const char *root, const char *relative, guint depth, GError **error)
{
  g_autofree char *path = g_build_filename (root, relative, NULL);
  struct stat st;
  if (lstat (path, &st) != 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", path);
  if (S_ISDIR (st.st_mode))
    {
      g_string_append_printf (list, "d %s\n", relative);
      return add_folder (list, root, relative, depth + 1, error);
    }
  if (!S_ISREG (st.st_mode))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' is neither a file nor a folder", relative);
  g_autofree char *content = NULL;
  if (!vend_sha256_file (path, &content, error))
    return false;
  g_string_append_printf (list, "%c %s %s\n", (st.st_mode & S_IXUSR) != 0 ? 'x' : 'f', content,
                          relative);
  return true;
}

static bool
add_folder (GString *list, const char *root, const char *relative, guint depth, GError **error)
{
  g_autofree char *path = g_build_filename (root, relative, NULL);
  if (depth > MAX_DEPTH)
    return vend_fail (error, VEND_ERROR_TOO_LARGE, "folders are nested too deeply");
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  {
    g_autoptr (GError) problem = NULL;
    g_autoptr (GDir) listing = g_dir_open (path, 0, &problem);
    if (listing == NULL)
      return vend_fail (error, VEND_ERROR_STORAGE, "%s", problem->message);
    for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
      g_ptr_array_add (names, g_strdup (name));
  }
  g_ptr_array_sort (names, compare_text);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *child
          = *relative != '\0' ? g_strconcat (relative, "/", name, NULL) : g_strdup (name);
      if (!add_entry (list, root, child, depth, error))
        return false;
    }
  return true;
}

bool
vend_source_text (const char *dir, char **out, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);
  if (!add_folder (list, dir, "", 0, error))
    return false;
  *out = g_string_free (g_steal_pointer (&list), FALSE);
  return true;
}

static json_t *
sorted_lines (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  qsort (lines, g_strv_length (lines), sizeof lines[0], compare_text);
  json_t *array = json_array ();
  for (gsize i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0')
      json_array_append_new (array, vend_json_string_new (lines[i], strlen (lines[i])));
  return array;
}

json_t *
vend_manifest_content (const VendManifestFacts *facts)
{
  json_t *content = json_object ();
  vend_json_set_int (content, "format", MANIFEST_FORMAT);
  vend_json_set_string (content, "source", facts->source);
  vend_json_set_string (content, "python", facts->python);
  json_object_set_new (content, "packages", sorted_lines (facts->packages));
  json_object_set (content, "cog_yaml", facts->cog_yaml);
  if (facts->weights != NULL)
    json_object_set (content, "weights", facts->weights);
  return content;
}

char *
vend_manifest_id (const json_t *content)
{
  char *text = json_dumps (content, JSON_COMPACT | JSON_SORT_KEYS);
  g_assert (text != NULL);
  char *id = vend_sha256_text (text);
  free (text);
  return id;
}
