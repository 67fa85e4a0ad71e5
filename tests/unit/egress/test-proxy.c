/* The proxy with real sockets: clients speak to it over loopback, servers are other loopback
 * addresses that the test allows. */
#include "base/error.h"
#include "base/fd.h"
#include "egress/egress.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <gio/gio.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MB (1024 * 1024)

/* ---- A resolver that knows what the test tells it: GLib has no other way to give one. */

typedef GResolver FakeResolver;
typedef GResolverClass FakeResolverClass;

static GType fake_resolver_get_type (void);
G_DEFINE_TYPE (FakeResolver, fake_resolver, G_TYPE_RESOLVER)

static guint lookups;

static void
look_up (GResolver *resolver, const char *name, GResolverNameLookupFlags flags,
         GCancellable *cancellable, GAsyncReadyCallback callback, void *data)
{
  g_autoptr (GTask) task = g_task_new (resolver, cancellable, callback, data);
  GList *list = NULL;
  lookups++;
  if (strcmp (name, "never.test") == 0)
    {
      /* Answers when it is canceled, as the real one does. */
      g_task_set_return_on_cancel (task, FALSE);
      g_object_set_data_full (G_OBJECT (resolver), "waiting", g_object_ref (task), g_object_unref);
      return;
    }
  /* "127.0.0.2,10.0.0.1.test" has these addresses. */
  g_autofree char *addresses = g_strndup (name, strlen (name) - strlen (".test"));
  g_auto (GStrv) parts = g_strsplit (addresses, "_", -1);
  for (char **part = parts; *part != NULL; part++)
    if (g_hostname_is_ip_address (*part))
      list = g_list_append (list, g_inet_address_new_from_string (*part));
  if (list == NULL)
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no such name");
  else
    g_task_return_pointer (task, list, (GDestroyNotify) g_resolver_free_addresses);
}

static void
look_up_with_flags (GResolver *resolver, const char *name, GResolverNameLookupFlags flags,
                    GCancellable *cancellable, GAsyncReadyCallback callback, void *data)
{
  look_up (resolver, name, flags, cancellable, callback, data);
}

static void
look_up_plain (GResolver *resolver, const char *name, GCancellable *cancellable,
               GAsyncReadyCallback callback, void *data)
{
  look_up (resolver, name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable, callback, data);
}

static GList *
finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
fake_resolver_class_init (FakeResolverClass *class)
{
  class->lookup_by_name_async = look_up_plain;
  class->lookup_by_name_finish = finish;
  class->lookup_by_name_with_flags_async = look_up_with_flags;
  class->lookup_by_name_with_flags_finish = finish;
}

static void
fake_resolver_init (FakeResolver *resolver)
{
}

/* ---- Sockets */

static int
listen_on (const char *address, guint16 *out_port)
{
  struct sockaddr_in at = { .sin_family = AF_INET };
  socklen_t size = sizeof at;
  const int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (inet_pton (AF_INET, address, &at.sin_addr), ==, 1);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &at, sizeof at), ==, 0);
  g_assert_cmpint (listen (fd, 64), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &at, &size), ==, 0);
  *out_port = ntohs (at.sin_port);
  return fd;
}

static int
connect_to (guint16 port)
{
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons (port) };
  const int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  at.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &at, sizeof at), ==, 0);
  return fd;
}

static guint
count_descriptors (void)
{
  DIR *listing = opendir ("/proc/self/fd");
  guint n = 0;
  while (readdir (listing) != NULL)
    n++;
  closedir (listing);
  return n;
}

/* ---- The proxy of a test */

typedef struct
{
  VendProxy *proxy;
  VendNetworks *allow;
  guint16 port;
  GString *reports;
} Fixture;

static void
take_report (const VendProxyReport *report, void *data)
{
  Fixture *fixture = data;
  if (report->left_out > 0)
    g_string_append_printf (fixture->reports, "left out %" G_GUINT64_FORMAT "\n", report->left_out);
  else
    g_string_append_printf (
        fixture->reports, "%s %s %u %s +%u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
        vend_proxy_verdict_name (report->verdict), report->host != NULL ? report->host : "-",
        report->port, report->address != NULL ? report->address : "-", report->connections,
        report->sent, report->received);
}

