/* Whether the database file belongs to this data directory, and is whole. Blocks on disk. */
#include "store/integrity-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "store/postgres.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_TOLD 20
#define MAX_NUMBER_FILE 64
#define STEPS_BETWEEN_LOOKS 10000
#define MAGIC "SQLite format 3" /* with a NUL */
#define HEADER 100
#define RESTORE \
  "put the vend.db of a backup in its place and remove vend.db-wal, or name another --data " \
  "directory"

typedef struct sqlite3 Database;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Database, sqlite3_close)
typedef struct sqlite3_stmt Statement;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Statement, sqlite3_finalize)

static bool
fail_sqlite (const char *path, Database *db, GError **error)
{
  const int code = sqlite3_errcode (db);
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return vend_fail (error, VEND_ERROR_STORAGE, "the database '%s' cannot be read: %s%s", path,
                    sqlite3_errmsg (db), damaged ? "; " RESTORE : "");
}

/* For reading; the write-ahead log stays as is, also when it belongs to another database. */
static bool
open_untouched (const char *path, Database **out, GError **error)
{
  g_autoptr (Database) db = NULL;
  if (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
    return fail_sqlite (path, db, error);
  sqlite3_busy_timeout (db, 10000);
  sqlite3_db_config (db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  *out = g_steal_pointer (&db);
  return true;
}

static bool
read_number (const char *path, Database *db, const char *sql, int64_t *out, GError **error)
{
  g_autoptr (Statement) statement = NULL;
  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) != SQLITE_OK
      || sqlite3_step (statement) != SQLITE_ROW)
    return fail_sqlite (path, db, error);
  *out = sqlite3_column_int64 (statement, 0);
  return true;
}

static int
is_late (void *until_us)
{
  return g_get_monotonic_time () > *(const int64_t *) until_us;
}

bool
vend_integrity_check_pages (const char *path, bool full, int64_t limit_us, GPtrArray *problems,
                            bool *out_complete, GError **error)
{
  int64_t until_us = g_get_monotonic_time () + limit_us;
  g_autoptr (Database) db = NULL;
  g_autoptr (Statement) statement = NULL;
  if (!open_untouched (path, &db, error))
    return false;
  if (limit_us > 0)
    sqlite3_progress_handler (db, STEPS_BETWEEN_LOOKS, is_late, &until_us);
  int code = sqlite3_prepare_v2 (db, full ? "PRAGMA integrity_check(20)" : "PRAGMA quick_check(20)",
                                 -1, &statement, NULL);
  if (code == SQLITE_OK)
    while ((code = sqlite3_step (statement)) == SQLITE_ROW && problems->len < MAX_TOLD)
      {
        const char *text = (const char *) sqlite3_column_text (statement, 0);
        if (g_strcmp0 (text, "ok") != 0)
          g_ptr_array_add (problems, g_strdup (text != NULL ? text : "?"));
      }
  *out_complete = code != SQLITE_INTERRUPT;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
    g_ptr_array_add (problems, g_strdup (sqlite3_errmsg (db)));
  else if (code != SQLITE_DONE && code != SQLITE_ROW && code != SQLITE_INTERRUPT)
    return fail_sqlite (path, db, error);
  return true;
}

/* ---- Before the store is opened */

static uint64_t
size_of (const char *path)
{
  struct stat st;
  return stat (path, &st) == 0 ? (uint64_t) st.st_size : 0;
}

static guint32
big_endian (const guint8 *bytes, gsize n)
{
  guint32 value = 0;
  for (gsize i = 0; i < n; i++)
    value = value << 8 | bytes[i];
  return value;
}

/* A log that was not played back may hold pages that the file lacks. */
static bool
check_size (const char *path, bool has_log, GError **error)
{
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC);
  guint8 header[HEADER] = { 0 };
  const ssize_t n = fd >= 0 ? pread (fd, header, sizeof header, 0) : -1;
  if (n < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read the database '%s'", path);
  if ((gsize) n < sizeof header || memcmp (header, MAGIC, sizeof MAGIC) != 0)
    return vend_fail (error, VEND_ERROR_STORAGE, "'%s' is no database of Vend; " RESTORE, path);
  const guint32 size = big_endian (header + 16, 2);
  const uint64_t whole
      = (uint64_t) (size == 1 ? 65536 : size) * (uint64_t) big_endian (header + 28, 4);
  const bool is_told = big_endian (header + 24, 4) == big_endian (header + 92, 4);
  if (!has_log && is_told && size_of (path) < whole)
    return vend_fail (error, VEND_ERROR_STORAGE,
                      "the database '%s' is cut off: %" G_GUINT64_FORMAT
                      " bytes of %" G_GUINT64_FORMAT "; " RESTORE,
                      path, size_of (path), whole);
  return true;
}

