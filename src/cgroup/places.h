/* The control groups of a process, from its /proc/PID/cgroup and /proc/PID/mountinfo. Any
 * thread. */
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

/* "memory", "cpu", "pids": the kernel's names of controllers. */
const char *vend_cgroup_kind_name (VendCgroupKind kind);

/* Folders of the process's own groups. */
typedef struct
{
  char *v1[VEND_CGROUP_N]; /* in the v1 hierarchy of the controller; NULL: none */
  char *v2;                /* in the unified hierarchy, whatever its controllers; or NULL */
} VendCgroupPlaces;

/* Groups outside of all mounts are left out. */
void vend_cgroup_places_read (const char *groups, const char *mounts, VendCgroupPlaces *out);
/* Groups of this process. */
bool vend_cgroup_places_own (VendCgroupPlaces *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_cgroup_places_clear (VendCgroupPlaces *places);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendCgroupPlaces, vend_cgroup_places_clear)
