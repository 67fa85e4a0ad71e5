/* Connections that mean harm, or look like it: what each costs a worker, when it ends, and that
 * others are served meanwhile. */
#include "httpd/httpd.h"
#include "raw-client.h"
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNKED "GET /now HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
#define TIMEOUT_MS 1000
#define IDLE_TIMEOUT_S 8
/* Far less than a second of a spinning core, far more than all of these cost. */
#define CPU_US 400000

typedef struct
{
  VendHttpd *httpd;
  guint port;
  pthread_mutex_t lock; /* GLib's queues are not seen by the thread sanitizer */
  pthread_cond_t changed;
  GQueue held; /* of VendCall */
} Server;

static void
answer (VendCall *call, void *context)
{
  vend_call_reply (call, vend_reply_new (200, "text/plain", "ok", 2));
}

static void
hold (VendCall *call, void *context)
{
  Server *server = context;
  pthread_mutex_lock (&server->lock);
  g_queue_push_head (&server->held, call);
  pthread_cond_signal (&server->changed);
  pthread_mutex_unlock (&server->lock);
}

/* The next call that /hold was given; waits for it. */
static VendCall *
take_held (Server *server)
{
  pthread_mutex_lock (&server->lock);
  while (g_queue_is_empty (&server->held))
    pthread_cond_wait (&server->changed, &server->lock);
  VendCall *call = g_queue_pop_tail (&server->held);
  pthread_mutex_unlock (&server->lock);
  return call;
}

static void
start_with (Server *server, VendHttpdOptions options)
{
  const VendRoute routes[] = { { "GET", "/now", answer },
                               { "GET", "/hold", hold, server },
                               { "POST", "/body", answer, NULL, VEND_BODY_BUFFER, 1 << 20 } };
  g_autoptr (GError) error = NULL;
  options.listen = "127.0.0.1:0";
  options.threads = 2;
  options.max_body = 1 << 20;
  options.spool_dir = "/tmp";
  if (options.max_connections == 0)
    options.max_connections = 100;
  pthread_mutex_init (&server->lock, NULL);
  pthread_cond_init (&server->changed, NULL);
  g_queue_init (&server->held);
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &server->httpd, &error));
  vend_httpd_serve (server->httpd);
  server->port = vend_httpd_port (server->httpd);
}

static void
stop (Server *server)
{
  vend_httpd_free (server->httpd);
  g_assert_true (g_queue_is_empty (&server->held));
  pthread_cond_destroy (&server->changed);
  pthread_mutex_destroy (&server->lock);
}

static int64_t
cpu_us (clockid_t clock)
{
  struct timespec time;
  g_assert_cmpint (clock_gettime (clock, &time), ==, 0);
  return (int64_t) time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* What all other threads have used. */
static int64_t
server_cpu_us (void)
{
  return cpu_us (CLOCK_PROCESS_CPUTIME_ID) - cpu_us (CLOCK_THREAD_CPUTIME_ID);
}

static void
wait_for_connections (Server *server, guint n)
{
  const int64_t until_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  while (vend_httpd_connections (server->httpd) != n)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until_us);
      g_usleep (1000);
    }
}

static void
assert_served (Server *server)
{
  g_autoptr (RawReply) reply = raw_request (server->port, "GET", "/now", NULL, NULL);
  g_assert_cmpint (reply->status, ==, 200);
}

typedef struct
{
  const char *name;
  const char *head;
  const char *repeated;
  gsize bytes; /* of `repeated` in all */
} Hostile;

