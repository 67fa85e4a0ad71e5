/* Migrations: numbered SQL files, applied in order, each in a transaction of its own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "store/db.h"

/* Brings the schema up to this program's version; a newer database is CONFLICT. */
bool vend_migrate (VendDb *db, int64_t now_us, GError **error) G_GNUC_WARN_UNUSED_RESULT;
