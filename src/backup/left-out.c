/* What a backup leaves out: what the next server makes again, and what is of no use without the
 * processes of this one. The database is copied by itself. */
#include "backup/left-out.h"
#include <string.h>
#include <glib.h>

static const char *const whole[] = {
  "lock",
  "running",
  "vend.db",
  "vend.db-wal",
  "vend.db-shm",
  "instances",
  "zygotes",
  "cache",
  "home",
  "homes",
  "blobs/spool",
  "blobs/parts",
  "blobs/uploads",
  "images",
  "blobs/rooms",
  "store",
  "files",
  "migrate-storage.json",
  "blobs.before-move",
  "blobs/boot-id",
  "machines/instances",
};

bool
vend_backup_leaves_out (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *folder = g_path_get_dirname (path);
  for (guint i = 0; i < G_N_ELEMENTS (whole); i++)
    if (strcmp (path, whole[i]) == 0)
      return true;
  const bool is_staged = strcmp (folder, "versions") == 0 && name[0] == '.';
  const bool is_lock = strcmp (folder, "venvs") == 0 && g_str_has_suffix (name, ".lock");
  return is_staged || is_lock || g_str_has_prefix (path, "vend.db.")
         || g_str_has_prefix (name, ".gone-") || g_str_has_prefix (name, ".probe-");
}
