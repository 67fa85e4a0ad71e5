/* One command of build.run: what Docker's RUN would take from it, and what goes otherwise here than
 * in an image. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Takes flags such as "--mount=type=cache,target=…" off the front of `command`; `*out` is what the
 * shell gets. INVALID when one cannot be done without, as a mounted secret, naming it. What was
 * left out is appended to `notes` (of char *). */
bool vend_run_command_read (const char *command, GPtrArray *notes, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* `type` may be NULL, which is Docker's "bind". */
bool vend_run_command_check_mount (const char *type, const char *id, const char *target,
                                   GPtrArray *notes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Words for the author where the command counts on an image of its own: apt-get, sudo, /src. NULL
 * when it does not. Free with g_free. */
char *vend_run_command_advice (const char *command) G_GNUC_WARN_UNUSED_RESULT;
