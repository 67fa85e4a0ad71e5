/* Follows a build: its log to stderr, then how it ended. Main thread only; blocks. */
#pragma once
#include "cli/client/client.h"

/* `*out` is the build in its final state. CANCELED after Ctrl-C; that does not cancel the build. */
bool vend_build_log_follow (VendClient *client, VendInterrupt *interrupt, const char *id,
                            json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* True for "succeeded" and "failed". */
bool vend_build_log_is_over (const json_t *build);
