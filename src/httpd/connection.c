/* Open connections: deadlines, eviction when there are too many, and an end to connections that
 * make the library spin. Connection thread.
 *
 * The library has only one timeout, since the last byte. It also keeps a connection with a buffer
 * full of a line without an end in its list of active connections for that time, and never sleeps
 * then (see docs/architecture/httpd.md). Shutting the socket down in both directions is the one way
 * to close it in any state, since the library gets an error. */
#include "httpd/httpd-private.h"
#include "base/clock.h"
#include <gnutls/gnutls.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define CHECKS_PER_DEADLINE 8
#define LEAST_CHECK_US (20 * VEND_US_PER_MS)
#define GREATEST_CHECK_US (2 * VEND_US_PER_S)
/* A request may be in the socket of a connection that looks idle. */
#define EVICT_LOOKS 16
/* Turns without progress before the worker sleeps between them. Turns that send replies look the
 * same, so the limit is high where nothing else hints at spinning. */
#define IDLE_TURNS 16
#define IDLE_TURNS_WITHOUT_CHUNKS 65536
#define STUCK_SPINS 64
#define STUCK_US (1 * VEND_US_PER_S)
/* Framing around a chunk of one byte, generously. */
#define FRAMING_PER_BYTE 16

VendConn *
vend_conn_new (VendWorker *worker, int fd, const VendAddress *peer, bool counted)
{
  VendConn *conn = g_new0 (VendConn, 1);
  conn->worker = worker;
  conn->fd = fd;
  conn->peer = *peer;
  conn->counted = counted;
  conn->by_wait.data = conn->by_check.data = conn->chunks.data = conn;
  conn->since_us = conn->head_us = conn->checked_us = g_get_monotonic_time ();
  g_queue_push_tail_link (&worker->conns.waiting, &conn->by_wait);
  g_queue_push_tail_link (&worker->conns.checks, &conn->by_check);
  return conn;
}

void
vend_conn_begin (VendConn *conn, struct MHD_Connection *connection)
{
  conn->connection = connection;
  conn->worker->conns.progress = true;
}

static void
leave_phase (VendConn *conn)
{
  VendConns *conns = &conn->worker->conns;
  if (conn->phase == VEND_CONN_WAITING)
    g_queue_unlink (&conns->waiting, &conn->by_wait);
  if (conn->phase == VEND_CONN_BODY && conn->chunked)
    g_queue_unlink (&conns->chunked, &conn->chunks);
  conns->progress = true;
}

static void
enter_phase (VendConn *conn, VendConnPhase phase)
{
  leave_phase (conn);
  conn->phase = phase;
  conn->since_us = g_get_monotonic_time ();
}

void
vend_conn_end (VendConn *conn)
{
  VendHttpd *httpd = conn->worker->httpd;
  if (conn->phase == VEND_CONN_CLOSING)
    atomic_fetch_sub (&httpd->n_closing, 1);
  leave_phase (conn);
  if (conn->pull != NULL)
    vend_pull_detach (conn->pull);
  g_queue_unlink (&conn->worker->conns.checks, &conn->by_check);
  g_free (conn);
}

