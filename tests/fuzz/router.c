/* Paths and query values as somebody sends them. First line: the method; second: a path; the rest:
 * a query value. */
#include "fuzz.h"
#include "httpd/router-private.h"
#include <string.h>

static void
handle (VendCall *call, void *context)
{
}

static const VendRoute routes[] = {
  { .method = "GET", .pattern = "/v1/predictions", .handler = handle },
  { .method = "POST", .pattern = "/v1/predictions", .handler = handle },
  { .method = "GET", .pattern = "/v1/predictions/{id}", .handler = handle },
  { .method = "POST", .pattern = "/v1/predictions/{id}/cancel", .handler = handle },
  { .method = "QUERY", .pattern = "/v1/models", .handler = handle },
  { .method = "GET", .pattern = "/v1/models/{owner}/{name}", .handler = handle },
  { .method = "GET", .pattern = "/v1/models/{owner}/{name}/versions/{id}", .handler = handle },
  { .method = "GET", .pattern = "/files/{id}/{path*}", .handler = handle },
  { .method = "GET", .pattern = "/", .handler = handle },
  { .method = "GET", .pattern = "/{path*}", .handler = handle },
};

static bool
is_route (const VendRoute *route)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (strcmp (route->method, routes[i].method) == 0
        && strcmp (route->pattern, routes[i].pattern) == 0)
      return true;
  return false;
}

static void
check_found (const char *method, const VendMatch *match)
{
  g_assert_true (is_route (match->route));
  g_assert_true (strcmp (method, match->route->method) == 0
                 || (strcmp (method, "HEAD") == 0 && strcmp (match->route->method, "GET") == 0));
  fuzz_check_utf8 (match->path);
  g_assert_true (match->path[0] == '/');
  if (g_str_has_prefix (match->route->pattern, "/v1/"))
    g_assert_true (g_str_has_prefix (match->path, "/v1/"));
  g_auto (GStrv) parts = g_strsplit (match->path, "/", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    g_assert_true (strcmp (parts[i], ".") != 0 && strcmp (parts[i], "..") != 0);
  for (guint i = 0; i < match->n_params; i++)
    {
      const bool is_rest = strcmp (match->names[i], "path") == 0;
      fuzz_check_utf8 (match->values[i]);
      g_assert_true (is_rest || match->values[i][0] != '\0');
      g_assert_true (vend_match_param (match, match->names[i]) == match->values[i]);
    }
  g_assert_null (vend_match_param (match, "nobody"));
}

/* The same path with every byte but the slashes in %XX. Free with g_free. */
static char *
encode_all (const char *path)
{
  GString *text = g_string_new (NULL);
  for (const char *c = path; *c != '\0'; c++)
    if (*c == '/')
      g_string_append_c (text, '/');
    else if (*c == '%')
      {
        g_string_append_len (text, c, 3);
        c += 2;
      }
    else
      g_string_append_printf (text, "%%%02X", (guchar) *c);
  return g_string_free (text, FALSE);
}

static void
check_encoded (const VendRouter *router, const char *method, const char *path,
               const VendMatch *match)
{
  g_autofree char *encoded = encode_all (path);
  VendMatch again;
  g_assert_cmpint (vend_router_match (router, method, encoded, &again), ==, VEND_MATCH_FOUND);
  g_assert_true (again.route == match->route && again.n_params == match->n_params);
  g_assert_cmpstr (again.path, ==, match->path);
  for (guint i = 0; i < match->n_params; i++)
    g_assert_cmpstr (again.values[i], ==, match->values[i]);
  vend_match_clear (&again);
}

static void
check_path (const VendRouter *router, const char *method, const char *path)
{
  VendMatch match;
  VendMatchResult result = vend_router_match (router, method, path, &match);
  g_autofree char *allow = vend_router_allow (router, path);
  g_auto (GStrv) allowed = g_strsplit (allow, ", ", -1);
  const bool is_allowed = g_strv_contains ((const char *const *) allowed, method);

  g_assert_true ((match.route != NULL) == (result == VEND_MATCH_FOUND));
  g_assert_true (is_allowed == (result == VEND_MATCH_FOUND));
  if (result == VEND_MATCH_FOUND)
    check_found (method, &match);
  else
    g_assert_cmpuint (match.n_params, ==, 0);
  if (result == VEND_MATCH_FOUND && path[0] == '/')
    check_encoded (router, method, path, &match);
  if (result == VEND_MATCH_NO_METHOD)
    g_assert_true (allow[0] != '\0');
  if (result == VEND_MATCH_BAD_PATH || result == VEND_MATCH_NO_PATH)
    g_assert_cmpstr (allow, ==, "");
  vend_match_clear (&match);
}

/* A query value is decoded in place. */
static void
check_decoding (const char *text, gsize size)
{
  g_autofree char *apart = g_malloc (size + 1);
  g_autofree char *in_place = g_malloc (size + 1);
  memcpy (in_place, text, size);
  in_place[size] = '\0';
  gsize apart_size = 0;
  gsize in_place_size = 0;
  const bool good = vend_percent_decode (text, size, apart, &apart_size);
  g_assert_true (vend_percent_decode (in_place, size, in_place, &in_place_size) == good);
  if (!good)
    return;
  g_assert_cmpuint (apart_size, <=, size);
  g_assert_cmpuint (strlen (apart), ==, apart_size);
  g_assert_cmpuint (in_place_size, ==, apart_size);
  g_assert_cmpstr (in_place, ==, apart);
  fuzz_check_utf8 (apart);
  g_autofree char *encoded = g_uri_escape_string (apart, NULL, FALSE);
  g_autofree char *again = g_malloc (strlen (encoded) + 1);
  gsize again_size = 0;
  g_assert_true (vend_percent_decode (encoded, strlen (encoded), again, &again_size));
  g_assert_cmpstr (again, ==, apart);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static VendRouter *router;
  FuzzInput input = { (const char *) data, size };
  if (router == NULL)
    router = vend_router_new (routes, G_N_ELEMENTS (routes));
  g_autofree char *method = fuzz_take_line (&input);
  g_autofree char *path = fuzz_take_line (&input);
  check_path (router, method, path);
  check_decoding (input.data, input.size);
  return 0;
}
