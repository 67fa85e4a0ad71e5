/* SQLite connections: WAL, full sync, prepared statements cached by catalogue number. */
#include "store/db.h"
#include "base/error.h"
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#define BUSY_TIMEOUT_MS 10000

typedef struct
{
  VendStmt base;
  sqlite3_stmt *handle;
  int64_t changes;
  bool open; /* gave a row and was not stepped to its end */
} SqliteStmt;

/* Statements around every transaction; prepared once, since parsing costs more than running
 * them. */
static const char *const control_texts[VEND_DB_N_CONTROLS] = {
  [VEND_DB_BEGIN] = "BEGIN",          [VEND_DB_BEGIN_WRITE] = "BEGIN IMMEDIATE",
  [VEND_DB_COMMIT] = "COMMIT",        [VEND_DB_ROLL_BACK] = "ROLLBACK",
  [VEND_DB_SAVE] = "SAVEPOINT job",   [VEND_DB_RELEASE] = "RELEASE job",
  [VEND_DB_UNDO] = "ROLLBACK TO job",
};

typedef struct
{
  VendDb base;
  sqlite3 *handle;
  SqliteStmt statements[VEND_SQL_N];
  guint n_open;
  sqlite3_stmt *controls[VEND_DB_N_CONTROLS];
} SqliteDb;

static VendError
last_error (sqlite3 *handle)
{
  switch (sqlite3_extended_errcode (handle))
    {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return VEND_ERROR_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return VEND_ERROR_CONFLICT;
    case SQLITE_FULL:
      return VEND_ERROR_NO_SPACE;
    default:
      /* A failed sync or write tells the cause by errno. */
      return sqlite3_errcode (handle) == SQLITE_IOERR
                     && (sqlite3_system_errno (handle) == ENOSPC
                         || sqlite3_system_errno (handle) == EFBIG)
                 ? VEND_ERROR_NO_SPACE
                 : VEND_ERROR_STORAGE;
    }
}

static bool
fail (SqliteDb *db, const char *what, GError **error)
{
  return vend_fail (error, last_error (db->handle), "%s: %s", what, sqlite3_errmsg (db->handle));
}

static bool
run_control (SqliteDb *db, VendDbControl i, GError **error)
{
  sqlite3_stmt **control = &db->controls[i];
  if (*control == NULL
      && sqlite3_prepare_v3 (db->handle, control_texts[i], -1, SQLITE_PREPARE_PERSISTENT, control,
                             NULL)
             != SQLITE_OK)
    return fail (db, control_texts[i], error);
  const bool good = sqlite3_step (*control) == SQLITE_DONE || fail (db, control_texts[i], error);
  sqlite3_reset (*control);
  return good;
}

static bool
sqlite_control (VendDb *base, VendDbControl what, GError **error)
{
  SqliteDb *db = (SqliteDb *) base;
  return run_control (db, what, error)
         && (what != VEND_DB_UNDO || run_control (db, VEND_DB_RELEASE, error));
}

static bool
sqlite_exec (VendDb *base, const char *sql, GError **error)
{
  SqliteDb *db = (SqliteDb *) base;
  return sqlite3_exec (db->handle, sql, NULL, NULL, NULL) == SQLITE_OK || fail (db, sql, error);
}

/* The catalogue numbers parameters as $1. SQLite takes $1 for a name and numbers it by appearance;
 * ?1 is a number. */
static char *
number_parameters (const char *sql)
{
  char *text = g_strdup (sql);
  for (char *c = text; *c != '\0'; c++)
    if (*c == '$' && g_ascii_isdigit (c[1]))
      *c = '?';
  return text;
}

static void
end_statement (SqliteStmt *stmt)
{
  sqlite3_reset (stmt->handle);
  if (stmt->open)
    ((SqliteDb *) stmt->base.db)->n_open--;
  stmt->open = false;
}

static VendStmt *
sqlite_prepare (VendDb *base, VendSql sql, GError **error)
{
  SqliteDb *db = (SqliteDb *) base;
  SqliteStmt *stmt = &db->statements[sql];
  if (stmt->handle != NULL)
    {
      end_statement (stmt);
      sqlite3_clear_bindings (stmt->handle);
      return &stmt->base;
    }
  g_autofree char *text = number_parameters (vend_sql_text (VEND_DIALECT_SQLITE, sql));
  if (sqlite3_prepare_v3 (db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt->handle, NULL)
      != SQLITE_OK)
    {
      fail (db, vend_sql_name (sql), error);
      return NULL;
    }
  return &stmt->base;
}

static void
sqlite_bind_int (VendStmt *base, int i, int64_t value)
{
  int rc = sqlite3_bind_int64 (((SqliteStmt *) base)->handle, i, value);
  g_assert (rc == SQLITE_OK);
}

