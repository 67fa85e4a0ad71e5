/* The files of a pushed source, with checksums. */
#include "build/source-list.h"
#include "base/error.h"
#include "base/hash.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH 600

static bool list_folder (GPtrArray *paths, const char *root, const char *relative, guint depth,
                         GError **error);

static bool
is_of_the_build (const char *name, guint depth)
{
  return strcmp (name, "__pycache__") == 0 || (depth == 0 && strcmp (name, ".cog") == 0);
}

static bool
list_entry (GPtrArray *paths, const char *root, const char *relative, guint depth, GError **error)
{
  g_autofree char *path = g_build_filename (root, relative, NULL);
  struct stat st;
  if (lstat (path, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", relative);
  if (S_ISDIR (st.st_mode))
    return list_folder (paths, root, relative, depth + 1, error);
  if (S_ISREG (st.st_mode))
    g_ptr_array_add (paths, g_strdup (relative));
  return true;
}

static bool
list_folder (GPtrArray *paths, const char *root, const char *relative, guint depth, GError **error)
{
  g_autofree char *path = g_build_filename (root, relative, NULL);
  g_autoptr (GDir) listing = NULL;
  if (depth > MAX_DEPTH)
    return vend_fail (error, VEND_ERROR_TOO_LARGE, "folders are nested too deeply");
  listing = g_dir_open (path, 0, NULL);
  if (listing == NULL)
    return vend_fail (error, VEND_ERROR_STORAGE, "cannot list the source '%s'", relative);
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *child
          = *relative != '\0' ? g_strconcat (relative, "/", name, NULL) : g_strdup (name);
      if (!is_of_the_build (name, depth) && !list_entry (paths, root, child, depth, error))
        return false;
    }
  return true;
}

static int
compare_paths (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

bool
vend_source_list (const char *dir, json_t **out, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  json_auto_t *list = json_array ();
  if (!list_folder (paths, dir, "", 0, error))
    return false;
  g_ptr_array_sort (paths, compare_paths);
  for (guint i = 0; i < paths->len; i++)
    {
      const char *relative = g_ptr_array_index (paths, i);
      g_autofree char *path = g_build_filename (dir, relative, NULL);
      g_autofree char *sha256 = NULL;
      struct stat st;
      if (stat (path, &st) < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", relative);
      if (!vend_sha256_file (path, &sha256, error))
        return false;
      json_t *file = json_object ();
      json_object_set_new (file, "path", vend_json_string_new (relative, strlen (relative)));
      vend_json_set_int (file, "size", (int64_t) st.st_size);
      vend_json_set_string (file, "sha256", sha256);
      json_array_append_new (list, file);
    }
  *out = json_incref (list);
  return true;
}
