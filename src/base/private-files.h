/* Files that only their owner may open. Blocks on disk. */
#pragma once
#include <glib.h>

typedef struct
{
  guint n_closed; /* files and folders that others could open */
  int problem;    /* errno of the last one that could not be changed; 0 = none */
} VendPrivateFiles;

/* Takes all rights of group and others from `path`, and from what lies in it, `depth` folders deep
 * (0: `path` alone). Links are not followed. Adds to `result`. Opens and closes
 * each: not while SQLite has a database open among them, whose locks would be lost. */
void vend_private_files_close (const char *path, guint depth, VendPrivateFiles *result);
