/* data: URIs (RFC 2397): data:[<type>/<subtype>][;<name>=<value>]…[;base64],<data>. Pure. */
#include "cog/data-uri.h"
#include <string.h>

#define SCHEME "data:"
#define BASE64_MARK ";base64"
#define TYPE_OF_NOTHING "text/plain"
#define TOKEN \
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+.^_`{|}~-" /* RFC 2045 */

void
vend_data_uri_clear (VendDataUri *uri)
{
  g_clear_pointer (&uri->type, g_free);
  g_clear_pointer (&uri->bytes, g_bytes_unref);
}

bool
vend_is_data_uri (const char *text)
{
  return g_ascii_strncasecmp (text, SCHEME, strlen (SCHEME)) == 0;
}

static bool
fail (const char **problem, const char *text)
{
  *problem = text;
  return false;
}

/* ---- The head */

/* `text` stands behind a token; steps over another one. */
static bool
skip_token (const char **text)
{
  const size_t size = strspn (*text, TOKEN);
  *text += size;
  return size > 0;
}

/* "<type>/<subtype>;<name>=<value>…" or the same without what stands before the semicolon. */
static bool
is_media_type (const char *text)
{
  if (*text != ';' && *text != '\0'
      && (!skip_token (&text) || *text++ != '/' || !skip_token (&text)))
    return false;
  while (*text == ';')
    {
      text++;
      if (!skip_token (&text) || *text++ != '=' || !skip_token (&text))
        return false;
    }
  return *text == '\0';
}

static bool
read_head (const char *head, size_t size, char **out_type, bool *out_is_base64, bool *out_is_usual,
           const char **problem)
{
  const size_t mark = strlen (BASE64_MARK);
  const char *end = head + size;
  if (size > VEND_DATA_URI_TYPE_MAX + mark)
    return fail (problem, "has a media type that is too long");
  *out_is_base64 = size >= mark && g_ascii_strncasecmp (end - mark, BASE64_MARK, mark) == 0;
  *out_is_usual = !*out_is_base64 || strncmp (end - mark, BASE64_MARK, mark) == 0;
  g_autofree char *type = g_strndup (head, *out_is_base64 ? size - mark : size);
  if (!is_media_type (type))
    return fail (problem, "has a malformed media type before its comma");
  *out_type = *type == '\0' || *type == ';' ? g_strconcat (TYPE_OF_NOTHING, type, NULL)
                                            : g_steal_pointer (&type);
  return true;
}

/* ---- The data */

static bool
is_blank (guchar c)
{
  return c <= ' ' || c == 0x7f;
}

/* Undoes %XX into `out`, which has room for all of `text`. */
static bool
unescape (const char *text, size_t size, bool may_have_blanks, guint8 *out, gsize *out_size,
          const char **problem)
{
  gsize n = 0;
  for (size_t i = 0; i < size; i++)
    {
      const guchar c = (guchar) text[i];
      if (c == '%')
        {
          if (size - i < 3 || !g_ascii_isxdigit (text[i + 1]) || !g_ascii_isxdigit (text[i + 2]))
            return fail (problem, "has a '%' without two hexadecimal digits");
          out[n++] = (guint8) (g_ascii_xdigit_value (text[i + 1]) << 4
                               | g_ascii_xdigit_value (text[i + 2]));
          i += 2;
        }
      else if (is_blank (c) && !(may_have_blanks && g_ascii_isspace (c)))
        return fail (problem, "has a blank in its data; write it as %20");
      else
        out[n++] = c;
    }
  *out_size = n;
  return true;
}

static int
digit_of (guint8 c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* In place, since it only gets shorter. */
static bool
decode_base64 (guint8 *data, gsize *size, bool *out_had_blanks, const char **problem)
{
  gsize n = 0, digits = 0, padding = 0;
  guint32 bits = 0;
  for (gsize i = 0; i < *size; i++)
    {
      const int digit = digit_of (data[i]);
      if (g_ascii_isspace (data[i]))
        *out_had_blanks = true;
      else if (data[i] == '=')
        padding++;
      else if (digit < 0 || padding > 0)
        return fail (problem, "has a character in its data that is not base64");
      else
        {
          bits = bits << 6 | (guint32) digit;
          digits++;
          if (digits % 4 != 1)
            data[n++] = (guint8) (bits >> (6 - 2 * ((digits - 1) % 4)));
        }
    }
  if (padding > 2 || (digits + padding) % 4 != 0)
    return fail (problem, "has base64 that is cut off, or lacks its padding");
  *size = n;
  return true;
}

bool
vend_data_uri_parse (const char *text, gsize size, VendDataUri *out, const char **problem)
{
  const char *head = text + strlen (SCHEME);
  const char *comma = memchr (text, ',', size);
  g_auto (VendDataUri) uri = { 0 };
  bool is_base64 = false, had_blanks = false;
  if (size < strlen (SCHEME) || !vend_is_data_uri (text))
    return fail (problem, "has another scheme");
  if (comma == NULL)
    return fail (problem, "has no comma before its data");
  if (!read_head (head, (size_t) (comma - head), &uri.type, &is_base64, &uri.is_usual, problem))
    return false;

  const gsize data_size = size - (gsize) (comma + 1 - text);
  g_autofree guint8 *data = g_malloc (data_size + 1);
  gsize n = 0;
  if (!unescape (comma + 1, data_size, is_base64, data, &n, problem)
      || (is_base64 && !decode_base64 (data, &n, &had_blanks, problem)))
    return false;
  uri.is_usual = uri.is_usual && !had_blanks && g_str_has_prefix (text, SCHEME);
  uri.bytes = g_bytes_new_take (g_steal_pointer (&data), n);
  *out = uri;
  uri = (VendDataUri){ 0 };
  return true;
}

char *
vend_data_uri_text (const VendDataUri *uri)
{
  gsize size = 0;
  const guchar *data = g_bytes_get_data (uri->bytes, &size);
  g_autofree char *base64 = g_base64_encode (data != NULL ? data : (const guchar *) "", size);
  return g_strconcat (SCHEME, uri->type, BASE64_MARK, ",", base64, NULL);
}
