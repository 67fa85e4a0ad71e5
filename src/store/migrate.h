/* Migrations: numbered SQL files, applied in order, each in a transaction of its own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "store/db.h"

/* Whether a database that is in use lacks migrations; false for a new one. `*out_have` is the
 * number of its last one. */
bool vend_migrate_is_due (VendDb *db, bool *out_due, int64_t *out_have, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The number of the last migration of this program. */
int64_t vend_migrate_last (void);
/* CONFLICT for the number of a newer program. */
bool vend_migrate_check (int64_t number, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Migrates the schema to this program's version; CONFLICT for a newer database. */
bool vend_migrate (VendDb *db, int64_t now_us, GError **error) G_GNUC_WARN_UNUSED_RESULT;
