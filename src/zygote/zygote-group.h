/* The control groups of a zygote, which keep imports from taking all of the machine's memory or
 * processes. A file `KEY.groups` says where they are, from before they are made until they are
 * gone: the next server finds those of one that was killed. Threads: any; all of it blocks on disk
 * and on /sys. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "cgroup/group.h"

/* Makes those of the zygote `key`, a plain word. `memory` is in bytes. `*out` is NULL where this
 * machine lets us make none; free with vend_cgroup_free, which leaves the groups. */
bool vend_zygote_group_make (const VendCgroups *bases, const char *dir, const char *key,
                             uint64_t memory, VendCgroup **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Also ends what is left in them; what was forked for a launcher has moved on. One that never was
 * is fine, and what cannot be removed is logged and stays for the next server. */
void vend_zygote_group_remove (const char *dir, const char *key);
/* All of earlier servers. */
void vend_zygote_groups_sweep (const char *dir);
