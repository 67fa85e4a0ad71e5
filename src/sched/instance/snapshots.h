/* Which instances start after setup(): what a snapshot of their version is made from. Core thread.
 */
#pragma once
#include "sched/instance/instance.h"
#include "sched/instance/zygotes.h"

/* The one that fits `instance`, whose imports a zygote of `imports` holds; or NULL when there must
 * be none. `dir` is that of the zygotes. Free with vend_zygote_spec_free. */
VendZygoteSpec *vend_snapshot_spec (const Instance *instance, const VendZygoteSpec *imports,
                                    const char *dir, const char *launcher_dir);

/* Removes the folder of a snapshot or of a trial, and ends the processes that belong there. Blocks.
 */
void vend_snapshot_dir_remove (const char *dir);
/* The same for all that those of an earlier server left. */
void vend_snapshots_sweep (const char *dir);