static const Hostile hostile[] = {
  { "an extension of a chunk", CHUNKED "5;", "a", 100000 },
  { "an extension that fills the buffer", CHUNKED "5;", "a", 32768 - 64 },
  { "an extension behind a chunk", CHUNKED "5\r\nhello\r\n5;", "a", 100000 },
  { "an extension where a body is read",
    "POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
    "chunked\r\n\r\n5\r\nhello\r\n5;",
    "a", 100000 },
  { "zeros of a chunk's size", CHUNKED, "0", 100000 },
  { "returns in a chunk's size", CHUNKED "5", "\r", 100000 },
  { "a trailer", CHUNKED "0\r\nX: ", "a", 100000 },
  { "trailers", CHUNKED "0\r\n", "X: y\r\n", 100000 },
  { "a folded trailer", CHUNKED "0\r\nX: y\r\n", " z\r\n", 100000 },
  { "a request line", "GET /", "a", 100000 },
  { "a method", "", "G", 100000 },
  { "a line that fills the buffer", "GET /", "a", 32768 - 5 },
  { "empty lines", "", "\r\n", 100000 },
  { "a header", "GET /now HTTP/1.1\r\nX: ", "a", 100000 },
  { "a header that fills the buffer", "GET /now HTTP/1.1\r\nX: ", "a", 32768 - 22 },
  { "headers", "GET /now HTTP/1.1\r\n", "X: y\r\n", 100000 },
  { "a folded header", "GET /now HTTP/1.1\r\nX: y\r\n", " z\r\n", 100000 },
  { "a query", "GET /now?", "a&", 100000 },
  { "a body that does not come",
    "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n", "a", 1000 },
  { "a body that nobody wants", "GET /now HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n",
    "a", 50000 },
  { "a body after a long head",
    "POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3;", ";", 200000 },
};

enum
{
  STAYS,
  ENDS_SENDING,
  LEAVES,
  N_ENDS
};

static void
check_hostile (Server *server, const Hostile *one, int end)
{
  g_autoptr (RawClient) client = raw_connect (server->port);
  g_autoptr (GString) bytes = g_string_new (one->head);
  while (bytes->len < strlen (one->head) + one->bytes)
    g_string_append (bytes, one->repeated);
  const int64_t before_us = server_cpu_us ();
  raw_send (client, bytes->str, (gssize) bytes->len);
  if (end == ENDS_SENDING)
    shutdown (client->fd, SHUT_WR);
  if (end == LEAVES)
    g_clear_pointer (&client, raw_free);
  assert_served (server);
  wait_for_connections (server, 0);
  const int64_t used_us = server_cpu_us () - before_us;
  g_test_message ("%s, %d: %" G_GINT64_FORMAT " us", one->name, end, used_us);
  g_assert_cmpint (used_us, <, CPU_US);
}

static void
test_cpu (void)
{
  Server server;
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = IDLE_TIMEOUT_S,
                                           .head_timeout_ms = TIMEOUT_MS,
                                           .body_timeout_ms = TIMEOUT_MS });
  for (gsize i = 0; i < G_N_ELEMENTS (hostile); i++)
    for (int end = STAYS; end < N_ENDS; end++)
      check_hostile (&server, &hostile[i], end);
  stop (&server);
}

/* The call is asleep, and its client sends on. */
static void
test_pipelined_behind_a_sleeper (void)
{
  Server server;
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = IDLE_TIMEOUT_S });
  g_autoptr (RawClient) client = raw_connect (server.port);
  raw_send (client, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  VendCall *call = take_held (&server);
  const int64_t before_us = server_cpu_us ();
  for (int i = 0; i < 5000; i++)
    raw_send (client, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  for (int i = 0; i < 20; i++)
    assert_served (&server);
  vend_call_reply (call, vend_reply_new (200, "text/plain", "held", 4));
  for (int i = 0; i <= 5000; i++)
    {
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_assert_cmpint (reply->status, ==, 200);
    }
  g_assert_cmpint (server_cpu_us () - before_us, <, 20 * CPU_US);
  stop (&server);
}

static void
test_head_timeout (void)
{
  Server server;
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = 60, .head_timeout_ms = 500 });
  g_autoptr (RawClient) silent = raw_connect (server.port);
  g_autoptr (RawClient) half = raw_connect (server.port);
  g_autoptr (RawClient) kept = raw_connect (server.port);
  g_autoptr (RawClient) idle = raw_connect (server.port);
  raw_send (kept, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  raw_send (idle, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  g_autoptr (RawReply) first = raw_read (kept, false);
  g_autoptr (RawReply) second = raw_read (idle, false);
  g_assert_cmpint (first->status, ==, 200);
  g_assert_cmpint (second->status, ==, 200);
  raw_send (half, "GET /now HTTP/1.1\r\nHo", -1);
  /* A byte now and then. */
  const struct timeval soon = { .tv_usec = 50000 };
  setsockopt (kept->fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
  char byte;
  while (recv (kept->fd, &byte, 1, MSG_PEEK) < 0)
    if (!raw_send (kept, "G", 1))
      break;
  g_autoptr (RawReply) late = raw_read (half, false);
  g_assert_cmpint (late->status, ==, 408);
  g_assert_true (raw_at_end (half));
  g_assert_true (raw_at_end (silent));
  /* One that asks for nothing is left alone. */
  raw_send (idle, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  g_autoptr (RawReply) again = raw_read (idle, false);
  g_assert_cmpint (again->status, ==, 200);
  stop (&server);
}

static void
test_body_timeout (void)
{
  Server server;
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = 60, .body_timeout_ms = 500 });
  g_autoptr (RawClient) client = raw_connect (server.port);
  raw_send (client, "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc", -1);
  g_autoptr (RawReply) late = raw_read (client, false);
  g_assert_cmpint (late->status, ==, 408);
  g_assert_true (raw_at_end (client));
  stop (&server);
}

/* Those that ask for nothing make room, the one that has waited longest first. */
static void
test_full_of_half_heads (void)
{
  Server server;
  RawClient *clients[16];
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = 60, .max_connections = 16 });
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      clients[i] = raw_connect (server.port);
      raw_send (clients[i], "G", 1);
      wait_for_connections (&server, i + 1);
    }
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    assert_served (&server);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    raw_free (clients[i]);
  wait_for_connections (&server, 0);
  stop (&server);
}

