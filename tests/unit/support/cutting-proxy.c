/* Stands between a store and its PostgreSQL server, on a socket of its own, and cuts connections.
 */
#include "cutting-proxy.h"
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK 65536

struct CuttingProxy
{
  char *url;
  struct sockaddr_un server;
  int listener;
  GThread *thread;
  gint may_cut;
  gint cuts;
  gint closing;
};

typedef struct
{
  CuttingProxy *proxy;
  int client;
} Pair;

static void
name_socket (struct sockaddr_un *name, const char *dir, const char *port)
{
  *name = (struct sockaddr_un){ .sun_family = AF_UNIX };
  g_assert_cmpint (g_snprintf (name->sun_path, sizeof name->sun_path, "%s/.s.PGSQL.%s", dir, port),
                   <, (int) sizeof name->sun_path);
}

static bool
pass_on (int from, int to, char *buffer, gssize *out_n)
{
  *out_n = read (from, buffer, CHUNK);
  for (gssize done = 0; done < *out_n;)
    {
      const gssize n = send (to, buffer + done, (gsize) (*out_n - done), MSG_NOSIGNAL);
      if (n < 0)
        return false;
      done += n;
    }
  return *out_n > 0;
}

/* The server reads on, and commits, when its client is gone. */
static void *
serve (void *data)
{
  g_autofree Pair *pair = data;
  CuttingProxy *proxy = pair->proxy;
  g_autofree char *buffer = g_malloc (CHUNK);
  const int server = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool good = connect (server, (struct sockaddr *) &proxy->server, sizeof proxy->server) == 0;
  while (good && !g_atomic_int_get (&proxy->closing))
    {
      struct pollfd fds[]
          = { { .fd = pair->client, .events = POLLIN }, { .fd = server, .events = POLLIN } };
      gssize n = 0;
      if (poll (fds, 2, 100) < 0 && errno != EINTR)
        break;
      if (fds[0].revents != 0)
        {
          good = pass_on (pair->client, server, buffer, &n);
          if (good && memmem (buffer, (gsize) n, "COMMIT", 6) != NULL
              && g_atomic_int_compare_and_exchange (&proxy->may_cut, true, false))
            {
              g_atomic_int_inc (&proxy->cuts);
              break;
            }
        }
      if (good && fds[1].revents != 0)
        good = pass_on (server, pair->client, buffer, &n);
    }
  close (pair->client);
  close (server);
  return NULL;
}

static void *
accept_all (void *data)
{
  CuttingProxy *proxy = data;
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  for (;;)
    {
      const int client = accept4 (proxy->listener, NULL, NULL, SOCK_CLOEXEC);
      if (g_atomic_int_get (&proxy->closing))
        {
          close (client);
          break;
        }
      g_assert_cmpint (client, >=, 0);
      Pair *pair = g_new0 (Pair, 1);
      *pair = (Pair){ proxy, client };
      g_ptr_array_add (threads, g_thread_new ("proxy", serve, pair));
    }
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
  return NULL;
}

static char *
parameter (const char *url, const char *name)
{
  const char *at = strstr (url, name);
  g_assert_nonnull (at);
  at += strlen (name);
  return g_strndup (at, strcspn (at, "&"));
}

CuttingProxy *
cutting_proxy_new (const char *dir, const char *url)
{
  CuttingProxy *proxy = g_new0 (CuttingProxy, 1);
  g_autofree char *host = parameter (url, "host=");
  g_autofree char *port = parameter (url, "port=");
  struct sockaddr_un own;
  name_socket (&proxy->server, host, port);
  name_socket (&own, dir, port);
  proxy->url = g_strdup_printf ("%.*s?host=%s&port=%s", (int) strcspn (url, "?"), url, dir, port);
  proxy->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (proxy->listener, (struct sockaddr *) &own, sizeof own), ==, 0);
  g_assert_cmpint (listen (proxy->listener, 16), ==, 0);
  proxy->thread = g_thread_new ("proxy", accept_all, proxy);
  return proxy;
}

void
cutting_proxy_free (CuttingProxy *proxy)
{
  g_atomic_int_set (&proxy->closing, true);
  shutdown (proxy->listener, SHUT_RDWR);
  g_thread_join (proxy->thread);
  close (proxy->listener);
  g_free (proxy->url);
  g_free (proxy);
}

const char *
cutting_proxy_url (const CuttingProxy *proxy)
{
  return proxy->url;
}

void
cutting_proxy_cut_at_commit (CuttingProxy *proxy)
{
  g_atomic_int_set (&proxy->may_cut, true);
}

guint
cutting_proxy_cuts (CuttingProxy *proxy)
{
  return (guint) g_atomic_int_get (&proxy->cuts);
}
