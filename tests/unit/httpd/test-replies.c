/* What goes out: files and ranges, HEAD, headers, streams and their readers. */
#include "httpd/httpd.h"
#include "raw-client.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_BYTES 100000
#define EVENTS 50

typedef struct
{
  VendHttpd *httpd;
  guint port;
  char *path;
  char *content;
  GAsyncQueue *streams; /* VendStream of /stream */
  atomic_uint handed;   /* what GLib's queue does, in a form that the thread sanitizer sees */
} Server;

static void
send_file (VendCall *call, void *context)
{
  Server *server = context;
  const char *type = vend_call_query (call, "type");
  int fd = open (server->path, O_RDONLY | O_CLOEXEC);
  VendReply *reply = vend_reply_file (fd, FILE_BYTES, type, "tag");
  vend_reply_header (reply, "Content-Disposition", "attachment");
  vend_call_reply (call, reply);
}

static void
send_empty_file (VendCall *call, void *context)
{
  vend_call_reply (call, vend_reply_file (open ("/dev/null", O_RDONLY | O_CLOEXEC), 0, NULL, NULL));
}

static void
send_headers (VendCall *call, void *context)
{
  VendReply *reply = vend_reply_new (200, "text/plain\r\nX-Evil: 1", "ok", 2);
  vend_reply_header (reply, "X-Good", "a\tb é");
  vend_reply_header (reply, "X-Good", "twice");
  vend_reply_header (reply, "X-Bad", "a\r\nX-Evil: 1");
  vend_reply_header (reply, "X-Bad", "a\nX-Evil: 1");
  vend_reply_header (reply, "X-Bad", "a\x01");
  vend_reply_header (reply, "X Evil", "a");
  vend_reply_header (reply, "X-Evil:", "a");
  vend_reply_header (reply, "", "a");
  vend_call_reply (call, reply);
}

static void
send_nothing (VendCall *call, void *context)
{
  vend_call_reply (call, vend_reply_empty (204));
}

static void
open_stream (VendCall *call, void *context)
{
  VendStream *stream = NULL;
  VendReply *reply = vend_reply_stream (200, "text/event-stream", &stream);
  vend_call_reply (call, reply);
  Server *server = context;
  atomic_fetch_add (&server->handed, 1);
  g_async_queue_push (server->streams, stream);
}

static void
open_written_stream (VendCall *call, void *context)
{
  VendStream *stream = NULL;
  VendReply *reply = vend_reply_stream (200, "text/plain", &stream);
  g_assert_true (vend_stream_write (stream, "early ", 6));
  vend_call_reply (call, reply);
  vend_stream_write (stream, "late", 4);
  vend_stream_end (stream);
}

static void
refuse_form (VendCall *call, void *context)
{
  VendReply *reply = vend_reply_problem_json (
      409, json_pack ("{s:s, s:i, s:s}", "title", "Taken", "status", 409, "detail", "it is taken"));
  vend_reply_header (reply, "X-Kept", "yes");
  vend_call_reply (call, reply);
}

/* Another form for the paths below /form alone. */
static VendReply *
restate (const char *path, int status, const json_t *problem)
{
  if (!g_str_has_prefix (path, "/form/"))
    return NULL;
  return vend_reply_json (status + 1,
                          json_pack ("{s:O}", "said", json_object_get (problem, "detail")));
}

