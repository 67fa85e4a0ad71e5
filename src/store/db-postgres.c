/* PostgreSQL connections behind the operations of db.h. A writer sends what nobody looks at without
 * waiting for it; a reader sends BEGIN with its first statement, and does not wait for COMMIT. */
#include "store/postgres-private.h"
#include "base/clock.h"
#include "base/error.h"
#include <string.h>

#define CONNECT_PAUSE_US (50 * VEND_US_PER_MS)
/* One snapshot for all statements of a reader, as SQLite has it. */
#define BEGIN_READ "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

static bool
fail_lost (GError **error)
{
  return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                    "the database is not available: the connection is lost");
}

static bool
pg_exec (VendDb *base, const char *sql, GError **error)
{
  PgDb *db = (PgDb *) base;
  g_autoptr (PgResult) result = NULL;
  if (db->state == VEND_DB_LOST)
    return fail_lost (error);
  result = pg_ask (db, sql, error);
  db->in_transaction = PQtransactionStatus (db->connection) != PQTRANS_IDLE;
  db->in_group = db->in_group && db->in_transaction;
  return result != NULL;
}

/* ---- Transactions */

static bool
commit (PgDb *db, GError **error)
{
  const bool in_group = db->in_group;
  db->in_transaction = db->in_group = false;
  if (!pg_send_text (db, PG_COMMIT, "COMMIT", error) || !pg_settle (db, error))
    return false;
  if (in_group)
    db->group_no++;
  return true;
}

/* The next use of the connection takes the results, and finds a lost connection. */
static bool
end_read (PgDb *db)
{
  g_autoptr (GError) ignored = NULL;
  const bool has_begun = !db->must_begin;
  db->in_transaction = db->must_begin = false;
  if (has_begun && (!pg_send_text (db, PG_DONE, "COMMIT", &ignored) || !pg_flush (db, &ignored)))
    db->state = VEND_DB_LOST;
  return true;
}

static bool
roll_back (PgDb *db, GError **error)
{
  db->in_transaction = db->in_group = db->must_begin = false;
  g_autoptr (GError) known = NULL;
  if (!pg_settle (db, &known) && db->state == VEND_DB_LOST)
    return true;
  return pg_send_text (db, PG_DONE, "ROLLBACK", error) && pg_settle (db, error);
}

static bool
undo (PgDb *db, GError **error)
{
  g_autoptr (GError) known = NULL;
  if (!pg_settle (db, &known) && db->state == VEND_DB_LOST)
    {
      g_propagate_error (error, g_steal_pointer (&known));
      return false;
    }
  return pg_send_text (db, PG_DONE, "ROLLBACK TO job", error)
         && pg_send_text (db, PG_DONE, "RELEASE job", error) && pg_settle (db, error);
}

static bool
pg_control (VendDb *base, VendDbControl what, GError **error)
{
  PgDb *db = (PgDb *) base;
  /* A reader finds the loss, and mends it, with its first statement. */
  if (what == VEND_DB_BEGIN && db->read_only)
    {
      db->in_transaction = db->must_begin = true;
      db->has_read = false;
      return true;
    }
  if (db->state == VEND_DB_LOST)
    return what == VEND_DB_ROLL_BACK || (db->read_only && what == VEND_DB_COMMIT)
           || fail_lost (error);
  switch (what)
    {
    case VEND_DB_BEGIN:
    case VEND_DB_BEGIN_WRITE:
      db->in_transaction = true;
      return pg_send_begin (db, "BEGIN", error);
    case VEND_DB_COMMIT:
      return db->read_only ? end_read (db) : commit (db, error);
    case VEND_DB_ROLL_BACK:
      return roll_back (db, error);
    case VEND_DB_SAVE:
      return pg_send_text (db, PG_DONE, "SAVEPOINT job", error);
    case VEND_DB_RELEASE:
      return pg_settle (db, error) && pg_send_text (db, PG_DONE, "RELEASE job", error);
    case VEND_DB_UNDO:
      return undo (db, error);
    case VEND_DB_N_CONTROLS:
      break;
    }
  g_assert_not_reached ();
}

static bool
pg_in_transaction (VendDb *base)
{
  const PgDb *db = (const PgDb *) base;
  return db->in_transaction && db->state != VEND_DB_LOST;
}

/* ---- Statements */

void
pg_forget_results (PgStmt *stmt)
{
  PGresult *result;
  while ((result = g_queue_pop_head (&stmt->results)) != NULL)
    PQclear (result);
  PQclear (g_steal_pointer (&stmt->result));
}

static void
clear_values (PgStmt *stmt)
{
  for (int i = 0; i < stmt->n_values; i++)
    {
      g_free (stmt->values[i].text);
      stmt->values[i] = (PgValue){ 0 };
    }
}

