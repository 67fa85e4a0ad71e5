/* jansson with GError, limits and autoptr habits. */
#include "json/json.h"
#include "base/clock.h"
#include "base/error.h"
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
    g_string_append_printf (text, "\\u%04X", c);
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

static void append_value (GString *text, const json_t *value);

static void
append_object (GString *text, const json_t *object)
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
      append_value (text, item);
    }
  g_string_append_c (text, '}');
}

static void
append_array (GString *text, const json_t *array)
{
  json_t *item;
  size_t i;
  g_string_append_c (text, '[');
  json_array_foreach ((json_t *) array, i, item)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      append_value (text, item);
    }
  g_string_append_c (text, ']');
}

static void
append_value (GString *text, const json_t *value)
{
  switch (json_typeof (value))
    {
    case JSON_OBJECT:
      append_object (text, value);
      break;
    case JSON_ARRAY:
      append_array (text, value);
      break;
    case JSON_STRING:
      append_string (text, json_string_value (value), json_string_length (value));
      break;
    case JSON_INTEGER:
      g_string_append_printf (text, "%" JSON_INTEGER_FORMAT, json_integer_value (value));
      break;
    case JSON_REAL:
      append_real (text, json_real_value (value));
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
  append_value (text, value);
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
