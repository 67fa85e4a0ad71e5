/* Replies from other threads, many connections, and the end of the server. */
#include "httpd/httpd.h"
#include "raw-client.h"
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#define CLIENTS 4
#define REQUESTS 300
#define ANSWERERS 3
#define NO_CALL GINT_TO_POINTER (1)
#define CHURN_PER_CLIENT 1000
#define BURST 300
#define EVENT_BLOCK 128 /* in which the library reads events */

typedef struct
{
  VendHttpd *httpd;
  guint port;
  GThread *answerers[ANSWERERS];
  GAsyncQueue *given; /* VendCall of /pool, or NO_CALL to end a thread */
  GAsyncQueue *held;  /* VendCall of /hold */
  gint destroyed;
  atomic_int left;    /* times that the client of /watch did */
  atomic_int blocked; /* 1: a worker is, 2: it may go on */
  atomic_uint handed; /* what GLib's queues do, in a form that the thread sanitizer sees */
} Server;

static void
answer_with_param (VendCall *call)
{
  const char *id = vend_call_param (call, "id");
  vend_call_reply (call, vend_reply_new (200, "text/plain", id, strlen (id)));
}

static void
at_once (VendCall *call, void *context)
{
  answer_with_param (call);
}

static void
count_destroyed (gpointer data)
{
  g_atomic_int_inc ((gint *) data);
}

static void
in_pool (VendCall *call, void *context)
{
  Server *server = context;
  vend_call_set_data (call, &server->destroyed, count_destroyed);
  g_assert_true (vend_call_get_data (call) == &server->destroyed);
  atomic_fetch_add (&server->handed, 1);
  g_async_queue_push (server->given, call);
}

static void
hold (VendCall *call, void *context)
{
  Server *server = context;
  atomic_fetch_add (&server->handed, 1);
  g_async_queue_push (server->held, call);
}

static void
client_left (void *data)
{
  atomic_fetch_add (&((Server *) data)->left, 1);
}

/* As /hold, and tells when the client leaves. */
static void
watch (VendCall *call, void *context)
{
  Server *server = context;
  vend_call_watch_client (call, client_left, server, NULL);
  hold (call, context);
}

static VendReply *
make_param (void *data)
{
  const char *id = vend_call_param (data, "id");
  return vend_reply_new (200, "text/plain", id, strlen (id));
}

/* With a reply that is ready, or one that the call's own thread makes, by turns. */
static gpointer
answer_given (gpointer data)
{
  Server *server = data;
  bool is_made = false;
  for (gpointer call; (call = g_async_queue_pop (server->given)) != NO_CALL; is_made = !is_made)
    {
      atomic_fetch_add (&server->handed, 1);
      if (is_made)
        vend_call_reply_made (call, make_param, call);
      else
        answer_with_param (call);
    }
  return NULL;
}

/* Tells which thread serves the connection. */
static void
name_worker (VendCall *call, void *context)
{
  vend_call_reply (call, vend_reply_json (200, json_integer ((json_int_t) g_thread_self ())));
}

/* Keeps the worker from looking at events until the test lets go. */
static void
block_worker (VendCall *call, void *context)
{
  Server *server = context;
  atomic_store (&server->blocked, 1);
  while (atomic_load (&server->blocked) != 2)
    g_thread_yield ();
  vend_call_reply (call, vend_reply_empty (204));
}

static void
start (Server *server)
{
  const VendRoute routes[] = { { "GET", "/now/{id}", at_once, server },
                               { "GET", "/pool/{id}", in_pool, server },
                               { "POST", "/pool/{id}", in_pool, server, VEND_BODY_BUFFER, 100 },
                               { "GET", "/worker", name_worker, server },
                               { "GET", "/block", block_worker, server },
                               { "GET", "/hold/{id}", hold, server },
                               { "GET", "/watch/{id}", watch, server } };
  const VendHttpdOptions options = { .listen = "127.0.0.1:0",
                                     .threads = 2,
                                     .max_connections = 2000,
                                     .idle_timeout_s = 60,
                                     .max_body = 1000,
                                     .spool_dir = "/tmp" };
  g_autoptr (GError) error = NULL;
  server->given = g_async_queue_new ();
  server->held = g_async_queue_new ();
  server->destroyed = 0;
  atomic_init (&server->blocked, 0);
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &server->httpd, &error));
  vend_httpd_serve (server->httpd);
  server->port = vend_httpd_port (server->httpd);
  for (guint i = 0; i < ANSWERERS; i++)
    server->answerers[i] = g_thread_new ("answerer", answer_given, server);
}

