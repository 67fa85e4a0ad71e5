/* A running server against raw bytes: routing, bodies and limits, framing, lifecycle. */
#include "httpd/httpd.h"
#include "raw-client.h"
#include "base/error.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SMALL_LIMIT 1000
#define FORM_LIMIT 300000

typedef struct
{
  VendHttpd *httpd;
  guint port;
  char *spool;
} Server;

static void
echo (VendCall *call, void *context)
{
  gsize size = 0;
  const char *body = vend_call_body (call, &size);
  const char *q = vend_call_query (call, "q");
  const char *header = vend_call_header (call, "x-test");
  g_autofree char *text = g_strdup_printf (
      "%s %s [%.*s] q=%s h=%s o=%s r=%s", vend_call_method (call), vend_call_path (call),
      (int) size, body, q != NULL ? q : "-", header != NULL ? header : "-", vend_call_origin (call),
      vend_call_remote (call));
  vend_call_reply (call, vend_reply_new (200, "text/plain", text, strlen (text)));
}

static void
size_of_body (VendCall *call, void *context)
{
  gsize size = 0;
  const char *body = vend_call_body (call, &size);
  g_assert_cmpint (body[size], ==, '\0');
  g_autofree char *text = g_strdup_printf ("%" G_GSIZE_FORMAT, size);
  vend_call_reply (call, vend_reply_new (200, "text/plain", text, strlen (text)));
}

static void
list_parts (VendCall *call, void *context)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (gsize i = 0; i < vend_call_n_parts (call); i++)
    {
      const VendPart *part = vend_call_part_at (call, i);
      g_assert_true (vend_call_part (call, part->name) != NULL);
      g_string_append_printf (text, "%s|%s|%s|%s|%" G_GUINT64_FORMAT "|%s|%s\n", part->name,
                              part->filename != NULL ? part->filename : "-",
                              part->content_type != NULL ? part->content_type : "-",
                              part->text != NULL ? part->text : "-", part->size,
                              part->sha256 != NULL ? part->sha256 : "-",
                              part->md5 != NULL ? part->md5 : "-");
      if (part->path != NULL)
        {
          g_autofree char *content = NULL;
          gsize size = 0;
          g_assert_true (g_file_get_contents (part->path, &content, &size, NULL));
          g_assert_cmpuint (size, ==, part->size);
        }
    }
  const VendPart *kept = vend_call_part (call, "keep");
  if (kept != NULL)
    {
      g_autofree char *path = vend_part_take_path (call, kept);
      g_autofree char *target = g_strconcat (path, ".kept", NULL);
      g_assert_cmpint (g_rename (path, target), ==, 0);
    }
  vend_call_reply (call, vend_reply_new (200, "text/plain", text->str, text->len));
}

static void
fail (VendCall *call, void *context)
{
  g_autoptr (GError) error
      = g_error_new (VEND_ERROR, GPOINTER_TO_INT (context), "the 'thing' is wrong");
  vend_call_reply (call, vend_reply_error (error));
}

static const VendRoute routes[] = {
  { "GET", "/v1/echo/{x}", echo },
  { "POST", "/v1/echo/{x}", echo, NULL, VEND_BODY_BUFFER, SMALL_LIMIT },
  { "QUERY", "/v1/echo/{x}", echo, NULL, VEND_BODY_BUFFER, SMALL_LIMIT },
  { "POST", "/v1/size", size_of_body, NULL, VEND_BODY_BUFFER, 0 },
  { "POST", "/v1/none", echo },
  { "POST", "/v1/form", list_parts, NULL, VEND_BODY_MULTIPART, FORM_LIMIT },
  { "PUT", "/v1/spool", list_parts, NULL, VEND_BODY_SPOOL, FORM_LIMIT },
  { "GET", "/v1/invalid", fail, GINT_TO_POINTER (VEND_ERROR_INVALID) },
  { "GET", "/v1/storage", fail, GINT_TO_POINTER (VEND_ERROR_STORAGE) },
};

