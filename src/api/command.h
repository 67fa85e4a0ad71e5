/* Commands of this binary that the server runs for a request: their work is bounded by a process of
 * their own. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/settings.h"

/* Runs `vend WORDS…` with the settings that the server got by flags, and gives what it wrote.
 * Blocks: for a lane. BUSY while another one runs, TIMEOUT after a minute; what the command says of
 * a failure goes to the log. `input` may be NULL. */
bool vend_api_command_run (const VendSettings *settings, const char *const *words,
                           const char *input, char **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