static void
end_answerers (Server *server)
{
  for (guint i = 0; i < ANSWERERS; i++)
    g_async_queue_push (server->given, NO_CALL);
  for (guint i = 0; i < ANSWERERS; i++)
    g_thread_join (server->answerers[i]);
  g_async_queue_unref (server->given);
  g_async_queue_unref (server->held);
}

static void
stop (Server *server)
{
  vend_httpd_free (server->httpd);
  end_answerers (server);
}

static void
ask (RawClient *client, const char *kind, guint id)
{
  g_autofree char *expected = g_strdup_printf ("%u", id);
  raw_send_format (client, "GET /%s/%u HTTP/1.1\r\nHost: h\r\n\r\n", kind, id);
  g_autoptr (RawReply) reply = raw_read (client, false);
  g_assert_cmpint (reply->status, ==, 200);
  g_assert_cmpstr (reply->body->str, ==, expected);
}

static gpointer
ask_many (gpointer data)
{
  Server *server = data;
  g_autoptr (RawClient) client = raw_connect (server->port);
  for (guint i = 0; i < REQUESTS; i++)
    {
      ask (client, "pool", i);
      ask (client, "now", i);
    }
  return NULL;
}

/* Pool threads answer before, while and after the handler returns. */
static void
test_race (void)
{
  Server server;
  GThread *threads[CLIENTS];
  start (&server);
  for (guint i = 0; i < CLIENTS; i++)
    threads[i] = g_thread_new ("client", ask_many, &server);
  for (guint i = 0; i < CLIENTS; i++)
    g_thread_join (threads[i]);

  /* Pipelined requests that sleep keep their order. */
  g_autoptr (RawClient) client = raw_connect (server.port);
  g_autoptr (GString) many = g_string_new (NULL);
  for (guint i = 0; i < REQUESTS; i++)
    g_string_append_printf (many, "GET /pool/%u HTTP/1.1\r\nHost: h\r\n\r\n", i);
  g_assert_true (raw_send (client, many->str, -1));
  for (guint i = 0; i < REQUESTS; i++)
    {
      g_autofree char *expected = g_strdup_printf ("%u", i);
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_assert_cmpstr (reply->body->str, ==, expected);
    }
  stop (&server);
  g_assert_cmpint (server.destroyed, ==, (CLIENTS + 1) * REQUESTS);
}

/* All connections have a request at the same moment, again and again. */
static void
test_burst (void)
{
  Server server;
  RawClient *clients[BURST];
  start (&server);
  for (guint i = 0; i < BURST; i++)
    clients[i] = raw_connect (server.port);
  for (guint round = 0; round < 10; round++)
    {
      for (guint i = 0; i < BURST; i++)
        raw_send_format (clients[i], "GET /%s/%u HTTP/1.1\r\nHost: h\r\n\r\n",
                         i % 2 == 0 ? "now" : "pool", i);
      for (guint i = 0; i < BURST; i++)
        {
          g_autofree char *expected = g_strdup_printf ("%u", i);
          g_autoptr (RawReply) reply = raw_read (clients[i], false);
          g_assert_cmpstr (reply->body->str, ==, expected);
        }
    }
  for (guint i = 0; i < BURST; i++)
    raw_free (clients[i]);
  stop (&server);
}

static char *
worker_of (RawClient *client)
{
  raw_send_format (client, "GET /worker HTTP/1.1\r\nHost: h\r\n\r\n");
  g_autoptr (RawReply) reply = raw_read (client, false);
  g_assert_cmpint (reply->status, ==, 200);
  return g_strdup (reply->body->str);
}