static void
sqlite_bind_text (VendStmt *base, int i, const char *text, gssize size)
{
  gsize length = size < 0 ? strlen (text) : (gsize) size;
  int rc = sqlite3_bind_text64 (((SqliteStmt *) base)->handle, i, text, length, SQLITE_TRANSIENT,
                                SQLITE_UTF8);
  /* TOOBIG is left to step, which then meets a NOT NULL column or stores NULL; bodies are bounded
   * far below SQLite's limit. */
  g_assert (rc == SQLITE_OK || rc == SQLITE_TOOBIG);
}

static bool
sqlite_step (VendStmt *base, bool *out_row, GError **error)
{
  SqliteStmt *stmt = (SqliteStmt *) base;
  SqliteDb *db = (SqliteDb *) base->db;
  int rc = sqlite3_step (stmt->handle);
  if (rc != SQLITE_ROW && rc != SQLITE_DONE)
    {
      fail (db, vend_sql_name ((VendSql) (stmt - db->statements)), error);
      end_statement (stmt);
      return false;
    }
  if (rc == SQLITE_DONE)
    {
      stmt->changes = sqlite3_changes64 (db->handle);
      end_statement (stmt);
    }
  else if (!stmt->open)
    {
      stmt->open = true;
      db->n_open++;
    }
  *out_row = rc == SQLITE_ROW;
  return true;
}

static int64_t
sqlite_changes (VendStmt *base)
{
  return ((SqliteStmt *) base)->changes;
}

static void
sqlite_end (VendStmt *base)
{
  end_statement ((SqliteStmt *) base);
}

static int64_t
sqlite_get_int (VendStmt *base, int column)
{
  return sqlite3_column_int64 (((SqliteStmt *) base)->handle, column);
}

static const char *
sqlite_get_text (VendStmt *base, int column, gsize *out_size)
{
  sqlite3_stmt *handle = ((SqliteStmt *) base)->handle;
  const char *text = (const char *) sqlite3_column_text (handle, column);
  *out_size = text != NULL ? (gsize) sqlite3_column_bytes (handle, column) : 0;
  return text;
}

static void
sqlite_reset (VendDb *base)
{
  SqliteDb *db = (SqliteDb *) base;
  for (gsize i = 0; db->n_open > 0 && i < VEND_SQL_N; i++)
    if (db->statements[i].open)
      end_statement (&db->statements[i]);
}

static bool
sqlite_in_transaction (VendDb *base)
{
  return sqlite3_get_autocommit (((SqliteDb *) base)->handle) == 0;
}

static void
sqlite_close (VendDb *base)
{
  SqliteDb *db = (SqliteDb *) base;
  for (gsize i = 0; i < VEND_SQL_N; i++)
    sqlite3_finalize (db->statements[i].handle);
  for (gsize i = 0; i < G_N_ELEMENTS (control_texts); i++)
    sqlite3_finalize (db->controls[i]);
  sqlite3_close (db->handle);
  g_free (db);
}

static const VendDbOps sqlite_ops = {
  .dialect = VEND_DIALECT_SQLITE,
  .exec = sqlite_exec,
  .control = sqlite_control,
  .prepare = sqlite_prepare,
  .bind_int = sqlite_bind_int,
  .bind_text = sqlite_bind_text,
  .step = sqlite_step,
  .changes = sqlite_changes,
  .end = sqlite_end,
  .get_int = sqlite_get_int,
  .get_text = sqlite_get_text,
  .reset = sqlite_reset,
  .in_transaction = sqlite_in_transaction,
  .close = sqlite_close,
};

bool
vend_db_open_sqlite (const char *path, bool read_only, VendDb **out, GError **error)
{
  SqliteDb *db = g_new0 (SqliteDb, 1);
  g_autoptr (VendDb) owned = &db->base;
  db->base.ops = &sqlite_ops;
  for (gsize i = 0; i < VEND_SQL_N; i++)
    db->statements[i].base.db = &db->base;

  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2 (path, &db->handle, flags, NULL) != SQLITE_OK)
    return vend_fail (error, VEND_ERROR_STORAGE, "open database '%s': %s", path,
                      sqlite3_errmsg (db->handle));
  sqlite3_extended_result_codes (db->handle, 1);
  sqlite3_busy_timeout (db->handle, BUSY_TIMEOUT_MS);
  /* FULL: a commit survives a power cut, as a 201 promises. The larger checkpoint interval keeps
   * the database file out of the way of bursts. */
  if (!vend_db_exec (
          owned,
          "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
          "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;"
          "PRAGMA temp_store = MEMORY",
          error)
      || (read_only && !vend_db_exec (owned, "PRAGMA query_only = ON", error)))
    return false;
  *out = g_steal_pointer (&owned);
  return true;
}