static void
start (Server *server, const VendHttpdOptions *changes)
{
  VendHttpdOptions options = { .listen = "127.0.0.1:0",
                               .threads = 2,
                               .max_connections = 1000,
                               .idle_timeout_s = 60,
                               .max_body = 1 << 20 };
  g_autoptr (GError) error = NULL;
  if (changes != NULL)
    options = *changes;
  server->spool = g_dir_make_tmp ("vend-spool-XXXXXX", &error);
  g_assert_no_error (error);
  options.spool_dir = server->spool;
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &server->httpd, &error));
  vend_httpd_serve (server->httpd);
  server->port = vend_httpd_port (server->httpd);
}

static guint
count_files (const char *path, bool remove_them)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;
  for (const char *name; (name = g_dir_read_name (dir)) != NULL; n++)
    if (remove_them)
      {
        g_autofree char *file = g_build_filename (path, name, NULL);
        g_unlink (file);
      }
  return n;
}

static void
stop (Server *server)
{
  vend_httpd_free (server->httpd);
  g_assert_cmpuint (count_files (server->spool, false), ==, 0);
  g_rmdir (server->spool);
  g_free (server->spool);
}

static void
assert_problem (const RawReply *reply, int status)
{
  g_autofree char *type = raw_header (reply, "Content-Type");
  json_auto_t *problem = NULL;
  g_assert_cmpint (reply->status, ==, status);
  g_assert_true (reply->complete);
  g_assert_cmpstr (type, ==, "application/problem+json");
  g_assert_true (vend_json_parse (reply->body->str, reply->body->len, &problem, NULL));
  g_assert_cmpint (vend_json_int (problem, "status", 0), ==, status);
  g_assert_nonnull (vend_json_string (problem, "detail"));
  g_assert_nonnull (vend_json_string (problem, "title"));
}

