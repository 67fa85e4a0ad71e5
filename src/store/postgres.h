/* PostgreSQL connections: a `postgres://` URL as libpq reads it, and what libpq adds to it from its
 * environment and files. A connection belongs to one thread at a time, and blocks on the network.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "store/db.h"

bool vend_postgres_is_url (const char *place);

/* Refuses, with a sentence, a server that is too old, and a database whose texts are not in UTF-8
 * or not in the order of their bytes. UNAVAILABLE when there is no server. */
bool vend_db_open_postgres (const char *url, bool read_only, VendDb **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
