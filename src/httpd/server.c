/* The server: listening socket, worker threads, and the library's callbacks.
 *
 * Each worker is one thread with its own daemon in external-loop mode, and takes connections from
 * the one listening socket. The library's own epoll threads read events in blocks of 128 and, when
 * a block is exactly full, wait for another event before they serve the first block; with the loop
 * outside they never wait. */
#include "httpd/httpd-private.h"
#include "httpd/listen.h"
#include "base/turns.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* Head, its parsed form, and the reply's head; see VEND_HTTPD_HEAD_BYTES. */
#define CONNECTION_BYTES (64 * 1024)
#define MAX_POLL_MS 60000
#define PULL_IDLE_MS 10000
#define HEAD_TIMEOUT_MS 30000
#define BODY_TIMEOUT_MS 30000
/* Pause between turns that the library wants at once and does nothing in. */
#define SPIN_PAUSE_MS 4
/* Besides `max_connections`, which the workers enforce: connections that end in this turn. */
#define CLOSING_CONNECTIONS 1024
/* Turns without sleep until the next look for new connections. */
#define TURNS_PER_ACCEPT 16
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Refuses a body half-way. The library takes no reply at that point, so the reply is written past
 * it. */
static enum MHD_Result
refuse_body (VendCall *call, VendReply *refusal)
{
  gsize size = 0;
  refusal = vend_reply_restated (refusal, call);
  vend_reply_take_headers (refusal, call);
  g_autofree char *wire = vend_reply_wire (refusal, &size);
  call->status = vend_reply_get_status (refusal);
  vend_reply_free (refusal);
  vend_conn_write (vend_conn_of (call->connection), wire, size);
  call->refused_early = true;
  return MHD_NO;
}

static enum MHD_Result
refuse_head (VendCall *call, VendReply *refusal, uint64_t length)
{
  /* A short body is read first, which keeps the connection; a reply here closes it. */
  vend_call_reply (call, refusal);
  call->asked = true;
  if (length <= VEND_HTTPD_IGNORED_BYTES)
    return MHD_YES;
  call->refused_early = true;
  return vend_call_advance (call);
}

static gsize
head_bytes (struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *info
      = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info != NULL ? info->header_size : 0;
}

static enum MHD_Result
begin_call (VendWorker *worker, struct MHD_Connection *connection, const char *raw_path,
            const char *method, const char *version, void **state)
{
  VendCall *call = *state = vend_call_new (worker, connection, method);
  vend_conn_of (connection)->call = call;
  call->raw_path = raw_path;
  VendReply *refusal = vend_request_check (call, raw_path, version, &call->length);
  const uint64_t length = call->length;
  vend_conn_body (vend_conn_of (connection), head_bytes (connection), length);
  const VendRoute *route = call->match.route;
  if (refusal == NULL && route->admit != NULL)
    refusal = route->admit (call, route->context);
  if (refusal == NULL && vend_body_begin (call, length, &refusal))
    return MHD_YES;
  return refuse_head (call, refusal, length);
}

/* The library takes a short read for the end of the available bytes, though the end of the
 * connection may be there too. No event follows then, and a client that left half-way would hold
 * its call until the idle timeout. Shutting down the reading side makes an event of it, for which
 * the library closes the connection: not for a client that has sent all and waits for its reply. */
