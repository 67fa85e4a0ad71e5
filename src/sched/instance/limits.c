/* Limits of an instance and their enforcement: control groups, else limits of each process. Core
 * thread. */
#include "sched/instance/limits.h"
#include "sched/core.h"
#include <unistd.h>

/* A process of a model that drives a GPU maps far more than it uses. */
static uint64_t
process_data (const VendSched *sched, const VendSku *sku)
{
  return vend_cgroups_have (sched->cgroups, VEND_CGROUP_MEMORY) || sku->gpus > 0 ? 0 : sku->memory;
}

/* The kernel counts all processes of a user together, and does not stop root. So only a number set
 * by the operator is enforced. */
static guint
user_processes (const VendSched *sched, const VendSku *sku)
{
  return vend_cgroups_have (sched->cgroups, VEND_CGROUP_PIDS) || geteuid () == 0
                 || !sku->processes_said
             ? 0
             : sku->processes;
}

void
vend_limits_set (const VendSched *sched, const char *hardware, json_t *spec)
{
  const VendSku *sku = vend_skus_find (sched->skus, hardware);
  if (sku == NULL)
    return;
  json_object_set_new (spec, "cgroups", vend_cgroups_to_json (sched->cgroups));
  json_object_set_new (spec, "limits",
                       json_pack ("{s:I, s:f, s:I, s:I, s:I}", "memory", (json_int_t) sku->memory,
                                  "cpus", sku->cpus, "processes", (json_int_t) sku->processes,
                                  "process_data", (json_int_t) process_data (sched, sku),
                                  "user_processes", (json_int_t) user_processes (sched, sku)));
}

/* ---- For people */

static json_t *
keeper (const VendSched *sched, VendCgroupKind kind, const char *else_by)
{
  const guint version = sched->cgroups->base[kind].version;
  return version > 0       ? json_sprintf ("cgroup v%u", version)
         : else_by != NULL ? json_string (else_by)
                           : json_null ();
}

json_t *
vend_limits_kept_by (const VendSched *sched, const VendSku *sku)
{
  return json_pack (
      "{s:o, s:o, s:o}", "memory",
      keeper (sched, VEND_CGROUP_MEMORY, process_data (sched, sku) > 0 ? "rlimit" : NULL), "cpus",
      keeper (sched, VEND_CGROUP_CPU, NULL), "processes",
      keeper (sched, VEND_CGROUP_PIDS, user_processes (sched, sku) > 0 ? "rlimit" : NULL));
}
