/* The database as the last version of Vend left it, kept before a migration changes it. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "store/db.h"

/* Copies the database at `path` to `path`.before-N, N being the first migration that it lacks, when
 * it lacks one; then removes older copies. Nothing when `path` is the URL of a server. Blocks for
 * as long as the disk takes. */
bool vend_store_keep_old (VendDb *db, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