static void
start (Fixture *fixture, const char *allow, VendProxyOptions options)
{
  const int listener = listen_on ("127.0.0.1", &fixture->port);
  g_assert_true (vend_networks_parse (allow, "allow", &fixture->allow, NULL));
  fixture->reports = g_string_new (NULL);
  options.context = g_main_context_default ();
  options.allow = fixture->allow;
  options.setting = "egress-allow";
  options.report = take_report;
  options.data = fixture;
  fixture->proxy = vend_proxy_new (listener, &options);
}

static void
stop (Fixture *fixture)
{
  g_clear_pointer (&fixture->proxy, vend_proxy_free);
  vend_networks_free (fixture->allow);
  g_string_free (fixture->reports, TRUE);
}

static void
turn (void)
{
  g_main_context_iteration (NULL, FALSE);
}

/* Runs the loop until `fd` is readable. */
static void
wait_for (int fd)
{
  struct pollfd at = { .fd = fd, .events = POLLIN };
  while (poll (&at, 1, 1) == 0)
    turn ();
}

static void
wait_for_connections (Fixture *fixture, guint n)
{
  while (vend_proxy_connections (fixture->proxy) != n)
    g_main_context_iteration (NULL, TRUE);
}

/* Reads until `end` stands at the end, or, with NULL, until the peer ends. Free with g_free. */
static char *
read_until (int fd, const char *end)
{
  GString *text = g_string_new (NULL);
  for (;;)
    {
      char bytes[4096];
      wait_for (fd);
      const ssize_t n = recv (fd, bytes, sizeof bytes, 0);
      if (n <= 0)
        break;
      g_string_append_len (text, bytes, n);
      if (end != NULL && g_str_has_suffix (text->str, end))
        break;
    }
  return g_string_free (text, FALSE);
}

static void
say (int fd, const char *text)
{
  g_assert_cmpint (send (fd, text, strlen (text), MSG_NOSIGNAL), ==, (ssize_t) strlen (text));
}

