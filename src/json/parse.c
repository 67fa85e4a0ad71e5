/* Reads JSON texts (RFC 8259) into jansson's values. Pure. */
#include "json/parse.h"
#include "base/error.h"
#include "json/number.h"
#include <string.h>

#define SHORT_KEY 48
#define SHOWN_KEY 64     /* bytes of a member's name in an error */
#define SHOWN_STEPS 12   /* of a place in an error */
#define SHOWN_NUMBER 40u /* digits of a number in an error */

/* The place of a value; the innermost first. */
typedef struct Place
{
  const struct Place *outer;
  const char *key; /* NULL: an item of an array */
  gsize index;
} Place;

typedef struct
{
  const VendJsonParsing *how;
  const char *start, *at, *end;
  guint depth, max_depth;
  bool in_data; /* unsigned 64-bit integers are accepted here */
  GString *unescaped;
  GError **error;
} Parser;

static json_t *parse_value (Parser *parser, const Place *place);

/* ---- Errors. */

static char *
place_text (const Place *place)
{
  const Place *steps[SHOWN_STEPS];
  guint n = 0;
  for (; place != NULL; place = place->outer)
    steps[n++ % SHOWN_STEPS] = place;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < MIN (n, SHOWN_STEPS); i++)
    {
      const Place *step = steps[(n - 1 - i) % SHOWN_STEPS];
      if (i > 0)
        g_string_append_c (text, '.');
      if (step->key != NULL)
        {
          g_autofree char *key = g_strndup (step->key, SHOWN_KEY);
          g_autofree char *valid = g_utf8_make_valid (key, -1);
          g_string_append (text, valid);
        }
      else
        g_string_append_printf (text, "%" G_GSIZE_FORMAT, step->index);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The text is not JSON. */
static void *
malformed (Parser *parser, const char *what)
{
  int line = 1;
  const char *line_start = parser->start;
  const char *at = MIN (parser->at, parser->end);
  for (const char *c = parser->start; c < at; c++)
    if (*c == '\n')
      {
        line++;
        line_start = c + 1;
      }
  (void) !vend_fail (parser->error, VEND_ERROR_BAD_REQUEST,
                     "malformed JSON at line %d column %d: %s%s", line, (int) (at - line_start) + 1,
                     at == parser->end ? "unexpected end, " : "", what);
  return NULL;
}

/* Valid JSON that Vend does not accept. */
static void *
refuse (Parser *parser, const Place *place, const char *what)
{
  g_autofree char *where = place_text (place);
  (void) !vend_fail (parser->error, VEND_ERROR_INVALID, "%s%s%s", where, *where != '\0' ? ": " : "",
                     what);
  return NULL;
}

/* ---- Numbers. */

static gsize
skip_digits (Parser *parser)
{
  const char *first = parser->at;
  while (parser->at < parser->end && g_ascii_isdigit (*parser->at))
    parser->at++;
  return (gsize) (parser->at - first);
}

static bool
take (Parser *parser, char c)
{
  const bool is_there = parser->at < parser->end && *parser->at == c;
  parser->at += is_there ? 1 : 0;
  return is_there;
}

static json_t *
refuse_number (Parser *parser, const Place *place, const char *text, gsize size, bool is_real)
{
  g_autofree char *what = g_strdup_printf (
      "%.*s%s is out of range; %s", (int) MIN (size, SHOWN_NUMBER), text,
      size > SHOWN_NUMBER ? "…" : "",
      is_real           ? "the largest real is 1.7976931348623157e308"
      : parser->in_data ? "numbers are " VEND_JSON_INTEGERS ", and reals"
                        : "integers are from -9223372036854775808 to 9223372036854775807");
  return refuse (parser, place, what);
}

static json_t *
parse_number (Parser *parser, const Place *place)
{
  const char *start = parser->at;
  bool is_real = false;
  take (parser, '-');
  if (!take (parser, '0') && skip_digits (parser) == 0)
    return malformed (parser, "expected a digit");
  if (take (parser, '.'))
    {
      is_real = true;
      if (skip_digits (parser) == 0)
        return malformed (parser, "expected a digit");
    }
  if (take (parser, 'e') || take (parser, 'E'))
    {
      is_real = true;
      if (!take (parser, '-'))
        take (parser, '+');
      if (skip_digits (parser) == 0)
        return malformed (parser, "expected a digit");
    }
  const gsize size = (gsize) (parser->at - start);
  json_t *number = vend_json_number_parse (start, size);
  if (number != NULL && (parser->in_data || !vend_json_is_big (number)))
    return number;
  json_decref (number);
  return refuse_number (parser, place, start, size, is_real);
}

/* ---- Strings. */

static bool
parse_hex (Parser *parser, gunichar *out)
{
  gunichar c = 0;
  for (int i = 0; i < 4; i++, parser->at++)
    {
      if (parser->at >= parser->end || !g_ascii_isxdigit (*parser->at))
        {
          malformed (parser, "expected four hexadecimal digits");
          return false;
        }
      c = c << 4 | (gunichar) g_ascii_xdigit_value (*parser->at);
    }
  *out = c;
  return true;
}

static bool
parse_unicode (Parser *parser, const Place *place)
{
  gunichar c = 0;
  gunichar second = 0;
  if (!parse_hex (parser, &c))
    return false;
  if (c >= 0xd800 && c < 0xdc00 && parser->end - parser->at >= 2 && parser->at[0] == '\\'
      && parser->at[1] == 'u')
    {
      parser->at += 2;
      if (!parse_hex (parser, &second))
        return false;
      if (second >= 0xdc00 && second < 0xe000)
        c = 0x10000 + ((c & 0x3ff) << 10) + (second & 0x3ff);
    }
  if (c >= 0xd800 && c < 0xe000)
    {
      g_autofree char *what = g_strdup_printf (
          "\\u%04x is half of a character (a lone surrogate), which UTF-8 cannot hold", c);
      refuse (parser, place, what);
      return false;
    }
  if (c == 0 && !parser->how->replaces_nul)
    {
      refuse (parser, place, "text with the character NUL (\\u0000) is not taken");
      return false;
    }
  g_string_append_unichar (parser->unescaped, c != 0 ? c : 0xfffd);
  return true;
}

static bool
parse_escape (Parser *parser, const Place *place)
{
  static const char letters[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  const char letter = parser->at < parser->end ? *parser->at : '\0';
  const char *found = letter != '\0' ? strchr (letters, letter) : NULL;
  if (found == NULL && letter != 'u')
    {
      malformed (parser, "expected one of \"\\/bfnrtu after a backslash");
      return false;
    }
  parser->at++;
  if (letter == 'u')
    return parse_unicode (parser, place);
  g_string_append_c (parser->unescaped, meanings[found - letters]);
  return true;
}

/* Borrowed from the text, or until the next string. */
static bool
parse_string (Parser *parser, const Place *place, const char **out, gsize *out_size)
{
  const char *start = ++parser->at;
  const char *at = start;
  const char *const end = parser->end;
  bool is_escaped = false;
  guchar bits = 0;
  for (;;)
    {
      while (at < end && *at != '"' && *at != '\\' && (guchar) *at >= 0x20)
        bits |= (guchar) *at++;
      parser->at = at;
      if (at < end && *at == '"')
        break;
      if (at == end || *at != '\\')
        {
          malformed (parser, at == end ? "expected '\"'" : "a control character is not escaped");
          return false;
        }
      if (!is_escaped)
        g_string_truncate (parser->unescaped, 0);
      is_escaped = true;
      g_string_append_len (parser->unescaped, start, at - start);
      parser->at++;
      if (!parse_escape (parser, place))
        return false;
      start = at = parser->at;
    }
  const char *text = start;
  gsize size = (gsize) (at - start);
  if (is_escaped)
    {
      g_string_append_len (parser->unescaped, start, (gssize) size);
      text = parser->unescaped->str;
      size = parser->unescaped->len;
    }
  if ((bits & 0x80) != 0 && !g_utf8_validate_len (text, size, NULL))
    {
      malformed (parser, "the string before is not valid UTF-8");
      return false;
    }
  parser->at++;
  *out = text;
  *out_size = size;
  return true;
}

/* ---- Arrays and objects. */

static void
skip_space (Parser *parser)
{
  const char *at = parser->at;
  while (at < parser->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  parser->at = at;
}

static bool
enter (Parser *parser, const Place *place)
{
  if (parser->depth < parser->max_depth)
    {
      parser->depth++;
      return true;
    }
  g_autofree char *what
      = g_strdup_printf ("nested deeper than %u levels of arrays and objects", parser->max_depth);
  refuse (parser, place, what);
  return false;
}

static json_t *
parse_array (Parser *parser, const Place *outer)
{
  Place place = { outer, NULL, 0 };
  json_auto_t *array = json_array ();
  parser->at++;
  skip_space (parser);
  if (take (parser, ']'))
    return json_incref (array);
  for (;; place.index++)
    {
      json_t *item = parse_value (parser, &place);
      if (item == NULL)
        return NULL;
      json_array_append_new (array, item);
      skip_space (parser);
      if (take (parser, ']'))
        return json_incref (array);
      if (!take (parser, ','))
        return malformed (parser, "expected ',' or ']'");
    }
}

static bool
parse_member (Parser *parser, const Place *outer, json_t *object)
{
  char short_key[SHORT_KEY];
  g_autofree char *long_key = NULL;
  Place place = { outer, short_key, 0 };
  const char *key = NULL;
  gsize size = 0;
  skip_space (parser);
  if (parser->at >= parser->end || *parser->at != '"')
    {
      malformed (parser, "expected a member's name in quotes");
      return false;
    }
  if (!parse_string (parser, outer, &key, &size))
    return false;
  if (size < sizeof short_key)
    {
      memcpy (short_key, key, size);
      short_key[size] = '\0';
    }
  else
    place.key = long_key = g_strndup (key, size);
  skip_space (parser);
  if (!take (parser, ':'))
    {
      malformed (parser, "expected ':'");
      return false;
    }
  if (parser->depth == 1 && parser->how->data_member != NULL)
    parser->in_data = strcmp (place.key, parser->how->data_member) == 0;
  json_t *value = parse_value (parser, &place);
  if (value == NULL)
    return false;
  json_object_set_new_nocheck (object, place.key, value);
  return true;
}

static json_t *
parse_object (Parser *parser, const Place *place)
{
  json_auto_t *object = json_object ();
  parser->at++;
  skip_space (parser);
  if (take (parser, '}'))
    return json_incref (object);
  for (;;)
    {
      if (!parse_member (parser, place, object))
        return NULL;
      skip_space (parser);
      if (take (parser, '}'))
        return json_incref (object);
      if (!take (parser, ','))
        return malformed (parser, "expected ',' or '}'");
    }
}

static json_t *
parse_word (Parser *parser, const char *word, json_t *value)
{
  const gsize size = strlen (word);
  if ((gsize) (parser->end - parser->at) < size || memcmp (parser->at, word, size) != 0)
    return malformed (parser, "expected a value");
  parser->at += size;
  return value;
}

static json_t *
parse_nested (Parser *parser, const Place *place)
{
  if (!enter (parser, place))
    return NULL;
  json_t *value = *parser->at == '{' ? parse_object (parser, place) : parse_array (parser, place);
  parser->depth--;
  return value;
}

static json_t *
parse_value (Parser *parser, const Place *place)
{
  const char *text = NULL;
  gsize size = 0;
  skip_space (parser);
  switch (parser->at < parser->end ? *parser->at : '\0')
    {
    case '{':
    case '[':
      return parse_nested (parser, place);
    case '"':
      return parse_string (parser, place, &text, &size) ? json_stringn_nocheck (text, size) : NULL;
    case 't':
      return parse_word (parser, "true", json_true ());
    case 'f':
      return parse_word (parser, "false", json_false ());
    case 'n':
      return parse_word (parser, "null", json_null ());
    default:
      break;
    }
  if (parser->at < parser->end && (*parser->at == '-' || g_ascii_isdigit (*parser->at)))
    return parse_number (parser, place);
  return malformed (parser, "expected a value");
}

bool
vend_json_parse_as (const VendJsonParsing *how, const char *text, gsize size, json_t **out,
                    GError **error)
{
  g_autoptr (GString) unescaped = g_string_new (NULL);
  Parser parser = {
    .how = how,
    .start = text,
    .at = text,
    .end = size > 0 ? text + size : text,
    .max_depth = how->max_depth != 0 ? how->max_depth : VEND_JSON_MAX_DEPTH,
    .in_data = how->data_member == NULL,
    .unescaped = unescaped,
    .error = error,
  };
  json_auto_t *value = parse_value (&parser, NULL);
  if (value == NULL)
    return false;
  skip_space (&parser);
  if (parser.at < parser.end)
    {
      malformed (&parser, "expected the end");
      return false;
    }
  *out = g_steal_pointer (&value);
  return true;
}
