/* Connections that a standby passes on. */
#include "base/error.h"
#include "base/fd.h"
#include "cli/commands/standby-relay.h"
#include "httpd/listen.h"
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define LARGE (4 * 1024 * 1024)
#define MOST 3

typedef struct
{
  int front; /* the relay's */
  char *back;
  int server;
  VendRelay *relay;
} Fixture;

static int
port_of (int fd)
{
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &size), ==, 0);
  return ntohs (address.sin_port);
}

static int
listen_anywhere (void)
{
  g_autoptr (GError) error = NULL;
  int fd = -1;
  g_assert_true (vend_listen_open ("127.0.0.1:0", "listen", &fd, &error));
  return fd;
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->front = listen_anywhere ();
  f->server = listen_anywhere ();
  f->back = g_strdup_printf ("127.0.0.1:%d", port_of (f->server));
  g_assert_true (vend_relay_start (f->front, MOST, &f->relay, &error));
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  vend_relay_free (f->relay);
  vend_fd_clear (&f->front);
  vend_fd_clear (&f->server);
  g_free (f->back);
}

static int
call (Fixture *f)
{
  const int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_port = htons ((uint16_t) port_of (f->front)),
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  g_assert_cmpint (connect (fd, (const struct sockaddr *) &at, sizeof at), ==, 0);
  return fd;
}

static bool
has_caller (int listener, int timeout_ms)
{
  struct pollfd wanted = { .fd = listener, .events = POLLIN };
  return poll (&wanted, 1, timeout_ms) == 1;
}

static int
answer (int listener)
{
  g_assert_true (has_caller (listener, 30000));
  const int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
say (int fd, const char *text)
{
  g_assert_cmpint (send (fd, text, strlen (text), MSG_NOSIGNAL), ==, (gssize) strlen (text));
}

static void
assert_hears (int fd, const char *text)
{
  char heard[64] = { 0 };
  g_assert_cmpint (recv (fd, heard, strlen (text), MSG_WAITALL), ==, (gssize) strlen (text));
  g_assert_cmpstr (heard, ==, text);
}

static void
assert_ended (int fd)
{
  char byte;
  g_assert_cmpint (recv (fd, &byte, 1, 0), <=, 0);
}

static void
test_both_ways (Fixture *f, gconstpointer unused)
{
  vend_relay_set_target (f->relay, f->back);
  vend_autofd client = call (f);
  vend_autofd server = answer (f->server);
  say (client, "question");
  assert_hears (server, "question");
  say (server, "answer");
  assert_hears (client, "answer");
  /* One side may end first, and still hear. */
  shutdown (client, SHUT_WR);
  assert_ended (server);
  say (server, "late");
  vend_fd_clear (&server);
  assert_hears (client, "late");
  assert_ended (client);
}

static void *
send_large (void *data)
{
  g_autofree char *bytes = g_malloc (LARGE);
  memset (bytes, 'x', LARGE);
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_fd_write_all (GPOINTER_TO_INT (data), bytes, LARGE, &error));
  shutdown (GPOINTER_TO_INT (data), SHUT_WR);
  return NULL;
}

static void
test_more_than_its_buffers (Fixture *f, gconstpointer unused)
{
  g_autofree char *bytes = g_malloc (LARGE + 1);
  vend_relay_set_target (f->relay, f->back);
  vend_autofd client = call (f);
  vend_autofd server = answer (f->server);
  GThread *thread = g_thread_new ("sender", send_large, GINT_TO_POINTER (server));
  g_assert_cmpint (recv (client, bytes, LARGE, MSG_WAITALL), ==, LARGE);
  assert_ended (client);
  g_thread_join (thread);
}

/* Whoever listens next finds those who called meanwhile. */
static void
test_callers_wait_while_nobody_answers (Fixture *f, gconstpointer unused)
{
  vend_autofd client = call (f);
  say (client, "question");
  g_assert_false (has_caller (f->server, 50));
  g_clear_pointer (&f->relay, vend_relay_free);
  vend_autofd next = answer (f->front);
  assert_hears (next, "question");
}

static void
test_a_server_that_is_gone (Fixture *f, gconstpointer unused)
{
  vend_fd_clear (&f->server);
  vend_relay_set_target (f->relay, f->back);
  vend_autofd lost = call (f);
  assert_ended (lost);
  /* Until the target is told again, the next ones wait. */
  vend_autofd client = call (f);
  say (client, "question");
  f->server = listen_anywhere ();
  g_free (f->back);
  f->back = g_strdup_printf ("127.0.0.1:%d", port_of (f->server));
  vend_relay_set_target (f->relay, f->back);
  vend_autofd server = answer (f->server);
  assert_hears (server, "question");
}

static void
test_most (Fixture *f, gconstpointer unused)
{
  int clients[MOST + 1];
  int servers[MOST];
  vend_relay_set_target (f->relay, f->back);
  for (guint i = 0; i < MOST + 1; i++)
    clients[i] = call (f);
  for (guint i = 0; i < MOST; i++)
    servers[i] = answer (f->server);
  g_assert_false (has_caller (f->server, 50));
  close (servers[0]);
  close (clients[0]);
  close (answer (f->server));
  for (guint i = 1; i < MOST; i++)
    close (servers[i]);
  for (guint i = 1; i < MOST + 1; i++)
    close (clients[i]);
}

static void
test_its_end (Fixture *f, gconstpointer unused)
{
  vend_relay_set_target (f->relay, f->back);
  vend_autofd client = call (f);
  vend_autofd server = answer (f->server);
  g_clear_pointer (&f->relay, vend_relay_free);
  assert_ended (client);
  assert_ended (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add ("/relay/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("both-ways", test_both_ways);
  ADD ("large", test_more_than_its_buffers);
  ADD ("nobody", test_callers_wait_while_nobody_answers);
  ADD ("gone", test_a_server_that_is_gone);
  ADD ("most", test_most);
  ADD ("end", test_its_end);
  return g_test_run ();
}
