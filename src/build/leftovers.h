/* Folders below the data directory that nothing needs any more: versions, environments, staging of
 * builds, old logs. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "runner/runner.h"
#include "store/store.h"

/* In front of the name of a folder in `versions` that a build fills, and in `venvs` and `versions`
 * of one that is being removed. */
#define VEND_STAGING_PREFIX "."

typedef struct
{
  VendStore *store;
  const char *builds_dir;
  const char *versions_dir;
  const char *venvs_dir;
  VendRunner *runner;
} VendLeftovers;

/* Takes out of the way what has no use, with one quick step each; what goes is still to be removed.
 * No build may run meanwhile. `unused_us`: how long ago a build must have used an environment. */
bool vend_leftovers_set_aside (const VendLeftovers *where, int64_t unused_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Removes what was set aside, which takes its time. Builds may run. */
void vend_leftovers_remove (const VendLeftovers *where);
