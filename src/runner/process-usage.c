/* CPU and memory of model processes. Reads /proc. */
#include "runner/process-usage.h"
#include "runner/process-identity.h"
#include <string.h>
#include <unistd.h>

/* Of vend_process_stat. */
enum
{
  FIELD_UTIME = 11,
  FIELD_STIME = 12,
  FIELD_RSS = 21,
};

static void
add_stat (const char *pid, VendRunnerUsage *usage)
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

typedef struct
{
  GHashTable *all;
  gsize prefix; /* bytes of a directory before the instance's name */
} Sums;

static void
add_process (pid_t pid, bool is_director, const char *dir, void *data)
{
  const Sums *sums = data;
  const char *name = dir + sums->prefix;
  VendRunnerUsage *usage = g_hash_table_lookup (sums->all, name);
  g_autofree char *number = g_strdup_printf ("%d", (int) pid);
  if (usage == NULL)
    {
      usage = g_new0 (VendRunnerUsage, 1);
      g_hash_table_insert (sums->all, g_strdup (name), usage);
    }
  add_stat (number, usage);
}

GHashTable *
vend_process_usage (const char *instances_dir)
{
  Sums sums = { g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
                strlen (instances_dir) + 1 };
  vend_process_each_marked (instances_dir, add_process, &sums);
  return sums.all;
}
