/* The control groups of one instance. Blocks on /sys. */
#include "cgroup/group.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PERIOD_US 100000 /* the kernel's default, for shares of a processor */
#define LEAST_QUOTA_US 1000
#define MAX_EVENTS ((gsize) 4096)
#define MAX_PROCS ((gsize) 1 << 20)
/* Refused memory is not counted: a huge page of 2 MiB, and the reserve of each CPU. */
#define NEARLY_FULL (G_GUINT64_CONSTANT (4) << 20)
#define KILL_ROUNDS 50 /* a process may fork while the list is read */
#define FIRST_PAUSE_US 500
#define LONGEST_PAUSE_US 20000

struct VendCgroup
{
  char *folders[VEND_CGROUP_N]; /* NULL: no group of that kind */
  guint versions[VEND_CGROUP_N];
  uint64_t memory;          /* limit; 0 = none */
  int doors[VEND_CGROUP_N]; /* descriptors of cgroup.procs, -1: none */
};

static bool
is_plain_word (const char *name)
{
  return *name != '\0' && strlen (name) <= 64
         && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen (name);
}

static char *
folder_of (const VendCgroups *bases, VendCgroupKind kind, const char *name)
{
  g_autofree char *entry = g_strconcat ("vend-", name, NULL);
  return g_build_filename (bases->base[kind].path, entry, NULL);
}

/* In the unified hierarchy all kinds share one group. */
static bool
is_first_of_its_path (const VendCgroups *bases, VendCgroupKind kind)
{
  if (!vend_cgroups_have (bases, kind))
    return false;
  for (guint i = 0; i < kind; i++)
    if (vend_cgroups_have (bases, i) && strcmp (bases->base[i].path, bases->base[kind].path) == 0)
      return false;
  return true;
}

void
vend_cgroup_free (VendCgroup *group)
{
  if (group == NULL)
    return;
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    {
      g_free (group->folders[i]);
      vend_fd_clear (&group->doors[i]);
    }
  g_free (group);
}

/* ---- Limits */

static bool
set (const char *folder, const char *file, const char *value, GError **error)
{
  return vend_cgroup_write (folder, file, value)
         || vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "set '%s/%s' to %s", folder, file,
                             value);
}

/* For files that not every kernel has. */
static bool
set_if_there (const char *folder, const char *file, const char *value, GError **error)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  return access (path, F_OK) < 0 || set (folder, file, value, error);
}

static bool
limit_memory (const char *folder, guint version, uint64_t bytes, GError **error)
{
  g_autofree char *value = g_strdup_printf ("%" G_GUINT64_FORMAT, bytes);
  /* The kernel kills all processes of a model together: one alone is of no use. */
  if (version == 2 && !set_if_there (folder, "memory.oom.group", "1", error))
    return false;
  if (bytes == 0)
    return true;
  if (version == 2)
    return set (folder, "memory.max", value, error)
           && set_if_there (folder, "memory.swap.max", "0", error);
  return set (folder, "memory.limit_in_bytes", value, error)
         && set_if_there (folder, "memory.memsw.limit_in_bytes", value, error);
}

static bool
limit_cpu (const char *folder, guint version, double cpus, GError **error)
{
  if (cpus <= 0)
    return true;
  const int64_t quota = MAX ((int64_t) llround (cpus * PERIOD_US), LEAST_QUOTA_US);
  g_autofree char *value = version == 2
                               ? g_strdup_printf ("%" G_GINT64_FORMAT " %d", quota, PERIOD_US)
                               : g_strdup_printf ("%" G_GINT64_FORMAT, quota);
  if (version == 2)
    return set (folder, "cpu.max", value, error);
  g_autofree char *period = g_strdup_printf ("%d", PERIOD_US);
  return set (folder, "cpu.cfs_period_us", period, error)
         && set (folder, "cpu.cfs_quota_us", value, error);
}

static bool
limit_processes (const char *folder, guint processes, GError **error)
{
  g_autofree char *value = g_strdup_printf ("%u", processes);
  return processes == 0 || set (folder, "pids.max", value, error);
}

