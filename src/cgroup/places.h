/* Where a process stands in the control groups of the machine, from its /proc/PID/cgroup and
 * /proc/PID/mountinfo. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef enum
{
  VEND_CGROUP_MEMORY,
  VEND_CGROUP_CPU,
  VEND_CGROUP_PIDS,
  VEND_CGROUP_N
} VendCgroupKind;

/* "memory", "cpu", "pids": what the kernel calls the controller. */
const char *vend_cgroup_kind_name (VendCgroupKind kind);

/* Folders of the process's own groups. */
typedef struct
{
  char *v1[VEND_CGROUP_N]; /* in the v1 hierarchy of that controller; NULL: it has none */
  char *v2;                /* in the unified hierarchy, whatever its controllers; or NULL */
} VendCgroupPlaces;

/* A group that no mount shows is left out. */
void vend_cgroup_places_read (const char *groups, const char *mounts, VendCgroupPlaces *out);
/* Those of this process. */
bool vend_cgroup_places_own (VendCgroupPlaces *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_cgroup_places_clear (VendCgroupPlaces *places);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendCgroupPlaces, vend_cgroup_places_clear)
