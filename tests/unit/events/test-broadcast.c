/* The event log and its readers, over a running server: one writes, many read. */
#include "../httpd/raw-client.h"
#include "base/clock.h"
#include "events/broadcast.h"
#include "httpd/httpd.h"
#include <stdatomic.h>
#include <string.h>

#define CHUNKS 2000
#define READERS 8
#define MANY_READERS 300 /* more than a worker wakes in one turn */
#define IDLE_MS 30
#define CREATED_US (G_GINT64_CONSTANT (1764061008) * VEND_US_PER_S)

typedef struct
{
  VendHttpd *httpd;
  guint port;
  VendBroadcast *broadcast;
  atomic_int left; /* times that its reader left */
} Server;

static void
follow (VendCall *call, void *context)
{
  Server *server = context;
  const char *after = vend_call_query (call, "after");
  vend_call_reply (call,
                   vend_broadcast_reply (server->broadcast,
                                         after != NULL ? g_ascii_strtoull (after, NULL, 10) : 0,
                                         vend_call_origin (call)));
}

static void
start (Server *server)
{
  g_autoptr (GError) error = NULL;
  const VendRoute routes[] = { { "GET", "/", follow, server } };
  VendHttpdOptions options = { .listen = "127.0.0.1:0",
                               .threads = 2,
                               .max_connections = 1000,
                               .idle_timeout_s = 20,
                               .pull_idle_ms = IDLE_MS,
                               .max_body = 1000,
                               .spool_dir = g_get_tmp_dir () };
  server->broadcast = vend_broadcast_new (CREATED_US);
  g_assert_true (vend_httpd_open (&options, routes, 1, &server->httpd, &error));
  vend_httpd_serve (server->httpd);
  server->port = vend_httpd_port (server->httpd);
}

static void
stop (Server *server)
{
  vend_httpd_free (server->httpd);
  vend_broadcast_unref (server->broadcast);
}

static void
push (VendBroadcast *broadcast, const char *text)
{
  json_auto_t *chunk = json_string (text);
  vend_broadcast_push (broadcast, chunk);
}

static void
finish (VendBroadcast *broadcast, VendStatus status, json_t *output)
{
  VendPrediction ended = {
    .status = status, .output = output, .error = (char *) "broken", .stream = VEND_STREAM_ITERATES
  };
  vend_broadcast_finish (broadcast, &ended);
}

/* The data of all events, joined. Comments are left out. */
static char *
data_of (const char *body)
{
  g_autoptr (GString) data = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (body, "\n", 0);
  for (char **line = lines; *line != NULL; line++)
    if (g_str_has_prefix (*line, "data: "))
      g_string_append (data, *line + strlen ("data: "));
  return g_string_free (g_steal_pointer (&data), FALSE);
}

static gpointer
read_all (gpointer data)
{
  Server *server = data;
  return raw_request (server->port, "GET", "/", NULL, NULL);
}

static void
test_readers_see_the_same (void)
{
  Server server = { 0 };
  GThread *threads[READERS];
  g_autoptr (GString) expected = g_string_new (NULL);
  start (&server);
  for (guint i = 0; i < CHUNKS; i++)
    {
      g_autofree char *text = g_strdup_printf ("<%u>", i);
      push (server.broadcast, text);
      g_string_append (expected, text);
      if (i % (CHUNKS / READERS) == 0)
        threads[i / (CHUNKS / READERS)] = g_thread_new ("reader", read_all, &server);
    }
  finish (server.broadcast, VEND_STATUS_SUCCEEDED, NULL);
  g_string_append (expected, "{}");
  for (guint i = 0; i < READERS; i++)
    {
      g_autoptr (RawReply) reply = g_thread_join (threads[i]);
      g_autofree char *got = data_of (reply->body->str);
      g_assert_true (reply->complete);
      g_assert_cmpstr (got, ==, expected->str);
    }
  stop (&server);
}

static RawClient *
open_reader (const Server *server)
{
  RawClient *client = raw_connect (server->port);
  raw_send_format (client, "GET / HTTP/1.1\r\nHost: here\r\n\r\n");
  return client;
}

