/* The line that shows how far a backup or a restore is. Main thread only. */
#pragma once
#include <stdint.h>

#include "backup/backup.h"
#include "cli/terminal/terminal.h"

typedef struct
{
  VendProgress *progress;
  const char *verb; /* "reading" */
} VendBackupShown;

/* A VendBackupProgress of a VendBackupShown. */
void vend_backup_show (uint64_t files, uint64_t bytes, void *shown);
