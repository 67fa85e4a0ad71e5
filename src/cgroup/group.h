/* The control groups of one instance: `vend-NAME` in each base. Blocks on /sys; any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "cgroup/bases.h"

/* 0 = no limit. */
typedef struct
{
  uint64_t memory; /* bytes, swap included */
  double cpus;
  guint processes; /* and threads */
} VendCgroupLimits;

typedef struct VendCgroup VendCgroup;

/* Makes them and sets the limits. `name` is a plain word. RUNNER names what the kernel refused;
 * what was made is removed then. */
bool vend_cgroup_make (const VendCgroups *bases, const char *name, const VendCgroupLimits *limits,
                       VendCgroup **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The groups stay. */
void vend_cgroup_free (VendCgroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCgroup, vend_cgroup_free)

/* Moves the calling process in; its children are born there. Between fork and exec: system calls
 * only. */
bool vend_cgroup_enter (const VendCgroup *group);

/* How often the kernel has killed in the group because memory ran out; false when that is not
 * counted here. */
bool vend_cgroup_oom_kills (const VendCgroup *group, uint64_t *out);
/* The group has reached its own limit of memory at least once. */
bool vend_cgroup_was_full (const VendCgroup *group);

/* Ends every process in the groups, whatever it did to leave its process group. */
void vend_cgroup_kill (const VendCgroups *bases, const char *name);
/* Also removes the groups, and waits up to `patience_ms` for the ends of the processes. True when
 * none is left; one that never was is fine. */
bool vend_cgroup_remove (const VendCgroups *bases, const char *name, guint patience_ms,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
