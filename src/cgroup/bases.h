/* What control groups this machine lets us make, and below which folders. Blocks on /sys. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "cgroup/places.h"
#include "json/json.h"

typedef struct
{
  guint version; /* 1 or 2; 0: groups with this controller cannot be made */
  char *path;    /* the folder that they are made in; NULL with 0 */
} VendCgroupBase;

typedef struct
{
  VendCgroupBase base[VEND_CGROUP_N];
  char *why; /* some that were looked for are missing; NULL: none is, as far as is known */
} VendCgroups;

/* No groups at all. */
VendCgroups *vend_cgroups_none (const char *why) G_GNUC_WARN_UNUSED_RESULT;
/* Tries what is possible and leaves nothing behind. */
VendCgroups *vend_cgroups_detect (void) G_GNUC_WARN_UNUSED_RESULT;
/* Also makes it possible. In the unified hierarchy that moves this process into a group
 * `vend-server` below its own, since groups with groups below them hold no processes. Once, before
 * children are started. Without `cpus` that controller is left out: a group of its own changes who
 * gets how much, limit or not. */
VendCgroups *vend_cgroups_prepare (bool cpus) G_GNUC_WARN_UNUSED_RESULT;
/* The same for these places. */
VendCgroups *vend_cgroups_find_at (const VendCgroupPlaces *places, bool prepare, bool cpus)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_cgroups_free (VendCgroups *cgroups);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCgroups, vend_cgroups_free)

/* Makes the next move of a process into a group quick: the first one waits until the kernel has
 * seen every CPU come by, 5 to 17 ms, those of the 15 ms after it do not. This moves the calling
 * process into the group that it is in, waits for that, and changes nothing. Any thread. */
void vend_cgroups_rouse (const VendCgroups *cgroups);

bool vend_cgroups_have (const VendCgroups *cgroups, VendCgroupKind kind);
/* With every controller; without `cpus` that one may be missing. */
bool vend_cgroups_have_all (const VendCgroups *cgroups, bool cpus);
/* "cgroups v1 (memory, cpu, pids)"; free with g_free. */
char *vend_cgroups_describe (const VendCgroups *cgroups) G_GNUC_WARN_UNUSED_RESULT;

/* {"memory": {"version": 1, "path": "…"}}, with those that there are. */
json_t *vend_cgroups_to_json (const VendCgroups *cgroups) G_GNUC_WARN_UNUSED_RESULT;
/* What is not understood is not there. */
VendCgroups *vend_cgroups_from_json (const json_t *object) G_GNUC_WARN_UNUSED_RESULT;

/* Writes `text` into the existing file `folder`/`name`. False leaves errno. */
bool vend_cgroup_write (const char *folder, const char *name, const char *text);
