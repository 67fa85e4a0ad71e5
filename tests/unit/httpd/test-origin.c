/* Which origin and which address a request has, behind proxies and without. */
#include "base/error.h"
#include "httpd/origin-private.h"

static const struct
{
  const char *public_url, *trusted;
  VendOriginRequest request;
  const char *url, *client;
} url_cases[] = {
  { NULL, NULL, { .peer = "1.2.3.4", .host = "a.b:1" }, "http://a.b:1", "1.2.3.4" },
  { NULL,
    NULL,
    { .peer = "1.2.3.4", .host = "[::1]:1", .tls = true },
    "https://[::1]:1",
    "1.2.3.4" },
  { NULL, NULL, { .peer = "1.2.3.4" }, "http://local:1", "1.2.3.4" },
  { NULL, NULL, { .peer = "1.2.3.4", .host = "a/b" }, "http://local:1", "1.2.3.4" },
  { NULL, NULL, { .peer = "1.2.3.4", .host = "evil\"<" }, "http://local:1", "1.2.3.4" },
  { "https://vend.example/",
    NULL,
    { .peer = "1.2.3.4", .host = "a" },
    "https://vend.example",
    "1.2.3.4" },
  /* Not trusted: headers do not count. */
  { NULL,
    "10.0.0.0/8",
    { .peer = "11.0.0.1",
      .host = "a",
      .x_forwarded_proto = "https",
      .x_forwarded_host = "b",
      .x_forwarded_for = "9.9.9.9" },
    "http://a",
    "11.0.0.1" },
  { NULL,
    "10.0.0.0/8, ::1/128",
    { .peer = "10.255.0.1",
      .host = "a",
      .x_forwarded_proto = "https",
      .x_forwarded_host = "b",
      .x_forwarded_for = "9.9.9.9" },
    "https://b",
    "9.9.9.9" },
  /* The nearest proxy wrote the last element. */
  { NULL,
    "10.0.0.0/8",
    { .peer = "10.0.0.1",
      .host = "a",
      .x_forwarded_proto = "http, https",
      .x_forwarded_host = "evil, good:8443",
      .x_forwarded_for = "6.6.6.6, 7.7.7.7, 10.0.0.9" },
    "https://good:8443",
    "7.7.7.7" },
  { NULL,
    "10.0.0.0/8",
    { .peer = "10.0.0.1",
      .host = "a",
      .x_forwarded_proto = "https",
      .x_forwarded_host = "b",
      .x_forwarded_port = "8443" },
    "https://b:8443",
    "10.0.0.1" },
  { NULL,
    "10.0.0.0/8",
    { .peer = "10.0.0.1",
      .host = "a",
      .x_forwarded_proto = "https",
      .x_forwarded_host = "b",
      .x_forwarded_port = "443" },
    "https://b",
    "10.0.0.1" },
  { NULL,
    "::1/128",
    { .peer = "::1",
      .host = "a",
      .forwarded = "for=1.1.1.1, For=\"[2001:db8::1]:99\";Proto=https;host=\"c:9\"",
      .x_forwarded_host = "x" },
    "https://c:9",
    "2001:db8::1" },
  { NULL,
    "::1/128",
    { .peer = "::1", .host = "a", .forwarded = "for=unknown;host=\"a b\"" },
    "http://a",
    "::1" },
  { NULL,
    "0.0.0.0/0",
    { .peer = "1.1.1.1", .host = "a", .x_forwarded_for = "2.2.2.2:80, 3.3.3.3" },
    "http://a",
    "2.2.2.2" },
  { NULL,
    "10.1.2.0/23",
    { .peer = "10.1.3.9", .host = "a", .x_forwarded_proto = "https" },
    "https://a",
    "10.1.3.9" },
  { NULL,
    "10.1.2.0/23",
    { .peer = "10.1.4.9", .host = "a", .x_forwarded_proto = "https" },
    "http://a",
    "10.1.4.9" },
  { NULL,
    "1.2.3.4",
    { .peer = "1.2.3.4", .host = "a", .x_forwarded_proto = "ftp" },
    "http://a",
    "1.2.3.4" },
};

static const struct
{
  const char *public_url, *trusted;
} bad[] = {
  { NULL, "10.0.0.0/33" }, { NULL, "::1/129" },     { NULL, "host" },
  { NULL, "10.0.0.0/x" },  { NULL, "10.0.0.0/" },   { "vend.example", NULL },
  { "ftp://a", NULL },     { "https://", NULL },    { "https://a/path", NULL },
  { "https://a b", NULL }, { "https://a:0", NULL }, { "https://a:99999", NULL },
  { "http:///", NULL },    { "https://u@h", NULL },
};

static void
test_url (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (url_cases); i++)
    {
      g_autoptr (VendOriginRules) rules = NULL;
      g_autoptr (GError) error = NULL;
      VendOriginRequest request = url_cases[i].request;
      request.local = "local:1";
      g_assert_true (
          vend_origin_rules_new (url_cases[i].public_url, url_cases[i].trusted, &rules, &error));
      g_assert_no_error (error);
      g_autofree char *url = vend_origin_url (rules, &request);
      g_autofree char *client = vend_origin_trusts (rules, request.peer)
                                    ? vend_origin_client (rules, &request)
                                    : g_strdup (request.peer);
      g_assert_cmpstr (url, ==, url_cases[i].url);
      g_assert_cmpstr (client, ==, url_cases[i].client);
      g_autofree char *same = vend_origin_client (rules, &request);
      g_assert_cmpstr (same, ==, url_cases[i].client);
    }
}

static void
test_bad_rules (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VendOriginRules) rules = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_origin_rules_new (bad[i].public_url, bad[i].trusted, &rules, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_null (rules);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/origin/url", test_url);
  g_test_add_func ("/origin/bad-rules", test_bad_rules);
  return g_test_run ();
}
