/* The data directory before and after a server has it. Main thread; blocks on disk. */
#include "cli/commands/serve-data.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/private-files.h"
#include "move/move.h"
#include "store/integrity.h"
#include "store/store-mark.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Exists while a server uses the directory: a start that finds it knows of an unclean stop. */
#define MARKER "running"
#define INSTALLATION "installation"
/* All pages of a few GB after a crash; a clean stop leaves nothing to look for but bad disks. */
#define LOOK_US (10 * VEND_US_PER_S)
#define SHORT_LOOK_US (1 * VEND_US_PER_S)

void
vend_serve_data_close_to_others (const char *dir)
{
  static const struct
  {
    const char *name;
    guint depth;
  } folders[] = { { "tls", 1 }, { "instances", 2 }, { "builds", 1 }, { "uploads", 1 } };
  VendPrivateFiles result = { 0 };
  vend_private_files_close (dir, 1, &result);
  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = g_build_filename (dir, folders[i].name, NULL);
      vend_private_files_close (path, folders[i].depth, &result);
    }
  if (result.n_closed > 0)
    {
      g_autofree char *n = g_strdup_printf ("%u", result.n_closed);
      vend_log (VEND_LOG_WARN, "removed the access of other users to files of the data directory",
                "data", dir, "entries", n, NULL);
    }
  if (result.problem != 0)
    vend_log (VEND_LOG_WARN,
              "cannot remove the access of other users to files of the data directory", "data", dir,
              "error", g_strerror (result.problem), NULL);
}

static bool
has_entries (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GDir) listing = g_dir_open (path, 0, NULL);
  return listing != NULL && g_dir_read_name (listing) != NULL;
}

/* Blobs lie in folders of two hex digits. */
static bool
has_blobs (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "blobs", NULL);
  g_autoptr (GDir) listing = g_dir_open (path, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    if (strlen (name) == 2 && has_entries (path, name))
      return true;
  return false;
}

bool
vend_serve_data_check (const char *dir, const char *database, GError **error)
{
  g_autofree char *installation = g_build_filename (dir, INSTALLATION, NULL);
  g_autofree char *marker = g_build_filename (dir, MARKER, NULL);
  const bool was_cut_off = access (marker, F_OK) == 0;
  const VendIntegrity options = { .path = database,
                                  .installation = installation,
                                  .has_data = has_entries (dir, "versions") || has_blobs (dir),
                                  .limit_us = was_cut_off ? LOOK_US : SHORT_LOOK_US };
  bool is_complete = false;
  if (!vend_move_check_none (dir, error) || !vend_store_mark_check (dir, database, error))
    return false;
  if (!vend_integrity_check (&options, &is_complete, error))
    return false;
  if (was_cut_off && !is_complete)
    vend_log (VEND_LOG_WARN,
              "the last server ended without a clean stop, and the database is too large to be "
              "checked completely at start; check it with 'vend doctor --audit'",
              "database", database, NULL);
  return vend_file_replace (marker, "", 0, 0600, error);
}

bool
vend_serve_data_claim (const char *dir, const char *database, GError **error)
{
  g_autofree char *installation = g_build_filename (dir, INSTALLATION, NULL);
  return vend_integrity_claim (database, installation, error);
}

void
vend_serve_data_leave (const char *dir)
{
  g_autofree char *marker = g_build_filename (dir, MARKER, NULL);
  if (unlink (marker) < 0 && errno != ENOENT)
    vend_log (VEND_LOG_WARN, "cannot note the clean stop", "error", g_strerror (errno), NULL);
}
