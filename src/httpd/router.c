/* Matching of method and path to a route. Pure; no thread of its own.
 *
 * Patterns are sorted once so that the first match is the right match: in each segment a literal
 * comes before a parameter, and a parameter before the rest. A pattern under /v1/ is entered three
 * times, since clients disagree about the prefix. */
#include "httpd/router-private.h"
#include <string.h>

#define V1 "/v1"
#define V1_LENGTH 3

typedef enum
{
  SEGMENT_LITERAL,
  SEGMENT_PREFIXED, /* "stream-{token}": a parameter after a literal */
  SEGMENT_PARAM,
  SEGMENT_REST,
} SegmentKind;

typedef struct
{
  SegmentKind kind;
  char *text; /* the literal, or the name */
  gsize size;
  char *prefix; /* of PREFIXED */
  gsize prefix_size;
} Segment;

typedef enum
{
  ALIAS_NONE,
  ALIAS_SHORT,  /* request lacks /v1 */
  ALIAS_DOUBLE, /* request has /v1/v1 */
} Alias;

typedef struct
{
  const VendRoute *route;
  guint method; /* index in VendRouter.methods */
  Alias alias;
  gsize order; /* order of the caller, to break ties */
  Segment segments[VEND_ROUTER_MAX_SEGMENTS];
  guint n_segments;
  bool has_rest;
  const char *names[VEND_ROUTER_MAX_PARAMS];
  guint n_params;
} Pattern;

struct VendRouter
{
  VendRoute *routes;
  gsize n_routes;
  GPtrArray *patterns; /* Pattern, sorted */
  GPtrArray *methods;  /* char * */
};

/* The decoded pieces of a request path. */
typedef struct
{
  const char *start[VEND_ROUTER_MAX_SEGMENTS + 1];
  gsize size[VEND_ROUTER_MAX_SEGMENTS + 1];
  guint n;
  bool more; /* more pieces than fit; only a rest pattern can take them */
  const char *end;
} Pieces;

bool
vend_percent_decode (const char *text, gsize size, char *out, gsize *out_size)
{
  gsize n = 0;
  for (gsize i = 0; i < size; i++)
    {
      char c = text[i];
      if (c == '%')
        {
          if (i + 2 >= size || !g_ascii_isxdigit (text[i + 1]) || !g_ascii_isxdigit (text[i + 2]))
            return false;
          c = (char) (g_ascii_xdigit_value (text[i + 1]) * 16 + g_ascii_xdigit_value (text[i + 2]));
          i += 2;
        }
      if (c == '\0')
        return false;
      out[n++] = c;
    }
  out[n] = '\0';
  *out_size = n;
  return g_utf8_validate (out, (gssize) n, NULL);
}

static void
pattern_free (gpointer data)
{
  Pattern *pattern = data;
  for (guint i = 0; i < pattern->n_segments; i++)
    {
      g_free (pattern->segments[i].text);
      g_free (pattern->segments[i].prefix);
    }
  g_free (pattern);
}

static void
add_segment (Pattern *pattern, const char *text, gsize size)
{
  g_assert (pattern->n_segments < VEND_ROUTER_MAX_SEGMENTS && !pattern->has_rest);
  Segment *segment = &pattern->segments[pattern->n_segments++];
  segment->kind = SEGMENT_LITERAL;
  const char *brace = size > 2 && text[size - 1] == '}' ? memchr (text, '{', size) : NULL;
  if (brace != NULL && brace > text)
    {
      segment->kind = SEGMENT_PREFIXED;
      segment->prefix_size = (gsize) (brace - text);
      segment->prefix = g_strndup (text, segment->prefix_size);
      size -= segment->prefix_size + 2;
      text = brace + 1;
    }
  else if (brace != NULL)
    {
      segment->kind = text[size - 2] == '*' ? SEGMENT_REST : SEGMENT_PARAM;
      size -= segment->kind == SEGMENT_REST ? 3 : 2;
      text++;
    }
  segment->text = g_strndup (text, size);
  segment->size = size;
  pattern->has_rest = segment->kind == SEGMENT_REST;
  if (segment->kind != SEGMENT_LITERAL)
    {
      g_assert (pattern->n_params < VEND_ROUTER_MAX_PARAMS);
      pattern->names[pattern->n_params++] = segment->text;
    }
}

static guint
method_index (VendRouter *router, const char *method)
{
  for (guint i = 0; i < router->methods->len; i++)
    if (strcmp (router->methods->pdata[i], method) == 0)
      return i;
  g_ptr_array_add (router->methods, g_strdup (method));
  return router->methods->len - 1;
}