static void
start (Server *server)
{
  const VendRoute routes[] = {
    { "GET", "/file", send_file, server },
    { "GET", "/empty", send_empty_file, server },
    { "GET", "/headers", send_headers, server },
    { "DELETE", "/nothing", send_nothing, server },
    { "GET", "/stream", open_stream, server },
    { "GET", "/written", open_written_stream, server },
    { "GET", "/form/x", refuse_form, server },
    { "GET", "/plain/x", refuse_form, server },
    { "POST", "/form/body", send_nothing, server, VEND_BODY_BUFFER, 10 },
  };
  const VendHttpdOptions options = { .listen = "127.0.0.1:0",
                                     .threads = 2,
                                     .max_connections = 100,
                                     .idle_timeout_s = 60,
                                     .max_body = 1000,
                                     .spool_dir = "/tmp",
                                     .restate = restate };
  g_autoptr (GError) error = NULL;
  server->content = g_malloc (FILE_BYTES + 1);
  for (guint i = 0; i < FILE_BYTES; i++)
    server->content[i] = (char) ('a' + i * 7 % 26);
  server->content[FILE_BYTES] = '\0';
  int fd = g_file_open_tmp ("vend-file-XXXXXX", &server->path, &error);
  g_assert_no_error (error);
  close (fd);
  g_assert_true (g_file_set_contents (server->path, server->content, FILE_BYTES, NULL));
  server->streams = g_async_queue_new ();
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &server->httpd, &error));
  vend_httpd_serve (server->httpd);
  server->port = vend_httpd_port (server->httpd);
}

static void
stop (Server *server)
{
  vend_httpd_free (server->httpd);
  g_unlink (server->path);
  g_free (server->path);
  g_free (server->content);
  g_async_queue_unref (server->streams);
}

