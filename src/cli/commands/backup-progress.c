/* The line that shows how far a backup or a restore is. */
#include "cli/commands/backup-progress.h"

void
vend_backup_show (uint64_t files, uint64_t bytes, void *data)
{
  const VendBackupShown *shown = data;
  if (!vend_progress_is_due (shown->progress))
    return;
  g_autofree char *size = g_format_size (bytes);
  vend_progress_show (shown->progress, "%s: %" G_GUINT64_FORMAT " files, %s", shown->verb, files,
                      size);
}
