/* Limits of memory of the own control groups and those above them. Blocks on /sys. */
#include "cgroup/memory.h"
#include "base/fd.h"
#include <string.h>

#define MAX_STAT ((gsize) 64 * 1024)
#define MAX_DEPTH 64

/* v1 counts what lies above into its own statistics. */
static uint64_t
v1_limit (const char *folder)
{
  static const char key[] = "hierarchical_memory_limit ";
  g_autofree char *path = g_build_filename (folder, "memory.stat", NULL);
  g_autofree char *text = NULL;
  if (!vend_file_read (path, MAX_STAT, &text, NULL, NULL))
    return G_MAXUINT64;
  const char *at = strstr (text, key);
  return at != NULL ? g_ascii_strtoull (at + strlen (key), NULL, 10) : G_MAXUINT64;
}

static uint64_t
v2_limit (const char *own)
{
  uint64_t least = G_MAXUINT64;
  g_autofree char *folder = g_strdup (own);
  for (guint i = 0; i < MAX_DEPTH; i++)
    {
      g_autofree char *path = g_build_filename (folder, "memory.max", NULL);
      g_autofree char *controllers = g_build_filename (folder, "cgroup.controllers", NULL);
      g_autofree char *text = NULL;
      /* Above the mount. */
      if (!g_file_test (controllers, G_FILE_TEST_EXISTS))
        break;
      if (vend_file_read (path, MAX_STAT, &text, NULL, NULL) && g_ascii_isdigit (*text))
        least = MIN (least, g_ascii_strtoull (text, NULL, 10));
      g_autofree char *parent = g_path_get_dirname (folder);
      g_free (folder);
      folder = g_steal_pointer (&parent);
    }
  return least;
}

uint64_t
vend_cgroup_memory_limit_at (const VendCgroupPlaces *places)
{
  uint64_t limit = G_MAXUINT64;
  if (places->v1[VEND_CGROUP_MEMORY] != NULL)
    limit = v1_limit (places->v1[VEND_CGROUP_MEMORY]);
  if (places->v2 != NULL)
    limit = MIN (limit, v2_limit (places->v2));
  return limit;
}

uint64_t
vend_cgroup_memory_limit (void)
{
  g_auto (VendCgroupPlaces) places = { 0 };
  return vend_cgroup_places_own (&places, NULL) ? vend_cgroup_memory_limit_at (&places)
                                                : G_MAXUINT64;
}