static void
add_pattern (VendRouter *router, const VendRoute *route, Alias alias, gsize order)
{
  Pattern *pattern = g_new0 (Pattern, 1);
  pattern->route = route;
  pattern->method = method_index (router, route->method);
  pattern->alias = alias;
  pattern->order = order;
  g_ptr_array_add (router->patterns, pattern);

  const char *path = route->pattern + (alias == ALIAS_SHORT ? V1_LENGTH : 0);
  if (alias == ALIAS_DOUBLE)
    add_segment (pattern, &V1[1], V1_LENGTH - 1);
  g_assert (path[0] == '/');
  for (const char *at = path + 1;; at++)
    {
      gsize size = strcspn (at, "/");
      add_segment (pattern, at, size);
      at += size;
      if (*at == '\0')
        break;
    }
}

static int
compare_patterns (gconstpointer a, gconstpointer b)
{
  const Pattern *left = *(const Pattern *const *) a;
  const Pattern *right = *(const Pattern *const *) b;
  for (guint i = 0; i < MIN (left->n_segments, right->n_segments); i++)
    if (left->segments[i].kind != right->segments[i].kind)
      return (int) left->segments[i].kind - (int) right->segments[i].kind;
  /* Both cannot match the same path. Without this the order would not be transitive, and a sort by
   * it has any result. */
  if (left->n_segments != right->n_segments)
    return left->n_segments < right->n_segments ? -1 : 1;
  if (left->alias != right->alias)
    return (int) left->alias - (int) right->alias;
  return left->order < right->order ? -1 : left->order > right->order;
}

VendRouter *
vend_router_new (const VendRoute *routes, gsize n)
{
  g_autoptr (VendRouter) router = g_new0 (VendRouter, 1);
  router->routes = g_new0 (VendRoute, n + 1);
  router->n_routes = n;
  router->patterns = g_ptr_array_new_with_free_func (pattern_free);
  router->methods = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; i < n; i++)
    {
      VendRoute *route = &router->routes[i];
      *route = routes[i];
      g_assert (route->handler != NULL);
      route->method = g_intern_string (routes[i].method);
      route->pattern = g_intern_string (routes[i].pattern);
      add_pattern (router, route, ALIAS_NONE, i);
      if (!g_str_has_prefix (route->pattern, V1 "/"))
        continue;
      add_pattern (router, route, ALIAS_SHORT, i);
      add_pattern (router, route, ALIAS_DOUBLE, i);
    }
  g_ptr_array_sort (router->patterns, compare_patterns);
  return g_steal_pointer (&router);
}

void
vend_router_free (VendRouter *router)
{
  if (router == NULL)
    return;
  g_ptr_array_unref (router->patterns);
  g_ptr_array_unref (router->methods);
  g_free (router->routes);
  g_free (router);
}

/* Absolute form ("GET http://host/path"): the part after the authority. */
static const char *
without_authority (const char *raw_path)
{
  gsize scheme = g_ascii_strncasecmp (raw_path, "http://", 7) == 0    ? 7
                 : g_ascii_strncasecmp (raw_path, "https://", 8) == 0 ? 8
                                                                      : 0;
  if (scheme == 0)
    return raw_path;
  const char *slash = strchr (raw_path + scheme, '/');
  return slash != NULL ? slash : "/";
}

/* An encoded slash must not smuggle "." or ".." past the check, so the decoded text counts. */
static bool
has_dot_component (const char *text)
{
  for (const char *at = text;; at++)
    {
      gsize size = strcspn (at, "/");
      if ((size == 1 && at[0] == '.') || (size == 2 && at[0] == '.' && at[1] == '.'))
        return true;
      at += size;
      if (*at == '\0')
        return false;
    }
}

/* Decodes segment by segment into `buffer`, '/' between them; needs strlen (raw_path) + 1 bytes. */
static bool
decode_path (const char *raw_path, char *buffer, Pieces *pieces)
{
  char *to = buffer;
  if (raw_path[0] != '/')
    return false;
  for (const char *at = raw_path; *at == '/';)
    {
      at++;
      *to++ = '/';
      gsize raw_size = strcspn (at, "/");
      gsize size = 0;
      if (!vend_percent_decode (at, raw_size, to, &size))
        return false;
      if (pieces->n < G_N_ELEMENTS (pieces->start))
        {
          pieces->start[pieces->n] = to;
          pieces->size[pieces->n++] = size;
        }
      else
        pieces->more = true;
      to += size;
      at += raw_size;
    }
  *to = '\0';
  pieces->end = to;
  return !has_dot_component (buffer + 1);
}

static bool
pattern_matches (const Pattern *pattern, const Pieces *pieces)
{
  if (pattern->has_rest ? pieces->n < pattern->n_segments
                        : pieces->more || pieces->n != pattern->n_segments)
    return false;
  for (guint i = 0; i < pattern->n_segments; i++)
    {
      const Segment *segment = &pattern->segments[i];
      if (segment->kind == SEGMENT_REST)
        return pieces->size[i] > 0 || i == 0 || pieces->n > pattern->n_segments;
      if (segment->kind == SEGMENT_PARAM && pieces->size[i] == 0)
        return false;
      if (segment->kind == SEGMENT_PREFIXED
          && (pieces->size[i] <= segment->prefix_size
              || memcmp (segment->prefix, pieces->start[i], segment->prefix_size) != 0))
        return false;
      if (segment->kind == SEGMENT_LITERAL
          && (segment->size != pieces->size[i]
              || memcmp (segment->text, pieces->start[i], segment->size) != 0))
        return false;
    }
  return true;
}