static void
notice_end (const VendCall *call)
{
  const union MHD_ConnectionInfo *info
      = MHD_get_connection_info (call->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  char byte;
  if (recv (info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
    shutdown (info->connect_fd, SHUT_RD);
}

static enum MHD_Result
on_request (void *data, struct MHD_Connection *connection, const char *raw_path, const char *method,
            const char *version, const char *upload, size_t *upload_size, void **state)
{
  VendCall *call = *state;
  VendReply *refusal = NULL;
  if (call == NULL)
    return begin_call (data, connection, raw_path, method, version, state);
  if (*upload_size > 0)
    {
      const size_t size = *upload_size;
      *upload_size = 0;
      vend_conn_piece (vend_conn_of (connection), size);
      if (call->asked || vend_body_write (call, upload, size, &refusal))
        {
          if (vend_conn_wants_body (vend_conn_of (connection), call->length))
            notice_end (call);
          return MHD_YES;
        }
      return refuse_body (call, refusal);
    }
  vend_conn_reply (vend_conn_of (connection));
  if (!call->asked && !call->is_due && !vend_body_end (call, &refusal))
    {
      vend_call_reply (call, refusal);
      call->asked = true;
    }
  return vend_call_advance (call);
}

static void
on_completed (void *data, struct MHD_Connection *connection, void **state,
              enum MHD_RequestTerminationCode code)
{
  VendCall *call = *state;
  vend_conn_request_end (vend_conn_of (connection), call != NULL ? call->length : 0);
  if (call == NULL)
    return;
  *state = NULL;
  vend_conn_of (connection)->call = NULL;
  /* A connection is closed after chunks, with any further bytes. */
  VendConn *conn = vend_conn_of (connection);
  if (call->refused_early || (call->length == UINT64_MAX && vend_conn_has_unread (conn)))
    vend_linger_add (call->httpd->linger, conn->fd);
  if (call->httpd->observe != NULL && call->status != 0)
    call->httpd->observe (call->match.route, call->status, g_get_monotonic_time () - call->began_us,
                          call->httpd->observe_data);
  vend_call_free (call);
}

static void
on_connection (void *data, struct MHD_Connection *connection, void **context,
               enum MHD_ConnectionNotificationCode code)
{
  VendWorker *worker = data;
  if (code == MHD_CONNECTION_NOTIFY_STARTED)
    {
      VendConn *conn = *context = g_steal_pointer (&worker->arriving);
      vend_conn_begin (conn, connection);
      return;
    }
  VendConn *conn = *context;
  vend_accept_leave (worker->httpd, &conn->peer, conn->counted);
  vend_conn_end (conn);
  worker->accept_from_us = 0;
}

static void *
on_request_line (void *data, const char *target, struct MHD_Connection *connection)
{
  vend_conn_request_line (vend_conn_of (connection), target);
  return NULL;
}

/* Paths and queries are decoded by the router, where an encoded slash differs from a slash. */
static size_t
keep_encoded (void *data, struct MHD_Connection *connection, char *text)
{
  return strlen (text);
}

static void G_GNUC_PRINTF (2, 0) on_log (void *data, const char *format, va_list args)
{
  /* The library sends its own reply next, with two heads. This is the last moment before that. */
  if (strstr (format, "Content-Length") != NULL)
    vend_conns_refuse_length (data);
  g_autofree char *text = g_strdup_vprintf (format, args);
  g_strstrip (text);
  /* Most lines are caused by clients, and must not be able to fill the log. */
  const bool ours = strstr (text, "epoll") != NULL || strstr (text, "Error allocat") != NULL;
  vend_log (ours ? VEND_LOG_WARN : VEND_LOG_DEBUG, "http library", "text", text, NULL);
}

/* The library looks for resumed connections at the start of a turn and empties its wake-up channel
 * later in the turn, so a resume in between would be lost. `resumed` is set after the resume, and
 * each side writes its flag before it reads the other's. */
void
vend_worker_resume (VendWorker *worker, struct MHD_Connection *connection)
{
  MHD_resume_connection (connection);
  vend_worker_poke (worker);
}

void
vend_worker_poke (VendWorker *worker)
{
  atomic_store (&worker->resumed, true);
  if (atomic_load (&worker->asleep))
    eventfd_write (worker->wake_fd, 1);
}

/* True when a connection may be waiting. */
static bool
sleep_until_event (VendWorker *worker, int timeout_ms)
{
  const bool closing = atomic_load_explicit (&worker->httpd->closing, memory_order_relaxed);
  const int pause_ms = vend_accept_pause_ms (worker);
  struct pollfd fds[]
      = { { .fd = worker->epoll_fd, .events = POLLIN },
          { .fd = worker->wake_fd, .events = POLLIN },
          { .fd = closing || pause_ms > 0 ? -1 : worker->httpd->listen_fd, .events = POLLIN },
          { .fd = worker->n_arrivals > 0 ? worker->arrivals_fd : -1, .events = POLLIN } };
  atomic_store (&worker->asleep, true);
  if (!atomic_load (&worker->resumed))
    poll (fds, G_N_ELEMENTS (fds), pause_ms > 0 ? MIN (pause_ms, timeout_ms) : timeout_ms);
  atomic_store (&worker->asleep, false);
  if (fds[1].revents != 0)
    {
      eventfd_t count;
      eventfd_read (worker->wake_fd, &count);
    }
  return fds[2].revents != 0;
}

static int
sooner (int timeout_ms, int other_ms)
{
  return other_ms >= 0 ? MIN (timeout_ms, other_ms) : timeout_ms;
}

/* True when a connection may be waiting. */
static bool
wait_for_events (VendWorker *worker)
{
  MHD_UNSIGNED_LONG_LONG library_ms = MAX_POLL_MS;
  /* A thread that does not sleep is not told of arrivals. */
  bool arrived = worker->may_accept || ++worker->turns % TURNS_PER_ACCEPT == 0;
  if (MHD_get_timeout (worker->daemon, &library_ms) != MHD_YES || library_ms > 0)
    {
      int timeout_ms = (int) MIN (library_ms, MAX_POLL_MS);
      timeout_ms = sooner (timeout_ms, vend_pulls_timeout_ms (worker));
      timeout_ms = sooner (timeout_ms, vend_conns_timeout_ms (worker));
      arrived = sleep_until_event (worker, timeout_ms);
      worker->conns.progress = true;
    }
  else if (vend_conns_is_spinning (worker))
    arrived = sleep_until_event (worker, SPIN_PAUSE_MS);
  atomic_store (&worker->resumed, false);
  return arrived && vend_accept_pause_ms (worker) == 0;
}

/* Calls start to sleep on this thread only, so none can follow. */
static bool
may_end (VendWorker *worker)
{
  if (!atomic_load (&worker->httpd->stopping))
    return false;
  pthread_mutex_lock (&worker->lock);
  bool none_held = worker->held == 0;
  pthread_mutex_unlock (&worker->lock);
  return none_held;
}

/* Signals from outside belong to the main thread; a fault belongs to its own thread. */
static void
block_signals (void)
{
  static const int own[] = { SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV };
  sigset_t signals;
  sigfillset (&signals);
  for (gsize i = 0; i < G_N_ELEMENTS (own); i++)
    sigdelset (&signals, own[i]);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
}

static gpointer
worker_main (gpointer data)
{
  VendWorker *worker = data;
  block_signals ();
  vend_turns_watch (VEND_TURNS_HTTP);
  while (!may_end (worker))
    {
      vend_turn_end ();
      const bool arrived = wait_for_events (worker);
      vend_turn_begin ();
      if (arrived && !atomic_load_explicit (&worker->httpd->closing, memory_order_relaxed))
        vend_accept_turn (worker);
      vend_arrivals_turn (worker);
      vend_pulls_turn (worker);
      MHD_run (worker->daemon);
      vend_conns_turn (worker);
    }
  vend_stream_abort_all (worker);
  vend_pulls_abort_all (worker);
  vend_arrivals_end (worker);
  MHD_stop_daemon (worker->daemon);
  worker->daemon = NULL;
  return NULL;
}

static bool
start_daemon (VendHttpd *httpd, VendWorker *worker, const VendHttpdOptions *options, GError **error)
{
  guint flags
      = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET;
  struct MHD_OptionItem tls[] = { { MHD_OPTION_HTTPS_MEM_CERT, 0, httpd->cert_pem },
                                  { MHD_OPTION_HTTPS_MEM_KEY, 0, httpd->key_pem },
                                  { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *) TLS_PRIORITIES },
                                  { MHD_OPTION_END, 0, NULL } };
  if (httpd->tls)
    flags |= MHD_USE_TLS;
  else
    tls[0] = tls[3];
  worker->daemon = MHD_start_daemon (
      flags, 0, NULL, NULL, on_request, worker, MHD_OPTION_EXTERNAL_LOGGER, on_log, worker,
      MHD_OPTION_NOTIFY_COMPLETED, on_completed, worker, MHD_OPTION_NOTIFY_CONNECTION,
      on_connection, worker, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, worker,
      MHD_OPTION_UNESCAPE_CALLBACK, keep_encoded, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      (size_t) CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT,
      (unsigned int) options->max_connections + CLOSING_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
      (unsigned int) options->idle_timeout_s, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
      MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
  if (worker->daemon == NULL)
    return vend_fail (error, httpd->tls ? VEND_ERROR_INVALID : VEND_ERROR_INTERNAL, "%s",
                      httpd->tls
                          ? "the HTTP library did not start: check the certificate and its key"
                          : "the HTTP library did not start");
  worker->epoll_fd = MHD_get_daemon_info (worker->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  worker->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (worker->wake_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "eventfd");
  return vend_arrivals_open (worker, error);
}

static bool
open_listener (VendHttpd *httpd, const VendHttpdOptions *options, GError **error)
{
  g_autofree char *host = NULL;
  g_autofree char *port = NULL;
  if (!vend_listen_split (options->listen, "listen", &host, &port, error))
    return false;
  if (options->listener > 0)
    {
      httpd->listen_fd = options->listener;
      httpd->is_shared = true;
    }
  else if (!vend_listen_open (options->listen, "listen", &httpd->listen_fd, error))
    return false;
  guint bound = 0;
  if (!vend_listen_port (httpd->listen_fd, &bound, error))
    return false;
  httpd->port = bound;
  httpd->local
      = g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, httpd->port);
  return true;
}

static guint
or_default (guint value, guint fallback)
{
  return value > 0 ? value : fallback;
}

bool
vend_httpd_open (const VendHttpdOptions *options, const VendRoute *routes, gsize n, VendHttpd **out,
                 GError **error)
{
  g_assert (options->threads >= 2);
  g_autoptr (VendHttpd) httpd = g_new0 (VendHttpd, 1);
  httpd->listen_fd = -1;
  httpd->router = vend_router_new (routes, n);
  if (options->pages != NULL)
    {
      httpd->pages = vend_router_new (options->pages, options->n_pages);
      httpd->other_page = vend_router_new (options->other_page, 1);
    }
  if (options->preview_page != NULL)
    httpd->preview_page = vend_router_new (options->preview_page, 1);
  httpd->spool_dir = g_strdup (options->spool_dir);
  httpd->max_body = options->max_body;
  httpd->observe = options->observe;
  httpd->observe_data = options->observe_data;
  httpd->restate = options->restate;
  httpd->pull_idle_us = 1000 * (int64_t) or_default (options->pull_idle_ms, PULL_IDLE_MS);
  httpd->max_connections = MAX (1, options->max_connections);
  httpd->peers = vend_peers_new (options->max_connections_per_peer);
  httpd->head_timeout_us = 1000 * (int64_t) or_default (options->head_timeout_ms, HEAD_TIMEOUT_MS);
  httpd->body_timeout_us = 1000 * (int64_t) or_default (options->body_timeout_ms, BODY_TIMEOUT_MS);
  httpd->idle_timeout_us = 1000 * 1000 * (int64_t) options->idle_timeout_s;
  httpd->tls = options->tls_cert_pem != NULL;
  httpd->cert_pem = g_strdup (options->tls_cert_pem);
  httpd->key_pem = g_strdup (options->tls_key_pem);
  if (!vend_origin_rules_new (options->public_url, options->trusted_proxies, &httpd->origin_rules,
                              error)
      || !vend_cors_new (options->cors_origins, &httpd->cors, error)
      || !vend_linger_new (&httpd->linger, error) || !open_listener (httpd, options, error))
    return false;

  httpd->n_workers = options->threads;
  httpd->workers = g_new0 (VendWorker, httpd->n_workers);
  for (guint i = 0; i < httpd->n_workers; i++)
    {
      httpd->workers[i].httpd = httpd;
      httpd->workers[i].wake_fd = httpd->workers[i].arrivals_fd = -1;
      pthread_mutex_init (&httpd->workers[i].lock, NULL);
    }
  for (guint i = 0; i < httpd->n_workers; i++)
    if (!start_daemon (httpd, &httpd->workers[i], options, error))
      return false;
  *out = g_steal_pointer (&httpd);
  return true;
}

bool
vend_httpd_try_serve (VendHttpd *httpd, GError **error)
{
  for (guint i = 0; i < httpd->n_workers; i++)
    {
      VendWorker *worker = &httpd->workers[i];
      worker->thread = g_thread_try_new ("httpd", worker_main, worker, error);
      if (worker->thread == NULL)
        {
          g_prefix_error (error, "start HTTP thread %u of %u: ", i + 1, httpd->n_workers);
          return false;
        }
    }
  return true;
}

void
vend_httpd_serve (VendHttpd *httpd)
{
  g_autoptr (GError) error = NULL;
  if (!vend_httpd_try_serve (httpd, &error))
    g_error ("%s", error->message);
}

guint
vend_httpd_port (const VendHttpd *httpd)
{
  return httpd->port;
}

static void
wake_workers (VendHttpd *httpd)
{
  for (guint i = 0; i < httpd->n_workers; i++)
    if (httpd->workers[i].wake_fd >= 0)
      eventfd_write (httpd->workers[i].wake_fd, 1);
}

void
vend_httpd_stop_accepting (VendHttpd *httpd)
{
  if (atomic_exchange (&httpd->closing, true))
    return;
  /* Refuses connections at once, unless the next server shall take them; the workers release the
   * socket on their next turn. */
  if (httpd->listen_fd >= 0 && !httpd->is_shared)
    shutdown (httpd->listen_fd, SHUT_RDWR);
  wake_workers (httpd);
}

void
vend_httpd_refuse (VendHttpd *httpd)
{
  atomic_store (&httpd->stopping, true);
  wake_workers (httpd);
}

guint
vend_httpd_active_calls (VendHttpd *httpd)
{
  return atomic_load (&httpd->active);
}

guint
vend_httpd_connections (VendHttpd *httpd)
{
  return atomic_load (&httpd->n_connections);
}

void
vend_httpd_free (VendHttpd *httpd)
{
  if (httpd == NULL)
    return;
  vend_httpd_stop_accepting (httpd);
  vend_httpd_refuse (httpd);
  for (guint i = 0; i < httpd->n_workers; i++)
    {
      VendWorker *worker = &httpd->workers[i];
      if (worker->thread != NULL)
        g_thread_join (worker->thread);
      else if (worker->daemon != NULL)
        MHD_stop_daemon (worker->daemon);
      vend_pulls_forget (worker);
      vend_fd_clear (&worker->wake_fd);
      vend_fd_clear (&worker->arrivals_fd);
      pthread_mutex_destroy (&worker->lock);
    }
  vend_linger_free (httpd->linger);
  vend_fd_clear (&httpd->listen_fd);
  vend_peers_free (httpd->peers);
  vend_router_free (httpd->router);
  vend_router_free (httpd->pages);
  vend_router_free (httpd->other_page);
  vend_router_free (httpd->preview_page);
  vend_origin_rules_free (httpd->origin_rules);
  vend_cors_free (httpd->cors);
  g_free (httpd->workers);
  g_free (httpd->local);
  g_free (httpd->spool_dir);
  g_free (httpd->cert_pem);
  g_free (httpd->key_pem);
  g_free (httpd);
}
