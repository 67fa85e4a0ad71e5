/* Accepts connections: limits of all connections and of one address, and the shortage of
 * descriptors. Connection thread. */
#include "httpd/httpd-private.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* Leaves a share to the other workers. */
#define ACCEPTS_PER_TURN 10
#define FULL_PAUSE_US (50 * VEND_US_PER_MS)
#define FAILURE_PAUSE_US (200 * VEND_US_PER_MS)

static bool
has_room (const VendHttpd *httpd)
{
  const guint closing = atomic_load (&httpd->n_closing);
  return atomic_load (&httpd->n_connections) < httpd->max_connections + closing;
}

static void
pause_accepting (VendWorker *worker, int64_t time_us)
{
  worker->accept_from_us = g_get_monotonic_time () + time_us;
}

/* The request is not read; `linger` takes the socket, so that no reset overtakes the refusal. */
static void
refuse (VendHttpd *httpd, int fd, const VendAddress *peer)
{
  g_autofree char *text = vend_address_text (peer);
  vend_log (VEND_LOG_WARN, "too many connections of one address", "address", text, NULL);
  if (httpd->tls)
    return;
  g_autoptr (VendReply) reply
      = vend_reply_problem (429, "Too many requests", "Your address has too many connections.");
  gsize size = 0;
  g_autofree char *wire = vend_reply_wire (reply, &size);
  ssize_t sent = send (fd, wire, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  (void) sent;
  shutdown (fd, SHUT_WR);
  vend_linger_add (httpd->linger, fd);
}

static void
take (VendWorker *worker, int new_fd, const struct sockaddr *from, socklen_t size)
{
  VendHttpd *httpd = worker->httpd;
  vend_autofd fd = new_fd;
  VendAddress address = { 0 };
  const bool known = vend_address_of_sockaddr (from, &address);
  const VendAddress peer = vend_peer_of (&address);
  const bool counted = known && !vend_origin_trusts_address (httpd->origin_rules, &address);
  if (counted && !vend_peers_enter (httpd->peers, &peer))
    {
      refuse (httpd, fd, &peer);
      return;
    }
  atomic_fetch_add (&httpd->n_connections, 1);
  VendConn *conn = vend_conn_new (worker, vend_fd_steal (&fd), &peer, counted);
  if (httpd->tls)
    vend_accept_hand_over (conn, from, size);
  else
    vend_arrivals_add (conn);
}

void
vend_accept_hand_over (VendConn *conn, const struct sockaddr *from, socklen_t size)
{
  VendWorker *worker = conn->worker;
  worker->arriving = conn;
  if (MHD_add_connection (worker->daemon, conn->fd, from, size) != MHD_YES)
    pause_accepting (worker, FAILURE_PAUSE_US);
  /* The library did not report it: out of memory, it has closed the socket. */
  VendConn *lost = g_steal_pointer (&worker->arriving);
  if (lost != NULL)
    {
      vend_accept_leave (worker->httpd, &lost->peer, lost->counted);
      vend_conn_end (lost);
    }
}

void
vend_accept_leave (VendHttpd *httpd, const VendAddress *peer, bool counted)
{
  atomic_fetch_sub (&httpd->n_connections, 1);
  if (counted)
    vend_peers_leave (httpd->peers, peer);
}

/* True when more connections may be waiting. */
static bool
take_next (VendWorker *worker)
{
  VendHttpd *httpd = worker->httpd;
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  const bool room = has_room (httpd);
  if (!room && worker->conns.waiting.head == NULL)
    {
      pause_accepting (worker, FULL_PAUSE_US);
      return false;
    }
  const int fd
      = accept4 (httpd->listen_fd, (struct sockaddr *) &from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && (errno == EAGAIN || atomic_load (&httpd->closing)))
    return false;
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
    {
      /* A static text: GLib's would be allocated by the first of several workers. */
      vend_log (VEND_LOG_WARN, "cannot accept connections", "error", strerrordesc_np (errno), NULL);
      pause_accepting (worker, FAILURE_PAUSE_US);
      /* A connection that only waits is evicted for its descriptor, unless nothing waits to be
       * accepted: the system looks for a descriptor first. */
      struct pollfd listening = { .fd = httpd->listen_fd, .events = POLLIN };
      if (poll (&listening, 1, 0) > 0)
        vend_conns_evict (worker);
      return false;
    }
  /* Other errors are of that one connection, which ended before the accept. */
  if (fd < 0)
    return true;
  if (!room)
    vend_conns_evict (worker);
  take (worker, fd, (struct sockaddr *) &from, size);
  return true;
}

void
vend_accept_turn (VendWorker *worker)
{
  worker->may_accept = true;
  for (guint i = 0; i < ACCEPTS_PER_TURN && worker->may_accept; i++)
    worker->may_accept = take_next (worker);
}

int
vend_accept_pause_ms (const VendWorker *worker)
{
  if (worker->accept_from_us == 0)
    return 0;
  const int64_t left_us = worker->accept_from_us - g_get_monotonic_time ();
  return left_us > 0 ? (int) (left_us / VEND_US_PER_MS) + 1 : 0;
}
