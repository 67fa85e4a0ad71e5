/* Paths that must find their route, and paths that must not. */
#include "httpd/router-private.h"
#include <string.h>

static void
handler (VendCall *call, void *context)
{
}

static const VendRoute routes[] = {
  { "GET", "/", handler },
  { "GET", "/v1/models", handler },
  { "QUERY", "/v1/models", handler },
  { "POST", "/v1/models", handler },
  { "GET", "/v1/models/{owner}/{name}", handler },
  { "DELETE", "/v1/models/{owner}/{name}", handler },
  { "GET", "/v1/models/{owner}/search", handler },
  { "POST", "/v1/predictions/{id}/cancel", handler },
  { "GET", "/v1/predictions/{id}", handler },
  { "GET", "/v2/{path*}", handler },
  { "GET", "/assets/{path*}", handler },
  { "GET", "/predictions", handler },
  { "GET", "/v1/files/{id}", handler },
  { "GET", "/v1/files/stream-{token}", handler },
  { "HEAD", "/head", handler },
  { "GET", "/{path*}", handler },
};

/* A literal beginning comes before a parameter, whatever other routes there are. */
static void
test_order (void)
{
  static const VendRoute some[] = {
    { "GET", "/v1/files/{id}", handler }, { "GET", "/v1/files/stream-{token}", handler },
    { "GET", "/-/debug", handler },       { "GET", "/v1/a", handler },
    { "GET", "/v1/b/{x}", handler },      { "GET", "/v1/c/{x}/{y}", handler },
    { "GET", "/v1/d/{x}/e", handler },    { "GET", "/v1/f/{x}/{y}/g", handler },
    { "GET", "/v1/h/i", handler },        { "GET", "/v1/j/{x}/{y}/k/{z}", handler },
  };
  const guint n = G_N_ELEMENTS (some);
  guint32 seed = 1;
  for (int round = 0; round < 200; round++)
    {
      VendRoute mixed[3 * G_N_ELEMENTS (some)];
      guint n_mixed = 0;
      VendMatch match;
      /* Others may be there several times: the first of them counts. */
      for (guint i = 0; i < G_N_ELEMENTS (mixed); i++)
        {
          seed = seed * 1664525 + 1013904223;
          const guint which = i < n ? i : 2 + (seed >> 8) % (n - 2);
          const guint place = (seed >> 20) % (n_mixed + 1);
          memmove (&mixed[place + 1], &mixed[place], sizeof *mixed * (n_mixed - place));
          mixed[place] = some[which];
          n_mixed++;
        }
      g_autoptr (VendRouter) router = vend_router_new (mixed, n_mixed);
      g_assert_cmpint (vend_router_match (router, "GET", "/v1/files/stream-x", &match), ==,
                       VEND_MATCH_FOUND);
      g_assert_cmpstr (match.route->pattern, ==, "/v1/files/stream-{token}");
      vend_match_clear (&match);
    }
}

static void
test_found (void)
{
  static const struct
  {
    const char *method, *path, *pattern, *decoded, *param, *value;
  } good[] = {
    { "GET", "/", "/", "/", NULL, NULL },
    { "GET", "/v1/models", "/v1/models", "/v1/models", NULL, NULL },
    { "QUERY", "/v1/models", "/v1/models", "/v1/models", NULL, NULL },
    { "HEAD", "/v1/models", "/v1/models", "/v1/models", NULL, NULL },
    { "GET", "/v1/v1/models", "/v1/models", "/v1/models", NULL, NULL },
    { "POST", "/models", "/v1/models", "/v1/models", NULL, NULL },
    { "GET", "/models/a/b", "/v1/models/{owner}/{name}", "/v1/models/a/b", "name", "b" },
    { "GET", "/v1/models/a/search", "/v1/models/{owner}/search", "/v1/models/a/search", "owner",
      "a" },
    { "DELETE", "/v1/models/a/search", "/v1/models/{owner}/{name}", "/v1/models/a/search", "name",
      "search" },
    { "GET", "/v1/models/a%20b/%C3%A9", "/v1/models/{owner}/{name}", "/v1/models/a b/é", "owner",
      "a b" },
    { "GET", "/v1/models/a%2Fb/c", "/v1/models/{owner}/{name}", "/v1/models/a/b/c", "owner",
      "a/b" },
    { "POST", "/v1/v1/predictions/x/cancel", "/v1/predictions/{id}/cancel",
      "/v1/predictions/x/cancel", "id", "x" },
    { "GET", "/v2/a/b/manifests/latest", "/v2/{path*}", "/v2/a/b/manifests/latest", "path",
      "a/b/manifests/latest" },
    { "GET", "/predictions", "/predictions", "/predictions", NULL, NULL },
    { "GET", "/predictions/x", "/v1/predictions/{id}", "/v1/predictions/x", "id", "x" },
    { "GET", "/web/page", "/{path*}", "/web/page", "path", "web/page" },
    { "GET", "http://host:80/v1/models", "/v1/models", "/v1/models", NULL, NULL },
    { "HEAD", "/head", "/head", "/head", NULL, NULL },
    { "GET", "/v1/files/stream-a-b", "/v1/files/stream-{token}", "/v1/files/stream-a-b", "token",
      "a-b" },
    { "GET", "/files/stream-x", "/v1/files/stream-{token}", "/v1/files/stream-x", "token", "x" },
    { "GET", "/v1/files/stream-", "/v1/files/{id}", "/v1/files/stream-", "id", "stream-" },
    { "GET", "/v1/files/streams", "/v1/files/{id}", "/v1/files/streams", "id", "streams" },
    { "GET", "/a..b/...", "/{path*}", "/a..b/...", "path", "a..b/..." },
  };
  g_autoptr (VendRouter) router = vend_router_new (routes, G_N_ELEMENTS (routes));
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      VendMatch match;
      g_assert_cmpint (vend_router_match (router, good[i].method, good[i].path, &match), ==,
                       VEND_MATCH_FOUND);
      g_assert_cmpstr (match.route->pattern, ==, good[i].pattern);
      g_assert_cmpstr (match.path, ==, good[i].decoded);
      if (good[i].param != NULL)
        g_assert_cmpstr (vend_match_param (&match, good[i].param), ==, good[i].value);
      g_assert_null (vend_match_param (&match, "other"));
      vend_match_clear (&match);
    }
}