static void
test_ranges (void)
{
  Server server;
  start (&server);
  static const struct
  {
    const char *extra;
    int status;
    gsize start, size;
    const char *content_range;
  } cases[] = {
    { NULL, 200, 0, 100000, NULL },
    { "Range: bytes=0-0\r\n", 206, 0, 1, "bytes 0-0/100000" },
    { "Range: bytes=0-99999\r\n", 206, 0, 100000, "bytes 0-99999/100000" },
    { "Range: bytes=10-19\r\n", 206, 10, 10, "bytes 10-19/100000" },
    { "Range: BYTES=99990-\r\n", 206, 99990, 10, "bytes 99990-99999/100000" },
    { "Range: bytes=99990-200000\r\n", 206, 99990, 10, "bytes 99990-99999/100000" },
    { "Range: bytes=-5\r\n", 206, 99995, 5, "bytes 99995-99999/100000" },
    { "Range: bytes=-200000\r\n", 206, 0, 100000, "bytes 0-99999/100000" },
    { "Range: bytes=100000-\r\n", 416, 0, 0, "bytes */100000" },
    { "Range: bytes=-0\r\n", 416, 0, 0, "bytes */100000" },
    { "Range: bytes=5-2\r\n", 200, 0, 100000, NULL },
    { "Range: bytes=1-2,4-5\r\n", 200, 0, 100000, NULL },
    { "Range: bytes=a-b\r\n", 200, 0, 100000, NULL },
    { "Range: bytes=-\r\n", 200, 0, 100000, NULL },
    { "Range: bytes=99999999999999999999-\r\n", 200, 0, 100000, NULL },
    { "Range: lines=1-2\r\n", 200, 0, 100000, NULL },
    { "If-None-Match: \"tag\"\r\n", 304, 0, 0, NULL },
    { "If-None-Match: \"x\", W/\"tag\"\r\n", 304, 0, 0, NULL },
    { "If-None-Match: *\r\n", 304, 0, 0, NULL },
    { "If-None-Match: \"other\"\r\n", 200, 0, 100000, NULL },
    { "If-None-Match: \"tag\"\r\nRange: bytes=0-1\r\n", 304, 0, 0, NULL },
    { "If-Range: \"tag\"\r\nRange: bytes=0-1\r\n", 206, 0, 2, "bytes 0-1/100000" },
    { "If-Range: \"other\"\r\nRange: bytes=0-1\r\n", 200, 0, 100000, NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (RawReply) reply
          = raw_request (server.port, "GET", "/file?type=a/b", cases[i].extra, NULL);
      g_autofree char *range = raw_header (reply, "Content-Range");
      g_autofree char *etag = raw_header (reply, "ETag");
      g_autofree char *type = raw_header (reply, "Content-Type");
      g_autofree char *disposition = raw_header (reply, "Content-Disposition");
      g_assert_cmpint (reply->status, ==, cases[i].status);
      g_assert_cmpmem (reply->body->str, reply->body->len, server.content + cases[i].start,
                       cases[i].size);
      g_assert_cmpstr (range, ==, cases[i].content_range);
      g_assert_cmpstr (etag, ==, "\"tag\"");
      g_assert_cmpstr (type, ==, "a/b");
      g_assert_cmpstr (disposition, ==, "attachment");
    }
  g_autoptr (RawReply) empty = raw_request (server.port, "GET", "/empty", NULL, NULL);
  g_assert_cmpint (empty->status, ==, 200);
  g_assert_cmpuint (empty->body->len, ==, 0);
  g_autoptr (RawReply) egress
      = raw_request (server.port, "GET", "/empty", "Range: bytes=0-\r\n", NULL);
  g_assert_cmpint (egress->status, ==, 416);
  stop (&server);
}

static void
test_head (void)
{
  Server server;
  start (&server);
  static const struct
  {
    const char *path, *extra, *length;
    int status;
  } cases[] = {
    { "/file", "", "100000", 200 },
    { "/file", "Range: bytes=1-10\r\n", "10", 206 },
    { "/empty", "", "0", 200 },
  };
  g_autoptr (RawClient) client = raw_connect (server.port);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      raw_send_format (client, "HEAD %s HTTP/1.1\r\nHost: h\r\n%s\r\n", cases[i].path,
                       cases[i].extra);
      g_test_message ("HEAD %s %s", cases[i].path, cases[i].extra);
      g_autoptr (RawReply) reply = raw_read (client, true);
      g_autofree char *length = raw_header (reply, "Content-Length");
      g_assert_cmpint (reply->status, ==, cases[i].status);
      g_assert_cmpstr (length, ==, cases[i].length);
    }
  g_autoptr (RawClient) other = raw_connect (server.port);
  raw_send_format (other, "HEAD /written HTTP/1.1\r\nHost: h\r\n\r\n");
  g_autoptr (RawReply) stream = raw_read (other, true);
  g_assert_cmpint (stream->status, ==, 200);
  g_assert_true (raw_at_end (other));

  raw_send_format (client, "DELETE /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
  g_autoptr (RawReply) nothing = raw_read (client, false);
  g_assert_cmpint (nothing->status, ==, 204);
  g_autofree char *length = raw_header (nothing, "Content-Length");
  g_assert_null (length);
  raw_send_format (client, "GET /headers HTTP/1.1\r\nHost: h\r\n\r\n");
  g_autoptr (RawReply) last = raw_read (client, false);
  g_assert_cmpstr (last->body->str, ==, "ok");
  stop (&server);
}

static void
test_injection (void)
{
  Server server;
  start (&server);
  g_autoptr (RawReply) reply = raw_request (server.port, "GET", "/headers", NULL, NULL);
  g_autofree char *evil = raw_header (reply, "X-Evil");
  g_autofree char *bad = raw_header (reply, "X-Bad");
  g_autofree char *good = raw_header (reply, "X-Good");
  g_autofree char *type = raw_header (reply, "Content-Type");
  g_assert_null (evil);
  g_assert_null (bad);
  g_assert_null (strstr (reply->head, "Evil"));
  g_assert_cmpstr (good, ==, "a\tb é");
  g_assert_cmpstr (type, ==, "application/octet-stream");
  g_autoptr (RawReply) file
      = raw_request (server.port, "GET", "/file?type=a%0d%0aX-Evil:1", NULL, NULL);
  g_autofree char *file_type = raw_header (file, "Content-Type");
  g_assert_cmpstr (file_type, ==, "application/octet-stream");
  stop (&server);
}

static VendStream *
begin_stream (Server *server, RawClient *client, const char *version)
{
  raw_send_format (client, "GET /stream HTTP/%s\r\nHost: h\r\n\r\n", version);
  VendStream *stream = g_async_queue_pop (server->streams);
  atomic_fetch_add (&server->handed, 1);
  return stream;
}

/* Each event arrives before the next one is written. */
static void
test_stream (void)
{
  Server server;
  start (&server);
  g_autoptr (RawClient) client = raw_connect (server.port);
  for (guint round = 0; round < 2; round++)
    {
      VendStream *stream = begin_stream (&server, client, "1.1");
      g_autoptr (GString) seen = g_string_new (NULL);
      for (guint i = 0; i < EVENTS; i++)
        {
          g_autofree char *event = g_strdup_printf ("data: %u;\n\n", i);
          g_assert_true (vend_stream_write (stream, event, strlen (event)));
          while (strstr (seen->str, event) == NULL)
            {
              g_autofree char *some = raw_read_some (client);
              g_assert_cmpstr (some, !=, "");
              g_string_append (seen, some);
            }
        }
      g_assert_true (vend_stream_is_open (stream));
      vend_stream_end (stream);
      while (!g_str_has_suffix (seen->str, "0\r\n\r\n"))
        {
          g_autofree char *some = raw_read_some (client);
          g_string_append (seen, some);
        }
    }
  raw_send_format (client, "GET /written HTTP/1.1\r\nHost: h\r\n\r\n");
  g_autoptr (RawReply) written = raw_read (client, false);
  g_assert_cmpstr (written->body->str, ==, "early late");
  g_assert_true (written->complete);

  g_autoptr (RawClient) old = raw_connect (server.port);
  VendStream *stream = begin_stream (&server, old, "1.0");
  vend_stream_write (stream, "abc", 3);
  vend_stream_end (stream);
  g_autoptr (RawReply) reply = raw_read (old, false);
  g_assert_cmpstr (reply->body->str, ==, "abc");
  stop (&server);
}

/* 256 KiB wait in memory and some in the socket; then the reader is dropped. */
static void
test_slow_reader (void)
{
  Server server;
  start (&server);
  g_autoptr (RawClient) client = raw_connect (server.port);
  VendStream *stream = begin_stream (&server, client, "1.1");
  g_autofree char *block = g_strnfill (10000, 'x');
  gsize written = 0;
  while (vend_stream_write (stream, block, 10000))
    {
      written += 10000;
      g_assert_cmpuint (written, <, 100 << 20);
    }
  g_assert_cmpuint (written, >=, 250000);
  g_assert_false (vend_stream_is_open (stream));
  g_assert_false (vend_stream_write (stream, "x", 1));
  vend_stream_end (stream);
  g_autoptr (RawReply) reply = raw_read (client, false);
  g_assert_false (reply->complete);
  while (vend_httpd_active_calls (server.httpd) > 0)
    g_thread_yield ();

  /* Nothing has been read yet: the bound is exact, and one write may fill it. */
  g_autoptr (RawClient) other = raw_connect (server.port);
  VendStream *second = begin_stream (&server, other, "1.1");
  g_autofree char *large = g_strnfill (256 * 1024 + 1, 'x');
  g_assert_false (vend_stream_write (second, large, 256 * 1024 + 1));
  vend_stream_end (second);
  stop (&server);
}

static void
test_gone_reader (void)
{
  Server server;
  start (&server);
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      VendStream *stream = begin_stream (&server, client, "1.1");
      g_assert_true (vend_stream_write (stream, "hello", 5));
      g_free (raw_read_some (client));
      raw_abort (client);
      while (vend_stream_write (stream, "x", 1))
        g_thread_yield ();
      g_assert_false (vend_stream_is_open (stream));
      vend_stream_end (stream);
    }
  while (vend_httpd_active_calls (server.httpd) > 0)
    g_thread_yield ();
  stop (&server);
}

