/* Migrations: numbered SQL files, applied in order, each in a transaction of its own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "store/db.h"

/* Migrates the schema to this program's version; CONFLICT for a newer database. */
bool vend_migrate (VendDb *db, int64_t now_us, GError **error) G_GNUC_WARN_UNUSED_RESULT;
