/* What a backup leaves out of a data directory. Pure. */
#pragma once
#include <stdbool.h>

/* `path` is below the data directory; what lies in a folder that is left out is so too. */
bool vend_backup_leaves_out (const char *path);