bool
vend_integrity_read_installation (const char *file, int64_t *out, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) problem = NULL;
  *out = 0;
  if (!vend_file_read (file, MAX_NUMBER_FILE, &text, NULL, &problem))
    {
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        return true;
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return g_ascii_string_to_signed (g_strstrip (text), 10, 1, G_MAXINT32, out, NULL)
         || vend_fail (error, VEND_ERROR_STORAGE,
                       "'%s' holds no number; remove it, and a start takes that of the database",
                       file);
}

/* `*out_is_new`: nothing was ever stored in the database. */
static bool
check_owner (const char *path, Database *db, const char *installation, bool *out_is_new,
             GError **error)
{
  int64_t tables = 0, ours = 0, theirs = 0, here = 0;
  if (!read_number (path, db, "SELECT COUNT(*) FROM sqlite_master", &tables, error)
      || !read_number (path, db,
                       "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name IN "
                       "('migrations', 'predictions', 'tokens')",
                       &ours, error)
      || !read_number (path, db, "PRAGMA user_version", &theirs, error)
      || !vend_integrity_read_installation (installation, &here, error))
    return false;
  /* A first start may have ended between its migrations. */
  *out_is_new = tables == 0 || (ours > 0 && ours < 3);
  if (tables > 0 && ours == 0)
    return vend_fail (error, VEND_ERROR_STORAGE,
                      "the database '%s' is one of another program; " RESTORE, path);
  if (here != 0 && theirs != 0 && here != theirs)
    return vend_fail (error, VEND_ERROR_STORAGE,
                      "the database '%s' belongs to another data directory: its files are not "
                      "here; " RESTORE,
                      path);
  return true;
}

static bool
refuse_empty (const VendIntegrity *options, const char *what, GError **error)
{
  if (!options->has_data)
    return true;
  return vend_fail (error, VEND_ERROR_STORAGE,
                    "the database '%s' %s, but versions or files of one are beside it, and would "
                    "be removed; " RESTORE,
                    options->path, what);
}

static bool
check_pages (const VendIntegrity *options, bool *out_complete, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  if (!vend_integrity_check_pages (options->path, false, options->limit_us, problems, out_complete,
                                   error))
    return false;
  return problems->len == 0
         || vend_fail (error, VEND_ERROR_STORAGE,
                       "the database '%s' is damaged (%s); " RESTORE
                       ". 'sqlite3 vend.db .recover' may save rows",
                       options->path, (const char *) g_ptr_array_index (problems, 0));
}

bool
vend_integrity_check (const VendIntegrity *options, bool *out_complete, GError **error)
{
  g_autofree char *log = g_strconcat (options->path, "-wal", NULL);
  const bool has_log = size_of (log) > 0;
  bool is_new = false;
  *out_complete = true;
  if (vend_postgres_is_url (options->path))
    return vend_integrity_check_server (options, error);
  if (size_of (options->path) == 0)
    {
      if (has_log)
        return vend_fail (error, VEND_ERROR_STORAGE,
                          "the database '%s' is missing beside its write-ahead log; " RESTORE,
                          options->path);
      return refuse_empty (options, "is missing or empty", error);
    }
  g_autoptr (Database) db = NULL;
  if (!check_size (options->path, has_log, error) || !open_untouched (options->path, &db, error)
      || !check_owner (options->path, db, options->installation, &is_new, error)
      || (is_new && !refuse_empty (options, "is new", error)))
    return false;
  return check_pages (options, out_complete, error);
}

/* ---- After the store is opened */

bool
vend_integrity_make_installation (const char *file, int64_t theirs, int64_t *out, GError **error)
{
  guint32 number = 0;
  vend_random_bytes (&number, sizeof number);
  const int64_t here = theirs != 0 ? theirs : (int64_t) (number % G_MAXINT32) + 1;
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT "\n", here);
  if (!vend_file_replace (file, text, strlen (text), 0600, error))
    return false;
  *out = here;
  return true;
}

bool
vend_integrity_claim (const char *path, const char *installation, GError **error)
{
  int64_t here = 0, theirs = 0;
  g_autoptr (Database) db = NULL;
  if (vend_postgres_is_url (path))
    return vend_integrity_claim_server (path, installation, error);
  if (!vend_integrity_read_installation (installation, &here, error)
      || !open_untouched (path, &db, error)
      || !read_number (path, db, "PRAGMA user_version", &theirs, error))
    return false;
  if (here == 0 && !vend_integrity_make_installation (installation, theirs, &here, error))
    return false;
  if (theirs != 0)
    return true;
  g_autofree char *sql = g_strdup_printf ("PRAGMA user_version = %" G_GINT64_FORMAT, here);
  return sqlite3_exec (db, sql, NULL, NULL, NULL) == SQLITE_OK || fail_sqlite (path, db, error);
}
