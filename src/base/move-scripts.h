/* Environments hold their path: the first lines of their scripts name their interpreter. Blocks on
 * disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Replaces `old` by `new` in the texts of the folder `bin`; one that is missing is fine. */
bool vend_scripts_move (const char *bin, const char *old, const char *new, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
