/* jansson with GError, limits and autoptr habits. */
#include "json/json.h"
#include "base/clock.h"
#include "base/error.h"
#include <float.h>
#include <math.h>
#include <string.h>

bool
vend_json_parse (const char *text, gsize size, json_t **out, GError **error)
{
  json_error_t problem;
  json_t *value = json_loadb (text, size, JSON_DECODE_ANY, &problem);
  if (value == NULL)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "malformed JSON at line %d column %d: %s",
                      problem.line, problem.column, problem.text);
  *out = value;
  return true;
}

/* jansson writes 0.1 as 0.10000000000000001. The shortest text that reads back as the same number
 * is what people expect, and what JavaScript makes when it checks a signature over our text. */
static void
append_real (GString *text, double number)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];
  for (int precision = 15; precision <= 17; precision++)
    {
      char format[8];
      g_snprintf (format, sizeof format, "%%.%dg", precision);
      g_ascii_formatd (digits, sizeof digits, format, number);
      if (g_ascii_strtod (digits, NULL) == number)
        break;
    }
  g_string_append (text, digits);
  /* It stays a real number for those who tell 1.0 from 1. */
  if (strpbrk (digits, ".eEn") == NULL)
    g_string_append (text, ".0");
}

/* The same number as JavaScript's JSON.stringify has it: 1 for 1.0, plain digits up to 1e21. */
static void
append_real_js (GString *text, double number)
{
  char raw[G_ASCII_DTOSTR_BUF_SIZE];
  /* 15 digits survive in every number but the tiniest, which have fewer. */
  for (int precision = fabs (number) < DBL_MIN ? 0 : 14; precision <= 16; precision++)
    {
      char format[8];
      g_snprintf (format, sizeof format, "%%.%de", precision);
      g_ascii_formatd (raw, sizeof raw, format, number);
      if (g_ascii_strtod (raw, NULL) == number)
        break;
    }
  if (number == 0)
    {
      g_string_append_c (text, '0');
      return;
    }
  /* "-d.ddde±xx" to digits without zeros at the end, and where the point is among them. */
  char digits[24];
  gsize n = 0;
  const char *at = raw;
  if (*at == '-')
    g_string_append_c (text, *at++);
  for (; *at != 'e'; at++)
    if (*at != '.')
      digits[n++] = *at;
  const int point = (int) g_ascii_strtoll (at + 1, NULL, 10) + 1;
  while (n > 1 && digits[n - 1] == '0')
    n--;

  const int count = (int) n;
  if (point > 0 && point <= 21)
    {
      g_string_append_len (text, digits, MIN (count, point));
      for (int i = count; i < point; i++)
        g_string_append_c (text, '0');
      if (count > point)
        g_string_append_printf (text, ".%.*s", count - point, digits + point);
    }
  else if (point > -6 && point <= 0)
    g_string_append_printf (text, "0.%.*s%.*s", -point, "000000", count, digits);
  else
    g_string_append_printf (text, "%c%s%.*se%+d", digits[0], count > 1 ? "." : "", count - 1,
                            digits + 1, point - 1);
}

static void
append_escape (GString *text, guchar c)
{
  static const char plain[] = "\b\t\n\f\r\"\\";
  static const char letters[] = "btnfr\"\\";
  const char *found = c != '\0' ? strchr (plain, c) : NULL;
  if (found != NULL)
    {
      g_string_append_c (text, '\\');
      g_string_append_c (text, letters[found - plain]);
    }
  else
    g_string_append_printf (text, "\\u%04x", c);
}

/* jansson has checked that it is UTF-8 when the value was made. Its own writer makes a hash table
 * for every call, and looks at each character more than once. */
static void
append_string (GString *text, const char *string, gsize size)
{
  gsize begin = 0;
  g_string_append_c (text, '"');
  for (gsize i = 0; i < size; i++)
    {
      const guchar c = (guchar) string[i];
      if (c >= 0x20 && c != '"' && c != '\\')
        continue;
      g_string_append_len (text, string + begin, (gssize) (i - begin));
      append_escape (text, c);
      begin = i + 1;
    }
  g_string_append_len (text, string + begin, (gssize) (size - begin));
  g_string_append_c (text, '"');
}

