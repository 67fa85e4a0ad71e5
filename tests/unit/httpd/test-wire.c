/* Requests as bytes: each gets exactly one well-formed reply, and what could be read in two ways is
 * refused and its connection closed, whatever follows. */
#include "httpd/httpd.h"
#include "raw-client.h"
#include <string.h>
#include <sys/socket.h>

#define H "Host: h\r\n"
#define GET "GET /now HTTP/1.1\r\n" H
#define POST "POST /body HTTP/1.1\r\n" H
#define SMUGGLED "GET /smuggled HTTP/1.1\r\n" H "\r\n"
#define BYTES(text) text, sizeof (text) - 1

typedef struct
{
  const char *bytes;
  gsize size;
  int status;
} Case;

static gint smuggled;

static void
answer (VendCall *call, void *context)
{
  const char *path = vend_call_path (call);
  vend_call_reply (call, vend_reply_new (200, "text/plain", path, strlen (path)));
}

static void
answer_smuggled (VendCall *call, void *context)
{
  g_atomic_int_inc (&smuggled);
  answer (call, context);
}

static VendHttpd *
start (void)
{
  static const VendRoute routes[] = { { "GET", "/now", answer },
                                      { "GET", "/smuggled", answer_smuggled },
                                      { "POST", "/body", answer, NULL, VEND_BODY_BUFFER, 1000 } };
  const VendHttpdOptions options = { .listen = "127.0.0.1:0",
                                     .threads = 2,
                                     .max_connections = 100,
                                     .idle_timeout_s = 20,
                                     .max_body = 1000,
                                     .spool_dir = "/tmp" };
  g_autoptr (GError) error = NULL;
  VendHttpd *httpd = NULL;
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &httpd, &error));
  vend_httpd_serve (httpd);
  return httpd;
}

