/* Leftovers of builds and versions. */
#include "build/leftovers.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "model/file.h"
#include "store/models.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOG_LIFE_US (30 * 24 * 3600 * VEND_US_PER_S)
#define ARCHIVE_LIFE_US (24 * 3600 * VEND_US_PER_S)
#define GONE_PREFIX VEND_STAGING_PREFIX "gone-"

/* A name that is not there is new. */
static bool
is_older (const char *path, int64_t life_us)
{
  struct stat st;
  return stat (path, &st) == 0
         && vend_now_us () - (int64_t) st.st_mtim.tv_sec * VEND_US_PER_S >= life_us;
}

/* ---- What is in use */

static bool
is_version_used (const VendLeftovers *where, const char *id, bool *out, GError **error)
{
  g_auto (VendReader) reader = vend_reader (where->store);
  return vend_store_version_id_used (reader.db, id, out, error);
}

/* ---- Setting aside */

static bool
set_aside (const char *dir, const char *name, GError **error)
{
  g_autofree char *from = g_build_filename (dir, name, NULL);
  g_autofree char *number = g_uuid_string_random ();
  g_autofree char *gone = g_strconcat (GONE_PREFIX, number, NULL);
  g_autofree char *to = g_build_filename (dir, gone, NULL);
  if (rename (from, to) < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", from);
  return true;
}

/* The store is asked before the instances: one that began before its version was deleted has its
 * folder by then. */
static bool
set_versions_aside (const VendLeftovers *where, GError **error)
{
  g_autoptr (GPtrArray) unused = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) specs = NULL;
  g_autoptr (GDir) listing = g_dir_open (where->versions_dir, 0, error);
  if (listing == NULL)
    return false;
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    {
      bool used = false;
      if (!g_str_has_prefix (name, VEND_STAGING_PREFIX)
          && !is_version_used (where, name, &used, error))
        return false;
      if (!used && !g_str_has_prefix (name, GONE_PREFIX))
        g_ptr_array_add (unused, g_strdup (name));
    }
  /* Of stopped ones too, until they are removed: each names its version and its environment. */
  if (!vend_runner_read_specs (where->runner, &specs, error))
    return false;
  for (guint i = 0; i < unused->len; i++)
    if (strstr (specs->str, g_ptr_array_index (unused, i)) == NULL
        && !set_aside (where->versions_dir, g_ptr_array_index (unused, i), error))
      return false;
  return true;
}

/* An installer of a builder that was killed may write to it still. Lock files are a few bytes, and
 * stay. */
static bool
set_venv_aside (const VendLeftovers *where, const char *key, int64_t unused_us, GError **error)
{
  g_autofree char *name = g_strconcat (key, ".lock", NULL);
  g_autofree char *path = g_build_filename (where->venvs_dir, name, NULL);
  vend_autofd lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  if (!is_older (path, unused_us) || flock (lock, LOCK_EX | LOCK_NB) < 0)
    return true;
  return set_aside (where->venvs_dir, key, error);
}

static bool
set_venvs_aside (const VendLeftovers *where, int64_t unused_us, GError **error)
{
  g_autoptr (GHashTable) used = NULL;
  g_autoptr (GString) specs = NULL;
  g_autoptr (GPtrArray) unused = g_ptr_array_new_with_free_func (g_free);
  {
    g_auto (VendReader) reader = vend_reader (where->store);
    if (!vend_store_venvs_used (reader.db, &used, error))
      return false;
  }
  g_autoptr (GDir) listing = g_dir_open (where->venvs_dir, 0, error);
  if (listing == NULL || !vend_runner_read_specs (where->runner, &specs, error))
    return false;
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    if (!g_str_has_suffix (name, ".lock") && !g_str_has_prefix (name, GONE_PREFIX)
        && !g_hash_table_contains (used, name) && strstr (specs->str, name) == NULL)
      g_ptr_array_add (unused, g_strdup (name));
  for (guint i = 0; i < unused->len; i++)
    if (!set_venv_aside (where, g_ptr_array_index (unused, i), unused_us, error))
      return false;
  return true;
}

static bool
is_kept (const char *name, const char *path)
{
  return (g_str_has_suffix (name, ".log") && !is_older (path, LOG_LIFE_US))
         || (g_str_has_suffix (name, VEND_BUILD_ARCHIVE) && !is_older (path, ARCHIVE_LIFE_US));
}

/* Logs stay a month, archives of exports a day; staging folders and results of a build that was cut
 * off go. */
static bool
clear_builds (const VendLeftovers *where, GError **error)
{
  g_autoptr (GDir) listing = g_dir_open (where->builds_dir, 0, error);
  if (listing == NULL)
    return false;
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (where->builds_dir, name, NULL);
      if (!is_kept (name, path) && !vend_tree_remove (path, error))
        return false;
    }
  return true;
}

bool
vend_leftovers_set_aside (const VendLeftovers *where, int64_t unused_us, GError **error)
{
  return clear_builds (where, error) && set_versions_aside (where, error)
         && set_venvs_aside (where, unused_us, error);
}

/* ---- Removing */

static void
remove_gone (const char *dir)
{
  g_autoptr (GDir) listing = g_dir_open (dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      g_autoptr (GError) error = NULL;
      if (g_str_has_prefix (name, GONE_PREFIX) && !vend_tree_remove (path, &error))
        vend_log (VEND_LOG_WARN, "cannot remove leftovers of builds", "error", error->message,
                  NULL);
    }
}

void
vend_leftovers_remove (const VendLeftovers *where)
{
  remove_gone (where->versions_dir);
  remove_gone (where->venvs_dir);
}
