/* What the processes of the models take of this machine. Reads /proc. */
#include "runner/process-usage.h"
#include "base/fd.h"
#include "runner/process-identity.h"
#include <string.h>
#include <unistd.h>

#define MAX_PROCESSES 100000
#define MAX_ENVIRON ((gsize) 1 << 20)

/* Of vend_process_stat. */
enum
{
  FIELD_UTIME = 11,
  FIELD_STIME = 12,
  FIELD_RSS = 21,
};

/* The directory that a process is marked with, if it lies in `prefix`; NULL otherwise. */
static char *
instance_of (const char *pid, const char *prefix)
{
  g_autofree char *path = g_build_filename ("/proc", pid, "environ", NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  if (!vend_file_read (path, MAX_ENVIRON, &text, &size, NULL))
    return NULL;
  for (gsize i = 0; i < size; i += strlen (text + i) + 1)
    if (g_str_has_prefix (text + i, prefix))
      return g_strdup (text + i + strlen (prefix));
  return NULL;
}

static void
add_stat (const char *pid, VendProcessUsage *usage)
{
  g_auto (GStrv) fields = vend_process_stat (pid, FIELD_RSS + 1);
  if (fields == NULL)
    return;
  const double ticks
      = g_ascii_strtod (fields[FIELD_UTIME], NULL) + g_ascii_strtod (fields[FIELD_STIME], NULL);
  usage->processes++;
  usage->cpu_seconds += ticks / (double) sysconf (_SC_CLK_TCK);
  usage->memory
      += g_ascii_strtoull (fields[FIELD_RSS], NULL, 10) * (uint64_t) sysconf (_SC_PAGESIZE);
}

GHashTable *
vend_process_usage (const char *instances_dir)
{
  GHashTable *all = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *prefix = g_strconcat (VEND_PROCESS_MARK "=", instances_dir, "/", NULL);
  g_autoptr (GDir) processes = g_dir_open ("/proc", 0, NULL);
  const char *pid;
  guint n = 0;
  while (processes != NULL && n < MAX_PROCESSES && (pid = g_dir_read_name (processes)) != NULL)
    {
      if (!g_ascii_isdigit (*pid))
        continue;
      n++;
      g_autofree char *instance = instance_of (pid, prefix);
      if (instance == NULL)
        continue;
      VendProcessUsage *usage = g_hash_table_lookup (all, instance);
      if (usage == NULL)
        {
          usage = g_new0 (VendProcessUsage, 1);
          g_hash_table_insert (all, g_steal_pointer (&instance), usage);
        }
      add_stat (pid, usage);
    }
  return all;
}
