/* Reads of an audit. */
#include "store/audit.h"
#include "base/error.h"
#include "store/postgres.h"

static bool
check_migrations (VendDb *db, GError **error)
{
  gsize n = 0;
  const VendMigration *migrations = vend_migrations (&n);
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_AUDIT_MIGRATION, error);
  if (stmt == NULL || !vend_stmt_one (stmt, "migration", error))
    return false;
  const int64_t have = vend_stmt_get_int (stmt, 0);
  vend_db_reset (db);
  if (have == migrations[n - 1].number)
    return true;
  return vend_fail (error, VEND_ERROR_CONFLICT,
                    "the database has schema %" G_GINT64_FORMAT
                    ", this vend knows %d: use the vend that serves it",
                    have, migrations[n - 1].number);
}

static bool
open_beside (const char *path, bool read_only, VendDb **out, GError **error)
{
  g_autoptr (VendDb) db = NULL;
  if (!vend_postgres_is_url (path) && !g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no database '%s'", path);
  if (!vend_db_open (path, read_only, &db, error) || !check_migrations (db, error))
    return false;
  *out = g_steal_pointer (&db);
  return true;
}

bool
vend_store_audit_open (const char *path, VendDb **out, GError **error)
{
  return open_beside (path, true, out, error);
}

bool
vend_store_beside_open (const char *path, VendDb **out, GError **error)
{
  return open_beside (path, false, out, error);
}

bool
vend_store_audit_begin (VendDb *db, GError **error)
{
  return vend_db_control (db, VEND_DB_BEGIN, error);
}

bool
vend_store_audit_end (VendDb *db, GError **error)
{
  vend_db_reset (db);
  return vend_db_control (db, VEND_DB_COMMIT, error);
}

static bool
each_row (VendStmt *stmt, bool is_numbered, VendStoreAuditSeen seen, void *data, GError **error)
{
  for (;;)
    {
      bool row = false;
      if (!vend_stmt_step (stmt, &row, error))
        return false;
      if (!row)
        return true;
      seen (vend_stmt_get_text (stmt, 0), vend_stmt_get_text (stmt, 1),
            is_numbered ? vend_stmt_get_int (stmt, 2) : 0, data);
    }
}

bool
vend_store_audit_damage (VendDb *db, VendSql statement, int limit, VendStoreAuditSeen seen,
                         void *data, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, statement, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, limit);
  return each_row (stmt, false, seen, data, error);
}

static bool
each_of (VendDb *db, VendSql statement, VendStoreAuditSeen seen, void *data, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, statement, error);
  return stmt != NULL && each_row (stmt, true, seen, data, error);
}

bool
vend_store_audit_contents (VendDb *db, VendStoreAuditSeen seen, void *data, GError **error)
{
  return each_of (db, VEND_SQL_AUDIT_CONTENTS, seen, data, error);
}

bool
vend_store_audit_open_predictions (VendDb *db, VendStoreAuditSeen seen, void *data, GError **error)
{
  return each_of (db, VEND_SQL_AUDIT_OPEN, seen, data, error);
}

bool
vend_store_audit_versions (VendDb *db, VendStoreAuditSeen seen, void *data, GError **error)
{
  return each_of (db, VEND_SQL_AUDIT_VERSIONS, seen, data, error);
}

bool
vend_store_audit_is_open (VendDb *db, const char *prediction, bool *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_AUDIT_IS_OPEN, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, prediction);
  return vend_stmt_step (stmt, out, error);
}
