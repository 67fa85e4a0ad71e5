/* Reads /proc/PID/cgroup and /proc/PID/mountinfo. */
#include "cgroup/places.h"
#include "base/fd.h"
#include <string.h>

#define MAX_PROC_FILE ((gsize) 1 << 20)

/* Fields of a line of mountinfo, counted from 0; those after " - " on their own. */
enum
{
  MOUNT_ROOT = 3,
  MOUNT_POINT = 4,
};

enum
{
  AFTER_TYPE,
  AFTER_SOURCE,
  AFTER_OPTIONS,
  AFTER_N,
};

static const char *const kind_names[VEND_CGROUP_N] = { "memory", "cpu", "pids" };

const char *
vend_cgroup_kind_name (VendCgroupKind kind)
{
  return kind_names[kind];
}

void
vend_cgroup_places_clear (VendCgroupPlaces *places)
{
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    g_clear_pointer (&places->v1[i], g_free);
  g_clear_pointer (&places->v2, g_free);
}

static bool
lists (const char *names, const char *name)
{
  g_auto (GStrv) words = g_strsplit (names, ",", -1);
  return g_strv_contains ((const char *const *) words, name);
}

/* The group's path in its hierarchy; NULL when the process is in no group. `controller` is NULL for
 * the unified hierarchy. */
static char *
own_path (const char *groups, const char *controller)
{
  g_auto (GStrv) lines = g_strsplit (groups, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) fields = g_strsplit (lines[i], ":", 3);
      if (g_strv_length (fields) < 3 || fields[2][0] != '/')
        continue;
      if (controller != NULL ? lists (fields[1], controller)
                             : strcmp (fields[0], "0") == 0 && fields[1][0] == '\0')
        return g_strdup (fields[2]);
    }
  return NULL;
}

/* The path of `path` under a mount of the part below `root`; NULL outside of it. */
static char *
seen_at (const char *root, const char *point, const char *path)
{
  const gsize size = strcmp (root, "/") == 0 ? 0 : strlen (root);
  if (strncmp (path, root, size) != 0 || (path[size] != '/' && path[size] != '\0'))
    return NULL;
  const char *rest = strcmp (path + size, "/") == 0 ? "" : path + size;
  /* Outside of the own namespace: "/../../other". */
  if (g_str_has_prefix (rest, "/.."))
    return NULL;
  return g_strconcat (strcmp (point, "/") == 0 ? "" : point, rest, NULL);
}

static char *
find_folder (const char *mounts, const char *controller, const char *path)
{
  g_auto (GStrv) lines = g_strsplit (mounts, "\n", -1);
  const char *type = controller != NULL ? "cgroup" : "cgroup2";
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *dash = strstr (lines[i], " - ");
      if (dash == NULL)
        continue;
      *dash = '\0';
      g_auto (GStrv) before = g_strsplit (lines[i], " ", -1);
      g_auto (GStrv) after = g_strsplit (dash + strlen (" - "), " ", AFTER_N);
      if (g_strv_length (before) <= MOUNT_POINT || g_strv_length (after) < AFTER_N
          || strcmp (after[AFTER_TYPE], type) != 0
          || (controller != NULL && !lists (after[AFTER_OPTIONS], controller)))
        continue;
      /* Spaces and the like stand there as "\040". */
      g_autofree char *root = g_strcompress (before[MOUNT_ROOT]);
      g_autofree char *point = g_strcompress (before[MOUNT_POINT]);
      char *folder = seen_at (root, point, path);
      if (folder != NULL)
        return folder;
    }
  return NULL;
}

static char *
find (const char *groups, const char *mounts, const char *controller)
{
  g_autofree char *path = own_path (groups, controller);
  return path != NULL ? find_folder (mounts, controller, path) : NULL;
}

void
vend_cgroup_places_read (const char *groups, const char *mounts, VendCgroupPlaces *out)
{
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    out->v1[i] = find (groups, mounts, kind_names[i]);
  out->v2 = find (groups, mounts, NULL);
}

bool
vend_cgroup_places_own (VendCgroupPlaces *out, GError **error)
{
  g_autofree char *groups = NULL;
  g_autofree char *mounts = NULL;
  if (!vend_file_read ("/proc/self/cgroup", MAX_PROC_FILE, &groups, NULL, error)
      || !vend_file_read ("/proc/self/mountinfo", MAX_PROC_FILE, &mounts, NULL, error))
    return false;
  vend_cgroup_places_read (groups, mounts, out);
  return true;
}