static void
test_many_sleepers (void)
{
  Server server = { 0 };
  RawClient *clients[MANY_READERS];
  start (&server);
  for (guint i = 0; i < MANY_READERS; i++)
    clients[i] = open_reader (&server);
  for (guint i = 0; i < MANY_READERS; i++)
    {
      g_autofree char *head = raw_read_some (clients[i]);
      g_assert_true (g_str_has_prefix (head, "HTTP/1.1 200"));
    }
  /* Some leave while they sleep. */
  for (guint i = 0; i < MANY_READERS; i += 3)
    g_clear_pointer (&clients[i], raw_free);
  push (server.broadcast, "all");
  finish (server.broadcast, VEND_STATUS_CANCELED, NULL);
  for (guint i = 0; i < MANY_READERS; i++)
    {
      g_autoptr (GString) all = g_string_new (NULL);
      while (clients[i] != NULL && strstr (all->str, "{\"reason\":\"canceled\"}\n\n") == NULL)
        {
          g_autofree char *some = raw_read_some (clients[i]);
          g_assert_cmpstr (some, !=, "");
          g_string_append (all, some);
        }
      g_assert_true (clients[i] == NULL || strstr (all->str, "data: all\n\n") != NULL);
      g_clear_pointer (&clients[i], raw_free);
    }
  stop (&server);
}

static void
test_keep_alive (void)
{
  Server server = { 0 };
  start (&server);
  g_autoptr (RawClient) client = open_reader (&server);
  g_autoptr (GString) all = g_string_new (NULL);
  while (strstr (all->str, ": keep-alive\n\n\r\n") == NULL)
    {
      g_autofree char *some = raw_read_some (client);
      g_assert_cmpstr (some, !=, "");
      g_string_append (all, some);
    }
  stop (&server);
}

static void
test_what_was_not_pushed_comes_with_the_end (void)
{
  Server server = { 0 };
  start (&server);
  push (server.broadcast, "a");
  json_auto_t *output = json_pack ("[s,s,s]", "a", "b", "vend-output:t/n.txt");
  finish (server.broadcast, VEND_STATUS_FAILED, output);
  g_autoptr (RawReply) reply = raw_request (server.port, "GET", "/", NULL, NULL);
  g_autofree char *got = data_of (reply->body->str);
  g_assert_nonnull (strstr (reply->body->str, "data: http://h/v1/outputs/t/n.txt\n\n"));
  g_assert_true (g_str_has_prefix (got, "abhttp://"));
  g_assert_true (g_str_has_suffix (got, "{\"detail\":\"broken\"}{\"reason\":\"error\"}"));
  g_autoptr (RawReply) rest = raw_request (server.port, "GET", "/?after=2", NULL, NULL);
  g_assert_true (g_str_has_suffix (reply->body->str, rest->body->str));
  g_assert_true (g_str_has_prefix (rest->body->str, "event: output\nid: 1764061008:3\n"));
  g_autoptr (RawReply) ahead = raw_request (server.port, "GET", "/?after=99", NULL, NULL);
  g_assert_true (g_str_has_prefix (ahead->body->str, "event: error\nid: 1764061008:4\n"));
  g_assert_true (vend_broadcast_is_read (server.broadcast, 5));
  g_assert_false (vend_broadcast_is_read (server.broadcast, 4));
  stop (&server);
}

static void
test_broken (void)
{
  Server server = { 0 };
  start (&server);
  push (server.broadcast, "a");
  vend_broadcast_break (server.broadcast);
  g_autoptr (RawReply) reply = raw_request (server.port, "GET", "/", NULL, NULL);
  g_assert_false (reply->complete);
  g_assert_nonnull (strstr (reply->body->str, "data: a\n\n"));
  stop (&server);
}

static gpointer
push_for_ever (gpointer data)
{
  VendBroadcast *broadcast = data;
  for (guint i = 0; i < CHUNKS; i++)
    push (broadcast, "x");
  vend_broadcast_unref (broadcast);
  return NULL;
}

static void
test_server_ends_first (void)
{
  Server server = { 0 };
  start (&server);
  g_autoptr (RawClient) client = open_reader (&server);
  g_autofree char *head = raw_read_some (client);
  g_assert_true (g_str_has_prefix (head, "HTTP/1.1 200"));
  GThread *writer = g_thread_new ("writer", push_for_ever, vend_broadcast_ref (server.broadcast));
  stop (&server);
  g_thread_join (writer);
}

