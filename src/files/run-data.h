/* Removal of the data of runs: input, output, logs and files; the row stays, and its link is taken
 * back. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "store/db.h"

/* Inside a transaction. `contents` (of char *, owned) gets the SHA-256 of files that lost a row:
 * their blobs may be unused now. What was kept as an example stays with the example. */
bool vend_run_data_remove (VendDb *db, const char *id, int64_t now_us, GPtrArray *contents,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