static void
test_routing (void)
{
  Server server;
  start (&server, NULL);
  static const struct
  {
    const char *method, *path, *extra, *body;
    int status;
    const char *text;
  } cases[] = {
    { "GET", "/v1/echo/a", NULL, NULL, 200, "GET /v1/echo/a [] q=- h=- o=http://h r=127.0.0.1" },
    { "GET", "/echo/a%20b?q=1+2%2B%C3%A9&z", NULL, NULL, 200,
      "GET /v1/echo/a b [] q=1 2+é h=- o=http://h r=127.0.0.1" },
    { "GET", "/v1/v1/echo/a?q", NULL, NULL, 200,
      "GET /v1/echo/a [] q= h=- o=http://h r=127.0.0.1" },
    { "GET", "/v1/echo/a", "X-Test: 1\r\nX-TEST: 2\r\n", NULL, 200,
      "GET /v1/echo/a [] q=- h=1, 2 o=http://h r=127.0.0.1" },
    { "QUERY", "/v1/echo/a", NULL, "find", 200,
      "QUERY /v1/echo/a [find] q=- h=- o=http://h r=127.0.0.1" },
    { "POST", "/v1/echo/a", "X-Forwarded-Proto: https\r\n", "{}", 200,
      "POST /v1/echo/a [{}] q=- h=- o=http://h r=127.0.0.1" },
    { "GET", "/v1/echo/a", "Content-Type: application/json\r\n", "{}", 200,
      "GET /v1/echo/a [] q=- h=- o=http://h r=127.0.0.1" },
    { "GET", "/v1/nope", NULL, NULL, 404,
      "{\"detail\":\"The requested resource could not be found.\",\"status\":404,\"title\":\"Not "
      "found\"}" },
    { "BREW", "/v1/echo/a", NULL, NULL, 405, NULL },
    { "DELETE", "/v1/echo/a", NULL, NULL, 405, NULL },
    { "GET", "/v1/echo/%00", NULL, NULL, 400, NULL },
    { "GET", "/v1/echo/..", NULL, NULL, 400, NULL },
    { "GET", "/v1/echo/a?q=%zz", NULL, NULL, 400, NULL },
    { "GET", "/v1/echo/a?q=%00", NULL, NULL, 400, NULL },
    { "GET", "/v1/invalid", NULL, NULL, 422,
      "{\"detail\":\"the 'thing' is wrong\",\"status\":422,\"title\":\"Invalid request\",\"type\":"
      "\"urn:vend:error:invalid\"}" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (RawReply) reply = raw_request (server.port, cases[i].method, cases[i].path,
                                                cases[i].extra, cases[i].body);
      g_assert_cmpint (reply->status, ==, cases[i].status);
      if (cases[i].text != NULL)
        g_assert_cmpstr (reply->body->str, ==, cases[i].text);
      if (cases[i].status >= 400)
        assert_problem (reply, cases[i].status);
      g_autofree char *allow = raw_header (reply, "Allow");
      g_assert_cmpstr (allow, ==, cases[i].status == 405 ? "GET, HEAD, POST, QUERY" : NULL);
    }
  g_autoptr (RawReply) hidden = raw_request (server.port, "GET", "/v1/storage", NULL, NULL);
  assert_problem (hidden, 500);
  g_assert_null (strstr (hidden->body->str, "thing"));
  stop (&server);
}

static void
test_buffer_limits (void)
{
  Server server;
  start (&server, NULL);
  g_autofree char *exact = g_strnfill (SMALL_LIMIT, 'x');
  g_autofree char *over = g_strnfill (SMALL_LIMIT + 1, 'x');
  g_autoptr (RawReply) fits = raw_request (server.port, "POST", "/v1/echo/a", NULL, exact);
  g_assert_cmpint (fits->status, ==, 200);
  g_autoptr (RawReply) refused = raw_request (server.port, "POST", "/v1/echo/a", NULL, over);
  assert_problem (refused, 413);

  /* Over the limit with a length that is not sent: answered at once, and closed. */
  g_autoptr (RawClient) early = raw_connect (server.port);
  raw_send_format (early, "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n");
  g_autoptr (RawReply) at_once = raw_read (early, false);
  assert_problem (at_once, 413);
  g_assert_true (raw_at_end (early));

  /* A short body over the limit is read, so the connection goes on. */
  g_autoptr (RawClient) kept = raw_connect (server.port);
  for (int i = 0; i < 3; i++)
    {
      raw_send_format (kept, "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s",
                       SMALL_LIMIT + 1, over);
      g_autoptr (RawReply) again = raw_read (kept, false);
      assert_problem (again, 413);
    }

  /* Chunked: refused while the client still sends, and closed. */
  g_autoptr (RawClient) chunked = raw_connect (server.port);
  raw_send_format (chunked,
                   "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 2000; i++)
    if (!raw_send (chunked, "800\r\n", -1) || !raw_send (chunked, exact, 1000)
        || !raw_send (chunked, exact, 1000) || !raw_send (chunked, exact, 48)
        || !raw_send (chunked, "\r\n", -1))
      break;
  g_autoptr (RawReply) given_up = raw_read (chunked, false);
  assert_problem (given_up, 413);
  g_assert_true (raw_at_end (chunked));

  g_autofree char *big = g_strnfill (1 << 20, 'x');
  g_autoptr (RawReply) largest = raw_request (server.port, "POST", "/v1/size", NULL, big);
  g_assert_cmpstr (largest->body->str, ==, "1048576");
  stop (&server);
}

static void
test_chunked (void)
{
  Server server;
  start (&server, NULL);
  for (int i = 0; i < 3; i++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      raw_send_format (client,
                       "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\n\r\n");
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_assert_cmpint (reply->status, ==, 200);
      g_assert_nonnull (strstr (reply->body->str, "[hello world]"));
      g_assert_true (raw_at_end (client));
    }
  g_autoptr (RawClient) ignored = raw_connect (server.port);
  raw_send_format (ignored,
                   "POST /v1/none HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  g_autofree char *piece = g_strnfill (0x1000, 'x');
  for (int i = 0; i < 17; i++)
    raw_send_format (ignored, "1000\r\n%s\r\n", piece);
  g_autoptr (RawReply) refused = raw_read (ignored, false);
  assert_problem (refused, 413);
  stop (&server);
}

static void
test_expect (void)
{
  Server server;
  start (&server, NULL);
  g_autoptr (RawClient) fits = raw_connect (server.port);
  raw_send_format (fits, "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                         "Content-Length: 5\r\n\r\n");
  g_autoptr (RawReply) proceed = raw_read (fits, false);
  g_assert_cmpint (proceed->status, ==, 100);
  raw_send (fits, "hello", -1);
  g_autoptr (RawReply) reply = raw_read (fits, false);
  g_assert_cmpint (reply->status, ==, 200);

  g_autoptr (RawClient) over = raw_connect (server.port);
  raw_send_format (over, "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                         "Content-Length: 5000000\r\n\r\n");
  g_autoptr (RawReply) refused = raw_read (over, false);
  assert_problem (refused, 413);
  g_assert_true (raw_at_end (over));
  stop (&server);
}

#define FORM "Content-Type: multipart/form-data; boundary=BB\r\n"
#define FIELD "--BB\r\nContent-Disposition: form-data; name="

static void
test_form (void)
{
  Server server;
  start (&server, NULL);
  g_autoptr (RawReply) reply = raw_request (
      server.port, "POST", "/v1/form", FORM,
      FIELD "\"a[b]\"\r\n\r\ntext\r\n" FIELD
            "\"content\"; filename=\"x.txt\"\r\nContent-Type: text/x\r\n\r\nhello\r\n" FIELD
            "\"keep\"; filename=\"\"\r\n\r\n\r\n--BB--\r\n");
  g_assert_cmpint (reply->status, ==, 200);
  g_assert_cmpstr (reply->body->str, ==,
                   "a[b]|-|-|text|4|-|-\n"
                   "content|x.txt|text/x|-|5|"
                   "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824|"
                   "5d41402abc4b2a76b9719d911017c592\n"
                   "keep||-|-|0|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855|"
                   "d41d8cd98f00b204e9800998ecf8427e\n");
  while (vend_httpd_active_calls (server.httpd) > 0)
    g_thread_yield ();
  g_assert_cmpuint (count_files (server.spool, true), ==, 1);

  static const struct
  {
    const char *extra, *body;
    int status;
  } bad[] = {
    { "Content-Type: application/json\r\n", "{}", 415 },
    { NULL, "x", 415 },
    { "Content-Type: multipart/form-data\r\n", "x", 415 },
    { FORM, "", 400 },
    { FORM, FIELD "\"a\"\r\n\r\n1", 400 },
    { FORM, FIELD "\"a\"; filename=\"f\"\r\n\r\n1", 400 },
    { FORM, "--BB\r\nnonsense\r\n\r\n--BB--", 400 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (RawReply) refused
          = raw_request (server.port, "POST", "/v1/form", bad[i].extra, bad[i].body);
      assert_problem (refused, bad[i].status);
    }

  g_autofree char *long_text = g_strnfill (64 * 1024 + 1, 'x');
  g_autofree char *long_form = g_strconcat (FIELD "\"a\"\r\n\r\n", long_text, "\r\n--BB--", NULL);
  g_autoptr (RawReply) too_long = raw_request (server.port, "POST", "/v1/form", FORM, long_form);
  assert_problem (too_long, 413);
  g_assert_nonnull (strstr (too_long->body->str, "'a'"));

  g_autoptr (GString) many = g_string_new (NULL);
  for (int i = 0; i < 65; i++)
    g_string_append (many, FIELD "\"a\"\r\n\r\n1\r\n");
  g_string_append (many, "--BB--");
  g_autoptr (RawReply) too_many = raw_request (server.port, "POST", "/v1/form", FORM, many->str);
  assert_problem (too_many, 413);
  stop (&server);
}

static void
test_spool (void)
{
  Server server;
  start (&server, NULL);
  g_autoptr (RawReply) reply
      = raw_request (server.port, "PUT", "/v1/spool", "Content-Type: a/b\r\n", "hello");
  g_assert_cmpstr (reply->body->str, ==,
                   "|-|a/b|-|5|2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824|"
                   "5d41402abc4b2a76b9719d911017c592\n");
  g_autofree char *exact = g_strnfill (FORM_LIMIT, 'x');
  g_autoptr (RawReply) fits = raw_request (server.port, "PUT", "/v1/spool", NULL, exact);
  g_assert_cmpint (fits->status, ==, 200);

  /* The whole body is on its way already; the refusal must still arrive. */
  g_autofree char *over = g_strnfill (8 << 20, 'x');
  for (int i = 0; i < 20; i++)
    {
      g_autoptr (RawReply) refused = raw_request (server.port, "PUT", "/v1/spool", NULL, over);
      assert_problem (refused, 413);
    }
  /* A client that goes away half-way leaves no file; checked by stop. */
  for (int i = 0; i < 20; i++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      raw_send_format (client,
                       "PUT /v1/spool HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx");
      if (i % 2 == 0)
        raw_abort (client);
    }
  stop (&server);
}

static void
test_framing (void)
{
  Server server;
  start (&server, NULL);
  static const char *const bad[] = {
    "GET /v1/echo/a HTTP/1.1\r\n\r\n",
    "GET /v1/echo/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: "
    "chunked\r\n\r\n0\r\n\r\n",
    "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
    "chunked\r\n\r\n0\r\n\r\n",
    "POST /v1/echo/a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\nX-Space : 1\r\n\r\n",
    "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nhello",
    "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello",
    "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\nhello",
    "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello",
    "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\nnocolon\r\n\r\n",
    "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      g_test_message ("%s", bad[i]);
      raw_send (client, bad[i], -1);
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_assert_cmpint (reply->status, ==, 400);
      g_assert_true (raw_at_end (client));
    }
  stop (&server);
}

static void
test_head_limit (void)
{
  Server server;
  start (&server, NULL);
  g_autofree char *fits = g_strnfill (30 * 1024, 'x');
  g_autofree char *over = g_strnfill (33 * 1024, 'x');
  g_autofree char *far_over = g_strnfill (200 * 1024, 'x');
  g_autofree char *fits_line = g_strconcat ("X-Big: ", fits, "\r\n", NULL);
  g_autofree char *over_line = g_strconcat ("X-Big: ", over, "\r\n", NULL);
  g_autoptr (RawReply) fine = raw_request (server.port, "GET", "/v1/echo/a", fits_line, NULL);
  g_assert_cmpint (fine->status, ==, 200);
  g_autoptr (RawReply) refused = raw_request (server.port, "GET", "/v1/echo/a", over_line, NULL);
  assert_problem (refused, 431);

  g_autoptr (RawClient) client = raw_connect (server.port);
  raw_send (client, "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\nX-Big: ", -1);
  raw_send (client, far_over, -1);
  g_autoptr (RawReply) cut = raw_read (client, false);
  g_assert_true (cut->status == 431 || cut->status == 0);
  stop (&server);
}

static void
test_pipeline (void)
{
  Server server;
  start (&server, NULL);
  g_autoptr (RawClient) client = raw_connect (server.port);
  g_autoptr (GString) many = g_string_new (NULL);
  for (int i = 0; i < 200; i++)
    g_string_append_printf (
        many, "POST /v1/echo/%d HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n%03d", i, i);
  g_assert_true (raw_send (client, many->str, -1));
  for (int i = 0; i < 200; i++)
    {
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_autofree char *expected = g_strdup_printf ("POST /v1/echo/%d [%03d]", i, i);
      g_assert_true (g_str_has_prefix (reply->body->str, expected));
    }

  /* Byte by byte is the same. */
  static const char slowly[] = "POST /v1/echo/z HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok";
  for (gsize i = 0; i < strlen (slowly); i++)
    g_assert_true (raw_send (client, slowly + i, 1));
  g_autoptr (RawReply) reply = raw_read (client, false);
  g_assert_cmpint (reply->status, ==, 200);

  g_autoptr (RawClient) old = raw_connect (server.port);
  raw_send (old, "GET /v1/echo/a HTTP/1.0\r\n\r\n", -1);
  g_autoptr (RawReply) closing = raw_read (old, false);
  g_assert_cmpint (closing->status, ==, 200);
  g_assert_true (raw_at_end (old));
  stop (&server);
}

static void
test_proxy (void)
{
  VendHttpdOptions options = { .listen = "127.0.0.1:0",
                               .threads = 2,
                               .max_connections = 100,
                               .idle_timeout_s = 60,
                               .max_body = 1 << 20,
                               .trusted_proxies = "127.0.0.0/8" };
  Server server;
  start (&server, &options);
  g_autoptr (RawReply) reply
      = raw_request (server.port, "GET", "/v1/echo/a",
                     "X-Forwarded-Proto: https\r\nX-Forwarded-Host: vend.x\r\n"
                     "X-Forwarded-For: 1.1.1.1\r\n"
                     "X-Forwarded-For: 9.9.9.9\r\n",
                     NULL);
  g_assert_nonnull (strstr (reply->body->str, "o=https://vend.x r=9.9.9.9"));
  stop (&server);
}

/* Whoever connects before that waits, and is let go when nobody ever serves him. */
static void
test_open_before_serve (void)
{
  const VendHttpdOptions options
      = { .listen = "127.0.0.1:0", .threads = 2, .max_connections = 100, .idle_timeout_s = 60 };
  g_autoptr (VendHttpd) served = NULL;
  g_autoptr (VendHttpd) never = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &served, &error));
  g_assert_true (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &never, &error));
  g_autoptr (RawClient) patient = raw_connect (vend_httpd_port (served));
  g_autoptr (RawClient) unlucky = raw_connect (vend_httpd_port (never));
  raw_send (patient, "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  raw_send (unlucky, "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  vend_httpd_serve (served);
  g_autoptr (RawReply) reply = raw_read (patient, false);
  g_assert_cmpint (reply->status, ==, 200);
  g_assert_cmpuint (vend_httpd_active_calls (never), ==, 0);
  g_clear_pointer (&never, vend_httpd_free);
  g_assert_true (raw_at_end (unlucky));
}

static void
test_stop_accepting (void)
{
  Server server;
  start (&server, NULL);
  g_autoptr (RawClient) client = raw_connect (server.port);
  raw_send (client, "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  g_autoptr (RawReply) before = raw_read (client, false);
  g_autofree char *open = raw_header (before, "Connection");
  g_assert_null (open);

  vend_httpd_stop_accepting (server.httpd);
  vend_httpd_stop_accepting (server.httpd);
  g_autoptr (GSocketClient) refused = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  g_assert_null (
      g_socket_client_connect_to_host (refused, "127.0.0.1", (guint16) server.port, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);

  raw_send (client, "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  g_autoptr (RawReply) after = raw_read (client, false);
  g_autofree char *closing = raw_header (after, "Connection");
  g_assert_cmpint (after->status, ==, 200);
  g_assert_cmpstr (closing, ==, "close");
  g_assert_true (raw_at_end (client));
  g_assert_cmpuint (vend_httpd_active_calls (server.httpd), ==, 0);
  stop (&server);
}

/* A connection over the limit waits until another one ends. */
static void
test_max_connections (void)
{
  VendHttpdOptions options = { .listen = "127.0.0.1:0",
                               .threads = 2,
                               .max_connections = 16,
                               .idle_timeout_s = 60,
                               .max_body = 1 << 20 };
  Server server;
  RawClient *clients[16];
  start (&server, &options);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      clients[i] = raw_connect (server.port);
      raw_send_format (clients[i], "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\n\r\n");
      g_autoptr (RawReply) reply = raw_read (clients[i], false);
      g_assert_cmpint (reply->status, ==, 200);
    }
  g_autoptr (RawClient) late = raw_connect (server.port);
  raw_send_format (late, "GET /v1/echo/a HTTP/1.1\r\nHost: h\r\n\r\n");
  raw_free (clients[0]);
  g_autoptr (RawReply) reply = raw_read (late, false);
  g_assert_cmpint (reply->status, ==, 200);
  for (guint i = 1; i < G_N_ELEMENTS (clients); i++)
    raw_free (clients[i]);
  stop (&server);
}

static void
test_idle (void)
{
  VendHttpdOptions options = { .listen = "127.0.0.1:0",
                               .threads = 2,
                               .max_connections = 16,
                               .idle_timeout_s = 1,
                               .max_body = 1 << 20 };
  static const char *const starts[]
      = { "", "GET /v1/echo/a HT",
          "POST /v1/echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc" };
  Server server;
  start (&server, &options);
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    {
      g_autoptr (RawClient) client = raw_connect (server.port);
      raw_send (client, starts[i], -1);
      g_autoptr (RawReply) reply = raw_read (client, false);
      g_assert_true (reply->status == 0 || reply->status == 408);
    }
  stop (&server);
}

/* The end of the connection may come while the last bytes are being read. */
static void
test_clients_that_leave_half_way (void)
{
  Server server;
  start (&server, NULL);
  g_autofree char *part = g_strnfill (100 * 1000, 'x');
  for (guint i = 0; i < 300; i++)
    {
      RawClient *client = raw_connect (server.port);
      raw_send_format (
          client, "PUT /v1/spool HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n%s", part);
      while (count_files (server.spool, false) == 0)
        ;
      raw_free (client);
      /* Long before it has been idle for too long. */
      const int64_t until_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
      while (vend_httpd_active_calls (server.httpd) > 0 && g_get_monotonic_time () < until_us)
        ;
      g_assert_cmpuint (vend_httpd_active_calls (server.httpd), ==, 0);
    }
  stop (&server);
}

static void
test_listen (void)
{
  static const struct
  {
    const char *listen;
    VendError code;
  } bad[] = {
    { "", VEND_ERROR_INVALID },
    { "127.0.0.1", VEND_ERROR_INVALID },
    { "127.0.0.1:", VEND_ERROR_INVALID },
    { "127.0.0.1:99999", VEND_ERROR_INVALID },
    { "127.0.0.1:-1", VEND_ERROR_INVALID },
    { "::1:80", VEND_ERROR_INVALID },
    { ":80", VEND_ERROR_INVALID },
    { "not.a.host.invalid:80", VEND_ERROR_INVALID },
    { "203.0.113.7:80", VEND_ERROR_UNAVAILABLE },
  };
  VendHttpdOptions options = { .threads = 2, .max_connections = 10, .spool_dir = "/tmp" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VendHttpd) httpd = NULL;
      g_autoptr (GError) error = NULL;
      options.listen = bad[i].listen;
      g_assert_false (vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &httpd, &error));
      g_assert_error (error, VEND_ERROR, (int) bad[i].code);
      g_assert_null (httpd);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/server/routing", test_routing);
  g_test_add_func ("/server/buffer-limits", test_buffer_limits);
  g_test_add_func ("/server/chunked", test_chunked);
  g_test_add_func ("/server/expect", test_expect);
  g_test_add_func ("/server/form", test_form);
  g_test_add_func ("/server/spool", test_spool);
  g_test_add_func ("/server/framing", test_framing);
  g_test_add_func ("/server/head-limit", test_head_limit);
  g_test_add_func ("/server/pipeline", test_pipeline);
  g_test_add_func ("/server/proxy", test_proxy);
  g_test_add_func ("/server/open-before-serve", test_open_before_serve);
  g_test_add_func ("/server/stop-accepting", test_stop_accepting);
  g_test_add_func ("/server/max-connections", test_max_connections);
  g_test_add_func ("/server/idle", test_idle);
  g_test_add_func ("/server/clients-that-leave-half-way", test_clients_that_leave_half_way);
  g_test_add_func ("/server/listen", test_listen);
  return g_test_run ();
}
