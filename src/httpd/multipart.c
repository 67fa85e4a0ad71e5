/* multipart/form-data, parsed as it arrives. Pure; no thread of its own.
 *
 * `waiting` keeps bytes that cannot be judged yet: the head of a part until its empty line, or the
 * last bytes of a value that may be the start of the delimiter. Parsing begins with an added line
 * end, so the first delimiter is found by the same search as the others. */
#include "httpd/multipart-private.h"
#include "base/error.h"
#include <string.h>

#define MAX_BOUNDARY 70 /* RFC 2046 */

typedef enum
{
  AT_PREAMBLE, /* before the first delimiter */
  AT_LINE_END, /* after a delimiter: "--" or the end of its line */
  AT_HEAD,
  AT_VALUE,
  AT_EPILOGUE,
} Place;

struct VendMultipart
{
  Place place;
  char *delimiter; /* CR LF -- boundary */
  gsize delimiter_size;
  GString *waiting;
  const VendMultipartEvents *events;
  void *context;
};

/* Value of a parameter such as name="a \"b\"". `*at` is after the '='; moves behind the value. */
static char *
read_value (const char **at)
{
  GString *value = g_string_new (NULL);
  const char *c = *at;
  if (*c != '"')
    {
      gsize size = strcspn (c, "; \t");
      g_string_append_len (value, c, (gssize) size);
      *at = c + size;
      return g_string_free (value, FALSE);
    }
  for (c++; *c != '\0' && *c != '"'; c++)
    {
      /* Browsers escape a quote as %22 and leave a backslash alone. */
      if (c[0] == '\\' && (c[1] == '"' || c[1] == '\\'))
        c++;
      g_string_append_c (value, *c);
    }
  *at = *c == '"' ? c + 1 : c;
  return g_string_free (value, FALSE);
}

/* Parameter `name` of a header value; NULL when absent. Free with g_free. */
static char *
header_param (const char *header, const char *name)
{
  const char *at = header + strcspn (header, ";");
  while (*at == ';')
    {
      at++;
      at += strspn (at, " \t");
      gsize size = strcspn (at, "=;");
      bool wanted = size == strlen (name) && g_ascii_strncasecmp (at, name, size) == 0;
      at += size;
      if (*at == ';' || *at == '\0')
        continue;
      at++;
      g_autofree char *value = read_value (&at);
      if (wanted)
        return g_steal_pointer (&value);
      at += strcspn (at, ";");
    }
  return NULL;
}

char *
vend_multipart_boundary (const char *content_type)
{
  gsize size = strcspn (content_type, "; \t");
  if (size != strlen ("multipart/form-data")
      || g_ascii_strncasecmp (content_type, "multipart/form-data", size) != 0)
    return NULL;
  g_autofree char *boundary = header_param (content_type, "boundary");
  if (boundary == NULL || *boundary == '\0' || strlen (boundary) > MAX_BOUNDARY
      || strpbrk (boundary, "\r\n") != NULL)
    return NULL;
  return g_steal_pointer (&boundary);
}

VendMultipart *
vend_multipart_new (const char *boundary, const VendMultipartEvents *events, void *context)
{
  VendMultipart *multipart = g_new0 (VendMultipart, 1);
  multipart->delimiter = g_strconcat ("\r\n--", boundary, NULL);
  multipart->delimiter_size = strlen (multipart->delimiter);
  /* The first delimiter may be the first line. */
  multipart->waiting = g_string_new ("\r\n");
  multipart->events = events;
  multipart->context = context;
  return multipart;
}

void
vend_multipart_free (VendMultipart *multipart)
{
  if (multipart == NULL)
    return;
  g_free (multipart->delimiter);
  g_string_free (multipart->waiting, TRUE);
  g_free (multipart);
}

static bool
malformed (GError **error, const char *what)
{
  return vend_fail (error, VEND_ERROR_BAD_REQUEST, "malformed multipart body: %s", what);
}