static gpointer
write_until_closed (gpointer data)
{
  while (vend_stream_write (data, "tick\n", 5))
    g_thread_yield ();
  vend_stream_end (data);
  return NULL;
}

/* The server ends while some streams sleep and others are written. */
static void
test_free_streams (void)
{
  for (guint round = 0; round < 20; round++)
    {
      Server server;
      RawClient *clients[6];
      VendStream *streams[6];
      GThread *threads[6];
      start (&server);
      for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
        {
          clients[i] = raw_connect (server.port);
          streams[i] = begin_stream (&server, clients[i], "1.1");
          if (i % 2 == 0)
            threads[i] = g_thread_new ("writer", write_until_closed, streams[i]);
        }
      stop (&server);
      for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
        {
          if (i % 2 == 0)
            g_thread_join (threads[i]);
          else
            {
              g_assert_false (vend_stream_is_open (streams[i]));
              g_assert_false (vend_stream_write (streams[i], "x", 1));
              vend_stream_end (streams[i]);
            }
          raw_free (clients[i]);
        }
    }
}

/* A reply that is thrown away tells the writer. */
static void
test_unsent (void)
{
  VendStream *stream = NULL;
  VendReply *reply = vend_reply_stream (200, "text/plain", &stream);
  g_assert_true (vend_stream_write (stream, "x", 1));
  vend_reply_free (reply);
  g_assert_false (vend_stream_write (stream, "x", 1));
  vend_stream_end (stream);
  vend_reply_free (vend_reply_file (open ("/dev/null", O_RDONLY | O_CLOEXEC), 0, NULL, "x"));
}

