/* Asks other programs for their version, within a time limit. Main thread only; blocks. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Runs `argv` (found in PATH) without input and returns the first line of its output; false when it
 * is not there, fails or takes longer than a few seconds. Free with g_free. */
bool vend_probe_line (const char *const *argv, char **out_line) G_GNUC_WARN_UNUSED_RESULT;
