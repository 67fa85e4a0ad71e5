/* Limits of this process by its own control groups and the groups above them. Blocks on /sys. */
#include "cgroup/machine.h"
#include "base/fd.h"
#include <string.h>

#define MAX_FILE ((gsize) 64 * 1024)
#define MAX_DEPTH 64

/* Folders from the own group up to the mount: these have the file `mark`, folders above have
 * not. */
typedef void (*LookAt) (const char *folder, void *data);

static void
climb (const char *own, const char *mark, LookAt look, void *data)
{
  g_autofree char *folder = g_strdup (own);
  for (guint i = 0; i < MAX_DEPTH; i++)
    {
      g_autofree char *path = g_build_filename (folder, mark, NULL);
      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        return;
      look (folder, data);
      g_autofree char *parent = g_path_get_dirname (folder);
      g_free (folder);
      folder = g_steal_pointer (&parent);
    }
}

static char *
text_of (const char *folder, const char *file)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  char *text = NULL;
  return vend_file_read (path, MAX_FILE, &text, NULL, NULL) ? text : NULL;
}

/* ---- Memory */

/* v1 includes the groups above in its own statistics. */
static void
take_v1_memory (const char *folder, uint64_t *least)
{
  static const char key[] = "hierarchical_memory_limit ";
  g_autofree char *text = text_of (folder, "memory.stat");
  const char *at = text != NULL ? strstr (text, key) : NULL;
  if (at != NULL)
    *least = MIN (*least, g_ascii_strtoull (at + strlen (key), NULL, 10));
}

static void
take_v2_memory (const char *folder, void *data)
{
  uint64_t *least = data;
  g_autofree char *text = text_of (folder, "memory.max");
  if (text != NULL && g_ascii_isdigit (*text))
    *least = MIN (*least, g_ascii_strtoull (text, NULL, 10));
}

uint64_t
vend_cgroup_memory_limit (const VendCgroupPlaces *places)
{
  uint64_t least = G_MAXUINT64;
  if (places->v1[VEND_CGROUP_MEMORY] != NULL)
    take_v1_memory (places->v1[VEND_CGROUP_MEMORY], &least);
  if (places->v2 != NULL)
    climb (places->v2, "cgroup.controllers", take_v2_memory, &least);
  return least;
}

/* ---- CPUs */

static void
take_share (double quota, double period, double *least)
{
  if (quota > 0 && period > 0)
    *least = MIN (*least, quota / period);
}

static void
take_v1_cpus (const char *folder, void *data)
{
  g_autofree char *quota = text_of (folder, "cpu.cfs_quota_us");
  g_autofree char *period = text_of (folder, "cpu.cfs_period_us");
  if (quota != NULL && period != NULL)
    take_share (g_ascii_strtod (quota, NULL), g_ascii_strtod (period, NULL), data);
}

static void
take_v2_cpus (const char *folder, void *data)
{
  g_autofree char *text = text_of (folder, "cpu.max");
  char *rest = NULL;
  if (text == NULL || !g_ascii_isdigit (*text))
    return;
  const double quota = g_ascii_strtod (text, &rest);
  take_share (quota, g_ascii_strtod (rest, NULL), data);
}

double
vend_cgroup_cpu_limit (const VendCgroupPlaces *places)
{
  double least = G_MAXDOUBLE;
  if (places->v1[VEND_CGROUP_CPU] != NULL)
    climb (places->v1[VEND_CGROUP_CPU], "cpu.cfs_quota_us", take_v1_cpus, &least);
  if (places->v2 != NULL)
    climb (places->v2, "cgroup.controllers", take_v2_cpus, &least);
  return least;
}