/* Those that wait for a reply do not. */
static void
test_full_of_calls (void)
{
  Server server;
  RawClient *clients[16];
  VendCall *calls[16];
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = 60, .max_connections = 16 });
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      clients[i] = raw_connect (server.port);
      raw_send (clients[i], "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n", -1);
      calls[i] = take_held (&server);
    }
  const int64_t before_us = server_cpu_us ();
  g_autoptr (RawClient) late = raw_connect (server.port);
  raw_send (late, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  struct timeval half_a_second = { .tv_usec = 500000 };
  setsockopt (late->fd, SOL_SOCKET, SO_RCVTIMEO, &half_a_second, sizeof half_a_second);
  char byte;
  g_assert_cmpint (recv (late->fd, &byte, 1, MSG_PEEK), <, 0);
  g_assert_cmpint (server_cpu_us () - before_us, <, CPU_US);
  half_a_second.tv_sec = RAW_TIMEOUT_S;
  setsockopt (late->fd, SOL_SOCKET, SO_RCVTIMEO, &half_a_second, sizeof half_a_second);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    vend_call_reply (calls[i], vend_reply_new (200, "text/plain", "held", 4));
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      g_autoptr (RawReply) reply = raw_read (clients[i], false);
      g_assert_cmpint (reply->status, ==, 200);
    }
  g_autoptr (RawReply) reply = raw_read (late, false);
  g_assert_cmpint (reply->status, ==, 200);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    raw_free (clients[i]);
  stop (&server);
}

static void
test_one_address (void)
{
  Server server;
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = 60, .max_connections_per_peer = 2 });
  g_autoptr (RawClient) one = raw_connect (server.port);
  g_autoptr (RawClient) two G_GNUC_UNUSED = raw_connect (server.port);
  wait_for_connections (&server, 2);
  g_autoptr (RawReply) refused = raw_request (server.port, "GET", "/now", NULL, NULL);
  g_assert_cmpint (refused->status, ==, 429);
  g_clear_pointer (&one, raw_free);
  wait_for_connections (&server, 1);
  assert_served (&server);
  stop (&server);

  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = 60,
                                           .max_connections_per_peer = 1,
                                           .trusted_proxies = "127.0.0.0/8" });
  g_autoptr (RawClient) proxied G_GNUC_UNUSED = raw_connect (server.port);
  wait_for_connections (&server, 1);
  assert_served (&server);
  stop (&server);
}

/* Clients of registries try TLS first: told at once that this is HTTP, whether their first byte is
 * there when they are accepted or not. The head timeout is far. */
