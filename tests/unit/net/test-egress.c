/* Which URLs of others are taken, and whom a connection may go to. */
#include "base/error.h"
#include "net/egress.h"
#include <curl/curl.h>
#include <gio/gio.h>
#include <string.h>

static bool
check (const char *url, const char *allow, GError **error)
{
  g_autoptr (VendNetworks) networks = NULL;
  g_assert_true (vend_networks_parse (allow, "allow", &networks, NULL));
  return vend_egress_check ("webhook", url, networks, "webhook-allow", error);
}

static void
test_good_urls (void)
{
  static const struct
  {
    const char *url, *allow;
  } cases[] = {
    { "https://example.com", "" },
    { "HTTP://Example.com:8080/a?b=c#d", "" },
    { "http://1.1.1.1/", "" },
    { "http://[2606:4700::1111]/", "" },
    { "http://127.0.0.1:9/", "127.0.0.0/8" },
    { "http://127.1/", "127.0.0.1" },
    { "http://localhost/", "127.0.0.0/8" },
    { "http://localhost/", "::1" },
    { "http://10.1.2.3/", "192.168.0.0/16,10.0.0.0/8" },
    { "http://notlocalhost/", "" },
    { "http://10.1.2.3.example.com/", "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      if (!check (cases[i].url, cases[i].allow, &error))
        g_error ("%s: %s", cases[i].url, error->message);
    }
}

static void
test_bad_urls (void)
{
  static const char *const bad[] = {
    "",
    "x",
    "http://",
    "http:///path",
    "http://?q",
    "http://#f",
    "//example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://a b/",
    "http://a\nb/",
    "http://user@example.com/",
    "http://user:password@example.com/",
    "http://:password@example.com/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.01/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1./",
    "http://localhost/",
    "http://LocalHost./",
    "http://x.localhost:80/",
    "http://[::]/",
    "http://[::1%25lo]/",
    "http://[::ffff:10.0.0.1]/",
    "http://169.254.169.254/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://\u0661\u0662\u0667.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://127\uff0e0\uff610\uff0e1/",
    "http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54/",
    "http://x\u3002localhost/",
    "http://local\u00adhost/",
    "http://1\u200b27.0.0.1/",
    "http://\uff11\uff12\uff17\uff0e\uff11/",
    "http://127.0.0.1\u3002/",
    "http://a\xff/",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      if (check (bad[i], "192.168.0.0/16", &error))
        g_error ("'%s' was taken", bad[i]);
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (error->message, "webhook: "));
    }
  g_autofree char *tail = g_strnfill (VEND_OUTSIDE_URL_MAX, 'x');
  g_autofree char *url = g_strconcat ("http://example.com/", tail, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_false (check (url, "", &error));
}

/* ---- Calls */

typedef struct
{
  GMainLoop *loop;
  long status;
  char *problem;
  bool too_large;
  GString *body;
} Result;

static bool
take_bytes (const char *bytes, gsize size, void *data)
{
  g_string_append_len (((Result *) data)->body, bytes, (gssize) size);
  return true;
}

static void
take_answer (const VendEgressResponse *answer, void *data)
{
  Result *result = data;
  result->status = answer->status;
  result->too_large = answer->too_large;
  result->problem = g_strdup (answer->problem);
  g_main_loop_quit (result->loop);
}

/* Answers what `said` is, once a connection. */
static gboolean
on_connection (GSocketService *service, GSocketConnection *connection, GObject *source, void *said)
{
  char request[4096];
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  if (g_input_stream_read (in, request, sizeof request, NULL, NULL) > 0)
    g_output_stream_write_all (out, said, strlen (said), NULL, NULL, NULL);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  return TRUE;
}

static guint16
serve (GSocketService **out, const char *said)
{
  *out = g_threaded_socket_service_new (4);
  guint16 port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (*out), NULL, NULL);
  g_assert_cmpuint (port, >, 0);
  g_signal_connect (*out, "run", G_CALLBACK (on_connection), (void *) said);
  g_socket_service_start (*out);
  return port;
}

static Result
fetch (const char *url, const char *allow, guint max_redirects, uint64_t max_size)
{
  Result result = { .loop = g_main_loop_new (NULL, FALSE), .body = g_string_new (NULL) };
  g_autoptr (VendNetworks) networks = NULL;
  g_assert_true (vend_networks_parse (allow, "allow", &networks, NULL));
  g_autoptr (VendEgress) egress
      = vend_egress_new (g_main_context_default (), networks, "input-allow");
  VendEgressCall *call
      = vend_egress_start (egress, &(VendEgressRequest){ .url = url,
                                                         .max_redirects = max_redirects,
                                                         .timeout_us = 20000000,
                                                         .max_size = max_size,
                                                         .sink = take_bytes,
                                                         .done = take_answer,
                                                         .data = &result });
  g_assert_nonnull (call);
  g_main_loop_run (result.loop);
  g_clear_pointer (&result.loop, g_main_loop_unref);
  return result;
}

