/* The database of a test: a file, or one on the server that VEND_TEST_POSTGRES names. */
#include "test-database.h"
#include <glib.h>
#include <libpq-fe.h>
#include <string.h>

#define MAKE \
  "CREATE DATABASE \"%s\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"

bool
test_database_is_file (void)
{
  return g_getenv ("VEND_TEST_POSTGRES") == NULL;
}

static char *
url_of (const char *database)
{
  g_auto (GStrv) parts = g_strsplit (g_getenv ("VEND_TEST_POSTGRES"), "%s", 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  return g_strconcat (parts[0], database, parts[1], NULL);
}

static void
make (const char *name)
{
  g_autofree char *url = url_of ("postgres");
  g_autofree char *sql = g_strdup_printf (MAKE, name);
  PGconn *connection = PQconnectdb (url);
  if (PQstatus (connection) != CONNECTION_OK)
    g_error ("%s", PQerrorMessage (connection));
  PGresult *result = PQexec (connection, sql);
  const char *state = PQresultErrorField (result, PG_DIAG_SQLSTATE);
  /* 42P04: a test opens its database again. */
  if (PQresultStatus (result) != PGRES_COMMAND_OK && g_strcmp0 (state, "42P04") != 0)
    g_error ("%s", PQerrorMessage (connection));
  PQclear (result);
  PQfinish (connection);
}

char *
test_database (const char *dir)
{
  if (test_database_is_file ())
    return g_build_filename (dir, "vend.db", NULL);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, dir, -1);
  g_autofree char *name = g_strdup_printf ("test_%.16s", hash);
  make (name);
  return url_of (name);
}

guint64
test_database_number (const char *url, const char *sql)
{
  PGconn *connection = PQconnectdb (url);
  PGresult *result = PQexec (connection, sql);
  if (PQresultStatus (result) != PGRES_TUPLES_OK || PQntuples (result) == 0)
    g_error ("%s: %s", sql, PQerrorMessage (connection));
  const guint64 number = g_ascii_strtoull (PQgetvalue (result, 0, 0), NULL, 10);
  PQclear (result);
  PQfinish (connection);
  return number;
}
