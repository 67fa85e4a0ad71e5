/* The proxy: its listener and its connections. */
#include "egress/egress.h"
#include "base/fd-source.h"
#include "base/fd.h"
#include "egress/connection.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define ACCEPTS_PER_TURN 16
#define PAUSE_MS 200 /* when there are no descriptors */

struct VendProxy
{
  VendProxyOptions options;
  VendProxyShared shared;
  int listener;
  GSource *accepts; /* NULL while none are taken */
  GSource *pause;
  GHashTable *connections; /* VendProxyConnection set */
  VendProxyReporter *reporter;
};

static gboolean on_listener (int fd, GIOCondition condition, void *user_data);

static void
watch_listener (VendProxy *proxy)
{
  const bool wanted = proxy->pause == NULL
                      && g_hash_table_size (proxy->connections) < proxy->options.max_connections;
  if (wanted && proxy->accepts == NULL)
    proxy->accepts
        = vend_fd_source_new (proxy->listener, G_IO_IN, on_listener, proxy, proxy->options.context);
  else if (!wanted)
    vend_gsource_clear (&proxy->accepts);
}

static void
on_ended (VendProxyConnection *connection, void *data)
{
  VendProxy *proxy = data;
  g_hash_table_remove (proxy->connections, connection);
  watch_listener (proxy);
}

static gboolean
on_pause_over (void *user_data)
{
  VendProxy *proxy = user_data;
  vend_gsource_clear (&proxy->pause);
  watch_listener (proxy);
  return G_SOURCE_REMOVE;
}

static void
start_pause (VendProxy *proxy)
{
  proxy->pause = g_timeout_source_new (PAUSE_MS);
  g_source_set_callback (proxy->pause, on_pause_over, proxy, NULL);
  g_source_attach (proxy->pause, proxy->options.context);
}

static gboolean
on_listener (int fd, GIOCondition condition, void *user_data)
{
  VendProxy *proxy = user_data;
  for (guint i = 0; i < ACCEPTS_PER_TURN
                    && g_hash_table_size (proxy->connections) < proxy->options.max_connections;
       i++)
    {
      const int on = 1;
      vend_autofd client = accept4 (fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0)
        {
          /* What is wrong with one connection is not wrong with the next. */
          if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            start_pause (proxy);
          break;
        }
      (void) !setsockopt (client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      g_hash_table_add (proxy->connections,
                        vend_proxy_connection_new (vend_fd_steal (&client), &proxy->shared));
    }
  watch_listener (proxy);
  return G_SOURCE_CONTINUE;
}

VendProxy *
vend_proxy_new (int listener, const VendProxyOptions *options)
{
  VendProxy *proxy = g_new0 (VendProxy, 1);
  VendProxyOptions *own = &proxy->options;
  *own = *options;
  own->max_connections = own->max_connections > 0 ? own->max_connections : VEND_PROXY_CONNECTIONS;
  own->max_head = own->max_head > 0 ? MIN (own->max_head, VEND_PROXY_HEAD) : VEND_PROXY_HEAD;
  own->head_us = own->head_us > 0 ? own->head_us : VEND_PROXY_HEAD_US;
  own->connect_us = own->connect_us > 0 ? own->connect_us : VEND_PROXY_CONNECT_US;
  own->idle_us = own->idle_us > 0 ? own->idle_us : VEND_PROXY_IDLE_US;
  proxy->listener = listener;
  proxy->reporter = vend_proxy_reporter_new (own);
  proxy->connections
      = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) vend_proxy_connection_free, NULL);
  proxy->shared = (VendProxyShared){
    .options = own, .reporter = proxy->reporter, .ended = on_ended, .data = proxy
  };
  (void) !fcntl (listener, F_SETFL, fcntl (listener, F_GETFL) | O_NONBLOCK);
  (void) !fcntl (listener, F_SETFD, FD_CLOEXEC);
  watch_listener (proxy);
  return proxy;
}

void
vend_proxy_free (VendProxy *proxy)
{
  if (proxy == NULL)
    return;
  vend_gsource_clear (&proxy->accepts);
  vend_gsource_clear (&proxy->pause);
  g_hash_table_unref (proxy->connections);
  vend_proxy_reporter_free (proxy->reporter);
  vend_fd_clear (&proxy->listener);
  g_free (proxy);
}

guint
vend_proxy_connections (const VendProxy *proxy)
{
  return g_hash_table_size (proxy->connections);
}
