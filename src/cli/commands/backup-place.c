/* Where backups are. */
#include "cli/commands/backup-place.h"
#include "cli/commands/file-place.h"

void
vend_backup_where (const char *word, const char *endpoint, VendBackupWhere *out)
{
  *out = (VendBackupWhere){ .place.path = word };
  if (!g_str_has_prefix (word, "s3://"))
    return;
  if (endpoint == NULL)
    endpoint = vend_s3_variable ("AWS_ENDPOINT_URL_S3");
  if (endpoint == NULL)
    endpoint = vend_s3_variable ("AWS_ENDPOINT_URL");
  out->bucket = vend_s3_from_environment (word, endpoint);
  out->place.bucket = &out->bucket;
}
