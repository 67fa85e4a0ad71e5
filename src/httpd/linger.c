/* Lingering close: reads sockets of refused uploads to their end, for a limited time. Own
 * thread. */
#include "httpd/linger-private.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

typedef struct
{
  int fd;
  gint64 until_us;
  gsize bytes;
} Socket;

struct VendLinger
{
  GThread *thread;
  int wake_fd;
  pthread_mutex_t lock;
  Socket incoming[VEND_LINGER_MAX_SOCKETS];
  guint n_incoming;
  guint n_open; /* incoming ones included */
  bool stopping;
};

static void
wake (VendLinger *linger)
{
  eventfd_write (linger->wake_fd, 1);
}

/* True at the end of the socket or of its time. */
static bool
drain (Socket *socket, bool readable, gint64 now_us)
{
  char discarded[16 * 1024];
  if (!readable)
    return now_us >= socket->until_us;
  ssize_t n = recv (socket->fd, discarded, sizeof discarded, MSG_DONTWAIT);
  if (n < 0)
    return errno != EAGAIN && errno != EINTR;
  socket->bytes += (gsize) n;
  return n == 0 || socket->bytes > VEND_LINGER_BYTES || now_us >= socket->until_us;
}

static bool
take_incoming (VendLinger *linger, Socket *sockets, guint *n)
{
  pthread_mutex_lock (&linger->lock);
  for (guint i = 0; i < linger->n_incoming; i++)
    sockets[(*n)++] = linger->incoming[i];
  linger->n_incoming = 0;
  linger->n_open = *n;
  bool stopping = linger->stopping;
  pthread_mutex_unlock (&linger->lock);
  return !stopping;
}

static gpointer
linger_main (gpointer data)
{
  VendLinger *linger = data;
  Socket sockets[VEND_LINGER_MAX_SOCKETS];
  guint n = 0;
  while (take_incoming (linger, sockets, &n))
    {
      struct pollfd fds[VEND_LINGER_MAX_SOCKETS + 1];
      fds[0] = (struct pollfd){ .fd = linger->wake_fd, .events = POLLIN };
      gint64 now_us = g_get_monotonic_time ();
      gint64 first_us = G_MAXINT64;
      const guint polled = n;
      for (guint i = 0; i < n; i++)
        {
          fds[i + 1] = (struct pollfd){ .fd = sockets[i].fd, .events = POLLIN };
          first_us = MIN (first_us, sockets[i].until_us);
        }
      poll (fds, polled + 1, n == 0 ? -1 : (int) (MAX (first_us - now_us, 0) / 1000 + 1));

      eventfd_t count;
      if (fds[0].revents != 0)
        eventfd_read (linger->wake_fd, &count);
      now_us = g_get_monotonic_time ();
      n = 0;
      for (guint i = 0; i < polled; i++)
        if (drain (&sockets[i], fds[i + 1].revents != 0, now_us))
          close (sockets[i].fd);
        else
          sockets[n++] = sockets[i];
    }
  for (guint i = 0; i < n; i++)
    close (sockets[i].fd);
  return NULL;
}

bool
vend_linger_new (VendLinger **out, GError **error)
{
  vend_autofd wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "eventfd");
  VendLinger *linger = g_new0 (VendLinger, 1);
  pthread_mutex_init (&linger->lock, NULL);
  linger->wake_fd = vend_fd_steal (&wake_fd);
  linger->thread = g_thread_try_new ("httpd-linger", linger_main, linger, error);
  if (linger->thread == NULL)
    {
      vend_fd_clear (&linger->wake_fd);
      pthread_mutex_destroy (&linger->lock);
      g_free (linger);
      return false;
    }
  *out = linger;
  return true;
}

void
vend_linger_free (VendLinger *linger)
{
  if (linger == NULL)
    return;
  pthread_mutex_lock (&linger->lock);
  linger->stopping = true;
  pthread_mutex_unlock (&linger->lock);
  wake (linger);
  g_thread_join (linger->thread);
  close (linger->wake_fd);
  pthread_mutex_destroy (&linger->lock);
  g_free (linger);
}

void
vend_linger_add (VendLinger *linger, int fd)
{
  pthread_mutex_lock (&linger->lock);
  bool room = linger->n_open < VEND_LINGER_MAX_SOCKETS && !linger->stopping;
  int copy = room ? fcntl (fd, F_DUPFD_CLOEXEC, 3) : -1;
  if (copy >= 0)
    {
      linger->incoming[linger->n_incoming++] = (Socket){
        .fd = copy, .until_us = g_get_monotonic_time () + VEND_LINGER_MS * G_GINT64_CONSTANT (1000)
      };
      linger->n_open++;
    }
  pthread_mutex_unlock (&linger->lock);
  wake (linger);
}