/* One worker finds exactly a full block of events when it looks; it must not wait for another. */
static void
test_full_block (void)
{
  Server server;
  start (&server);
  g_autoptr (RawClient) blocker = raw_connect (server.port);
  g_autofree char *worker = worker_of (blocker);
  RawClient *clients[EVENT_BLOCK];
  g_autoptr (GPtrArray) others = g_ptr_array_new_with_free_func ((GDestroyNotify) raw_free);
  for (guint n = 0; n < EVENT_BLOCK;)
    {
      RawClient *client = raw_connect (server.port);
      g_autofree char *own = worker_of (client);
      if (strcmp (own, worker) == 0)
        clients[n++] = client;
      else
        g_ptr_array_add (others, client);
      g_assert_cmpuint (others->len, <, 1500);
    }
  raw_send_format (blocker, "GET /block HTTP/1.1\r\nHost: h\r\n\r\n");
  while (atomic_load (&server.blocked) != 1)
    g_thread_yield ();
  for (guint i = 0; i < EVENT_BLOCK; i++)
    raw_send_format (clients[i], "GET /now/%u HTTP/1.1\r\nHost: h\r\n\r\n", i);
  atomic_store (&server.blocked, 2);
  for (guint i = 0; i < EVENT_BLOCK; i++)
    {
      g_autoptr (RawReply) reply = raw_read (clients[i], false);
      g_assert_cmpint (reply->status, ==, 200);
      raw_free (clients[i]);
    }
  stop (&server);
}

static gpointer
churn (gpointer data)
{
  static const char *const half[] = {
    "",
    "GE",
    "GET /now/1 HTTP/1.1\r\nHo",
    "POST /pool/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc",
    "POST /pool/1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "GET /pool/1 HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /now/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /pool/2 HTTP/1.1\r\n",
    "\r\n\r\n\r\nnonsense\r\n\r\n",
  };
  Server *server = data;
  for (guint i = 0; i < CHURN_PER_CLIENT; i++)
    {
      g_autoptr (RawClient) client = raw_connect (server->port);
      raw_send (client, half[i % G_N_ELEMENTS (half)], -1);
      if (i % 3 == 0)
        raw_abort (client);
      if (i % 7 == 0)
        {
          g_autoptr (RawClient) whole = raw_connect (server->port);
          ask (whole, i % 2 == 0 ? "now" : "pool", i);
        }
    }
  return NULL;
}

static void
test_churn (void)
{
  Server server;
  GThread *threads[CLIENTS];
  start (&server);
  g_autoptr (RawClient) steady = raw_connect (server.port);
  for (guint i = 0; i < CLIENTS; i++)
    threads[i] = g_thread_new ("churn", churn, &server);
  for (guint i = 0; i < REQUESTS; i++)
    ask (steady, "pool", i);
  for (guint i = 0; i < CLIENTS; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      ask (client, "now", i);
      ask (client, "pool", i);
    }
  stop (&server);
}

/* The client goes away while its call is held; the answer goes nowhere. */
static void
test_gone (void)
{
  Server server;
  start (&server);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      raw_send_format (client, "GET /hold/%u HTTP/1.1\r\nHost: h\r\n\r\n", i);
      VendCall *call = g_async_queue_pop (server.held);
      atomic_fetch_add (&server.handed, 1);
      g_assert_cmpuint (vend_httpd_active_calls (server.httpd), >=, 1);
      raw_abort (client);
      answer_with_param (call);
    }
  while (vend_httpd_active_calls (server.httpd) > 0)
    g_thread_yield ();
  stop (&server);
}

/* A client that has sent its request may close its writing half, before or while its call is held.
 */
static void
test_half_closed (void)
{
  static const char *const requests[]
      = { "GET /pool/7 HTTP/1.1\r\nHost: h\r\n\r\n",
          "POST /pool/7 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" };
  Server server;
  start (&server);
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      raw_send_format (client, "%s", requests[i % G_N_ELEMENTS (requests)]);
      shutdown (client->fd, SHUT_WR);
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_assert_cmpint (reply->status, ==, 200);
      g_assert_cmpstr (reply->body->str, ==, "7");

      g_autoptr (RawClient) held = raw_connect (server.port);
      raw_send_format (held, "GET /hold/8 HTTP/1.1\r\nHost: h\r\n\r\n");
      VendCall *call = g_async_queue_pop (server.held);
      atomic_fetch_add (&server.handed, 1);
      shutdown (held->fd, SHUT_WR);
      answer_with_param (call);
      g_autoptr (RawReply) late = raw_read (held, false);
      g_assert_cmpint (late->status, ==, 200);
    }
  stop (&server);
}

