/* Migrations: numbered SQL files, applied in order, each in a transaction of its own. */
#include "store/migrate.h"
#include "base/error.h"
#include "base/log.h"

static bool
current_number (VendDb *db, int64_t *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MIGRATION_LAST, error);
  bool row = false;
  if (stmt == NULL || !vend_stmt_step (stmt, &row, error))
    return false;
  *out = row ? vend_stmt_get_int (stmt, 0) : 0;
  return vend_stmt_run (stmt, NULL, error);
}

static bool
is_applied (VendDb *db, int number, bool *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MIGRATION_APPLIED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, number);
  if (!vend_stmt_step (stmt, out, error))
    return false;
  vend_db_reset (db);
  return true;
}

static bool
apply (VendDb *db, const VendMigration *migration, int64_t now_us, GError **error)
{
  VendStmt *stmt = NULL;
  if (vend_db_control (db, VEND_DB_BEGIN_WRITE, error)
      && vend_db_exec (db, migration->sql[vend_db_dialect (db)], error)
      && (stmt = vend_db_stmt (db, VEND_SQL_MIGRATION_INSERT, error)) != NULL)
    {
      vend_stmt_int (stmt, 1, migration->number);
      vend_stmt_int (stmt, 2, now_us);
      if (vend_stmt_run (stmt, NULL, error) && vend_db_control (db, VEND_DB_COMMIT, error))
        return true;
    }
  g_prefix_error (error, "migration %s: ", migration->name);
  g_autoptr (GError) ignored = NULL;
  if (!vend_db_control (db, VEND_DB_ROLL_BACK, &ignored))
    vend_log (VEND_LOG_WARN, "rollback failed", "error", ignored->message, NULL);
  return false;
}

bool
vend_migrate_is_due (VendDb *db, bool *out_due, int64_t *out_have, GError **error)
{
  if (!vend_db_exec (db, vend_sql_text (vend_db_dialect (db), VEND_SQL_MIGRATION_TABLE), error)
      || !current_number (db, out_have, error))
    return false;
  vend_db_reset (db);
  *out_due = *out_have > 0 && *out_have < vend_migrate_last ();
  return true;
}

int64_t
vend_migrate_last (void)
{
  gsize n = 0;
  const VendMigration *migrations = vend_migrations (&n);
  return migrations[n - 1].number;
}

bool
vend_migrate_check (int64_t number, GError **error)
{
  return number <= vend_migrate_last ()
         || vend_fail (error, VEND_ERROR_CONFLICT,
                       "the database has schema %" G_GINT64_FORMAT
                       ", this vend knows %" G_GINT64_FORMAT ": use a newer "
                       "vend, or another --data directory",
                       number, vend_migrate_last ());
}

bool
vend_migrate (VendDb *db, int64_t now_us, GError **error)
{
  gsize n = 0;
  int64_t have = 0;
  const VendMigration *migrations = vend_migrations (&n);
  if (!vend_db_exec (db, vend_sql_text (vend_db_dialect (db), VEND_SQL_MIGRATION_TABLE), error)
      || !current_number (db, &have, error) || !vend_migrate_check (have, error))
    return false;
  /* Each by itself: a development tree may have applied a higher number before a lower one. */
  for (gsize i = 0; i < n; i++)
    {
      bool applied = false;
      if (!is_applied (db, migrations[i].number, &applied, error)
          || (!applied && !apply (db, &migrations[i], now_us, error)))
        return false;
    }
  return true;
}
