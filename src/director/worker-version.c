/* Which coglet runs a model: by the metadata in its virtual environment. */
#include "director/worker-version.h"
#include <string.h>

#define INFO_PREFIX "coglet-"
#define INFO_SUFFIX ".dist-info"

bool
vend_worker_version_is_known (const char *version)
{
  static const char *const known[]
      = { "0.17.0", "0.17.1", "0.17.2", "0.18.0", "0.19.0", "0.19.1", "0.19.2",
          "0.19.3", "0.20.0", "0.21.0", "0.22.0", "0.23.0", "0.23.1", NULL };
  return g_strv_contains (known, version);
}

/* The folder that `python` lies in, as a shell would find it. */
static char *
folder_of_python (const char *python, char *const *env)
{
  if (strchr (python, '/') != NULL)
    return g_path_get_dirname (python);
  const char *path = g_environ_getenv ((char **) env, "PATH");
  g_auto (GStrv) folders = g_strsplit (path != NULL ? path : "", ":", -1);
  for (gsize i = 0; folders[i] != NULL; i++)
    {
      g_autofree char *candidate = g_build_filename (folders[i], python, NULL);
      if (*folders[i] == '/' && g_file_test (candidate, G_FILE_TEST_IS_EXECUTABLE))
        return g_strdup (folders[i]);
    }
  return NULL;
}

static char *
find_venv (char *const *argv, char *const *env)
{
  const char *named = g_environ_getenv ((char **) env, "VIRTUAL_ENV");
  if (named != NULL && *named == '/')
    return g_strdup (named);
  g_autofree char *folder = folder_of_python (argv[0], env);
  return folder != NULL ? g_path_get_dirname (folder) : NULL;
}

static void
collect (const char *packages, GPtrArray *versions)
{
  g_autoptr (GDir) dir = g_dir_open (packages, 0, NULL);
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    if (g_str_has_prefix (name, INFO_PREFIX) && g_str_has_suffix (name, INFO_SUFFIX))
      g_ptr_array_add (versions,
                       g_strndup (name + strlen (INFO_PREFIX),
                                  strlen (name) - strlen (INFO_PREFIX) - strlen (INFO_SUFFIX)));
}

char *
vend_worker_version_find (char *const *argv, char *const *env)
{
  g_autofree char *venv = find_venv (argv, env);
  if (venv == NULL)
    return NULL;
  g_autofree char *lib = g_build_filename (venv, "lib", NULL);
  g_autoptr (GPtrArray) versions = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (lib, 0, NULL);
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    if (g_str_has_prefix (name, "python3."))
      {
        g_autofree char *packages = g_build_filename (lib, name, "site-packages", NULL);
        collect (packages, versions);
      }
  return versions->len == 1 ? g_strdup (g_ptr_array_index (versions, 0)) : NULL;
}