static int
count_parameters (const char *sql)
{
  int n = 0;
  for (const char *c = sql; (c = strchr (c, '$')) != NULL; c++)
    n = MAX (n, (int) g_ascii_strtoll (c + 1, NULL, 10));
  return n;
}

static PgStmt *
stmt_new (PgDb *db, VendSql sql)
{
  PgStmt *stmt = g_new0 (PgStmt, 1);
  stmt->base.db = &db->base;
  stmt->sql = sql;
  stmt->n_values = count_parameters (vend_sql_text (VEND_DIALECT_POSTGRES, sql));
  g_assert (stmt->n_values <= PG_MAX_PARAMETERS);
  g_queue_init (&stmt->results);
  return stmt;
}

static void
stmt_free (PgStmt *stmt)
{
  if (stmt == NULL)
    return;
  pg_forget_results (stmt);
  clear_values (stmt);
  g_free (stmt);
}

static void
end_statement (PgDb *db, PgStmt *stmt)
{
  g_autoptr (GError) ignored = NULL;
  /* What went wrong with rows that nobody wants matters to nobody. */
  if (db->stream == stmt && !pg_end_stream (db, false, &ignored))
    g_clear_error (&ignored);
  pg_forget_results (stmt);
  stmt->has_run = false;
}

static VendStmt *
pg_prepare (VendDb *base, VendSql sql, GError **error)
{
  PgDb *db = (PgDb *) base;
  if (db->statements[sql] == NULL)
    db->statements[sql] = stmt_new (db, sql);
  PgStmt *stmt = db->statements[sql];
  end_statement (db, stmt);
  clear_values (stmt);
  return &stmt->base;
}

static void
pg_bind_int (VendStmt *base, int i, int64_t number)
{
  PgStmt *stmt = (PgStmt *) base;
  g_assert (i >= 1 && i <= stmt->n_values);
  PgValue *value = &stmt->values[i - 1];
  g_snprintf (value->number, sizeof value->number, "%" G_GINT64_FORMAT, number);
  value->is_number = true;
}

static void
pg_bind_text (VendStmt *base, int i, const char *text, gssize size)
{
  PgStmt *stmt = (PgStmt *) base;
  g_assert (i >= 1 && i <= stmt->n_values);
  PgValue *value = &stmt->values[i - 1];
  g_free (value->text);
  value->text = size < 0 ? g_strdup (text) : g_strndup (text, (gsize) size);
  value->is_number = false;
}

static bool
send (PgDb *db, PgStmt *stmt, PgKind kind, GError **error)
{
  if (db->stream != NULL && !pg_end_stream (db, true, error))
    return false;
  if (db->must_begin && !pg_send_begin (db, BEGIN_READ, error))
    return false;
  db->must_begin = false;
  return pg_send_statement (db, stmt, kind, error);
}

static bool
run_once (PgDb *db, PgStmt *stmt, GError **error)
{
  if (db->state == VEND_DB_LOST)
    return fail_lost (error);
  return send (db, stmt, PG_ROWS, error) && pg_wait_for (db, stmt, error);
}

/* The transaction of a reader begins once more on a new connection. */
static bool
begin_again (PgDb *db, GError **error)
{
  const int64_t until_us = g_get_monotonic_time () + vend_db_get_patience ();
  const bool in_transaction = db->in_transaction;
  for (;;)
    {
      g_autoptr (GError) problem = NULL;
      const bool good = pg_connect (db, &problem);
      db->must_begin = db->in_transaction = in_transaction;
      if (good)
        return true;
      db->state = VEND_DB_LOST;
      if (g_get_monotonic_time () >= until_us)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      g_usleep (CONNECT_PAUSE_US);
    }
}