static void
test_begins_tls (void)
{
  static const char hello[] = "\x16\x03\x01\x00\x40\x01";
  Server server;
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = 600, .head_timeout_ms = 600000 });
  for (int is_late = 0; is_late < 2; is_late++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      if (is_late)
        wait_for_connections (&server, 1);
      raw_send (client, hello, sizeof hello - 1);
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_assert_cmpint (reply->status, ==, 400);
      g_assert_nonnull (strstr (reply->body->str, "began TLS"));
      g_assert_true (raw_at_end (client));
      wait_for_connections (&server, 0);
    }
  assert_served (&server);
  stop (&server);
}

/* Sockets that the library does not know: one that leaves, one that is silent, one at the end. */
static void
test_before_the_first_byte (void)
{
  Server server;
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = 600, .head_timeout_ms = TIMEOUT_MS });
  g_autoptr (RawClient) leaves = raw_connect (server.port);
  wait_for_connections (&server, 1);
  g_clear_pointer (&leaves, raw_free);
  wait_for_connections (&server, 0);
  g_autoptr (RawClient) silent = raw_connect (server.port);
  g_assert_true (raw_at_end (silent));
  wait_for_connections (&server, 0);
  g_autoptr (RawClient) late = raw_connect (server.port);
  wait_for_connections (&server, 1);
  raw_send (late, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  g_autoptr (RawReply) reply = raw_read (late, false);
  g_assert_cmpint (reply->status, ==, 200);
  g_autoptr (RawClient) last G_GNUC_UNUSED = raw_connect (server.port);
  wait_for_connections (&server, 2);
  stop (&server);
}

/* The next descriptors are gone: whoever connects waits, and the worker does not spin. */
static void
test_no_descriptors (void)
{
  Server server;
  struct rlimit limit, low;
  start_with (&server, (VendHttpdOptions){ .idle_timeout_s = 60 });
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_autoptr (RawClient) client = raw_connect (server.port);
  wait_for_connections (&server, 1);
  g_autoptr (RawClient) held = raw_connect (server.port);
  raw_send (held, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  VendCall *call = take_held (&server);
  g_clear_pointer (&client, raw_free);
  wait_for_connections (&server, 1);
  g_autoptr (RawClient) late G_GNUC_UNUSED = raw_connect (server.port);
  wait_for_connections (&server, 2);
  const int next = fcntl (0, F_DUPFD, 0);
  close (next);
  low = limit;
  low.rlim_cur = (rlim_t) next + 1;
  g_autoptr (RawClient) last = NULL;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);
  last = raw_connect (server.port); /* takes the last descriptor of the process */
  const int64_t before_us = server_cpu_us ();
  const struct timeval while_ = { .tv_usec = 700000 };
  setsockopt (last->fd, SOL_SOCKET, SO_RCVTIMEO, &while_, sizeof while_);
  raw_send (last, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  char byte;
  recv (last->fd, &byte, 1, MSG_PEEK);
  g_assert_cmpint (server_cpu_us () - before_us, <, CPU_US);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  const struct timeval long_ = { .tv_sec = RAW_TIMEOUT_S };
  setsockopt (last->fd, SOL_SOCKET, SO_RCVTIMEO, &long_, sizeof long_);
  g_autoptr (RawReply) reply = raw_read (last, false);
  g_assert_cmpint (reply->status, ==, 200);
  vend_call_reply (call, vend_reply_new (200, "text/plain", "held", 4));
  stop (&server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostile/cpu", test_cpu);
  g_test_add_func ("/hostile/pipelined-behind-a-sleeper", test_pipelined_behind_a_sleeper);
  g_test_add_func ("/hostile/head-timeout", test_head_timeout);
  g_test_add_func ("/hostile/body-timeout", test_body_timeout);
  g_test_add_func ("/hostile/full-of-half-heads", test_full_of_half_heads);
  g_test_add_func ("/hostile/full-of-calls", test_full_of_calls);
  g_test_add_func ("/hostile/one-address", test_one_address);
  g_test_add_func ("/hostile/begins-tls", test_begins_tls);
  g_test_add_func ("/hostile/before-the-first-byte", test_before_the_first_byte);
  g_test_add_func ("/hostile/no-descriptors", test_no_descriptors);
  return g_test_run ();
}
