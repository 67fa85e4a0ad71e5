/* Whether a database on a server belongs to this data directory. Its pages are the server's to
 * check. */
#include "store/integrity-private.h"
#include "base/error.h"
#include "store/postgres-private.h"
#include <string.h>

static bool
ask_number (PgDb *db, const char *sql, int64_t *out, GError **error)
{
  g_autoptr (PgResult) result = pg_ask (db, sql, error);
  if (result == NULL)
    return false;
  *out = PQntuples (result) == 1 ? g_ascii_strtoll (PQgetvalue (result, 0, 0), NULL, 10) : 0;
  return true;
}

static bool
read_theirs (PgDb *db, bool *out_is_new, int64_t *out, GError **error)
{
  int64_t tables = 0;
  if (!ask_number (db, "SELECT COUNT(to_regclass ('control_planes'))", &tables, error))
    return false;
  *out_is_new = tables == 0;
  *out = 0;
  return tables == 0
         || ask_number (db, "SELECT installation FROM control_planes WHERE id = 1", out, error);
}

bool
vend_integrity_check_server (const VendIntegrity *options, GError **error)
{
  g_autoptr (VendDb) base = NULL;
  bool is_new = false;
  int64_t here = 0, theirs = 0;
  if (!vend_integrity_read_installation (options->installation, &here, error)
      || !vend_db_open_postgres (options->path, true, &base, error)
      || !read_theirs ((PgDb *) base, &is_new, &theirs, error))
    return false;
  if (is_new && options->has_data)
    return vend_fail (error, VEND_ERROR_STORAGE,
                      "the database is new, but versions or files of another one are in the data "
                      "directory, and would be removed; name the database of this directory with "
                      "--store, or another --data directory");
  if (here != 0 && theirs != 0 && here != theirs)
    return vend_fail (error, VEND_ERROR_STORAGE,
                      "the database belongs to another data directory: its files are not here; "
                      "name that directory with --data, or another database with --store");
  return true;
}

static bool
write_number (PgDb *db, int64_t number, GError **error)
{
  char text[24];
  const char *values[] = { text };
  g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, number);
  g_autoptr (PgResult) result
      = pg_ask_with (db, "UPDATE control_planes SET installation = $1 WHERE installation = 0",
                     G_N_ELEMENTS (values), values, error);
  return result != NULL;
}

bool
vend_integrity_claim_server (const char *url, const char *installation, GError **error)
{
  g_autoptr (VendDb) base = NULL;
  bool is_new = false;
  int64_t here = 0, theirs = 0;
  if (!vend_integrity_read_installation (installation, &here, error)
      || !vend_db_open_postgres (url, false, &base, error)
      || !read_theirs ((PgDb *) base, &is_new, &theirs, error)
      || (here == 0 && !vend_integrity_make_installation (installation, theirs, &here, error)))
    return false;
  return theirs != 0 || write_number ((PgDb *) base, here, error);
}
