/* What a sandbox shows of the machine. */
#include "sandbox/sandbox-private.h"
#include "base/fd.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_SMALL ((gsize) 64 * 1024)
#define NVIDIA "/proc/driver/nvidia/gpus"

static void
path_free (void *data)
{
  VendSandboxPath *path = data;
  g_free (path->from);
  g_free (path->to);
  g_free (path);
}

VendSandboxPaths *
vend_sandbox_paths_new (void)
{
  VendSandboxPaths *paths = g_new0 (VendSandboxPaths, 1);
  paths->all = g_ptr_array_new_with_free_func (path_free);
  return paths;
}

void
vend_sandbox_paths_free (VendSandboxPaths *paths)
{
  if (paths == NULL)
    return;
  g_ptr_array_unref (paths->all);
  g_free (paths);
}

guint
vend_sandbox_paths_count (const VendSandboxPaths *paths)
{
  return paths->all->len;
}

const VendSandboxPath *
vend_sandbox_paths_get (const VendSandboxPaths *paths, guint i)
{
  return g_ptr_array_index (paths->all, i);
}

void
vend_sandbox_paths_add (VendSandboxPaths *paths, const VendSandboxPath *path)
{
  struct stat st;
  const char *to = path->to != NULL ? path->to : path->from;
  if (stat (path->from, &st) < 0)
    return;
  for (guint i = 0; i < paths->all->len; i++)
    if (strcmp (vend_sandbox_paths_get (paths, i)->to, to) == 0)
      return;
  VendSandboxPath *own = g_new0 (VendSandboxPath, 1);
  *own = *path;
  own->from = g_strdup (path->from);
  own->to = g_strdup (to);
  own->is_dir = S_ISDIR (st.st_mode);
  g_ptr_array_add (paths->all, own);
}

void
vend_sandbox_paths_read (VendSandboxPaths *paths, const char *from, const char *to)
{
  vend_sandbox_paths_add (
      paths, &(VendSandboxPath){ .from = (char *) from, .to = (char *) to, .owned = true });
}

void
vend_sandbox_paths_given (VendSandboxPaths *paths, const char *from, const char *to)
{
  vend_sandbox_paths_add (paths, &(VendSandboxPath){ .from = (char *) from, .to = (char *) to });
}

void
vend_sandbox_paths_write (VendSandboxPaths *paths, const char *from, const char *to)
{
  vend_sandbox_paths_add (
      paths, &(VendSandboxPath){ .from = (char *) from, .to = (char *) to, .writable = true });
}

/* ---- Python */

static bool
is_of_system (const char *path)
{
  return g_str_has_prefix (path, "/usr/") || g_str_has_prefix (path, "/bin/");
}

/* PREFIX of PREFIX/bin/python. Whole folders of the system or of somebody's home are not it. */
static void
add_prefix (VendSandboxPaths *paths, const char *program)
{
  g_autofree char *bin = g_path_get_dirname (program);
  g_autofree char *name = g_path_get_basename (bin);
  g_autofree char *prefix = g_path_get_dirname (bin);
  if (is_of_system (program) || strcmp (name, "bin") != 0 || strcmp (prefix, "/") == 0)
    return;
  vend_sandbox_paths_read (paths, prefix, NULL);
}

/* "home = /opt/python/bin" */
static char *
home_of (const char *environment)
{
  g_autofree char *file = g_build_filename (environment, "pyvenv.cfg", NULL);
  g_autofree char *text = NULL;
  if (!vend_file_read (file, MAX_SMALL, &text, NULL, NULL))
    return NULL;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (lines[i], "=", 2);
      if (g_strv_length (pair) == 2 && strcmp (g_strstrip (pair[0]), "home") == 0)
        return g_strdup (g_strstrip (pair[1]));
    }
  return NULL;
}

void
vend_sandbox_paths_python (VendSandboxPaths *paths, const char *python)
{
  g_autofree char *bin = g_path_get_dirname (python);
  g_autofree char *environment = g_path_get_dirname (bin);
  g_autofree char *home = home_of (environment);
  g_autofree char *real = realpath (python, NULL);
  if (home != NULL)
    {
      g_autofree char *program = g_build_filename (home, "python3", NULL);
      g_autofree char *real_home = realpath (home, NULL);
      g_autofree char *real_program
          = g_build_filename (real_home != NULL ? real_home : home, "python3", NULL);
      vend_sandbox_paths_read (paths, environment, NULL);
      add_prefix (paths, program);
      add_prefix (paths, real_program);
    }
  if (real != NULL)
    add_prefix (paths, real);
}

/* ---- Weights */

void
vend_sandbox_paths_weights (VendSandboxPaths *paths, char *const *links, char *const *env)
{
  const char *weights = g_environ_getenv ((char **) env, "COG_WEIGHTS");
  for (gsize i = 0; links != NULL && links[i] != NULL; i += 2)
    vend_sandbox_paths_read (paths, links[i + 1], NULL);
  if (weights != NULL && g_path_is_absolute (weights))
    vend_sandbox_paths_read (paths, weights, NULL);
}

/* ---- GPUs */

static void
add_device (VendSandboxPaths *paths, const char *path)
{
  vend_sandbox_paths_add (
      paths, &(VendSandboxPath){ .from = (char *) path, .writable = true, .device = true });
}

static char *
field (const char *text, const char *name)
{
  const char *at = strstr (text, name);
  if (at == NULL)
    return NULL;
  at += strlen (name);
  at += strspn (at, ": \t");
  return g_strndup (at, strcspn (at, "\n"));
}

/* GPU-1234… or a number, as CUDA_VISIBLE_DEVICES lists them. */
static bool
is_listed (char *const *listed, const char *uuid, const char *minor)
{
  for (gsize i = 0; listed[i] != NULL; i++)
    if (g_strcmp0 (listed[i], minor) == 0
        || (uuid != NULL && *listed[i] != '\0' && g_str_has_prefix (uuid, listed[i])))
      return true;
  return false;
}

static void
add_assigned (VendSandboxPaths *paths, const char *visible)
{
  g_auto (GStrv) listed = g_strsplit (visible, ",", -1);
  g_autoptr (GDir) gpus = g_dir_open (NVIDIA, 0, NULL);
  for (const char *name; gpus != NULL && (name = g_dir_read_name (gpus)) != NULL;)
    {
      g_autofree char *file = g_build_filename (NVIDIA, name, "information", NULL);
      g_autofree char *text = NULL;
      if (!vend_file_read (file, MAX_SMALL, &text, NULL, NULL))
        continue;
      g_autofree char *minor = field (text, "Device Minor");
      g_autofree char *uuid = field (text, "GPU UUID");
      g_autofree char *node = minor != NULL ? g_strconcat ("/dev/nvidia", minor, NULL) : NULL;
      if (node != NULL && is_listed (listed, uuid, minor))
        add_device (paths, node);
    }
}

void
vend_sandbox_paths_gpus (VendSandboxPaths *paths, const char *visible)
{
  static const char *const shared[]
      = { "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset" };
  if (visible == NULL || *visible == '\0')
    return;
  for (guint i = 0; i < G_N_ELEMENTS (shared); i++)
    add_device (paths, shared[i]);
  add_assigned (paths, visible);
  paths->has_gpus = true;
}
