/* Where backups are, as the command line names it: a folder, or s3://bucket/prefix with the
 * credentials of the environment. Main thread only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "backup/repository.h"

typedef struct
{
  VendBackupPlace place;
  VendS3Options bucket;
} VendBackupWhere;

/* Credentials and texts are borrowed from the environment and the arguments; `*out` must stay where
 * it is. `endpoint` NULL: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL. */
void vend_backup_where (const char *word, const char *endpoint, VendBackupWhere *out);

#define VEND_BACKUP_ENDPOINT_HELP \
  "S3 server of s3://bucket/prefix: https://host:port; default $AWS_ENDPOINT_URL_S3, " \
  "$AWS_ENDPOINT_URL or that of AWS"
