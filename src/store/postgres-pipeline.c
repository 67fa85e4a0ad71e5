/* Sending statements without waiting, and taking their results in order. */
#include "store/postgres-private.h"
#include "base/error.h"
#include <string.h>

/* The server begins to work while the rest of a group is put together. */
#define FLUSH_BYTES (32 * 1024)
/* What is read and dropped of a list that nobody wants to the end; past it the connection is
 * cheaper. */
#define MAX_DROPPED (1024 * 1024)

static VendError
code_of (const char *state)
{
  if (state == NULL)
    return VEND_ERROR_STORAGE;
  if (strcmp (state, "23505") == 0)
    return VEND_ERROR_EXISTS;
  if (strcmp (state, "23503") == 0)
    return VEND_ERROR_CONFLICT;
  return strcmp (state, "53100") == 0 ? VEND_ERROR_NO_SPACE : VEND_ERROR_STORAGE;
}

/* The group of another server was begun; see postgres-writer.c. */
static bool
is_taken (const char *state, const PGresult *result)
{
  return g_strcmp0 (state, "23502") == 0
         && g_strcmp0 (PQresultErrorField (result, PG_DIAG_TABLE_NAME), "control_planes") == 0;
}

/* Of this connection, which the server closes next, or has closed: what it did before is not known.
 * Errors without a state are those of libpq itself, which may take a broken connection for a good
 * one until it reads on. */
static bool
is_last (const PGresult *result)
{
  if (result != NULL && PQresultStatus (result) == PGRES_FATAL_ERROR
      && PQresultErrorField (result, PG_DIAG_SQLSTATE) == NULL)
    return true;
  const char *severity
      = result != NULL ? PQresultErrorField (result, PG_DIAG_SEVERITY_NONLOCALIZED) : NULL;
  return g_strcmp0 (severity, "FATAL") == 0 || g_strcmp0 (severity, "PANIC") == 0;
}