static bool
limit (const VendCgroup *group, VendCgroupKind kind, const VendCgroupLimits *limits, GError **error)
{
  switch (kind)
    {
    case VEND_CGROUP_MEMORY:
      return limit_memory (group->folders[kind], group->versions[kind], limits->memory, error);
    case VEND_CGROUP_CPU:
      return limit_cpu (group->folders[kind], group->versions[kind], limits->cpus, error);
    default:
      return limit_processes (group->folders[kind], limits->processes, error);
    }
}

/* A group without a limit changes the shares all the same. */
static bool
is_needed (const VendCgroups *bases, VendCgroupKind kind, const VendCgroupLimits *limits)
{
  return vend_cgroups_have (bases, kind)
         && (kind != VEND_CGROUP_CPU || bases->base[kind].version == 2 || limits->cpus > 0);
}

static bool
make_one (VendCgroup *group, const VendCgroups *bases, VendCgroupKind kind, const char *name,
          const VendCgroupLimits *limits, GError **error)
{
  if (!is_plain_word (name))
    return vend_fail (error, VEND_ERROR_RUNNER, "'%.100s' cannot name a group", name);
  group->folders[kind] = folder_of (bases, kind, name);
  group->versions[kind] = bases->base[kind].version;
  if (mkdir (group->folders[kind], 0755) < 0 && errno != EEXIST)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make the group '%s'",
                            group->folders[kind]);
  if (!limit (group, kind, limits, error))
    return false;
  if (!is_first_of_its_path (bases, kind))
    return true;
  g_autofree char *door = g_build_filename (group->folders[kind], "cgroup.procs", NULL);
  group->doors[kind] = open (door, O_WRONLY | O_CLOEXEC);
  return group->doors[kind] >= 0
         || vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '%s'", door);
}

bool
vend_cgroup_make (const VendCgroups *bases, const char *name, const VendCgroupLimits *limits,
                  VendCgroup **out, GError **error)
{
  g_autoptr (VendCgroup) group = g_new0 (VendCgroup, 1);
  group->memory = limits->memory;
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    group->doors[i] = -1;
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    if (is_needed (bases, i, limits) && !make_one (group, bases, i, name, limits, error))
      {
        (void) !vend_cgroup_remove (bases, name, 0, NULL);
        return false;
      }
  *out = g_steal_pointer (&group);
  return true;
}

bool
vend_cgroup_enter (const VendCgroup *group)
{
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    if (group->doors[i] >= 0 && write (group->doors[i], "0", 1) != 1)
      return false;
  return true;
}

bool
vend_cgroup_move (const VendCgroup *group, pid_t process, GError **error)
{
  char number[16];
  const int length = g_snprintf (number, sizeof number, "%d", (int) process);
  for (guint i = 0; group != NULL && i < VEND_CGROUP_N; i++)
    if (group->doors[i] >= 0 && write (group->doors[i], number, (size_t) length) != length)
      return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "move a process into '%s'",
                              group->folders[i]);
  return true;
}

/* ---- Memory that ran out */

/* The number after `key` in a file of such lines; with "" as `key` the only number of the file. */
static bool
read_count (const char *folder, const char *file, const char *key, uint64_t *out)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_autofree char *text = NULL;
  if (!vend_file_read (path, MAX_EVENTS, &text, NULL, NULL))
    return false;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  const gsize size = strlen (key);
  for (guint i = 0; lines[i] != NULL; i++)
    if (strncmp (lines[i], key, size) == 0 && (size == 0 || lines[i][size] == ' '))
      {
        *out = g_ascii_strtoull (lines[i] + size, NULL, 10);
        return true;
      }
  return false;
}

bool
vend_cgroup_oom_kills (const VendCgroup *group, uint64_t *out)
{
  const char *folder = group->folders[VEND_CGROUP_MEMORY];
  const bool is_v2 = group->versions[VEND_CGROUP_MEMORY] == 2;
  return folder != NULL
         && read_count (folder, is_v2 ? "memory.events" : "memory.oom_control", "oom_kill", out);
}

