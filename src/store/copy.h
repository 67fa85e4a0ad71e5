/* A copy of a database that a server may be writing to. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Writes the database at `from`, a file or one on a server, as it is at one moment, to the new
 * SQLite file `to`, durably. Blocks for
 * as long as the disk takes; the server goes on meanwhile. NOT_FOUND when there is none. */
bool vend_store_copy (const char *from, const char *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;