/* How reals are written is the one choice. */
typedef void (*AppendReal) (GString *text, double number);

static void append_value (GString *text, const json_t *value, AppendReal real);

static void
append_object (GString *text, const json_t *object, AppendReal real)
{
  const char *key;
  json_t *item;
  bool first = true;
  g_string_append_c (text, '{');
  json_object_foreach ((json_t *) object, key, item)
    {
      if (!first)
        g_string_append_c (text, ',');
      first = false;
      append_string (text, key, strlen (key));
      g_string_append_c (text, ':');
      append_value (text, item, real);
    }
  g_string_append_c (text, '}');
}

static void
append_array (GString *text, const json_t *array, AppendReal real)
{
  json_t *item;
  size_t i;
  g_string_append_c (text, '[');
  json_array_foreach ((json_t *) array, i, item)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      append_value (text, item, real);
    }
  g_string_append_c (text, ']');
}

static void
append_value (GString *text, const json_t *value, AppendReal real)
{
  switch (json_typeof (value))
    {
    case JSON_OBJECT:
      append_object (text, value, real);
      break;
    case JSON_ARRAY:
      append_array (text, value, real);
      break;
    case JSON_STRING:
      append_string (text, json_string_value (value), json_string_length (value));
      break;
    case JSON_INTEGER:
      g_string_append_printf (text, "%" JSON_INTEGER_FORMAT, json_integer_value (value));
      break;
    case JSON_REAL:
      real (text, json_real_value (value));
      break;
    case JSON_TRUE:
      g_string_append (text, "true");
      break;
    case JSON_FALSE:
      g_string_append (text, "false");
      break;
    case JSON_NULL:
    default:
      g_string_append (text, "null");
    }
}

char *
vend_json_text (const json_t *value)
{
  if (value == NULL)
    return g_strdup ("null");
  GString *text = g_string_sized_new (256);
  append_value (text, value, append_real);
  return g_string_free (text, FALSE);
}

char *
vend_json_text_js (const json_t *value)
{
  GString *text = g_string_sized_new (256);
  append_value (text, value, append_real_js);
  return g_string_free (text, FALSE);
}

const char *
vend_json_string (const json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

int64_t
vend_json_int (const json_t *object, const char *key, int64_t fallback)
{
  const json_t *member = json_object_get (object, key);
  return json_is_integer (member) ? (int64_t) json_integer_value (member) : fallback;
}

double
vend_json_double (const json_t *object, const char *key, double fallback)
{
  const json_t *member = json_object_get (object, key);
  return json_is_number (member) ? json_number_value (member) : fallback;
}

bool
vend_json_bool (const json_t *object, const char *key, bool fallback)
{
  const json_t *member = json_object_get (object, key);
  return json_is_boolean (member) ? json_is_true (member) : fallback;
}

json_t *
vend_json_string_new (const char *text, gsize size)
{
  json_t *value = json_stringn (text, size);
  if (value != NULL)
    return value;
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) size);
  return json_string (valid);
}

void
vend_json_set_string (json_t *object, const char *key, const char *text)
{
  json_object_set_new (object, key,
                       text != NULL ? vend_json_string_new (text, strlen (text)) : json_null ());
}

void
vend_json_set_time (json_t *object, const char *key, int64_t time_us)
{
  g_autofree char *text = time_us > 0 ? vend_time_format (time_us) : NULL;
  vend_json_set_string (object, key, text);
}

void
vend_json_set_int (json_t *object, const char *key, int64_t number)
{
  json_object_set_new (object, key, json_integer (number));
}

void
vend_json_set_bool (json_t *object, const char *key, bool value)
{
  json_object_set_new (object, key, json_boolean (value));
}
