/* Inputs of models: a checked API input made ready for the model server. Pure. */
#include "cog/input.h"
#include "base/error.h"
#include "cog/data-uri.h"
#include "json/schema.h"
#include <string.h>

static bool
is_deeper (const json_t *value, guint levels)
{
  const char *key;
  json_t *item;
  size_t i;
  if (!json_is_object (value) && !json_is_array (value))
    return false;
  if (levels == 0)
    return true;
  json_object_foreach ((json_t *) value, key, item)
    if (is_deeper (item, levels - 1))
      return true;
  json_array_foreach ((json_t *) value, i, item)
    if (is_deeper (item, levels - 1))
      return true;
  return false;
}

bool
vend_cog_input_check (const json_t *input, GError **error)
{
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *) input, key, value)
    if (is_deeper (value, VEND_COG_INPUT_DEPTH))
      return vend_fail (error, VEND_ERROR_INVALID,
                        "input.%.100s: nested deeper than %d levels of arrays and objects", key,
                        VEND_COG_INPUT_DEPTH);
  return true;
}

/* ---- Integers. */

static bool
is_integer (const json_t *openapi, const json_t *schema)
{
  bool is_there = g_strcmp0 (vend_json_string (schema, "type"), "integer") == 0;
  size_t i;
  json_t *one;
  json_array_foreach (json_object_get (schema, "anyOf"), i, one)
    {
      const char *type = vend_json_string (vend_schema_resolve (openapi, one), "type");
      if (g_strcmp0 (type, "number") == 0)
        return false;
      is_there = is_there || g_strcmp0 (type, "integer") == 0;
    }
  return is_there;
}

/* The schema of its items, also when the list is one of several types. */
static const json_t *
items_of (const json_t *openapi, const json_t *schema)
{
  const json_t *items = json_object_get (schema, "items");
  size_t i;
  json_t *one;
  json_array_foreach (json_object_get (schema, "anyOf"), i, one)
    if (items == NULL)
      items = json_object_get (vend_schema_resolve (openapi, one), "items");
  return items;
}

/* The integer in the place of `value`, a new reference, or NULL. Lists are changed in place. */
static json_t *
whole_of (const json_t *openapi, const json_t *outer, json_t *value)
{
  const json_t *schema = vend_schema_resolve (openapi, outer);
  json_t *whole = NULL;
  if (json_is_real (value) && is_integer (openapi, schema))
    return vend_json_whole (value, &whole) ? whole : NULL;
  const json_t *items = json_is_array (value) ? items_of (openapi, schema) : NULL;
  for (size_t i = 0; items != NULL && i < json_array_size (value); i++)
    {
      json_t *item = whole_of (openapi, items, json_array_get (value, i));
      if (item != NULL)
        json_array_set_new (value, i, item);
    }
  return NULL;
}

void
vend_cog_input_make_whole (const json_t *openapi, const char *component, json_t *input)
{
  const char *key;
  json_t *property;
  json_object_foreach ((json_t *) vend_schema_properties (openapi, component), key, property)
    {
      json_t *value = json_object_get (input, key);
      json_t *whole = value != NULL ? whole_of (openapi, property, value) : NULL;
      if (whole != NULL)
        json_object_set_new (input, key, whole);
    }
}

json_t *
vend_cog_secret_names (const json_t *openapi, const char *component)
{
  json_t *names = NULL;
  const char *key;
  json_t *property;
  json_object_foreach ((json_t *) vend_schema_properties (openapi, component), key, property)
    {
      if (!vend_json_bool (vend_schema_resolve (openapi, property), "x-cog-secret", false))
        continue;
      if (names == NULL)
        names = json_array ();
      json_array_append_new (names, json_string (key));
    }
  return names;
}

json_t *
vend_cog_input_for_model (const json_t *input)
{
  json_t *ready = json_object ();
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *) input, key, value)
    if (!json_is_null (value))
      json_object_set (ready, key, value);
  return ready;
}

static bool
is_file (const json_t *schema)
{
  return g_strcmp0 (vend_json_string (schema, "format"), "uri") == 0;
}

/* Schemes are the same in any case. */
static bool
is_web_url (const char *text)
{
  return g_ascii_strncasecmp (text, "http://", strlen ("http://")) == 0
         || g_ascii_strncasecmp (text, "https://", strlen ("https://")) == 0;
}

static void
add_file (json_t *files, json_t *at, const json_t *value)
{
  const char *url = json_string_value (value);
  if (url != NULL && is_web_url (url))
    json_array_append_new (files, json_pack ("{s:O, s:s}", "at", at, "url", url));
  else if (url != NULL && vend_is_data_uri (url))
    json_array_append_new (files, json_pack ("{s:O, s:O}", "at", at, "data", value));
  json_decref (at);
}

json_t *
vend_cog_input_files (const json_t *openapi, const char *component, const json_t *input)
{
  json_t *files = json_array ();
  const char *key;
  json_t *property;
  json_object_foreach ((json_t *) vend_schema_properties (openapi, component), key, property)
    {
      const json_t *schema = vend_schema_resolve (openapi, property);
      const json_t *value = json_object_get (input, key);
      const json_t *items = json_object_get (schema, "items");
      size_t i;
      json_t *item;
      if (is_file (schema))
        add_file (files, json_pack ("[s]", key), value);
      else if (items != NULL && is_file (vend_schema_resolve (openapi, items)))
        json_array_foreach ((json_t *) value, i, item)
          add_file (files, json_pack ("[sI]", key, (json_int_t) i), item);
    }
  return files;
}
