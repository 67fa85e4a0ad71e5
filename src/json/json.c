/* jansson with GError, limits and autoptr habits. */
#include "json/json.h"
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

char *
vend_json_text (const json_t *value)
{
  if (value == NULL)
    return g_strdup ("null");
  /* jansson allocates with malloc, as g_free expects since GLib 2.46. */
  char *text = json_dumps (value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION (17));
  g_assert (text != NULL);
  return text;
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
vend_json_set_int (json_t *object, const char *key, int64_t number)
{
  json_object_set_new (object, key, json_integer (number));
}

void
vend_json_set_bool (json_t *object, const char *key, bool value)
{
  json_object_set_new (object, key, json_boolean (value));
}
