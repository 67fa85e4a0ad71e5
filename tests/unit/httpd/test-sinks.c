/* Bodies that go to a sink: whole, chunked, refused, cut off. */
#include "httpd/httpd.h"
#include "raw-client.h"
#include <stdatomic.h>
#include <string.h>

#define MOST 10

typedef struct
{
  VendHttpd *httpd;
  guint port;
  atomic_int begun;
  atomic_int freed;
} Server;

typedef struct
{
  Server *server;
  uint64_t length;
  gsize size;
} Taken;

static VendReply *
begin (VendCall *call, void *context, void **out_state)
{
  Server *server = context;
  if (vend_call_header (call, "X-Refuse") != NULL)
    return vend_reply_json (403, json_string ("refused"));
  Taken *taken = g_new0 (Taken, 1);
  *taken = (Taken){ .server = server, .length = vend_call_length (call) };
  *out_state = taken;
  vend_call_reply_header (call, "X-Mark", "1");
  atomic_fetch_add (&server->begun, 1);
  return NULL;
}

static VendReply *
take (void *state, const char *data, gsize size)
{
  Taken *taken = state;
  taken->size += size;
  return taken->size > MOST ? vend_reply_json (413, json_string ("enough")) : NULL;
}

static void
free_taken (void *state)
{
  Taken *taken = state;
  atomic_fetch_add (&taken->server->freed, 1);
  g_free (taken);
}

static const VendBodySink sink = { begin, take, free_taken };

static void
answer (VendCall *call, void *context)
{
  const Taken *taken = vend_call_sink (call);
  g_autofree char *text = g_strdup_printf ("%" G_GSIZE_FORMAT " of %s", taken->size,
                                           taken->length == UINT64_MAX ? "chunks" : "a length");
  vend_call_reply (call, vend_reply_new (200, "text/plain", text, strlen (text)));
}

static void
start (Server *server)
{
  const VendRoute routes[] = { { .method = "POST",
                                 .pattern = "/sink",
                                 .handler = answer,
                                 .context = server,
                                 .body = VEND_BODY_SINK,
                                 .sink = &sink } };
  const VendHttpdOptions options = { .listen = "127.0.0.1:0",
                                     .threads = 2,
                                     .max_connections = 100,
                                     .idle_timeout_s = 60,
                                     .max_body = 1,
                                     .spool_dir = "/tmp" };
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &server->httpd, &error));
  vend_httpd_serve (server->httpd);
  server->port = vend_httpd_port (server->httpd);
}

static void
stop (Server *server)
{
  vend_httpd_free (server->httpd);
  g_assert_cmpint (atomic_load (&server->begun), ==, atomic_load (&server->freed));
}

static void
test_whole (void)
{
  static const struct
  {
    const char *extra;
    const char *body;
    int status;
    const char *reply;
  } cases[] = {
    { "Content-Length: 5\r\n", "hello", 200, "5 of a length" },
    { "Content-Length: 0\r\n", "", 200, "0 of a length" },
    { "", "", 200, "0 of a length" },
    { "Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 200, "5 of chunks" },
    { "Content-Length: 5\r\nX-Refuse: 1\r\n", "hello", 403, "\"refused\"" },
    { "Content-Length: 11\r\n", "hello world", 413, "\"enough\"" },
    { "Transfer-Encoding: chunked\r\n", "b\r\nhello world\r\n0\r\n\r\n", 413, "\"enough\"" },
  };
  Server server = { 0 };
  start (&server);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      raw_send_format (client, "POST /sink HTTP/1.1\r\nHost: h\r\n%s\r\n%s", cases[i].extra,
                       cases[i].body);
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_autofree char *mark = raw_header (reply, "X-Mark");
      g_assert_cmpint (reply->status, ==, cases[i].status);
      g_assert_true ((mark != NULL) == (reply->status != 403));
      g_assert_cmpstr (reply->body->str, ==, cases[i].reply);
    }
  stop (&server);
}

static void
test_cut_off (void)
{
  Server server = { 0 };
  start (&server);
  g_autoptr (RawClient) client = raw_connect (server.port);
  raw_send (client, "POST /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf", -1);
  const int64_t until_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  while (atomic_load (&server.begun) == 0 && g_get_monotonic_time () < until_us)
    g_usleep (1000);
  g_clear_pointer (&client, raw_free);
  while (atomic_load (&server.freed) == 0 && g_get_monotonic_time () < until_us)
    g_usleep (1000);
  g_assert_cmpint (atomic_load (&server.freed), ==, 1);
  stop (&server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sinks/whole", test_whole);
  g_test_add_func ("/sinks/cut-off", test_cut_off);
  return g_test_run ();
}
