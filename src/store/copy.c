/* A copy of a database. That of a file goes by SQLite's own interface: page by page, so that row
 * numbers stay, which indexes of texts refer to. */
#include "store/copy.h"
#include "base/error.h"
#include "base/fd.h"
#include "store/audit.h"
#include "store/postgres.h"
#include "store/rows.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>

#define BUSY_MS 30000
#define COPY "copy" /* names what is copied at once */

typedef struct sqlite3 Database;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Database, sqlite3_close)

static bool
open_database (const char *path, int flags, Database **out, GError **error)
{
  g_autoptr (Database) db = NULL;
  if (sqlite3_open_v2 (path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
    return vend_fail (error, VEND_ERROR_STORAGE, "open the database '%s': %s", path,
                      sqlite3_errmsg (db));
  sqlite3_busy_timeout (db, BUSY_MS);
  *out = g_steal_pointer (&db);
  return true;
}

static bool
copy_pages (Database *from, Database *to, GError **error)
{
  sqlite3_backup *backup = sqlite3_backup_init (to, "main", from, "main");
  if (backup == NULL)
    return vend_fail (error, VEND_ERROR_STORAGE, "copy the database: %s", sqlite3_errmsg (to));
  const int stepped = sqlite3_backup_step (backup, -1);
  const int code = sqlite3_backup_finish (backup);
  if (stepped == SQLITE_DONE && code == SQLITE_OK)
    return true;
  const int problem = code != SQLITE_OK ? code : stepped;
  return vend_fail (error, problem == SQLITE_FULL ? VEND_ERROR_NO_SPACE : VEND_ERROR_STORAGE,
                    "copy the database: %s", sqlite3_errstr (problem));
}

/* One file, without a log beside it. */
static bool
settle (Database *to, GError **error)
{
  return sqlite3_exec (to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) == SQLITE_OK
         || vend_fail (error, VEND_ERROR_STORAGE, "copy the database: %s", sqlite3_errmsg (to));
}

/* From a server, row by row, by one snapshot of it. */
static bool
copy_rows (const char *from, const char *to, GError **error)
{
  g_autoptr (VendDb) source = NULL;
  g_autoptr (VendDb) copy = NULL;
  return vend_store_audit_open (from, &source, error) && vend_store_audit_begin (source, error)
         && vend_db_open (to, false, &copy, error) && vend_rows_prepare (copy, COPY, error)
         && vend_rows_copy (source, copy, COPY, NULL, NULL, error) && vend_rows_finish (copy, error)
         && vend_store_audit_end (source, error);
}

static bool
copy_file (const char *from, const char *to, GError **error)
{
  g_autoptr (Database) source = NULL;
  g_autoptr (Database) copy = NULL;
  if (!g_file_test (from, G_FILE_TEST_EXISTS))
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no database '%s'", from);
  return open_database (from, SQLITE_OPEN_READWRITE, &source, error)
         && open_database (to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &copy, error)
         && copy_pages (source, copy, error);
}

bool
vend_store_copy (const char *from, const char *to, GError **error)
{
  g_autoptr (Database) copy = NULL;
  if (!(vend_postgres_is_url (from) ? copy_rows (from, to, error) : copy_file (from, to, error))
      || !open_database (to, SQLITE_OPEN_READWRITE, &copy, error) || !settle (copy, error))
    return false;
  vend_autofd fd = open (to, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fsync (fd) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", to);
  return true;
}
