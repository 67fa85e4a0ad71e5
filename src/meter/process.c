/* Metrics of this process: memory, descriptors, time. Unreadable values are left out. */
#include "meter/process.h"
#include "meter/exposition.h"
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Fields of /proc/self/stat after the name in parentheses, counted from 0 (proc(5): state is 3). */
enum
{
  FIELD_UTIME = 11,
  FIELD_STIME = 12,
  FIELD_STARTTIME = 19,
  FIELD_VSIZE = 20,
  FIELD_RSS = 21,
};

static void
number (GString *text, const char *name, const char *type, const char *help, double value)
{
  vend_exposition_family (text, name, type, help);
  vend_exposition_number (text, name, "", value);
}

static bool
read_stat (GStrv *out)
{
  g_autofree char *stat = NULL;
  if (!g_file_get_contents ("/proc/self/stat", &stat, NULL, NULL))
    return false;
  const char *name_end = strrchr (stat, ')');
  if (name_end == NULL || name_end[1] != ' ')
    return false;
  g_auto (GStrv) fields = g_strsplit (name_end + 2, " ", -1);
  if (g_strv_length (fields) <= FIELD_RSS)
    return false;
  *out = g_steal_pointer (&fields);
  return true;
}

/* Boot time of the machine, seconds since the epoch. */
static double
boot_time (void)
{
  struct timespec now, up;
  clock_gettime (CLOCK_REALTIME, &now);
  clock_gettime (CLOCK_BOOTTIME, &up);
  return (double) (now.tv_sec - up.tv_sec) + (double) (now.tv_nsec - up.tv_nsec) / 1e9;
}

static void
write_stat (GString *text)
{
  g_auto (GStrv) fields = NULL;
  const double ticks = (double) sysconf (_SC_CLK_TCK);
  if (!read_stat (&fields))
    return;
  const double cpu
      = g_ascii_strtod (fields[FIELD_UTIME], NULL) + g_ascii_strtod (fields[FIELD_STIME], NULL);
  number (text, "process_cpu_seconds_total", "counter", "User and system time.", cpu / ticks);
  number (text, "process_start_time_seconds", "gauge", "Start, seconds since the epoch.",
          boot_time () + g_ascii_strtod (fields[FIELD_STARTTIME], NULL) / ticks);
  number (text, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
          g_ascii_strtod (fields[FIELD_VSIZE], NULL));
  number (text, "process_resident_memory_bytes", "gauge", "Resident memory.",
          g_ascii_strtod (fields[FIELD_RSS], NULL) * (double) sysconf (_SC_PAGESIZE));
}

static void
write_descriptors (GString *text)
{
  struct rlimit limit;
  g_autoptr (GDir) listing = g_dir_open ("/proc/self/fd", 0, NULL);
  if (listing != NULL)
    {
      guint n = 0;
      while (g_dir_read_name (listing) != NULL)
        n++;
      /* The listing itself has one of them open. */
      number (text, "process_open_fds", "gauge", "Open file descriptors.", (double) n - 1);
    }
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    number (text, "process_max_fds", "gauge", "The limit of open file descriptors.",
            (double) limit.rlim_cur);
}

void
vend_process_write (GString *text)
{
  write_stat (text);
  write_descriptors (text);
}