static void
check_restated (guint port, const char *method, const char *path, const char *body, int status,
                const char *said)
{
  g_autoptr (RawReply) reply = raw_request (port, method, path, NULL, body);
  g_autofree char *type = raw_header (reply, "Content-Type");
  g_assert_cmpint (reply->status, ==, status);
  g_assert_cmpstr (type, ==, "application/json");
  g_assert_cmpstr (reply->body->str, ==, said);
}

static void
test_restated (void)
{
  Server server = { 0 };
  start (&server);
  check_restated (server.port, "GET", "/form/x", NULL, 410, "{\"said\":\"it is taken\"}");
  /* Refusals of the server itself: no route, another method, a body that is too large. */
  check_restated (server.port, "GET", "/form/none", NULL, 405,
                  "{\"said\":\"The requested resource could not be found.\"}");
  check_restated (server.port, "PUT", "/form/x", NULL, 406,
                  "{\"said\":\"The resource does not support this method.\"}");
  g_autoptr (RawReply) large
      = raw_request (server.port, "POST", "/form/body", NULL, "01234567890123456789");
  g_assert_cmpint (large->status, ==, 414);
  g_autoptr (RawReply) kept = raw_request (server.port, "GET", "/form/x", NULL, NULL);
  g_autofree char *header = raw_header (kept, "X-Kept");
  g_assert_cmpstr (header, ==, "yes");
  g_autoptr (RawReply) plain = raw_request (server.port, "GET", "/plain/x", NULL, NULL);
  g_autofree char *type = raw_header (plain, "Content-Type");
  g_assert_cmpint (plain->status, ==, 409);
  g_assert_cmpstr (type, ==, "application/problem+json");
  stop (&server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/replies/ranges", test_ranges);
  g_test_add_func ("/replies/head", test_head);
  g_test_add_func ("/replies/injection", test_injection);
  g_test_add_func ("/replies/stream", test_stream);
  g_test_add_func ("/replies/slow-reader", test_slow_reader);
  g_test_add_func ("/replies/gone-reader", test_gone_reader);
  g_test_add_func ("/replies/free-streams", test_free_streams);
  g_test_add_func ("/replies/unsent", test_unsent);
  g_test_add_func ("/httpd/replies/restated", test_restated);
  return g_test_run ();
}