/* A reader that has given nothing in this transaction may begin again. */
static bool
run (PgDb *db, PgStmt *stmt, GError **error)
{
  g_autoptr (GError) problem = NULL;
  stmt->has_run = true;
  g_ptr_array_add (db->used, stmt);
  bool good = run_once (db, stmt, &problem);
  if (!good && db->state == VEND_DB_LOST && db->read_only && !db->has_read)
    {
      g_clear_error (&problem);
      good = begin_again (db, &problem) && run_once (db, stmt, &problem);
    }
  if (good)
    return true;
  stmt->has_run = false;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

static bool
next_result (PgDb *db, PgStmt *stmt, GError **error)
{
  PQclear (g_steal_pointer (&stmt->result));
  stmt->row = 0;
  stmt->result = g_queue_pop_head (&stmt->results);
  if (stmt->result != NULL || db->stream != stmt)
    return true;
  return pg_next_streamed (db, stmt, &stmt->result, error);
}

static bool
pg_step (VendStmt *base, bool *out_row, GError **error)
{
  PgStmt *stmt = (PgStmt *) base;
  PgDb *db = (PgDb *) base->db;
  const bool is_first = !stmt->has_run;
  if (is_first && !run (db, stmt, error))
    return false;
  if (stmt->result == NULL || ++stmt->row >= PQntuples (stmt->result))
    if (!next_result (db, stmt, error))
      {
        end_statement (db, stmt);
        return false;
      }
  db->has_read = true;
  *out_row = stmt->result != NULL;
  if (!*out_row)
    end_statement (db, stmt);
  return true;
}

static bool
pg_later (VendStmt *base, GError **error)
{
  PgStmt *stmt = (PgStmt *) base;
  PgDb *db = (PgDb *) base->db;
  if (stmt->has_run)
    {
      end_statement (db, stmt);
      return true;
    }
  if (db->state == VEND_DB_LOST)
    return fail_lost (error);
  const bool good = send (db, stmt, PG_DONE, error);
  clear_values (stmt);
  return good;
}

static bool
pg_settle_sent (VendDb *base, GError **error)
{
  PgDb *db = (PgDb *) base;
  if (db->state == VEND_DB_LOST)
    return fail_lost (error);
  if (!pg_settle (db, error))
    return false;
  /* A job may have passed over the failure of a statement; the server does not. */
  return PQtransactionStatus (db->connection) != PQTRANS_INERROR
         || vend_fail (error, VEND_ERROR_STORAGE, "a statement of the transaction failed");
}

static int64_t
pg_changes (VendStmt *base)
{
  return ((PgStmt *) base)->changes;
}

static void
pg_end (VendStmt *base)
{
  end_statement ((PgDb *) base->db, (PgStmt *) base);
}

static int64_t
pg_get_int (VendStmt *base, int column)
{
  const PgStmt *stmt = (const PgStmt *) base;
  if (stmt->result == NULL || PQgetisnull (stmt->result, stmt->row, column))
    return 0;
  const char *text = PQgetvalue (stmt->result, stmt->row, column);
  return text[0] == 't' ? 1 : g_ascii_strtoll (text, NULL, 10);
}

static const char *
pg_get_text (VendStmt *base, int column, gsize *out_size)
{
  const PgStmt *stmt = (const PgStmt *) base;
  *out_size = 0;
  if (stmt->result == NULL || PQgetisnull (stmt->result, stmt->row, column))
    return NULL;
  *out_size = (gsize) PQgetlength (stmt->result, stmt->row, column);
  return PQgetvalue (stmt->result, stmt->row, column);
}

static void
pg_reset (VendDb *base)
{
  PgDb *db = (PgDb *) base;
  for (guint i = 0; i < db->used->len; i++)
    {
      PgStmt *stmt = g_ptr_array_index (db->used, i);
      if (stmt->has_run)
        end_statement (db, stmt);
    }
  g_ptr_array_set_size (db->used, 0);
}

static void
pg_close (VendDb *base)
{
  PgDb *db = (PgDb *) base;
  pg_disconnect (db);
  for (gsize i = 0; i < VEND_SQL_N; i++)
    stmt_free (db->statements[i]);
  g_ptr_array_unref (db->used);
  g_array_unref (db->expected);
  /* It may hold a password. */
  memset (db->url, 0, strlen (db->url));
  g_free (db->url);
  g_free (db->holder);
  g_free (db);
}

static const VendDbOps pg_ops = {
  .dialect = VEND_DIALECT_POSTGRES,
  .writer = &pg_writer_ops,
  .exec = pg_exec,
  .control = pg_control,
  .prepare = pg_prepare,
  .bind_int = pg_bind_int,
  .bind_text = pg_bind_text,
  .step = pg_step,
  .later = pg_later,
  .settle = pg_settle_sent,
  .changes = pg_changes,
  .end = pg_end,
  .get_int = pg_get_int,
  .get_text = pg_get_text,
  .reset = pg_reset,
  .in_transaction = pg_in_transaction,
  .close = pg_close,
};

bool
vend_db_open_postgres (const char *url, bool read_only, VendDb **out, GError **error)
{
  PgDb *db = g_new0 (PgDb, 1);
  db->base.ops = &pg_ops;
  db->url = g_strdup (url);
  db->read_only = read_only;
  db->used = g_ptr_array_new ();
  db->expected = g_array_new (FALSE, FALSE, sizeof (PgExpected));
  g_autoptr (VendDb) owned = &db->base;
  if (!pg_connect (db, error))
    return false;
  *out = g_steal_pointer (&owned);
  return true;
}
