/* Connecting to PostgreSQL, and what a database must be like. */
#include "store/postgres-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include <string.h>

#define LEAST_VERSION 130000
#define HOW_TO_MAKE "createdb -T template0 -E UTF8 --lc-collate=C --lc-ctype=C.UTF-8 NAME"

/* A network that drops everything is noticed within these; the URL has the last word. */
static const char *const names[] = { "fallback_application_name",
                                     "connect_timeout",
                                     "tcp_user_timeout",
                                     "keepalives_idle",
                                     "keepalives_interval",
                                     "keepalives_count",
                                     "dbname",
                                     "client_encoding",
                                     NULL };
static const char *const values[] = { "vend", "5", "15000", "5", "5", "3" };

/* The server notices a lost client as soon, and lets go of its locks. */
#define SESSION \
  "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; " \
  "SET tcp_keepalives_count = 3; SET tcp_user_timeout = 15000; " \
  "SET client_min_messages = warning; SET standard_conforming_strings = on; " \
  "SET default_transaction_isolation = 'read committed'; "

bool
vend_postgres_is_url (const char *place)
{
  return g_str_has_prefix (place, "postgres://") || g_str_has_prefix (place, "postgresql://");
}

/* libpq repeats the whole text in what it says of a bad one. */
static bool
check_url (const char *url, GError **error)
{
  char *problem = NULL;
  PQconninfoOption *options = PQconninfoParse (url, &problem);
  const bool good = options != NULL;
  if (problem != NULL)
    PQfreemem (problem);
  PQconninfoFree (options);
  return good
         || vend_fail (error, VEND_ERROR_INVALID,
                       "store: the URL cannot be parsed; expected "
                       "postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full, with "
                       "special characters as %%XX");
}

static void
drop_notice (void *data, const PGresult *result)
{
  g_autofree char *text = g_strdup (PQresultErrorMessage (result));
  vend_log (VEND_LOG_DEBUG, "notice of the database", "text", g_strstrip (text), NULL);
}

static bool
check_database (PgDb *db, GError **error)
{
  if (PQserverVersion (db->connection) < LEAST_VERSION)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "store: the server is PostgreSQL %s; 13 is the least, and 15 is tested",
                      PQparameterStatus (db->connection, "server_version"));
  g_autoptr (PgResult) result
      = pg_ask (db,
                "SELECT current_setting ('server_encoding'), 'B' < 'a' AND 'z' < U&'\\00E9', "
                "datcollate, datname FROM pg_database WHERE datname = current_database ()",
                error);
  if (result == NULL)
    return false;
  const char *name = PQgetvalue (result, 0, 3);
  if (strcmp (PQgetvalue (result, 0, 0), "UTF8") != 0)
    return vend_fail (
        error, VEND_ERROR_INVALID,
        "store: the encoding of the database '%s' is %s, and Vend needs UTF8; make one "
        "with '" HOW_TO_MAKE "'",
        name, PQgetvalue (result, 0, 0));
  if (strcmp (PQgetvalue (result, 0, 1), "t") != 0)
    return vend_fail (
        error, VEND_ERROR_INVALID,
        "store: the collation of the database '%s' is %s, and Vend needs C, the order "
        "of bytes; make one with '" HOW_TO_MAKE "'",
        name, PQgetvalue (result, 0, 2));
  return true;
}

static bool
set_up (PgDb *db, GError **error)
{
  g_autoptr (PgResult) result
      = PQexec (db->connection, db->read_only ? SESSION "SET default_transaction_read_only = on"
                                              : SESSION "SET default_transaction_read_only = off");
  if (PQresultStatus (result) == PGRES_COMMAND_OK)
    return true;
  pg_fail (db, "open the database", result, error);
  return false;
}

bool
pg_bound_transactions (PgDb *db, GError **error)
{
  char text[24];
  const char *given[] = { text };
  g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, db->lease_us / VEND_US_PER_MS);
  g_autoptr (PgResult) result
      = pg_ask_with (db, "SELECT set_config ('idle_in_transaction_session_timeout', $1, false)",
                     G_N_ELEMENTS (given), given, error);
  return result != NULL;
}

bool
pg_connect (PgDb *db, GError **error)
{
  const char *all[G_N_ELEMENTS (names)] = { NULL };
  memcpy (all, values, sizeof values);
  all[G_N_ELEMENTS (values)] = db->url;
  all[G_N_ELEMENTS (values) + 1] = "UTF8";
  if (!check_url (db->url, error))
    return false;
  pg_disconnect (db);
  db->connection = PQconnectdbParams (names, all, 1);
  if (PQstatus (db->connection) != CONNECTION_OK)
    {
      const char *text = PQerrorMessage (db->connection);
      /* A parameter of the URL, before anything was tried. */
      if (g_str_has_prefix (text, "invalid "))
        return vend_fail (error, VEND_ERROR_INVALID, "store: %.*s", (int) strcspn (text, "\n"),
                          text);
      pg_fail (db, "connect to the database", NULL, error);
      return false;
    }
  PQsetNoticeReceiver (db->connection, drop_notice, NULL);
  db->state = VEND_DB_FINE;
  if (!check_database (db, error) || !set_up (db, error)
      || (db->is_writer && !pg_bound_transactions (db, error)))
    return false;
  if (PQsetnonblocking (db->connection, 1) == 0 && PQenterPipelineMode (db->connection) == 1)
    return true;
  pg_fail (db, "open the database", NULL, error);
  return false;
}

void
pg_disconnect (PgDb *db)
{
  PQfinish (g_steal_pointer (&db->connection));
  g_array_set_size (db->expected, 0);
  db->n_taken = 0;
  db->unsent = 0;
  db->stream = NULL;
  db->in_transaction = false;
  db->ran_outside = false;
  db->knows_group = false;
  g_clear_error (&db->problem);
  for (gsize i = 0; i < VEND_SQL_N; i++)
    if (db->statements[i] != NULL)
      {
        db->statements[i]->is_prepared = false;
        pg_forget_results (db->statements[i]);
      }
}
