/* Accepted sockets before their first byte, on plain HTTP. The library reads a TLS ClientHello as a
 * request line that never ends, and its client would wait for the head timeout: clients of
 * registries try https:// first. So a socket is given to the library once its first byte is there,
 * and may be that of a request. Connection thread. */
#include "httpd/httpd-private.h"
#include "base/error.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_PER_TURN 64
#define TLS_HANDSHAKE 0x16 /* type of the first record of every TLS client */

bool
vend_arrivals_open (VendWorker *worker, GError **error)
{
  worker->arrivals_fd = epoll_create1 (EPOLL_CLOEXEC);
  return worker->arrivals_fd >= 0
         || vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "epoll_create1");
}

static void
drop (VendConn *conn)
{
  const int fd = conn->fd;
  vend_accept_leave (conn->worker->httpd, &conn->peer, conn->counted);
  conn->worker->accept_from_us = 0;
  vend_conn_end (conn);
  close (fd);
}

static void
hand_over (VendConn *conn)
{
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  if (getpeername (conn->fd, (struct sockaddr *) &from, &size) < 0)
    {
      drop (conn);
      return;
    }
  vend_accept_hand_over (conn, (struct sockaddr *) &from, size);
}

/* True when it is decided. */
static bool
look (VendConn *conn)
{
  guint8 first = 0;
  const ssize_t n = recv (conn->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return false;
  if (n == 1 && first == TLS_HANDSHAKE)
    vend_conn_close (conn, 400, "Bad request",
                     "This port speaks HTTP, and the client began TLS: use http://, or start the "
                     "server with a certificate.");
  if (n == 1 && conn->phase == VEND_CONN_WAITING)
    hand_over (conn);
  else
    drop (conn);
  return true;
}

void
vend_arrivals_add (VendConn *conn)
{
  VendWorker *worker = conn->worker;
  if (look (conn))
    return;
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = conn };
  if (epoll_ctl (worker->arrivals_fd, EPOLL_CTL_ADD, conn->fd, &event) < 0)
    {
      drop (conn);
      return;
    }
  worker->n_arrivals++;
}

void
vend_arrivals_turn (VendWorker *worker)
{
  struct epoll_event events[EVENTS_PER_TURN];
  const int n = worker->n_arrivals > 0
                    ? epoll_wait (worker->arrivals_fd, events, G_N_ELEMENTS (events), 0)
                    : 0;
  for (int i = 0; i < n; i++)
    {
      VendConn *conn = events[i].data.ptr;
      epoll_ctl (worker->arrivals_fd, EPOLL_CTL_DEL, conn->fd, NULL);
      worker->n_arrivals--;
      vend_arrivals_add (conn);
    }
}

void
vend_arrivals_end (VendWorker *worker)
{
  for (GList *link = worker->conns.checks.head, *next; link != NULL; link = next)
    {
      VendConn *conn = link->data;
      next = link->next;
      if (conn->connection == NULL)
        drop (conn);
    }
  worker->n_arrivals = 0;
}
