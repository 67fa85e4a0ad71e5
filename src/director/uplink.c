/* The socket of the director: one control plane at a time. Main context. */
#include "director/uplink.h"
#include "base/fd.h"
#include "base/log.h"
#include "runner/link.h"
#include <glib-unix.h>
#include <sys/socket.h>

struct VendUplink
{
  char *path;
  gsize frame_limit;
  const VendUplinkEvents *events;
  void *context;
  const VendRedactor *redactor; /* or NULL */
  int fd;
  guint accept_source;
  VendLink *link;
  int64_t alone_since;
};

static void
on_frame (VendLink *link, json_t *frame, void *user_data)
{
  VendUplink *uplink = user_data;
  uplink->events->on_command (frame, uplink->context);
}

static void
on_closed (VendLink *link, const GError *error, void *user_data)
{
  VendUplink *uplink = user_data;
  vend_log (error != NULL ? VEND_LOG_WARN : VEND_LOG_INFO, "control plane disconnected", "error",
            error != NULL ? error->message : NULL, NULL);
  g_clear_pointer (&uplink->link, vend_link_free);
  uplink->alone_since = g_get_monotonic_time ();
  uplink->events->on_disconnected (uplink->context);
}

static const VendLinkEvents link_events = { on_frame, on_closed };

static gboolean
on_accept (int fd, GIOCondition condition, void *user_data)
{
  VendUplink *uplink = user_data;
  const int accepted = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (accepted < 0)
    return G_SOURCE_CONTINUE;
  if (uplink->link != NULL)
    {
      g_clear_pointer (&uplink->link, vend_link_free);
      uplink->events->on_disconnected (uplink->context);
    }
  uplink->alone_since = 0;
  uplink->link = vend_link_adopt (g_main_context_default (), accepted, uplink->frame_limit,
                                  &link_events, uplink);
  uplink->events->on_connected (uplink->context);
  return G_SOURCE_CONTINUE;
}

bool
vend_uplink_open (const char *dir, gsize frame_limit, const VendUplinkEvents *events, void *context,
                  VendUplink **out, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "director.sock", NULL);
  int fd;
  if (!vend_link_listen (path, &fd, error))
    return false;
  VendUplink *uplink = g_new0 (VendUplink, 1);
  uplink->path = g_steal_pointer (&path);
  uplink->frame_limit = frame_limit;
  uplink->events = events;
  uplink->context = context;
  uplink->fd = fd;
  uplink->alone_since = g_get_monotonic_time ();
  uplink->accept_source = g_unix_fd_add (fd, G_IO_IN, on_accept, uplink);
  *out = uplink;
  return true;
}

void
vend_uplink_free (VendUplink *uplink)
{
  if (uplink == NULL)
    return;
  g_source_remove (uplink->accept_source);
  vend_link_free (uplink->link);
  vend_fd_clear (&uplink->fd);
  unlink (uplink->path);
  g_free (uplink->path);
  g_free (uplink);
}

void
vend_uplink_set_redactor (VendUplink *uplink, const VendRedactor *redactor)
{
  uplink->redactor = redactor;
}

void
vend_uplink_send (VendUplink *uplink, json_t *frame)
{
  vend_redact_frame (uplink->redactor, frame);
  if (uplink->link != NULL)
    vend_link_send (uplink->link, frame);
  else
    json_decref (frame);
}

void
vend_uplink_send_later (VendUplink *uplink, json_t *frame)
{
  vend_redact_frame (uplink->redactor, frame);
  if (uplink->link != NULL)
    vend_link_send_later (uplink->link, frame);
  else
    json_decref (frame);
}

bool
vend_uplink_is_flushed (const VendUplink *uplink)
{
  return uplink->link == NULL || vend_link_is_flushed (uplink->link);
}

int64_t
vend_uplink_alone_since (const VendUplink *uplink)
{
  return uplink->alone_since;
}