static void
test_replays_share (void)
{
  VendReplays *replays = vend_replays_new ();
  VendPrediction ended = { .id = (char *) "one", .status = VEND_STATUS_SUCCEEDED };
  VendBroadcast *first = vend_replays_get (replays, &ended);
  VendBroadcast *second = vend_replays_get (replays, &ended);
  g_assert_true (first == second);
  vend_broadcast_unref (first);
  vend_broadcast_unref (second);
  vend_replays_free (replays);
}

static void
form_begin (void *data, GString *to)
{
  g_string_append (to, "begin;");
}

static void
form_chunk (void *data, GString *to, const json_t *chunk)
{
  g_string_append_printf (to, "%s;", json_string_value (chunk));
}

static void
form_end (void *data, GString *to, const VendPrediction *ended)
{
  g_string_append_printf (to, "end %d %s;", ended->status, ended->error);
}

static void
form_left (void *data)
{
  Server *server = data;
  atomic_fetch_add (&server->left, 1);
}

static void
form_free (void *data)
{
}

static const VendBroadcastForm form = { form_begin, form_chunk, form_end, form_left, form_free };

static void
start_formed (Server *server)
{
  start (server);
  vend_broadcast_unref (server->broadcast);
  server->broadcast = vend_broadcast_new_as (&form, server);
}

static void
test_another_form (void)
{
  Server server = { 0 };
  /* More than the first block of the log holds. */
  g_autofree char *a = g_strnfill (5000, 'a');
  start_formed (&server);
  push (server.broadcast, a);
  json_auto_t *output = json_pack ("[s,s]", a, "b");
  finish (server.broadcast, VEND_STATUS_FAILED, output);
  g_autoptr (RawReply) reply = raw_request (server.port, "GET", "/", NULL, NULL);
  g_autofree char *expected = g_strdup_printf ("begin;%s;b;end %d broken;", a, VEND_STATUS_FAILED);
  g_assert_true (reply->complete);
  g_assert_cmpstr (reply->body->str, ==, expected);
  stop (&server);
  g_assert_cmpint (server.left, ==, 0);
}

/* Its connection sleeps, and nothing is sent that could fail. */
static void
test_reader_leaves (void)
{
  Server server = { 0 };
  start_formed (&server);
  RawClient *client = open_reader (&server);
  g_autoptr (GString) all = g_string_new (NULL);
  while (strstr (all->str, "begin;") == NULL)
    {
      g_autofree char *some = raw_read_some (client);
      g_string_append (all, some);
    }
  g_assert_cmpint (server.left, ==, 0);
  raw_free (client);
  while (atomic_load (&server.left) == 0)
    g_thread_yield ();
  stop (&server);
  g_assert_cmpint (server.left, ==, 1);
}

static void
test_form_breaks (void)
{
  Server server = { 0 };
  start_formed (&server);
  push (server.broadcast, "a");
  vend_broadcast_break (server.broadcast);
  g_autoptr (RawReply) reply = raw_request (server.port, "GET", "/", NULL, NULL);
  g_assert_false (reply->complete);
  stop (&server);
  g_assert_cmpint (server.left, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  json_object_seed (0);
  g_test_add_func ("/events/broadcast/readers-see-the-same", test_readers_see_the_same);
  g_test_add_func ("/events/broadcast/many-sleepers", test_many_sleepers);
  g_test_add_func ("/events/broadcast/keep-alive", test_keep_alive);
  g_test_add_func ("/events/broadcast/rest-with-the-end",
                   test_what_was_not_pushed_comes_with_the_end);
  g_test_add_func ("/events/broadcast/broken", test_broken);
  g_test_add_func ("/events/broadcast/server-ends-first", test_server_ends_first);
  g_test_add_func ("/events/broadcast/replays-share", test_replays_share);
  g_test_add_func ("/events/broadcast/another-form", test_another_form);
  g_test_add_func ("/events/broadcast/reader-leaves", test_reader_leaves);
  g_test_add_func ("/events/broadcast/form-breaks", test_form_breaks);
  return g_test_run ();
}