static void
result_clear (Result *result)
{
  g_string_free (result->body, TRUE);
  g_free (result->problem);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

static void
test_filter (void)
{
  GSocketService *service = NULL;
  guint16 port = serve (&service, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  g_autofree char *by_address = g_strdup_printf ("http://127.0.0.1:%u/", port);
  g_autofree char *by_name = g_strdup_printf ("http://localhost:%u/", port);
  g_autofree char *mapped = g_strdup_printf ("http://[::ffff:127.0.0.1]:%u/", port);
  const char *const urls[] = { by_address, by_name, mapped };
  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      g_auto (Result) refused = fetch (urls[i], "", 0, 100);
      g_assert_cmpint (refused.status, ==, 0);
      g_assert_nonnull (strstr (refused.problem, "is not a public address"));
      g_assert_nonnull (strstr (refused.problem, "--input-allow"));
      g_auto (Result) allowed = fetch (urls[i], "127.0.0.0/8,::1", 0, 100);
      g_assert_cmpint (allowed.status, ==, 200);
      g_assert_cmpstr (allowed.body->str, ==, "hello");
      g_assert_null (allowed.problem);
    }
  g_auto (Result) large = fetch (by_address, "127.0.0.1", 0, 4);
  g_assert_true (large.too_large);
  g_assert_nonnull (strstr (large.problem, "larger than 4 bytes"));
  g_auto (Result) scheme = fetch ("file:///etc/passwd", "0.0.0.0/0,::/0", 5, 100);
  g_assert_nonnull (scheme.problem);
  g_assert_cmpuint (scheme.body->len, ==, 0);
  g_socket_service_stop (service);
  g_object_unref (service);
}

static void
test_redirects (void)
{
  GSocketService *service = NULL, *other = NULL;
  guint16 end = serve (&other, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend");
  g_autofree char *said
      = g_strdup_printf ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:%u/\r\n"
                         "Content-Length: 0\r\nConnection: close\r\n\r\n",
                         end);
  guint16 port = serve (&service, said);
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/", port);

  g_auto (Result) kept = fetch (url, "127.0.0.0/8", 0, 100);
  g_assert_cmpint (kept.status, ==, 302);
  g_assert_null (kept.problem);
  g_auto (Result) followed = fetch (url, "127.0.0.0/8", 1, 100);
  g_assert_cmpint (followed.status, ==, 200);
  g_assert_cmpstr (followed.body->str, ==, "end");
  g_auto (Result) refused = fetch (url, "127.0.0.1", 1, 100);
  g_assert_nonnull (strstr (refused.problem, "127.0.0.2 is not a public address"));
  g_assert_cmpuint (refused.body->len, ==, 0);
  g_socket_service_stop (service);
  g_socket_service_stop (other);
  g_object_unref (service);
  g_object_unref (other);
}

/* A proxy of the environment would make the connection for us. */
static void
test_no_proxy (void)
{
  GSocketService *service = NULL;
  guint16 port = serve (&service, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy");
  g_autofree char *proxy = g_strdup_printf ("http://127.0.0.1:%u", port);
  g_setenv ("http_proxy", proxy, TRUE);
  g_setenv ("all_proxy", proxy, TRUE);
  g_auto (Result) result = fetch ("http://10.255.255.1/", "127.0.0.0/8", 0, 100);
  g_assert_nonnull (strstr (result.problem, "10.255.255.1 is not a public address"));
  g_unsetenv ("http_proxy");
  g_unsetenv ("all_proxy");
  g_socket_service_stop (service);
  g_object_unref (service);
}

static void
test_cancel (void)
{
  g_autoptr (VendNetworks) networks = NULL;
  g_assert_true (vend_networks_parse ("127.0.0.1", "allow", &networks, NULL));
  g_autoptr (VendEgress) egress
      = vend_egress_new (g_main_context_default (), networks, "input-allow");
  VendEgressCall *call = vend_egress_start (
      egress, &(VendEgressRequest){ .url = "http://127.0.0.1:1/", .done = take_answer });
  vend_egress_cancel (call);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  curl_global_init (CURL_GLOBAL_DEFAULT);
  g_test_add_func ("/outside/good-urls", test_good_urls);
  g_test_add_func ("/outside/bad-urls", test_bad_urls);
  g_test_add_func ("/outside/filter", test_filter);
  g_test_add_func ("/outside/redirects", test_redirects);
  g_test_add_func ("/outside/no-proxy", test_no_proxy);
  g_test_add_func ("/outside/cancel", test_cancel);
  return g_test_run ();
}