static void
test_refused (void)
{
  static const struct
  {
    const char *method, *path;
    VendMatchResult result;
  } bad[] = {
    { "POST", "/v1/unknown/deep/path", VEND_MATCH_NO_METHOD },
    { "PUT", "/v1/models", VEND_MATCH_NO_METHOD },
    { "get", "/v1/models", VEND_MATCH_NO_METHOD },
    { "GET", "/a/%", VEND_MATCH_BAD_PATH },
    { "GET", "/a/%4", VEND_MATCH_BAD_PATH },
    { "GET", "/a/%zz", VEND_MATCH_BAD_PATH },
    { "GET", "/a/%00", VEND_MATCH_BAD_PATH },
    { "GET", "/a/%ff", VEND_MATCH_BAD_PATH },
    { "GET", "/a/%C0%AE", VEND_MATCH_BAD_PATH },
    { "GET", "/assets/../secret", VEND_MATCH_BAD_PATH },
    { "GET", "/assets/%2e%2E/secret", VEND_MATCH_BAD_PATH },
    { "GET", "/assets/a%2f..%2fb", VEND_MATCH_BAD_PATH },
    { "GET", "/assets/.", VEND_MATCH_BAD_PATH },
    { "GET", "/assets/..", VEND_MATCH_BAD_PATH },
    { "OPTIONS", "*", VEND_MATCH_BAD_PATH },
    { "GET", "", VEND_MATCH_BAD_PATH },
  };
  static const VendRoute few[] = { { "GET", "/v1/models/{owner}/{name}", handler } };
  static const char *const missing[] = {
    "/",  "/v1",           "/v1/models",    "/v1/models/a/", "/v1/models//b", "/v1/models/a/b/c",
    "//", "/v1/v1/v1/x/y", "/v1/Models/a/b"
  };
  g_autoptr (VendRouter) router = vend_router_new (routes, G_N_ELEMENTS (routes));
  g_autoptr (VendRouter) small = vend_router_new (few, G_N_ELEMENTS (few));
  VendMatch match;
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_cmpint (vend_router_match (router, bad[i].method, bad[i].path, &match), ==,
                       bad[i].result);
      vend_match_clear (&match);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (missing); i++)
    {
      g_assert_cmpint (vend_router_match (small, "GET", missing[i], &match), ==,
                       VEND_MATCH_NO_PATH);
      vend_match_clear (&match);
    }
}

static void
test_allow (void)
{
  static const VendRoute few[]
      = { { "POST", "/x", handler }, { "GET", "/x", handler }, { "QUERY", "/{any}", handler } };
  g_autoptr (VendRouter) router = vend_router_new (few, G_N_ELEMENTS (few));
  g_autofree char *allow = vend_router_allow (router, "/x");
  g_assert_cmpstr (allow, ==, "POST, GET, HEAD, QUERY");
}

static void
test_long (void)
{
  g_autoptr (VendRouter) router = vend_router_new (routes, G_N_ELEMENTS (routes));
  g_autoptr (GString) path = g_string_new ("/v2");
  for (guint i = 0; i < 2000; i++)
    g_string_append (path, "/segment%20");
  VendMatch match;
  g_assert_cmpint (vend_router_match (router, "GET", path->str, &match), ==, VEND_MATCH_FOUND);
  g_assert_cmpstr (match.route->pattern, ==, "/v2/{path*}");
  g_assert_cmpuint (strlen (vend_match_param (&match, "path")), ==, 2000 * 9 - 1);
  vend_match_clear (&match);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/router/found", test_found);
  g_test_add_func ("/router/order", test_order);
  g_test_add_func ("/router/refused", test_refused);
  g_test_add_func ("/router/allow", test_allow);
  g_test_add_func ("/router/long", test_long);
  return g_test_run ();
}