bool
vend_cgroup_was_full (const VendCgroup *group)
{
  const char *folder = group->folders[VEND_CGROUP_MEMORY];
  uint64_t count = 0;
  if (folder == NULL)
    return false;
  if (group->versions[VEND_CGROUP_MEMORY] == 2)
    return read_count (folder, "memory.events", "oom", &count) && count > 0;
  return group->memory > 0 && read_count (folder, "memory.max_usage_in_bytes", "", &count)
         && count + NEARLY_FULL >= group->memory;
}

/* ---- The end */

static GArray *
members (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "cgroup.procs", NULL);
  g_autofree char *text = NULL;
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  if (!vend_file_read (path, MAX_PROCS, &text, NULL, NULL))
    return pids;
  for (char *at = text; *at != '\0';)
    {
      const pid_t pid = (pid_t) g_ascii_strtoull (at, &at, 10);
      if (pid > 1 && pid != getpid ())
        g_array_append_val (pids, pid);
      while (*at != '\0' && !g_ascii_isdigit (*at))
        at++;
    }
  return pids;
}

static bool
is_member (const GArray *pids, pid_t pid)
{
  for (guint i = 0; i < pids->len; i++)
    if (g_array_index (pids, pid_t, i) == pid)
      return true;
  return false;
}

/* True when no process was left to kill. A pid is signalled only when it is still in the group
 * after its pidfd was opened: until then the pid may have been reused. */
static bool
kill_members (const char *folder)
{
  g_autoptr (GArray) before = members (folder);
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (int));
  for (guint i = 0; i < before->len; i++)
    {
      const int fd = (int) syscall (SYS_pidfd_open, g_array_index (before, pid_t, i), 0);
      g_array_append_val (fds, fd);
    }
  g_autoptr (GArray) after = members (folder);
  for (guint i = 0; i < before->len; i++)
    {
      vend_autofd fd = g_array_index (fds, int, i);
      if (fd >= 0 && is_member (after, g_array_index (before, pid_t, i)))
        syscall (SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    }
  return before->len == 0;
}

void
vend_cgroup_kill (const VendCgroups *bases, const char *name)
{
  if (!is_plain_word (name))
    return;
  if (vend_cgroups_have (bases, VEND_CGROUP_PIDS))
    {
      /* No process can fork any more, so the list gets shorter. */
      g_autofree char *folder = folder_of (bases, VEND_CGROUP_PIDS, name);
      (void) !vend_cgroup_write (folder, "pids.max", "0");
    }
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    {
      if (!is_first_of_its_path (bases, i))
        continue;
      g_autofree char *folder = folder_of (bases, i, name);
      if (vend_cgroup_write (folder, "cgroup.kill", "1"))
        continue;
      for (guint round = 0; round < KILL_ROUNDS && !kill_members (folder); round++)
        ;
    }
}

static bool
remove_one (const char *folder, int64_t until_us, GError **error)
{
  for (gulong pause_us = FIRST_PAUSE_US;; pause_us = MIN (2 * pause_us, LONGEST_PAUSE_US))
    {
      if (rmdir (folder) == 0 || errno == ENOENT)
        return true;
      if (errno != EBUSY || g_get_monotonic_time () >= until_us)
        return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "remove the group '%s'", folder);
      g_usleep (pause_us);
    }
}

bool
vend_cgroup_remove (const VendCgroups *bases, const char *name, guint patience_ms, GError **error)
{
  const int64_t until_us = g_get_monotonic_time () + (int64_t) patience_ms * 1000;
  bool removed = true;
  if (!is_plain_word (name))
    return true;
  vend_cgroup_kill (bases, name);
  for (guint i = 0; i < VEND_CGROUP_N; i++)
    if (is_first_of_its_path (bases, i))
      {
        g_autofree char *folder = folder_of (bases, i, name);
        removed = remove_one (folder, until_us, removed ? error : NULL) && removed;
      }
  return removed;
}