static const Case refused[] = {
  /* NUL, CR, LF where they do not belong. */
  { BYTES ("GET /now\0x HTTP/1.1\r\n" H "\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now?a=\0b HTTP/1.1\r\n" H "\r\n" SMUGGLED), 400 },
  { BYTES ("GET\0 /now HTTP/1.1\r\n" H "\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now HTTP/1.1\r\nHost: h\0x\r\n\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now HTTP/1.1\r\nHost: h\0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "Authorization: Bearer a\0b\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "X\0: a\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "X: a\rb\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "X: a\r\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "X: a\r Content-Length: 5\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "X: a\x01\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "X: a\nY: b\r\n\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now HTTP/1.1\n" H "\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now HTTP/1.1\nHost: h\n\n"), 400 },
  { BYTES ("GET /now HTTP/1.1\r\nHost: h\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "X: a\r\n b\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "X: a\r\n\tContent-Length: 5\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "X: \r\n b\r\n\r\n" SMUGGLED), 400 },
  /* Lengths. */
  { BYTES (POST "Content-Length: 4, 4\r\n\r\nabcd" SMUGGLED), 400 },
  { BYTES (POST "Content-Length: +4\r\n\r\nabcd" SMUGGLED), 400 },
  { BYTES (POST "Content-Length: 0x4\r\n\r\nabcd" SMUGGLED), 400 },
  { BYTES (POST "Content-Length: -1\r\n\r\nabcd" SMUGGLED), 400 },
  { BYTES (POST "Content-Length:\r\n\r\nabcd" SMUGGLED), 400 },
  { BYTES (POST "Content-Length: 4 4\r\n\r\nabcd" SMUGGLED), 400 },
  { BYTES (POST "Content-Length: 4;\r\n\r\nabcd" SMUGGLED), 400 },
  { BYTES (POST "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd" SMUGGLED), 400 },
  { BYTES (POST "Content-Length: 4\r\nContent-Length: x\r\n\r\nabcd" SMUGGLED), 400 },
  { BYTES (POST "Content-Length: 18446744073709551615\r\n\r\nabcd" SMUGGLED), 413 },
  { BYTES (POST "Content-Length: 18446744073709551616\r\n\r\nabcd" SMUGGLED), 413 },
  { BYTES (POST "Content-Length: 99999999999999999999999\r\n\r\nabcd" SMUGGLED), 413 },
  { BYTES (POST "Content-Length: 100000\r\n\r\nabcd" SMUGGLED), 413 },
  { BYTES (POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (POST "Transfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (POST "Transfer-Encoding: \x0b"
                "chunked\r\n\r\n0\r\n\r\n" SMUGGLED),
    400 },
  { BYTES (POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" SMUGGLED),
    400 },
  /* Chunks. */
  { BYTES (POST "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (POST "Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (POST "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (POST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" SMUGGLED), 400 },
  { BYTES (POST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\na\r\n" SMUGGLED), 413 },
  /* Hosts. */
  { BYTES ("GET /now HTTP/1.1\r\n\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now HTTP/1.1\r\n" H H "\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now HTTP/1.1\r\nHost: a b\r\n\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now HTTP/1.1\r\nHost: a/b\r\n\r\n" SMUGGLED), 400 },
  /* Request lines. */
  { BYTES ("GET  /now HTTP/1.1\r\n" H "\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now  HTTP/1.1\r\n" H "\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now x HTTP/1.1\r\n" H "\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now\tHTTP/1.1\r\n" H "\r\n" SMUGGLED), 400 },
  { BYTES ("GET /now\x7f HTTP/1.1\r\n" H "\r\n" SMUGGLED), 400 },
  { BYTES ("G(T /now HTTP/1.1\r\n" H "\r\n" SMUGGLED), 400 },
  { BYTES (GET " X: a\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET "no colon\r\n\r\n" SMUGGLED), 400 },
  { BYTES (GET ": a\r\n\r\n" SMUGGLED), 400 },
};

/* One reply with this status, and the end. */
static void
check (guint port, const Case *one)
{
  g_autoptr (RawClient) client = raw_connect (port);
  g_autofree char *text = g_strescape (one->bytes, NULL);
  g_test_message ("%s", text);
  raw_send (client, one->bytes, (gssize) one->size);
  g_autoptr (RawReply) reply = raw_read (client, false);
  g_assert_cmpint (reply->status, ==, one->status);
  g_assert_true (reply->complete);
  g_assert_true (raw_at_end (client));
}

static void
test_refused (void)
{
  g_autoptr (VendHttpd) httpd = start ();
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    check (vend_httpd_port (httpd), &refused[i]);
  g_assert_cmpint (g_atomic_int_get (&smuggled), ==, 0);
}

/* Behind a request that is fine, on the same connection. */
static void
test_refused_later (void)
{
  g_autoptr (VendHttpd) httpd = start ();
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (RawClient) client = raw_connect (vend_httpd_port (httpd));
      g_autofree char *text = g_strescape (refused[i].bytes, NULL);
      g_test_message ("%s", text);
      raw_send (client, GET "\r\n", -1);
      raw_send (client, refused[i].bytes, (gssize) refused[i].size);
      g_autoptr (RawReply) first = raw_read (client, false);
      g_assert_cmpint (first->status, ==, 200);
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_assert_cmpint (reply->status, ==, refused[i].status);
      g_assert_true (raw_at_end (client));
    }
  g_assert_cmpint (g_atomic_int_get (&smuggled), ==, 0);
}

/* Whatever ends them, nothing that follows chunks is taken for a request. */
static void
test_nothing_after_chunks (void)
{
  static const Case cases[] = {
    { BYTES (POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" SMUGGLED), 200 },
    { BYTES (POST "Transfer-Encoding: Chunked\r\n\r\n1;x=y\r\na\r\n0\r\nX: y\r\n\r\n" SMUGGLED),
      200 },
    { BYTES (POST "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n" SMUGGLED), 200 },
    { BYTES (POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: a\rb\n\n" SMUGGLED), 200 },
    { BYTES (GET "Transfer-Encoding: chunked\r\n\r\n0;\r\n\r\n" SMUGGLED), 200 },
  };
  g_autoptr (VendHttpd) httpd = start ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check (vend_httpd_port (httpd), &cases[i]);
  g_assert_cmpint (g_atomic_int_get (&smuggled), ==, 0);
}

/* Forms of a request that are told apart from nonsense. */
static void
test_forms (void)
{
  static const Case cases[] = {
    { BYTES (GET "Connection: close\r\n\r\n"), 200 },
    { BYTES ("\r\nGET /now HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 200 },
    { BYTES ("GET http://h/now HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 200 },
    { BYTES ("GET /now?a+b=c%20d&e HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 200 },
    { BYTES ("GET /now HTTP/1.1\r\nHost:h\r\nConnection:close\r\n\r\n"), 200 },
    { BYTES ("GET /now HTTP/1.1\r\nHost: \t h\r\nX:\r\nY: \r\nConnection: close\r\n\r\n"), 200 },
    { BYTES ("GET /now HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n"), 200 },
    { BYTES ("GET /now HTTP/1.0\r\n\r\n"), 200 },
    { BYTES (POST "Content-Length: 0004\r\nConnection: close\r\n\r\nabcd"), 200 },
    { BYTES (POST "Cookie: a=b; c=d\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), 200 },
    { BYTES ("OPTIONS * HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 400 },
    { BYTES ("GET * HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 400 },
    { BYTES ("CONNECT h:80 HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 400 },
    { BYTES ("GET now HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 400 },
    { BYTES (POST "Content-Encoding: gzip\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd"),
      415 },
    { BYTES (POST "Content-Encoding: br, gzip\r\nContent-Length: 4\r\nConnection: "
                  "close\r\n\r\nabcd"),
      415 },
    { BYTES (POST "Content-Encoding: identity\r\nContent-Length: 4\r\nConnection: "
                  "close\r\n\r\nabcd"),
      200 },
  };
  g_autoptr (VendHttpd) httpd = start ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check (vend_httpd_port (httpd), &cases[i]);
}

/* What is no HTTP/1.1 or 1.0 at all ends without anybody having been asked. */
static void
test_other_protocols (void)
{
  static const Case cases[] = {
    { BYTES ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0 },
    { BYTES ("GET /smuggled\r\n\r\n"), 0 },
    { BYTES ("GET\r\n\r\n"), 0 },
    { BYTES ("GET /smuggled HTTP/1.10\r\n\r\n"), 0 },
    { BYTES ("GET /smuggled http/1.1\r\n\r\n"), 0 },
    { BYTES ("\x16\x03\x01\x02\x00\x01\n\n"), 0 },
  };
  g_autoptr (VendHttpd) httpd = start ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (RawClient) client = raw_connect (vend_httpd_port (httpd));
      raw_send (client, cases[i].bytes, (gssize) cases[i].size);
      shutdown (client->fd, SHUT_WR);
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_test_message ("%" G_GSIZE_FORMAT ": %d", i, reply->status);
      g_assert_true (reply->status == 0 || reply->status == 400 || reply->status == 505);
      g_assert_true (raw_at_end (client));
    }
  g_assert_cmpint (g_atomic_int_get (&smuggled), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/refused", test_refused);
  g_test_add_func ("/wire/refused-later", test_refused_later);
  g_test_add_func ("/wire/nothing-after-chunks", test_nothing_after_chunks);
  g_test_add_func ("/wire/forms", test_forms);
  g_test_add_func ("/wire/other-protocols", test_other_protocols);
  return g_test_run ();
}
