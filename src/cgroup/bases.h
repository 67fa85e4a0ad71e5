/* The control groups that this machine allows, and the folders to make them in. Blocks on /sys. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "cgroup/places.h"
#include "json/json.h"

typedef struct
{
  guint version; /* 1 or 2; 0: no groups with this controller */
  char *path;    /* the parent folder of groups; NULL with 0 */
} VendCgroupBase;

typedef struct
{
  VendCgroupBase base[VEND_CGROUP_N];
  char *why; /* why some groups are missing; NULL: none is, as far as known */
} VendCgroups;

/* No groups at all. */
VendCgroups *vend_cgroups_none (const char *why) G_GNUC_WARN_UNUSED_RESULT;
/* Tries what is possible and leaves nothing behind. */
VendCgroups *vend_cgroups_detect (void) G_GNUC_WARN_UNUSED_RESULT;
/* Like detect, with preparations. In the unified hierarchy this process is moved into a group
 * `vend-server` below its own, since groups with groups below them hold no processes. Once, before
 * children are started. Without `cpus` that controller is left out: its groups change the shares,
 * limit or not. */
VendCgroups *vend_cgroups_prepare (bool cpus) G_GNUC_WARN_UNUSED_RESULT;
/* The same for these places. */
VendCgroups *vend_cgroups_find_at (const VendCgroupPlaces *places, bool prepare, bool cpus)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_cgroups_free (VendCgroups *cgroups);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCgroups, vend_cgroups_free)

/* Makes the next move of a process into a group quick. A first move waits until the kernel has seen
 * every CPU come by, 5 to 17 ms; moves in the 15 ms after it do not. This moves the calling process
 * into its own group, waits, and changes nothing. Any thread. */
void vend_cgroups_rouse (const VendCgroups *cgroups);

bool vend_cgroups_have (const VendCgroups *cgroups, VendCgroupKind kind);
/* Groups for every controller; without `cpus` that one may be missing. */
bool vend_cgroups_have_all (const VendCgroups *cgroups, bool cpus);
/* "cgroups v1 (memory, cpu, pids)"; free with g_free. */
char *vend_cgroups_describe (const VendCgroups *cgroups) G_GNUC_WARN_UNUSED_RESULT;

/* {"memory": {"version": 1, "path": "…"}}, with the available controllers. */
json_t *vend_cgroups_to_json (const VendCgroups *cgroups) G_GNUC_WARN_UNUSED_RESULT;
/* Members that are not understood are missing. */
VendCgroups *vend_cgroups_from_json (const json_t *object) G_GNUC_WARN_UNUSED_RESULT;

/* Writes `text` into the existing file `folder`/`name`. False leaves errno. */
bool vend_cgroup_write (const char *folder, const char *name, const char *text);
