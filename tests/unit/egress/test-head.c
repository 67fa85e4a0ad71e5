/* What a proxy reads of requests and answers, and how it names its destinations. */
#include "base/error.h"
#include "egress/filter.h"
#include "egress/head.h"
#include <string.h>

/* ---- Destinations */

static void
test_destinations (void)
{
  static const struct
  {
    const char *authority;
    guint16 port; /* the default; 0 = none */
    const char *text;
    const char *address; /* NULL = a name */
  } good[] = {
    { "example.com:443", 0, "example.com:443", NULL },
    { "EXAMPLE.com", 80, "example.com:80", NULL },
    { "example.com:", 80, "example.com:80", NULL },
    { "example.com.:1", 80, "example.com:1", NULL },
    { "a_b.x--y:65535", 80, "a_b.x--y:65535", NULL },
    { "1.2.3.4.example:80", 0, "1.2.3.4.example:80", NULL },
    { "m\u00fcnchen.example:80", 0, "xn--mnchen-3ya.example:80", NULL },
    { "8.8.8.8:53", 0, "8.8.8.8:53", "8.8.8.8" },
    { "[2606:4700::1111]:443", 0, "[2606:4700::1111]:443", "2606:4700::1111" },
    { "[::1]", 80, "[::1]:80", "::1" },
    { "[::ffff:10.9.9.9]:80", 0, "10.9.9.9:80", "10.9.9.9" },
    { "[::ffff:a9fe:a9fe]:80", 0, "169.254.169.254:80", "169.254.169.254" },
    { "[0:0:0:0:0:ffff:127.0.0.1]:80", 0, "127.0.0.1:80", "127.0.0.1" },
    /* What resolvers of the C library take for addresses. */
    { "0:80", 0, "0:80", "0.0.0.0" },
    { "127.1:80", 0, "127.1:80", "127.0.0.1" },
    { "127.0.1:80", 0, "127.0.1:80", "127.0.0.1" },
    { "127.0.0.1.:80", 0, "127.0.0.1:80", "127.0.0.1" },
    { "2130706433:80", 0, "2130706433:80", "127.0.0.1" },
    { "0x7f000001:80", 0, "0x7f000001:80", "127.0.0.1" },
    { "0x7f.0x0.0x0.0x1:80", 0, "0x7f.0x0.0x0.0x1:80", "127.0.0.1" },
    { "0177.0.0.01:80", 0, "0177.0.0.01:80", "127.0.0.1" },
    { "017700000001:80", 0, "017700000001:80", "127.0.0.1" },
    { "0xA9FEA9FE:80", 0, "0xa9fea9fe:80", "169.254.169.254" },
    { "169.16689662:80", 0, "169.16689662:80", "169.254.169.254" },
    { "0251.0376.0251.0376:80", 0, "0251.0376.0251.0376:80", "169.254.169.254" },
    /* Other letters for digits and dots. */
    { "\uff11\uff12\uff17.0.0.1:80", 0, "127.0.0.1:80", "127.0.0.1" },
    { "\u2460\u2461\u2466.0.0.1:80", 0, "127.0.0.1:80", "127.0.0.1" },
    { "127\u30020\u30020\u30021:80", 0, "127.0.0.1:80", "127.0.0.1" },
    { "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:80", 0, "localhost:80", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto (VendDestination) to = { 0 };
      g_autoptr (GError) error = NULL;
      if (!vend_destination_parse (good[i].authority, good[i].port, &to, &error))
        g_error ("%s: %s", good[i].authority, error->message);
      g_autofree char *text = vend_destination_text (&to);
      g_assert_cmpstr (text, ==, good[i].text);
      g_assert_true (to.is_address == (good[i].address != NULL));
      g_autofree char *address = to.is_address ? vend_address_text (&to.address) : NULL;
      g_assert_cmpstr (address, ==, good[i].address);
    }
}

static void
test_no_destinations (void)
{
  static const char *const bad[] = {
    "",
    ":80",
    ".:80",
    "..:80",
    ".a:80",
    "a..b:80",
    "a..:80",
    "example.com",
    "example.com:",
    "example.com:0",
    "example.com:65536",
    "example.com:000080",
    "example.com:-1",
    "example.com:+80",
    "example.com: 80",
    "example.com:80:80",
    "example.com:80@127.0.0.1",
    "example.com:http",
    "user@example.com:80",
    "user:80@example.com:80",
    "127.0.0.1%00.example.com:80",
    "127.0.0.1\t.example.com:80",
    "%31%32%37.0.0.1:80",
    "example.com\\@127.0.0.1:80",
    "example.com/:80",
    "example.com#:80",
    "a b:80",
    "a,b:80",
    "a\xff:80",
    "1.2.3.4.5:80",
    "256.1.1.1:80",
    "127.0.0.1.1:80",
    "0x:80",
    "4294967296:80",
    "08.8.8.8:80",
    "example.0x7f:80",
    "[]:80",
    "[::1:80",
    "[::1]80",
    "[::1]x:80",
    "[::1%25lo]:80",
    "[::1%lo]:80",
    "[127.0.0.1]:80",
    "[example.com]:80",
    "[:::1]:80",
    "::1:80",
    "2606:4700::1111:443",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      VendDestination to = { 0 };
      g_autoptr (GError) error = NULL;
      if (vend_destination_parse (bad[i], 0, &to, &error))
        g_error ("'%s' was taken as '%s'", bad[i], to.host);
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_null (to.host);
    }
  g_autofree char *labels = g_strnfill (VEND_DESTINATION_NAME + 1, 'x');
  VendDestination to = { 0 };
  g_assert_false (vend_destination_parse (labels, 80, &to, NULL));
}

/* ---- Which addresses */

static void
test_filter (void)
{
  static const struct
  {
    const char *address, *allow, *deny;
    bool may;
  } cases[] = {
    { "8.8.8.8", "", "", true },
    { "2606:4700::1111", "", "", true },
    { "8.8.8.8", "", "8.8.0.0/16", false },
    { "8.8.8.8", "8.8.8.8", "8.8.0.0/16", false },
    { "10.1.2.3", "10.0.0.0/8", "", true },
    { "10.1.2.3", "10.0.0.0/8", "10.1.0.0/16", false },
    { "127.0.0.1", "127.0.0.0/8", "", true },
    { "::ffff:127.0.0.1", "127.0.0.0/8", "", true },
    { "0.0.0.0", "", "", false },
    { "10.9.9.9", "", "", false },
    { "172.16.0.1", "", "", false },
    { "192.168.1.1", "", "", false },
    { "127.0.0.1", "", "", false },
    { "127.255.1.2", "", "", false },
    { "169.254.169.254", "", "", false },
    { "100.100.100.200", "", "", false },
    { "192.0.0.192", "", "", false },
    { "224.0.0.1", "", "", false },
    { "255.255.255.255", "", "", false },
    { "::", "", "", false },
    { "::1", "", "", false },
    { "::ffff:10.9.9.9", "", "", false },
    { "64:ff9b::a9fe:a9fe", "", "", false },
    { "2002:7f00:1::", "", "", false },
    { "fd00:ec2::254", "", "", false },
    { "fe80::a9fe:a9fe", "", "", false },
    { "fec0::1", "", "", false },
    { "ff02::1", "", "", false },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VendNetworks) allow = NULL;
      g_autoptr (VendNetworks) deny = NULL;
      VendAddress address;
      g_assert_true (vend_networks_parse (cases[i].allow, "allow", &allow, NULL));
      g_assert_true (vend_networks_parse (cases[i].deny, "deny", &deny, NULL));
      g_assert_true (vend_address_parse (cases[i].address, &address));
      if (vend_proxy_may_reach (&address, allow, deny) != cases[i].may)
        g_error ("%s, allow '%s', deny '%s'", cases[i].address, cases[i].allow, cases[i].deny);
    }
}