VendConn *
vend_conn_of (struct MHD_Connection *connection)
{
  return MHD_get_connection_info (connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* ---- The steps of a request */

void
vend_conn_request_line (VendConn *conn, const char *target)
{
  conn->target = target;
  conn->target_size = 0;
  conn->target_is_clean = target != NULL && *target != '\0';
  for (const char *at = target; at != NULL && *at != '\0'; at++, conn->target_size++)
    if ((guchar) *at <= ' ' || *at == 0x7f)
      conn->target_is_clean = false;
}

void
vend_conn_body (VendConn *conn, gsize head_bytes, uint64_t length)
{
  if (conn->phase != VEND_CONN_WAITING)
    return;
  enter_phase (conn, VEND_CONN_BODY);
  conn->target = NULL;
  conn->position += head_bytes;
  conn->body_bytes = 0;
  conn->piece_us = conn->since_us;
  conn->piece_spins = conn->worker->conns.spins;
  conn->chunked = length == UINT64_MAX;
  if (conn->chunked)
    g_queue_push_tail_link (&conn->worker->conns.chunked, &conn->chunks);
}

void
vend_conn_piece (VendConn *conn, gsize size)
{
  VendConns *conns = &conn->worker->conns;
  conn->body_bytes += size;
  conn->piece_spins = conns->spins;
  if (conn->chunked)
    conn->piece_us = g_get_monotonic_time ();
  conns->progress = true;
}

bool
vend_conn_wants_body (const VendConn *conn, uint64_t length)
{
  return conn->body_bytes < length;
}

void
vend_conn_reply (VendConn *conn)
{
  if (conn->phase == VEND_CONN_BODY)
    enter_phase (conn, VEND_CONN_REPLY);
}

void
vend_conn_request_end (VendConn *conn, uint64_t length)
{
  conn->target = NULL;
  if (conn->phase == VEND_CONN_CLOSING)
    return;
  enter_phase (conn, VEND_CONN_WAITING);
  conn->head_us = 0;
  conn->received = 0;
  conn->position += length;
  g_queue_push_tail_link (&conn->worker->conns.waiting, &conn->by_wait);
}

/* ---- The end */

void
vend_conn_write (VendConn *conn, const char *bytes, gsize size)
{
  if (conn->worker->httpd->tls)
    {
      const union MHD_ConnectionInfo *info
          = MHD_get_connection_info (conn->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
      gnutls_record_send (info->tls_session, bytes, size);
      return;
    }
  /* A full socket buffer belongs to a client that does not read. */
  ssize_t sent = send (conn->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  (void) sent;
}

void
vend_conn_close (VendConn *conn, int status, const char *title, const char *detail)
{
  VendHttpd *httpd = conn->worker->httpd;
  if (conn->phase == VEND_CONN_CLOSING)
    return;
  /* Before the first request a TLS session may not exist yet. */
  const bool was_asked
      = conn->position > 0 || conn->target != NULL || conn->phase == VEND_CONN_BODY;
  if (status != 0 && (!httpd->tls || was_asked))
    {
      g_autoptr (VendReply) reply = vend_reply_problem (status, title, detail);
      gsize size = 0;
      g_autofree char *wire = vend_reply_wire (reply, &size);
      vend_conn_write (conn, wire, size);
      vend_linger_add (httpd->linger, conn->fd);
    }
  enter_phase (conn, VEND_CONN_CLOSING);
  atomic_fetch_add (&httpd->n_closing, 1);
  shutdown (conn->fd, SHUT_RDWR);
}

bool
vend_conn_has_unread (const VendConn *conn)
{
  char byte;
  return recv (conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool
vend_conns_evict (VendWorker *worker)
{
  GList *first = worker->conns.waiting.head;
  if (first == NULL)
    return false;
  GList *chosen = first;
  for (guint i = 0; i < EVICT_LOOKS && chosen != NULL && vend_conn_has_unread (chosen->data); i++)
    chosen = chosen->next;
  vend_conn_close ((chosen != NULL ? chosen : first)->data, 0, NULL, NULL);
  return true;
}

void
vend_conns_refuse_length (VendWorker *worker)
{
  for (GList *link = worker->conns.waiting.tail, *before; link != NULL; link = before)
    {
      before = link->prev;
      const VendConn *conn = link->data;
      if (conn->target != NULL && vend_request_refuse_length (link->data))
        return;
    }
}

/* ---- Deadlines */

static uint64_t
bytes_received (const VendConn *conn)
{
  struct tcp_info info = { 0 };
  socklen_t size = sizeof info;
  if (getsockopt (conn->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
    return 0;
  return info.tcpi_bytes_received;
}

static void
check_head (VendConn *conn, int64_t now_us)
{
  const int64_t idle_us = conn->worker->httpd->idle_timeout_us;
  if (conn->connection == NULL && idle_us > 0 && now_us - conn->since_us > idle_us)
    {
      vend_conn_close (conn, 0, NULL, NULL);
      return;
    }
  if (conn->head_us == 0)
    {
      const uint64_t received = bytes_received (conn);
      if (conn->received != 0 && received != conn->received)
        conn->head_us = now_us;
      conn->received = received;
    }
  if (conn->head_us != 0 && now_us - conn->head_us > conn->worker->httpd->head_timeout_us)
    vend_conn_close (conn, conn->target != NULL || bytes_received (conn) > conn->position ? 408 : 0,
                     "Request timeout", "The request line and headers took too long.");
}

static void
check_body (VendConn *conn, int64_t now_us)
{
  const int64_t allowed_us
      = conn->worker->httpd->body_timeout_us
        + (int64_t) (conn->body_bytes / VEND_HTTPD_BODY_BYTES_PER_S) * VEND_US_PER_S;
  if (now_us - conn->since_us > allowed_us)
    vend_conn_close (conn, 408, "Request timeout", "The request body took too long.");
}

/* What the client still sends, a later request for one, does not hide the end of its side. */
static bool
has_left (const VendConn *conn)
{
  struct pollfd fd = { .fd = conn->fd, .events = POLLRDHUP };
  return poll (&fd, 1, 0) > 0 && (fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* The library does not look at connections that sleep. */
static void
check_client (VendConn *conn)
{
  const bool of_pull = conn->pull != NULL && vend_pull_watches_client (conn->pull);
  const bool of_call = conn->call != NULL && vend_call_watches_client (conn->call);
  if ((!of_pull && !of_call) || !has_left (conn))
    return;
  if (of_pull)
    vend_pull_client_left (conn->pull);
  else
    vend_call_client_left (conn->call);
}

static int64_t
check_interval_us (const VendHttpd *httpd)
{
  int64_t deadline_us = MIN (httpd->head_timeout_us, httpd->body_timeout_us);
  if (httpd->idle_timeout_us > 0)
    deadline_us = MIN (deadline_us, httpd->idle_timeout_us);
  return CLAMP (deadline_us / CHECKS_PER_DEADLINE, LEAST_CHECK_US, GREATEST_CHECK_US);
}

/* ---- Spinning */

/* Bytes that the library holds and cannot parse yet; possibly too many, since framing of chunks
 * counts too. */
static uint64_t
held_bytes (const VendConn *conn)
{
  int unread = 0;
  const uint64_t received = bytes_received (conn);
  const uint64_t used = conn->position + conn->body_bytes;
  if (ioctl (conn->fd, FIONREAD, &unread) < 0 || received < used + (uint64_t) unread)
    return 0;
  return received - (uint64_t) unread - used;
}

static bool
is_stuck (const VendConn *conn, int64_t now_us)
{
  if (conn->worker->conns.spins - conn->piece_spins < STUCK_SPINS
      || now_us - conn->piece_us < STUCK_US)
    return false;
  return conn->worker->httpd->tls
         || held_bytes (conn) > VEND_CONN_LIBRARY_BYTES + FRAMING_PER_BYTE * conn->body_bytes;
}

static void
close_stuck (VendWorker *worker, int64_t now_us)
{
  for (GList *link = worker->conns.chunked.head, *next; link != NULL; link = next)
    {
      next = link->next;
      if (is_stuck (link->data, now_us))
        vend_conn_close (link->data, 400, "Bad request",
                         "A line of the chunked body is too long, or has no end.");
    }
}

bool
vend_conns_is_spinning (VendWorker *worker)
{
  VendConns *conns = &worker->conns;
  conns->idle_turns = conns->progress ? 0 : conns->idle_turns + 1;
  conns->progress = false;
  if (conns->idle_turns <= (conns->chunked.length > 0 ? IDLE_TURNS : IDLE_TURNS_WITHOUT_CHUNKS))
    return false;
  if (++conns->spins % STUCK_SPINS == 0)
    close_stuck (worker, g_get_monotonic_time ());
  return true;
}

/* ---- The worker's turn */

void
vend_conns_turn (VendWorker *worker)
{
  VendConns *conns = &worker->conns;
  if (conns->checks.head == NULL)
    return;
  const int64_t now_us = g_get_monotonic_time ();
  const int64_t until_us = now_us - check_interval_us (worker->httpd);
  for (VendConn *conn;
       conns->checks.head != NULL && (conn = conns->checks.head->data)->checked_us <= until_us;)
    {
      conn->checked_us = now_us;
      g_queue_unlink (&conns->checks, &conn->by_check);
      g_queue_push_tail_link (&conns->checks, &conn->by_check);
      if (conn->phase == VEND_CONN_WAITING)
        check_head (conn, now_us);
      else if (conn->phase == VEND_CONN_BODY)
        check_body (conn, now_us);
      else if (conn->phase == VEND_CONN_REPLY)
        check_client (conn);
    }
}

int
vend_conns_timeout_ms (const VendWorker *worker)
{
  if (worker->conns.checks.head == NULL)
    return -1;
  const VendConn *conn = worker->conns.checks.head->data;
  const int64_t left_us
      = conn->checked_us + check_interval_us (worker->httpd) - g_get_monotonic_time ();
  return left_us > 0 ? (int) (left_us / VEND_US_PER_MS) + 1 : 0;
}