static void
take_params (const Pattern *pattern, const Pieces *pieces, char *to, VendMatch *out)
{
  for (guint i = 0; i < pattern->n_segments; i++)
    {
      if (pattern->segments[i].kind == SEGMENT_LITERAL)
        continue;
      const gsize skip = pattern->segments[i].prefix_size;
      gsize size = pattern->segments[i].kind == SEGMENT_REST
                       ? (gsize) (pieces->end - pieces->start[i])
                       : pieces->size[i] - skip;
      memcpy (to, pieces->start[i] + skip, size);
      to[size] = '\0';
      out->values[out->n_params++] = to;
      to += size + 1;
    }
  out->names = pattern->names;
}

static const Pattern *
find_pattern (const VendRouter *router, const char *method, const Pieces *pieces)
{
  guint index = 0;
  while (index < router->methods->len && strcmp (router->methods->pdata[index], method) != 0)
    index++;
  if (index == router->methods->len)
    return NULL;
  for (guint i = 0; i < router->patterns->len; i++)
    {
      const Pattern *pattern = router->patterns->pdata[i];
      if (pattern->method == index && pattern_matches (pattern, pieces))
        return pattern;
    }
  return NULL;
}

static bool
any_method_matches (const VendRouter *router, const Pieces *pieces)
{
  for (guint i = 0; i < router->patterns->len; i++)
    if (pattern_matches (router->patterns->pdata[i], pieces))
      return true;
  return false;
}

VendMatchResult
vend_router_match (const VendRouter *router, const char *method, const char *raw_path,
                   VendMatch *out)
{
  out->route = NULL;
  out->names = NULL;
  out->n_params = 0;
  out->text = NULL;
  raw_path = without_authority (raw_path);

  /* Prefix for the short alias, the decoded path, and again the path as parameters. */
  gsize raw_size = strlen (raw_path);
  gsize room = V1_LENGTH + raw_size + 1;
  char *text = out->room;
  if (2 * room + VEND_ROUTER_MAX_PARAMS > sizeof out->room)
    text = out->text = g_malloc (2 * room + VEND_ROUTER_MAX_PARAMS);
  char *path = text + V1_LENGTH;
  out->path = path;

  Pieces pieces;
  pieces.n = 0;
  pieces.more = false;
  if (!decode_path (raw_path, path, &pieces))
    {
      path[0] = '\0';
      return VEND_MATCH_BAD_PATH;
    }
  const Pattern *pattern = find_pattern (router, method, &pieces);
  if (pattern == NULL && strcmp (method, "HEAD") == 0)
    pattern = find_pattern (router, "GET", &pieces);
  if (pattern == NULL)
    return any_method_matches (router, &pieces) ? VEND_MATCH_NO_METHOD : VEND_MATCH_NO_PATH;

  out->route = pattern->route;
  take_params (pattern, &pieces, text + room, out);
  if (pattern->alias == ALIAS_SHORT)
    out->path = memcpy (text, V1, V1_LENGTH);
  else if (pattern->alias == ALIAS_DOUBLE)
    out->path = path + V1_LENGTH;
  return VEND_MATCH_FOUND;
}

char *
vend_router_allow (const VendRouter *router, const char *raw_path)
{
  raw_path = without_authority (raw_path);
  g_autofree char *path = g_malloc (strlen (raw_path) + 1);
  g_autoptr (GString) allow = g_string_new (NULL);
  Pieces pieces;
  pieces.n = 0;
  pieces.more = false;
  if (!decode_path (raw_path, path, &pieces))
    return g_string_free (g_steal_pointer (&allow), FALSE);

  for (guint i = 0; i < router->methods->len; i++)
    {
      const char *method = router->methods->pdata[i];
      if (find_pattern (router, method, &pieces) == NULL)
        continue;
      g_string_append_printf (allow, "%s%s", allow->len > 0 ? ", " : "", method);
      if (strcmp (method, "GET") == 0 && find_pattern (router, "HEAD", &pieces) == NULL)
        g_string_append (allow, ", HEAD");
    }
  return g_string_free (g_steal_pointer (&allow), FALSE);
}

void
vend_match_clear (VendMatch *match)
{
  g_clear_pointer (&match->text, g_free);
}

const char *
vend_match_param (const VendMatch *match, const char *name)
{
  for (guint i = 0; i < match->n_params; i++)
    if (strcmp (match->names[i], name) == 0)
      return match->values[i];
  return NULL;
}