/* ---- Requests */

static VendProxyRequest *
read_good (const char *head)
{
  VendProxyRequest *request = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_cmpuint (vend_head_find (head, strlen (head), false), ==, strlen (head));
  if (!vend_head_read_request (head, strlen (head), &request, &error))
    g_error ("%s: %s", head, error->message);
  return request;
}

static void
test_requests (void)
{
  static const struct
  {
    const char *head, *anew;
  } cases[] = {
    { "GET http://example.com HTTP/1.1\r\nHost: example.com\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\nVia: 1.1 vend\r\n\r\n" },
    { "GET HTTP://Example.com:80/a?b=/c HTTP/1.0\r\n\r\n",
      "GET /a?b=/c HTTP/1.0\r\nHost: example.com\r\nConnection: close\r\nVia: 1.1 vend\r\n\r\n" },
    /* The Host of the URL wins. */
    { "GET http://example.com:8080?q HTTP/1.1\r\nhost: 169.254.169.254\r\n\r\n",
      "GET /?q HTTP/1.1\r\nHost: example.com:8080\r\nConnection: close\r\nVia: 1.1 vend\r\n\r\n" },
    { "OPTIONS http://[2606:4700::1111] HTTP/1.1\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: [2606:4700::1111]\r\nConnection: close\r\n"
      "Via: 1.1 vend\r\n\r\n" },
    /* What is meant for the proxy, or for one connection, goes no further. */
    { "POST http://a.example/ HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\n"
      "Connection: x-one, Content-Length,host\r\nX-One: 1\r\nX-Two:2\r\nKeep-Alive: 3\r\n"
      "Proxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"
      "Authorization: Bearer y\r\nContent-Length: 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a.example\r\nX-Two: 2\r\nAuthorization: Bearer y\r\n"
      "Content-Length: 5\r\nConnection: close\r\nVia: 1.1 vend\r\n\r\n" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VendProxyRequest) request = read_good (cases[i].head);
      g_assert_cmpstr (request->anew->str, ==, cases[i].anew);
      g_assert_false (request->is_connect);
    }
  g_autoptr (VendProxyRequest) sized
      = read_good ("PUT http://a/ HTTP/1.1\r\nContent-Length: 12\r\n\r\n");
  g_assert_true (sized->body == VEND_BODY_PLAIN && sized->body_size == 12);
  g_autoptr (VendProxyRequest) chunked
      = read_good ("PUT http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  g_assert_true (chunked->body == VEND_BODY_CHUNKED);
  g_assert_nonnull (strstr (chunked->anew->str, "Transfer-Encoding: chunked\r\n"));
  g_autoptr (VendProxyRequest) head = read_good ("HEAD http://a/ HTTP/1.1\r\n\r\n");
  g_assert_true (head->is_head);
  g_autoptr (VendProxyRequest) tunnel
      = read_good ("CONNECT a.example:443 HTTP/1.1\r\nHost: b:1\r\nProxy-Authorization: x\r\n\r\n");
  g_assert_true (tunnel->is_connect && tunnel->anew == NULL);
  g_assert_cmpstr (tunnel->to.host, ==, "a.example");
  g_assert_cmpuint (tunnel->to.port, ==, 443);
}

static void
test_no_requests (void)
{
  static const char *const bad[] = {
    "\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET http://a/ HTTP/2\r\n\r\n",
    "GET http://a/ HTTP/1.2\r\n\r\n",
    "GET  http://a/ HTTP/1.1\r\n\r\n",
    "GET http://a/ b HTTP/1.1\r\n\r\n",
    "GET http://a/\tb HTTP/1.1\r\n\r\n",
    "G@T http://a/ HTTP/1.1\r\n\r\n",
    "GET http://a/#b HTTP/1.1\r\n\r\n",
    "GET http://a\\b/ HTTP/1.1\r\n\r\n",
    "GET http://u@a/ HTTP/1.1\r\n\r\n",
    "GET http://u:p@a/ HTTP/1.1\r\n\r\n",
    "GET http:///a HTTP/1.1\r\n\r\n",
    "GET http:/a HTTP/1.1\r\n\r\n",
    "GET https://a/ HTTP/1.1\r\n\r\n",
    "GET ftp://a/ HTTP/1.1\r\n\r\n",
    "GET file:///etc/passwd HTTP/1.1\r\n\r\n",
    "CONNECT a HTTP/1.1\r\n\r\n",
    "CONNECT http://a:80/ HTTP/1.1\r\n\r\n",
    "CONNECT a:443/ HTTP/1.1\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nx\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\n: x\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nx : y\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nx: y\r\n folded\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nx: y\rz: a\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nx: y\nz: a\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nx: \x01\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nContent-Length: 1,1\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      VendProxyRequest *request = NULL;
      g_autoptr (GError) error = NULL;
      if (vend_head_read_request (bad[i], strlen (bad[i]), &request, &error))
        g_error ("'%s' was taken", bad[i]);
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_null (request);
    }
  static const char nul[] = "GET http://a/ HTTP/1.1\r\nx: a\0b\r\n\r\n";
  VendProxyRequest *request = NULL;
  g_assert_false (vend_head_read_request (nul, sizeof nul - 1, &request, NULL));
}

/* ---- Answers */

static void
test_answers (void)
{
  static const struct
  {
    const char *head, *anew;
    bool is_interim;
  } cases[] = {
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n", false },
    { "HTTP/1.0 404\nX:y\n\n", "HTTP/1.0 404\r\nX: y\r\nConnection: close\r\n\r\n", false },
    { "HTTP/1.1 401 No\r\nProxy-Authenticate: Basic\r\nWWW-Authenticate: Basic\r\n\r\n",
      "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nConnection: close\r\n\r\n", false },
    { "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", true },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GString *anew = NULL;
      bool is_interim = false;
      g_autoptr (GError) error = NULL;
      const gsize size = strlen (cases[i].head);
      g_assert_cmpuint (vend_head_find (cases[i].head, size, true), ==, size);
      g_assert_cmpuint (vend_head_find (cases[i].head, size - 1, true), ==, 0);
      if (!vend_head_read_answer (cases[i].head, size, &anew, &is_interim, &error))
        g_error ("%s: %s", cases[i].head, error->message);
      g_assert_cmpstr (anew->str, ==, cases[i].anew);
      g_assert_true (is_interim == cases[i].is_interim);
      g_string_free (anew, TRUE);
    }
  static const char *const bad[] = { "\r\n\r\n",
                                     "SSH-2.0-x\r\n\r\n",
                                     "HTTP/1.1\r\n\r\n",
                                     "HTTP/1.1 20\r\n\r\n",
                                     "HTTP/1.1 2000 x\r\n\r\n",
                                     "HTTP/2 200 OK\r\n\r\n",
                                     "HTTP/1.1 200 OK\r\n x\r\n\r\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      GString *anew = NULL;
      bool is_interim = false;
      g_assert_false (vend_head_read_answer (bad[i], strlen (bad[i]), &anew, &is_interim, NULL));
      g_assert_null (anew);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/proxy-head/destinations", test_destinations);
  g_test_add_func ("/proxy-head/no-destinations", test_no_destinations);
  g_test_add_func ("/proxy-head/filter", test_filter);
  g_test_add_func ("/proxy-head/requests", test_requests);
  g_test_add_func ("/proxy-head/no-requests", test_no_requests);
  g_test_add_func ("/proxy-head/answers", test_answers);
  return g_test_run ();
}
