/* Members of JSON objects, read and set. */
#include "json/json.h"
#include "base/clock.h"
#include <string.h>

bool
vend_json_parse (const char *text, gsize size, json_t **out, GError **error)
{
  return vend_json_parse_as (&(VendJsonParsing){ 0 }, text, size, out, error);
}

const char *
vend_json_string (const json_t *object, const char *key)
{
  const json_t *member = json_object_get (object, key);
  return vend_json_is_string (member) ? json_string_value (member) : NULL;
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
  return vend_json_is_number (member) ? vend_json_number (member) : fallback;
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

/* Memory of jansson and the allocator, on 64 bit. */
#define VALUE_MEMORY 48
#define VALUE_TEXT 8 /* of a number, a word, quotes and commas */
#define LIST_MEMORY 128
#define ITEM_MEMORY 8
#define MEMBER_MEMORY 80

gsize
vend_json_memory (const json_t *value)
{
  const char *key;
  json_t *item;
  size_t i;
  gsize size = VALUE_MEMORY;
  switch (value != NULL ? json_typeof (value) : JSON_NULL)
    {
    case JSON_STRING:
      return size + json_string_length (value);
    case JSON_ARRAY:
      size += LIST_MEMORY;
      json_array_foreach ((json_t *) value, i, item)
        size += ITEM_MEMORY + vend_json_memory (item);
      return size;
    case JSON_OBJECT:
      size += LIST_MEMORY;
      json_object_foreach ((json_t *) value, key, item)
        size += MEMBER_MEMORY + strlen (key) + vend_json_memory (item);
      return size;
    case JSON_INTEGER:
    case JSON_REAL:
      return size;
    default:
      return 0; /* shared */
    }
}

/* False when `*left` bytes are too few. */
static bool
take_text (const json_t *value, gsize *left)
{
  const char *key;
  json_t *item;
  size_t i;
  gsize size = VALUE_TEXT;
  if (json_is_string (value))
    size += json_string_length (value);
  if (size > *left)
    return false;
  *left -= size;
  json_array_foreach ((json_t *) value, i, item)
    if (!take_text (item, left))
      return false;
  json_object_foreach ((json_t *) value, key, item)
    {
      const gsize length = strlen (key);
      if (length > *left)
        return false;
      *left -= length;
      if (!take_text (item, left))
        return false;
    }
  return true;
}

bool
vend_json_is_short (const json_t *value, gsize bytes)
{
  return value == NULL || take_text (value, &bytes);
}