static int
accept_one (int listener)
{
  wait_for (listener);
  const int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* What the proxy says to a request by itself. Free with g_free. */
static char *
ask (Fixture *fixture, const char *request)
{
  vend_autofd client = connect_to (fixture->port);
  say (client, request);
  return read_until (client, NULL);
}

/* ---- Tests */

static void
test_tunnel (void)
{
  Fixture fixture = { 0 };
  guint16 port;
  vend_autofd listener = listen_on ("127.0.0.2", &port);
  start (&fixture, "127.0.0.2", (VendProxyOptions){ 0 });
  const guint before = count_descriptors ();
  {
    vend_autofd client = connect_to (fixture.port);
    /* The first bytes of the tunnel come with the head. */
    g_autofree char *request = g_strdup_printf (
        "CONNECT 127.0.0.2:%u HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\n\r\nearly", port);
    say (client, request);
    vend_autofd server = accept_one (listener);
    g_autofree char *head = read_until (client, "\r\n\r\n");
    g_assert_cmpstr (head, ==, "HTTP/1.1 200 Connection established\r\n\r\n");
    g_autofree char *early = read_until (server, "early");
    g_assert_cmpstr (early, ==, "early");
    say (server, "answer");
    g_autofree char *answer G_GNUC_UNUSED = read_until (client, "answer");
    /* One side ends, the other goes on. */
    shutdown (client, SHUT_WR);
    g_autofree char *rest = read_until (server, NULL);
    g_assert_cmpstr (rest, ==, "");
    say (server, "late");
    vend_fd_clear (&server);
    g_autofree char *late = read_until (client, NULL);
    g_assert_cmpstr (late, ==, "late");
  }
  wait_for_connections (&fixture, 0);
  g_assert_cmpuint (count_descriptors (), ==, before);
  vend_proxy_free (g_steal_pointer (&fixture.proxy));
  g_autofree char *expected = g_strdup_printf ("passed 127.0.0.2 %u 127.0.0.2 +1 0 0\n"
                                               "passed 127.0.0.2 %u 127.0.0.2 +0 5 49\n",
                                               port, port);
  g_assert_cmpstr (fixture.reports->str, ==, expected);
  stop (&fixture);
}

static void
test_request (void)
{
  Fixture fixture = { 0 };
  guint16 port;
  vend_autofd listener = listen_on ("127.0.0.2", &port);
  start (&fixture, "127.0.0.2", (VendProxyOptions){ 0 });
  vend_autofd client = connect_to (fixture.port);
  g_autofree char *request = g_strdup_printf (
      "POST http://127.0.0.2.test:%u/a HTTP/1.1\r\nHost: other\r\nContent-Length: 6\r\n"
      "Proxy-Connection: keep-alive\r\n\r\nabcdefGET / HTTP/1.1\r\n\r\n",
      port);
  say (client, request);
  vend_autofd server = accept_one (listener);
  g_autofree char *got = read_until (server, "abcdef");
  g_autofree char *expected = g_strdup_printf (
      "POST /a HTTP/1.1\r\nHost: 127.0.0.2.test:%u\r\nContent-Length: 6\r\nConnection: close\r\n"
      "Via: 1.1 vend\r\n\r\nabcdef",
      port);
  /* What follows the body is no part of it. */
  g_assert_cmpstr (got, ==, expected);
  say (server, "HTTP/1.1 100 Continue\r\n\r\n");
  g_autofree char *interim = read_until (client, "\r\n\r\n");
  g_assert_cmpstr (interim, ==, "HTTP/1.1 100 Continue\r\n\r\n");
  say (server, "HTTP/1.1 200 OK\r\nKeep-");
  turn ();
  say (server, "Alive: 5\r\nContent-Length: 2\r\n\r\no");
  turn ();
  say (server, "k");
  vend_fd_clear (&server);
  g_autofree char *answer = read_until (client, NULL);
  g_assert_cmpstr (answer, ==,
                   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  stop (&fixture);
}

/* More than all buffers, both ways at once; neither side reads before the other has written. */
static void
test_much (void)
{
  enum
  {
    SIZE = 3 * MB
  };
  Fixture fixture = { 0 };
  guint16 port;
  vend_autofd listener = listen_on ("127.0.0.2", &port);
  start (&fixture, "127.0.0.2", (VendProxyOptions){ 0 });
  vend_autofd client = connect_to (fixture.port);
  g_autofree char *request = g_strdup_printf ("CONNECT 127.0.0.2:%u HTTP/1.1\r\n\r\n", port);
  say (client, request);
  vend_autofd server = accept_one (listener);
  g_autofree char *head G_GNUC_UNUSED = read_until (client, "\r\n\r\n");
  g_autofree char *sent = g_malloc (SIZE);
  for (gsize i = 0; i < SIZE; i++)
    sent[i] = (char) (i * 31 + i / 251);
  struct
  {
    int fd;
    gsize written, read;
    char *got;
  } ends[] = { { client, 0, 0, g_malloc (SIZE) }, { server, 0, 0, g_malloc (SIZE) } };
  while (ends[0].read < SIZE || ends[1].read < SIZE)
    {
      for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
        {
          ssize_t n = send (ends[i].fd, sent + ends[i].written, SIZE - ends[i].written,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
          ends[i].written += n > 0 ? (gsize) n : 0;
          /* The first to read is the one that has written all. */
          if (ends[i].written == SIZE || n < 0)
            n = recv (ends[i].fd, ends[i].got + ends[i].read, SIZE - ends[i].read, MSG_DONTWAIT);
          else
            n = 0;
          ends[i].read += n > 0 ? (gsize) n : 0;
        }
      turn ();
    }
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_assert_true (memcmp (ends[i].got, sent, SIZE) == 0);
      g_free (ends[i].got);
    }
  stop (&fixture);
}

/* A reader that does not read stops the writer: no more than the buffers are under way. */
static void
test_backpressure (void)
{
  Fixture fixture = { 0 };
  guint16 port;
  const int small = 64 * 1024;
  g_autofree char *bytes = g_malloc0 (MB);
  vend_autofd listener = listen_on ("127.0.0.2", &port);
  start (&fixture, "127.0.0.2", (VendProxyOptions){ 0 });
  vend_autofd client = connect_to (fixture.port);
  g_autofree char *request = g_strdup_printf ("CONNECT 127.0.0.2:%u HTTP/1.1\r\n\r\n", port);
  say (client, request);
  vend_autofd server = accept_one (listener);
  g_autofree char *head G_GNUC_UNUSED = read_until (client, "\r\n\r\n");
  g_assert_cmpint (setsockopt (server, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), ==, 0);
  gsize written = 0;
  guint idle = 0;
  /* Until nothing has moved for many turns. */
  while (idle < 200 && written < 64 * MB)
    {
      const ssize_t n = send (server, bytes, MB, MSG_DONTWAIT | MSG_NOSIGNAL);
      written += n > 0 ? (gsize) n : 0;
      idle = n > 0 ? 0 : idle + 1;
      turn ();
    }
  g_assert_cmpuint (written, <, 32 * MB);
  /* Nor does the proxy run in circles meanwhile: not for this connection, nor for a dead one. */
  vend_fd_clear (&server);
  for (guint i = 0; i < 8; i++)
    turn ();
  g_assert_false (g_main_context_pending (NULL));
  gsize got = 0;
  for (ssize_t n = 1; n > 0; got += (gsize) MAX (n, 0))
    {
      wait_for (client);
      n = recv (client, bytes, MB, 0);
    }
  g_assert_cmpuint (got, ==, written);
  stop (&fixture);
}

static void
test_refusals (void)
{
  static const struct
  {
    const char *request, *begin, *code, *sentence;
  } cases[] = {
    { "CONNECT 127.0.0.1:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n", "refused",
      "127.0.0.1 is no address on the internet that a model may reach; the operator may allow it "
      "with --egress-allow\n" },
    { "GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "refused",
      "169.254.169.254 is no address" },
    { "CONNECT [fd00:ec2::254]:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "refused", "fd00:ec2::254" },
    { "CONNECT [::ffff:10.9.9.9]:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "refused", "10.9.9.9" },
    { "GET http://0x7f.1/ HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "refused", "0x7f.1" },
    { "GET http://0/ HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "refused", "0 is no" },
    { "CONNECT localhost:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "refused", "localhost" },
    { "CONNECT 10.0.0.1.test:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "refused", "10.0.0.1.test" },
    { "CONNECT 10.0.0.1_fe80::1_::1.test:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "invalid", "" },
    { "CONNECT 10.0.0.1_192.168.3.4.test:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 ", "refused", "" },
    { "CONNECT nobody.test:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n", "unknown-host",
      "nobody.test: there is no such host\n" },
    { "CONNECT 127.0.0.2:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 502 ", "unreachable",
      "127.0.0.2:1 cannot be reached: Connection refused\n" },
    { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "invalid",
      "this is a proxy" },
    { "GET https://x/ HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "invalid", "CONNECT" },
    { "\x16\x03\x01\x02\r\n\r\n", "HTTP/1.1 400 ", "invalid", "first line" },
  };
  Fixture fixture = { 0 };
  start (&fixture, "127.0.0.2", (VendProxyOptions){ 0 });
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *answer = ask (&fixture, cases[i].request);
      g_autofree char *header = g_strdup_printf ("\r\nX-Vend-Error: %s\r\n", cases[i].code);
      const char *body = strstr (answer, "\r\n\r\n");
      if (!g_str_has_prefix (answer, cases[i].begin) || strstr (answer, header) == NULL
          || strstr (body, cases[i].sentence) == NULL)
        g_error ("%s: %s", cases[i].request, answer);
      g_assert_null (strstr (answer, "Proxy-Authenticate"));
    }
  g_autofree char *head = ask (&fixture, "HEAD http://127.0.0.1/ HTTP/1.1\r\n\r\n");
  g_assert_true (g_str_has_suffix (head, "\r\n\r\n"));
  wait_for_connections (&fixture, 0);
  /* What repeats is reported once. */
  g_string_truncate (fixture.reports, 0);
  for (guint i = 0; i < 3; i++)
    g_free (ask (&fixture, "GET http://10.2.2.2/ HTTP/1.1\r\n\r\n"));
  g_assert_cmpstr (fixture.reports->str, ==, "refused 10.2.2.2 80 - +1 0 0\n");
  vend_proxy_free (g_steal_pointer (&fixture.proxy));
  g_assert_nonnull (strstr (fixture.reports->str, "refused 10.2.2.2 80 - +2 0 0\n"));
  stop (&fixture);
}

/* A name is looked up once; of its addresses only those that may be reached are called. */
static void
test_two_answers (void)
{
  Fixture fixture = { 0 };
  guint16 port;
  vend_autofd listener = listen_on ("127.0.0.2", &port);
  start (&fixture, "127.0.0.2", (VendProxyOptions){ 0 });
  vend_autofd client = connect_to (fixture.port);
  g_autofree char *request
      = g_strdup_printf ("CONNECT 127.0.0.1_10.0.0.1_127.0.0.2.test:%u HTTP/1.1\r\n\r\n", port);
  lookups = 0;
  say (client, request);
  vend_autofd server G_GNUC_UNUSED = accept_one (listener);
  g_autofree char *head = read_until (client, "\r\n\r\n");
  g_assert_true (g_str_has_prefix (head, "HTTP/1.1 200 "));
  g_assert_cmpuint (lookups, ==, 1);
  stop (&fixture);
}

static void
test_timeouts (void)
{
  Fixture fixture = { 0 };
  guint16 port;
  vend_autofd listener G_GNUC_UNUSED = listen_on ("127.0.0.2", &port);
  start (&fixture, "127.0.0.2",
         (VendProxyOptions){ .head_us = 30000, .connect_us = 30000, .idle_us = 30000 });
  /* No head. */
  g_autofree char *slow = ask (&fixture, "GET http://a");
  g_assert_true (g_str_has_prefix (slow, "HTTP/1.1 408 "));
  g_autofree char *silent = ask (&fixture, "");
  g_assert_cmpstr (silent, ==, "");
  /* No answer of the name servers. */
  g_autofree char *name = ask (&fixture, "CONNECT never.test:80 HTTP/1.1\r\n\r\n");
  g_assert_true (g_str_has_prefix (name, "HTTP/1.1 504 "));
  g_assert_nonnull (strstr (name, "never.test:80: the name servers did not answer in time"));
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autoptr (GTask) late = g_object_steal_data (G_OBJECT (resolver), "waiting");
  g_task_return_error_if_cancelled (late);
  /* No answer of the server. */
  g_autofree char *request = g_strdup_printf ("GET http://127.0.0.2:%u/ HTTP/1.1\r\n\r\n", port);
  g_autofree char *answer = ask (&fixture, request);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 504 "));
  /* A tunnel without a byte. */
  g_autofree char *tunnel = g_strdup_printf ("CONNECT 127.0.0.2:%u HTTP/1.1\r\n\r\n", port);
  g_autofree char *established = ask (&fixture, tunnel);
  g_assert_cmpstr (established, ==, "HTTP/1.1 200 Connection established\r\n\r\n");
  wait_for_connections (&fixture, 0);
  stop (&fixture);
}

static void
test_limits (void)
{
  Fixture fixture = { 0 };
  start (&fixture, "127.0.0.2", (VendProxyOptions){ .max_connections = 2, .max_head = 64 });
  const guint before = count_descriptors ();
  g_autofree char *tail = g_strnfill (65, 'x');
  g_autofree char *large = ask (&fixture, tail);
  g_assert_true (g_str_has_prefix (large, "HTTP/1.1 431 "));
  g_assert_nonnull (strstr (large, "larger than 64 bytes"));
  wait_for_connections (&fixture, 0);
  /* Those over the limit wait until others end. */
  int clients[4];
  for (gsize i = 0; i < G_N_ELEMENTS (clients); i++)
    clients[i] = connect_to (fixture.port);
  wait_for_connections (&fixture, 2);
  for (guint i = 0; i < 8; i++)
    turn ();
  g_assert_cmpuint (vend_proxy_connections (fixture.proxy), ==, 2);
  say (clients[3], "GET / HTTP/1.1\r\n\r\n");
  close (clients[0]);
  close (clients[1]);
  close (clients[2]);
  g_autofree char *answer = read_until (clients[3], NULL);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 400 "));
  close (clients[3]);
  wait_for_connections (&fixture, 0);
  g_assert_cmpuint (count_descriptors (), ==, before);
  stop (&fixture);
}

/* Freed in every state: nothing stays open, and what was asked for comes to nothing. */
static void
test_free (void)
{
  guint16 port;
  vend_autofd listener G_GNUC_UNUSED = listen_on ("127.0.0.2", &port);
  g_autofree char *tunnel = g_strdup_printf ("CONNECT 127.0.0.2:%u HTTP/1.1\r\n\r\n", port);
  const char *const requests[] = { "", "GET", "CONNECT never.test:80 HTTP/1.1\r\n\r\n", tunnel };
  const guint before = count_descriptors ();
  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      Fixture fixture = { 0 };
      start (&fixture, "127.0.0.2", (VendProxyOptions){ 0 });
      vend_autofd client = connect_to (fixture.port);
      say (client, requests[i]);
      wait_for_connections (&fixture, 1);
      for (guint n = 0; n < 4; n++)
        turn ();
      stop (&fixture);
      g_autofree char *rest G_GNUC_UNUSED = read_until (client, NULL);
    }
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autoptr (GTask) late = g_object_steal_data (G_OBJECT (resolver), "waiting");
  g_assert_true (g_task_return_error_if_cancelled (late));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (count_descriptors (), ==, before);
}

/* A public address that is one of this host: in a network namespace where that can be arranged. */
static void
give_public_address (void)
{
  struct ifreq request = { .ifr_name = "lo:1" };
  struct sockaddr_in *address = (struct sockaddr_in *) (void *) &request.ifr_addr;
  vend_autofd fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  address->sin_family = AF_INET;
  g_assert_cmpint (inet_pton (AF_INET, "8.8.4.4", &address->sin_addr), ==, 1);
  g_assert_cmpint (ioctl (fd, SIOCSIFADDR, &request), ==, 0);
  struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
  g_assert_cmpint (ioctl (fd, SIOCSIFFLAGS, &up), ==, 0);
}

static void
test_own_address (void)
{
  if (g_test_subprocess ())
    {
      if (unshare (CLONE_NEWNET) < 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) < 0)
        {
          g_test_skip ("no network namespace can be made");
          return;
        }
      give_public_address ();
      Fixture fixture = { 0 };
      start (&fixture, "", (VendProxyOptions){ 0 });
      g_autofree char *own = ask (&fixture, "CONNECT 8.8.4.4:80 HTTP/1.1\r\n\r\n");
      g_assert_true (g_str_has_prefix (own, "HTTP/1.1 403 "));
      /* Another public address is no such thing, only far away. */
      g_autofree char *other = ask (&fixture, "CONNECT 8.8.8.8:80 HTTP/1.1\r\n\r\n");
      g_assert_true (g_str_has_prefix (other, "HTTP/1.1 502 "));
      stop (&fixture);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autoptr (GResolver) resolver = g_object_new (fake_resolver_get_type (), NULL);
  g_resolver_set_default (resolver);
  g_test_add_func ("/proxy/tunnel", test_tunnel);
  g_test_add_func ("/proxy/request", test_request);
  g_test_add_func ("/proxy/much", test_much);
  g_test_add_func ("/proxy/backpressure", test_backpressure);
  g_test_add_func ("/proxy/refusals", test_refusals);
  g_test_add_func ("/proxy/two-answers", test_two_answers);
  g_test_add_func ("/proxy/timeouts", test_timeouts);
  g_test_add_func ("/proxy/limits", test_limits);
  g_test_add_func ("/proxy/free", test_free);
  g_test_add_func ("/proxy/own-address", test_own_address);
  return g_test_run ();
}
