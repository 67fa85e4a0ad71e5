/* The control groups of one instance: `vend-NAME` in each base. Blocks on /sys; any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <glib.h>

#include "cgroup/bases.h"

/* 0 = no limit. */
typedef struct
{
  uint64_t memory; /* bytes, swap included */
  double cpus;
  guint processes; /* threads included */
} VendCgroupLimits;

typedef struct VendCgroup VendCgroup;

/* Makes the groups and sets the limits. `name` is a plain word. RUNNER names the refusal of the
 * kernel; then all made groups are removed. */
bool vend_cgroup_make (const VendCgroups *bases, const char *name, const VendCgroupLimits *limits,
                       VendCgroup **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The groups stay. */
void vend_cgroup_free (VendCgroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCgroup, vend_cgroup_free)

/* Moves the calling process in; its children start there. Between fork and exec: system calls
 * only. */
bool vend_cgroup_enter (const VendCgroup *group);
/* The same for another process. NULL is no group. */
bool vend_cgroup_move (const VendCgroup *group, pid_t process, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The number of out-of-memory kills in the group; false when the kernel does not count them
 * here. */
bool vend_cgroup_oom_kills (const VendCgroup *group, uint64_t *out);
/* The group has reached its own limit of memory at least once. */
bool vend_cgroup_was_full (const VendCgroup *group);

/* Kills every process in the groups, also outside of its process group. */
void vend_cgroup_kill (const VendCgroups *bases, const char *name);
/* Also removes the groups, and waits up to `patience_ms` for the ends of the processes. True when
 * no group is left; a group that never existed is fine. */
bool vend_cgroup_remove (const VendCgroups *bases, const char *name, guint patience_ms,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
