/* Descriptors on a main loop. */
#include "base/fd-source.h"

GSource *
vend_fd_source_new (int fd, GIOCondition condition, GUnixFDSourceFunc callback, void *data,
                    GMainContext *context)
{
  GSource *source = g_unix_fd_source_new (fd, condition);
  /* GLib takes a source that may not recurse out of the poll set during its dispatch and puts it
   * back afterwards, with a wake-up by eventfd each: five system calls for every event. */
  g_source_set_can_recurse (source, TRUE);
  g_source_set_callback (source, G_SOURCE_FUNC (callback), data, NULL);
  g_source_attach (source, context);
  return source;
}

void
vend_gsource_clear (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}
