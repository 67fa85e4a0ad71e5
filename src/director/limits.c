/* Control groups or limits of each process, and memory that ran out. Director's main context. */
#include "director/limits.h"
#include "base/fd.h"
#include "base/log.h"
#include "cgroup/group.h"
#include <string.h>
#include <sys/resource.h>

#define REMOVE_PATIENCE_MS 500
#define MAX_VMSTAT ((gsize) 64 * 1024)
#define MIB ((double) (1 << 20))

struct VendModelLimits
{
  const VendSpec *spec;
  VendCgroup *group;
  /* Kills for want of memory before the two last ticks: a loss that is noticed right after a tick
   * was before it. */
  uint64_t before;
  uint64_t at_tick;
};

const char *vend_model_limits_counters = "/proc/vmstat";

/* Without groups the whole machine's count is all there is. */
static bool
read_machine_kills (uint64_t *out)
{
  static const char key[] = "\noom_kill ";
  g_autofree char *text = NULL;
  if (!vend_file_read (vend_model_limits_counters, MAX_VMSTAT, &text, NULL, NULL))
    return false;
  const char *at = strstr (text, key);
  if (at == NULL)
    return false;
  *out = g_ascii_strtoull (at + strlen (key), NULL, 10);
  return true;
}

static uint64_t
count_kills (const VendModelLimits *limits)
{
  uint64_t count = 0;
  if (!vend_cgroup_oom_kills (limits->group, &count) && !read_machine_kills (&count))
    return 0;
  return count;
}

bool
vend_model_limits_new (const VendSpec *spec, VendModelLimits **out, GError **error)
{
  g_autoptr (VendModelLimits) limits = g_new0 (VendModelLimits, 1);
  limits->spec = spec;
  if (!vend_cgroup_make (spec->cgroups, spec->instance, &spec->limits, &limits->group, error))
    return false;
  limits->before = limits->at_tick = count_kills (limits);
  *out = g_steal_pointer (&limits);
  return true;
}

void
vend_model_limits_free (VendModelLimits *limits)
{
  g_autoptr (GError) error = NULL;
  if (limits == NULL)
    return;
  vend_cgroup_free (limits->group);
  /* The control plane tries again when it buries the instance. */
  if (!vend_cgroup_remove (limits->spec->cgroups, limits->spec->instance, REMOVE_PATIENCE_MS,
                           &error))
    vend_log (VEND_LOG_WARN, "a control group stays", "error", error->message, NULL);
  g_free (limits);
}

static bool
lower (int resource, uint64_t value)
{
  struct rlimit limit;
  if (value == 0)
    return true;
  if (getrlimit (resource, &limit) < 0)
    return false;
  limit.rlim_max = MIN (limit.rlim_max, (rlim_t) value);
  limit.rlim_cur = limit.rlim_max;
  return setrlimit (resource, &limit) == 0;
}

bool
vend_model_limits_enter (const VendModelLimits *limits)
{
  /* In a sandbox its first process lowers them: processes are counted for each user namespace. */
  if (limits->spec->isolation != VEND_ISOLATION_NONE)
    return vend_cgroup_enter (limits->group);
  return vend_cgroup_enter (limits->group) && lower (RLIMIT_DATA, limits->spec->process_data)
         && lower (RLIMIT_NPROC, limits->spec->user_processes);
}

bool
vend_model_limits_move (const VendModelLimits *limits, pid_t process, GError **error)
{
  return vend_cgroup_move (limits->group, process, error);
}

void
vend_model_limits_kill (const VendModelLimits *limits)
{
  vend_cgroup_kill (limits->spec->cgroups, limits->spec->instance);
}

void
vend_model_limits_tick (VendModelLimits *limits)
{
  limits->before = limits->at_tick;
  limits->at_tick = count_kills (limits);
}

char *
vend_model_limits_out_of_memory (const VendModelLimits *limits)
{
  if (count_kills (limits) <= limits->before)
    return NULL;
  if (vend_cgroup_was_full (limits->group))
    return g_strdup_printf ("the model ran out of memory (limit %.6g MiB)",
                            (double) limits->spec->limits.memory / MIB);
  return g_strdup ("the model ran out of memory (the machine had none left)");
}
