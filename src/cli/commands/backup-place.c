/* Where backups are. */
#include "cli/commands/backup-place.h"
#include <string.h>

/* The first variable that is set and not empty. */
static const char *
first_of (const char *one, const char *other)
{
  const char *value = g_getenv (one);
  if (value == NULL || *value == '\0')
    value = g_getenv (other);
  return value != NULL && *value != '\0' ? value : NULL;
}

void
vend_backup_where (const char *word, const char *endpoint, VendBackupWhere *out)
{
  *out = (VendBackupWhere){ .place.path = word };
  if (!g_str_has_prefix (word, "s3://"))
    return;
  out->bucket = (VendS3Options){
    .place = word,
    .endpoint = endpoint != NULL ? endpoint : first_of ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    .region = first_of ("AWS_REGION", "AWS_DEFAULT_REGION"),
    .key_id = g_getenv ("AWS_ACCESS_KEY_ID"),
    .secret = g_getenv ("AWS_SECRET_ACCESS_KEY"),
    .session = first_of ("AWS_SESSION_TOKEN", "AWS_SESSION_TOKEN"),
  };
  out->place.bucket = &out->bucket;
}