static gpointer
free_server (gpointer data)
{
  vend_httpd_free (data);
  return NULL;
}

/* Frees the server while calls are held, and answers them from here. */
static void
test_free_held (void)
{
  for (guint round = 0; round < 20; round++)
    {
      Server server;
      RawClient *clients[8];
      VendCall *calls[8];
      start (&server);
      for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
        {
          clients[i] = raw_connect (server.port);
          raw_send_format (clients[i], "GET /hold/%u HTTP/1.1\r\nHost: h\r\n\r\n", i);
          calls[i] = g_async_queue_pop (server.held);
          atomic_fetch_add (&server.handed, 1);
        }
      GThread *thread = g_thread_new ("free", free_server, server.httpd);
      for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
        {
          g_assert_nonnull (vend_call_header (calls[i], "host"));
          answer_with_param (calls[i]);
        }
      g_thread_join (thread);
      for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
        {
          g_autoptr (RawReply) reply = raw_read (clients[i], false);
          g_assert_true (reply->status == 200 || reply->status == 0);
          raw_free (clients[i]);
        }
      end_answerers (&server);
    }
}

static gpointer
ask_until_closed (gpointer data)
{
  g_autoptr (RawClient) client = data;
  for (guint i = 0;; i++)
    {
      g_autofree char *request
          = g_strdup_printf ("GET /%s/1 HTTP/1.1\r\nHost: h\r\n\r\n", i % 2 == 0 ? "pool" : "now");
      if (!raw_send (client, request, -1))
        return NULL;
      g_autoptr (RawReply) reply = raw_read (client, false);
      if (reply->status == 0)
        return NULL;
      g_assert_true (reply->status == 200 || reply->status == 503);
    }
}

/* Stops under load. */
static void
test_free_busy (void)
{
  for (guint round = 0; round < 20; round++)
    {
      Server server;
      GThread *threads[CLIENTS];
      start (&server);
      for (guint i = 0; i < CLIENTS; i++)
        threads[i] = g_thread_new ("client", ask_until_closed, raw_connect (server.port));
      while (g_atomic_int_get (&server.destroyed) < 50)
        g_thread_yield ();
      stop (&server);
      for (guint i = 0; i < CLIENTS; i++)
        g_thread_join (threads[i]);
    }
}

static void
test_client_leaves (void)
{
  Server server = { 0 };
  start (&server);
  g_autoptr (RawClient) stays = raw_connect (server.port);
  raw_send_format (stays, "GET /watch/a HTTP/1.1\r\nHost: h\r\n\r\n");
  VendCall *first = g_async_queue_pop (server.held);
  RawClient *leaves = raw_connect (server.port);
  raw_send_format (leaves, "GET /watch/b HTTP/1.1\r\nHost: h\r\n\r\n");
  VendCall *second = g_async_queue_pop (server.held);
  raw_free (leaves);
  while (atomic_load (&server.left) == 0)
    g_thread_yield ();
  answer_with_param (second);
  answer_with_param (first);
  g_autoptr (RawReply) reply = raw_read (stays, false);
  g_assert_cmpstr (reply->body->str, ==, "a");
  g_assert_cmpint (server.left, ==, 1);
  stop (&server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/calls/race", test_race);
  g_test_add_func ("/calls/burst", test_burst);
  g_test_add_func ("/calls/full-block", test_full_block);
  g_test_add_func ("/calls/churn", test_churn);
  g_test_add_func ("/calls/gone", test_gone);
  g_test_add_func ("/calls/half-closed", test_half_closed);
  g_test_add_func ("/calls/free-held", test_free_held);
  g_test_add_func ("/calls/free-busy", test_free_busy);
  g_test_add_func ("/httpd/calls/client-leaves", test_client_leaves);
  return g_test_run ();
}
