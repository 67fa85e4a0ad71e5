/* The database before a migration. */
#include "store/old-schema.h"
#include "base/error.h"
#include "base/log.h"
#include "store/copy.h"
#include "store/migrate.h"
#include "store/postgres.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
remove_others (const char *folder, const char *prefix, const char *kept)
{
  g_autoptr (GDir) listing = g_dir_open (folder, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      if (g_str_has_prefix (name, prefix) && strcmp (path, kept) != 0 && unlink (path) < 0)
        vend_log (VEND_LOG_WARN, "an older copy of the database stays", "path", path, "error",
                  g_strerror (errno), NULL);
    }
}

/* A copy counts once it has its name. */
static bool
copy (const char *path, const char *to, GError **error)
{
  g_autofree char *unfinished = g_strconcat (to, ".part", NULL);
  if (unlink (unfinished) < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", unfinished);
  if (!vend_store_copy (path, unfinished, error))
    return false;
  return rename (unfinished, to) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "rename to '%s'", to);
}

/* Of the first migration that the database lacks. */
static int
number_after (int64_t have)
{
  gsize n = 0;
  const VendMigration *migrations = vend_migrations (&n);
  gsize i = 0;
  while (i + 1 < n && migrations[i].number <= have)
    i++;
  return migrations[i].number;
}

bool
vend_store_keep_old (VendDb *db, const char *path, GError **error)
{
  bool is_due = false;
  int64_t have = 0;
  /* A server is backed up with its own tools. */
  if (vend_postgres_is_url (path))
    return true;
  if (!vend_migrate_is_due (db, &is_due, &have, error))
    return false;
  if (!is_due)
    return true;
  g_autofree char *whole = g_canonicalize_filename (path, NULL);
  g_autofree char *folder = g_path_get_dirname (whole);
  g_autofree char *name = g_path_get_basename (whole);
  g_autofree char *prefix = g_strconcat (name, ".before-", NULL);
  g_autofree char *kept = g_strdup_printf ("%s/%s%d", folder, prefix, number_after (have));
  if (!copy (whole, kept, error))
    {
      g_prefix_error (error, "the database is not migrated, since it cannot be kept as it was: ");
      return false;
    }
  remove_others (folder, prefix, kept);
  vend_log (VEND_LOG_INFO, "the database before its migration is kept", "path", kept, NULL);
  return true;
}