void
pg_fail (PgDb *db, const char *what, const PGresult *result, GError **error)
{
  const char *state = result != NULL ? PQresultErrorField (result, PG_DIAG_SQLSTATE) : NULL;
  const char *primary
      = result != NULL ? PQresultErrorField (result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
  g_autofree char *text = g_strdup (primary != NULL ? primary : PQerrorMessage (db->connection));
  g_strstrip (text);
  if (PQstatus (db->connection) == CONNECTION_BAD || is_last (result))
    {
      db->state = VEND_DB_LOST;
      vend_fail (error, VEND_ERROR_UNAVAILABLE, "the database is not available: %s: %s", what,
                 text);
    }
  else if (is_taken (state, result))
    {
      db->state = VEND_DB_TAKEN;
      vend_fail (error, VEND_ERROR_CONFLICT, "another server has taken over the database");
    }
  else
    vend_fail (error, code_of (state), "%s: %s", what, text);
}

static bool
fail_sent (PgDb *db, const char *what, GError **error)
{
  pg_fail (db, what, NULL, error);
  return false;
}

static void
expect (PgDb *db, PgKind kind, PgStmt *stmt)
{
  const PgExpected entry = { kind, stmt };
  g_array_append_val (db->expected, entry);
}

bool
pg_flush (PgDb *db, GError **error)
{
  db->unsent = 0;
  return PQflush (db->connection) >= 0 || fail_sent (db, "send", error);
}

bool
pg_send_text (PgDb *db, PgKind kind, const char *sql, GError **error)
{
  if (PQsendQueryParams (db->connection, sql, 0, NULL, NULL, NULL, NULL, 0) != 1)
    return fail_sent (db, sql, error);
  expect (db, kind, NULL);
  return true;
}

bool
pg_send_begin (PgDb *db, const char *sql, GError **error)
{
  if (db->ran_outside)
    {
      if (PQpipelineSync (db->connection) != 1)
        return fail_sent (db, sql, error);
      expect (db, PG_SYNC, NULL);
      db->ran_outside = false;
    }
  return pg_send_text (db, PG_DONE, sql, error);
}

bool
pg_send_prepare (PgDb *db, PgStmt *stmt, const char *name, const char *sql, GError **error)
{
  if (PQsendPrepare (db->connection, name, sql, 0, NULL) != 1)
    return fail_sent (db, name, error);
  expect (db, PG_PREPARE, stmt);
  return true;
}

bool
pg_send_named (PgDb *db, const char *name, int n, const char *const *values, GError **error)
{
  if (PQsendQueryPrepared (db->connection, name, n, values, NULL, NULL, 0) != 1)
    return fail_sent (db, name, error);
  expect (db, PG_DONE, NULL);
  return true;
}

bool
pg_send_statement (PgDb *db, PgStmt *stmt, PgKind kind, GError **error)
{
  const char *name = vend_sql_name (stmt->sql);
  const char *values[PG_MAX_PARAMETERS];
  if (!stmt->is_prepared)
    {
      if (!pg_send_prepare (db, stmt, name, vend_sql_text (VEND_DIALECT_POSTGRES, stmt->sql),
                            error))
        return false;
      stmt->is_prepared = true;
    }
  for (int i = 0; i < stmt->n_values; i++)
    {
      const PgValue *value = &stmt->values[i];
      values[i] = value->is_number ? value->number : value->text;
      db->unsent += values[i] != NULL ? strlen (values[i]) : 0;
    }
  if (PQsendQueryPrepared (db->connection, name, stmt->n_values, values, NULL, NULL, 0) != 1)
    return fail_sent (db, name, error);
  expect (db, kind, stmt);
  db->ran_outside |= !db->in_transaction;
  return db->unsent < FLUSH_BYTES || pg_flush (db, error);
}

/* ---- Results */

static void
note_problem (PgDb *db, const PgExpected *entry, const PGresult *result)
{
  const char *what = entry->stmt != NULL        ? vend_sql_name (entry->stmt->sql)
                     : entry->kind == PG_COMMIT ? "COMMIT"
                                                : "transaction";
  if (db->problem == NULL)
    pg_fail (db, what, result, &db->problem);
}

static void
take_result (PgDb *db, const PgExpected *entry, PGresult *take)
{
  g_autoptr (PgResult) result = take;
  switch (PQresultStatus (result))
    {
    case PGRES_COMMAND_OK:
      if (entry->kind == PG_COMMIT && strcmp (PQcmdStatus (result), "COMMIT") != 0
          && db->problem == NULL)
        vend_fail (&db->problem, VEND_ERROR_STORAGE, "the transaction was undone");
      break;
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_PIPELINE_SYNC:
      break;
    case PGRES_PIPELINE_ABORTED:
      if (entry->kind == PG_PREPARE && entry->stmt != NULL)
        entry->stmt->is_prepared = false;
      return;
    default:
      if (entry->kind == PG_PREPARE && entry->stmt != NULL)
        entry->stmt->is_prepared = false;
      note_problem (db, entry, result);
      return;
    }
  if (entry->kind != PG_ROWS)
    return;
  const char *changes = PQcmdTuples (result);
  entry->stmt->changes = changes[0] != '\0' ? g_ascii_strtoll (changes, NULL, 10) : 0;
  if (PQntuples (result) > 0)
    g_queue_push_tail (&entry->stmt->results, g_steal_pointer (&result));
}

static bool
is_lost (PgDb *db)
{
  if (PQstatus (db->connection) != CONNECTION_BAD && db->state != VEND_DB_LOST)
    return false;
  if (db->problem == NULL)
    pg_fail (db, "read", NULL, &db->problem);
  db->state = VEND_DB_LOST;
  g_array_set_size (db->expected, 0);
  db->n_taken = 0;
  db->stream = NULL;
  return true;
}

/* Takes the results of the oldest entry. */
static void
take_oldest (PgDb *db)
{
  const PgExpected entry = g_array_index (db->expected, PgExpected, db->n_taken);
  PGresult *result;
  while ((result = PQgetResult (db->connection)) != NULL)
    {
      const bool is_sync = PQresultStatus (result) == PGRES_PIPELINE_SYNC;
      take_result (db, &entry, result);
      if (is_sync)
        break;
    }
  if (is_lost (db))
    return;
  if (++db->n_taken == db->expected->len)
    {
      g_array_set_size (db->expected, 0);
      db->n_taken = 0;
    }
}

static bool
has_expected (const PgDb *db)
{
  return db->n_taken < db->expected->len;
}

static bool
move_problem (PgDb *db, GError **error)
{
  if (db->problem == NULL)
    return true;
  g_propagate_error (error, g_steal_pointer (&db->problem));
  return false;
}

/* After a failure the server drops what it is sent until a sync. */
static void
sync_all (PgDb *db)
{
  if (db->stream != NULL && !pg_end_stream (db, true, &db->problem))
    return;
  if (PQpipelineSync (db->connection) != 1)
    {
      is_lost (db);
      return;
    }
  expect (db, PG_SYNC, NULL);
  while (has_expected (db))
    take_oldest (db);
}

bool
pg_settle (PgDb *db, GError **error)
{
  if (!is_lost (db) && (has_expected (db) || db->problem != NULL))
    sync_all (db);
  return move_problem (db, error);
}

static PgExpected *
oldest (PgDb *db)
{
  return has_expected (db) ? &g_array_index (db->expected, PgExpected, db->n_taken) : NULL;
}

static bool
ask_for_results (PgDb *db, GError **error)
{
  return (PQsendFlushRequest (db->connection) == 1 && PQflush (db->connection) >= 0)
         || fail_sent (db, "send", error);
}

bool
pg_wait_for (PgDb *db, PgStmt *stmt, GError **error)
{
  if (!ask_for_results (db, error))
    return false;
  db->unsent = 0;
  bool is_there = false;
  while (!is_there && has_expected (db) && db->problem == NULL)
    {
      const PgExpected *next = oldest (db);
      is_there = next->kind == PG_ROWS && next->stmt == stmt;
      if (is_there && db->read_only)
        {
          db->stream = stmt;
          PQsetSingleRowMode (db->connection);
          return true;
        }
      take_oldest (db);
    }
  return db->problem == NULL || pg_settle (db, error);
}

/* ---- Rows one by one */

/* Takes the end of a stream, whose entry is the oldest. */
static void
close_stream (PgDb *db)
{
  db->stream = NULL;
  take_oldest (db);
}

bool
pg_next_streamed (PgDb *db, PgStmt *stmt, PGresult **out, GError **error)
{
  g_autoptr (PgResult) result = PQgetResult (db->connection);
  if (PQresultStatus (result) == PGRES_SINGLE_TUPLE)
    {
      *out = g_steal_pointer (&result);
      return true;
    }
  *out = NULL;
  const PgExpected entry = { PG_ROWS, stmt };
  if (result != NULL)
    take_result (db, &entry, g_steal_pointer (&result));
  close_stream (db);
  return db->problem == NULL || pg_settle (db, error);
}

/* The transaction goes on, from a later snapshot, when there is a further statement in it. */
static void
leave_connection (PgDb *db)
{
  const bool in_transaction = db->in_transaction;
  pg_disconnect (db);
  db->state = VEND_DB_LOST;
  db->in_transaction = in_transaction;
  db->has_read = false;
}

bool
pg_end_stream (PgDb *db, bool keep, GError **error)
{
  PgStmt *stmt = db->stream;
  gsize dropped = 0;
  while (db->stream != NULL)
    {
      PGresult *row = NULL;
      if (!pg_next_streamed (db, stmt, &row, error))
        return false;
      if (row != NULL && keep)
        g_queue_push_tail (&stmt->results, row);
      else if (row != NULL)
        {
          dropped += PQresultMemorySize (row);
          PQclear (row);
        }
      if (dropped > MAX_DROPPED)
        leave_connection (db);
    }
  return true;
}

/* ---- Queries of their own */

PGresult *
pg_ask (PgDb *db, const char *sql, GError **error)
{
  return pg_ask_with (db, sql, 0, NULL, error);
}

PGresult *
pg_ask_with (PgDb *db, const char *sql, int n, const char *const *values, GError **error)
{
  const bool in_pipeline = PQpipelineStatus (db->connection) != PQ_PIPELINE_OFF;
  if (in_pipeline && (!pg_settle (db, error) || PQexitPipelineMode (db->connection) != 1))
    return NULL;
  /* Without values it may be several statements. */
  g_autoptr (PgResult) result
      = n == 0 ? PQexec (db->connection, sql)
               : PQexecParams (db->connection, sql, n, NULL, values, NULL, NULL, 0);
  const ExecStatusType status = PQresultStatus (result);
  const bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
  if (!good)
    pg_fail (db, "database", result, error);
  if (in_pipeline && PQstatus (db->connection) == CONNECTION_OK)
    PQenterPipelineMode (db->connection);
  return good ? g_steal_pointer (&result) : NULL;
}
