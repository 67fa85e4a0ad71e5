/* Files that only their owner may open. Blocks on disk. */
#pragma once
#include <glib.h>

typedef struct
{
  guint n_closed; /* files and folders that others could open */
  int problem;    /* errno of the last failed change; 0 = none */
} VendPrivateFiles;

/* Removes all rights of group and others from `path` and its content, `depth` folders deep (0:
 * `path` alone). Links are not followed. Adds to `result`. Opens and closes each file, so not while
 * SQLite has one of them open as a database: its locks would be lost. */
void vend_private_files_close (const char *path, guint depth, VendPrivateFiles *result);
