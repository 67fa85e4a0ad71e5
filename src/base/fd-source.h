/* Descriptors on a main loop, and the end of sources. */
#pragma once
#include <glib.h>
#include <glib-unix.h>

/* Calls `callback` on `context`'s thread while `condition` holds on `fd`. The caller owns the
 * source: g_source_destroy and g_source_unref end it. The callback must not run the main loop. */
GSource *vend_fd_source_new (int fd, GIOCondition condition, GUnixFDSourceFunc callback, void *data,
                             GMainContext *context) G_GNUC_WARN_UNUSED_RESULT;

/* Takes a source, of any kind, off its loop and releases it; NULL is fine. */
void vend_gsource_clear (GSource **source);
