/* The file that says which database is that of a data directory. */
#include "store/store-mark.h"
#include "base/error.h"
#include "base/fd.h"
#include "store/postgres.h"
#include <string.h>

#define MAX_MARK ((gsize) 64)

static const char *
mark_of (const char *place)
{
  return vend_postgres_is_url (place) ? VEND_STORE_MARK_POSTGRES : VEND_STORE_MARK_SQLITE;
}

bool
vend_store_mark_write (const char *data_dir, const char *place, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, VEND_STORE_MARK, NULL);
  const char *mark = mark_of (place);
  return vend_file_replace (path, mark, strlen (mark), 0600, error);
}

static bool
read_mark (const char *data_dir, char **out, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, VEND_STORE_MARK, NULL);
  g_autoptr (GError) problem = NULL;
  if (vend_file_read (path, MAX_MARK, out, NULL, &problem)
      || g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

bool
vend_store_mark_is_sqlite (const char *data_dir)
{
  g_autofree char *mark = NULL;
  return read_mark (data_dir, &mark, NULL) && g_strcmp0 (mark, VEND_STORE_MARK_SQLITE) == 0;
}

bool
vend_store_mark_check (const char *data_dir, const char *place, GError **error)
{
  g_autofree char *mark = NULL;
  if (!read_mark (data_dir, &mark, error))
    return false;
  if (mark == NULL || strcmp (mark, mark_of (place)) == 0)
    return true;
  if (strcmp (mark, VEND_STORE_MARK_SQLITE) == 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "store: the database of this data directory is its vend.db; remove the "
                      "setting, or move the rows with 'vend migrate-storage --to-store'");
  return vend_fail (error, VEND_ERROR_INVALID,
                    "store: the database of this data directory is on a PostgreSQL server; name it "
                    "with the setting 'store', or move the rows back with 'vend migrate-storage "
                    "--to-store sqlite'");
}