static bool
begin_part (VendMultipart *multipart, char *head, GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *filename = NULL;
  g_autofree char *content_type = NULL;
  bool disposed = false;
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      char *colon = strchr (*line, ':');
      if (**line == '\0')
        continue;
      if (colon == NULL)
        return malformed (error, "a part header without ':'");
      *colon = '\0';
      char *value = g_strstrip (colon + 1);
      if (g_ascii_strcasecmp (*line, "Content-Type") == 0 && content_type == NULL)
        content_type = g_strdup (value);
      if (g_ascii_strcasecmp (*line, "Content-Disposition") != 0)
        continue;
      if (disposed)
        return malformed (error, "a part with two Content-Disposition headers");
      disposed = true;
      if (g_ascii_strncasecmp (value, "form-data", strlen ("form-data")) != 0)
        return malformed (error, "a part that is not form-data");
      name = header_param (value, "name");
      filename = header_param (value, "filename");
    }
  if (name == NULL)
    return malformed (error, "a part without a name");
  if (!g_utf8_validate (name, -1, NULL)
      || (filename != NULL && !g_utf8_validate (filename, -1, NULL)))
    return malformed (error, "a name that is not UTF-8");
  return multipart->events->begin (multipart->context, name, filename, content_type, error);
}

/* Each step takes bytes off the front of `waiting`; `*out_more` tells whether another step may
 * follow. */
static bool
step_line_end (VendMultipart *multipart, bool *out_more, GError **error)
{
  GString *waiting = multipart->waiting;
  gsize padding = strspn (waiting->str, " \t");
  if (padding > VEND_MULTIPART_HEAD_BYTES)
    return malformed (error, "a delimiter line too long");
  if (waiting->len < padding + 2)
    return true;
  if (memcmp (waiting->str, "--", 2) == 0)
    multipart->place = AT_EPILOGUE;
  else if (memcmp (waiting->str + padding, "\r\n", 2) == 0)
    {
      /* The line end stays: a head without lines then ends like a head with lines. */
      g_string_erase (waiting, 0, (gssize) padding);
      multipart->place = AT_HEAD;
    }
  else
    return malformed (error, "text behind a boundary");
  *out_more = true;
  return true;
}

static bool
step_head (VendMultipart *multipart, bool *out_more, GError **error)
{
  GString *waiting = multipart->waiting;
  const char *end = memmem (waiting->str, waiting->len, "\r\n\r\n", 4);
  /* The last three bytes may be the start of the head's end. */
  gsize size = end != NULL ? (gsize) (end - waiting->str) : waiting->len - MIN (waiting->len, 3);
  if (size > VEND_MULTIPART_HEAD_BYTES)
    return malformed (error, "part headers too long");
  if (end == NULL)
    return true;
  g_autofree char *head = g_strndup (waiting->str, size);
  if (strlen (head) != size)
    return malformed (error, "a NUL in a part header");
  g_string_erase (waiting, 0, (gssize) size + 4);
  if (!begin_part (multipart, head, error))
    return false;
  multipart->place = AT_VALUE;
  *out_more = true;
  return true;
}

/* Preamble and values: everything up to the delimiter. */
static bool
step_to_delimiter (VendMultipart *multipart, bool *out_more, GError **error)
{
  GString *waiting = multipart->waiting;
  const bool is_value = multipart->place == AT_VALUE;
  const char *found
      = memmem (waiting->str, waiting->len, multipart->delimiter, multipart->delimiter_size);
  gsize keep = MIN (waiting->len, multipart->delimiter_size - 1);
  gsize size = found != NULL ? (gsize) (found - waiting->str) : waiting->len - keep;
  if (is_value && size > 0
      && !multipart->events->data (multipart->context, waiting->str, size, error))
    return false;
  if (found == NULL)
    {
      g_string_erase (waiting, 0, (gssize) size);
      return true;
    }
  g_string_erase (waiting, 0, (gssize) (size + multipart->delimiter_size));
  multipart->place = AT_LINE_END;
  *out_more = true;
  return !is_value || multipart->events->end (multipart->context, error);
}

bool
vend_multipart_feed (VendMultipart *multipart, const char *data, gsize size, GError **error)
{
  if (multipart->place != AT_EPILOGUE)
    g_string_append_len (multipart->waiting, data, (gssize) size);
  for (bool more = true; more;)
    {
      more = false;
      bool fine = true;
      switch (multipart->place)
        {
        case AT_PREAMBLE:
        case AT_VALUE:
          fine = step_to_delimiter (multipart, &more, error);
          break;
        case AT_LINE_END:
          fine = step_line_end (multipart, &more, error);
          break;
        case AT_HEAD:
          fine = step_head (multipart, &more, error);
          break;
        case AT_EPILOGUE:
          g_string_truncate (multipart->waiting, 0);
          break;
        }
      if (!fine)
        return false;
    }
  return true;
}

bool
vend_multipart_finish (VendMultipart *multipart, GError **error)
{
  return multipart->place == AT_EPILOGUE
         || malformed (error, "the body ends before the closing boundary");
}
