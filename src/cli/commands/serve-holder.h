/* Marks of server processes, by which others on the same machine know whether one is alive. A mark
 * of another machine, or of another container, says nothing. Any thread; reads /proc. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Of this process. Free with g_free. */
char *vend_holder_mark (void) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the process with this mark has certainly ended. */
bool vend_holder_is_gone (const char *mark);

/* Sends SIGKILL to it, when it is alive on this machine: a process that stands still takes no other
 * signal. False when it is not. */
bool vend_holder_kill (const char *mark);
