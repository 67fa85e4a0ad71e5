/* What a model is given: a checked API input made ready for the model server. Pure. */
#include "cog/input.h"
#include "json/schema.h"
#include <string.h>

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

static void
add_file (json_t *files, json_t *at, const json_t *value)
{
  const char *url = json_string_value (value);
  if (url != NULL && (g_str_has_prefix (url, "http://") || g_str_has_prefix (url, "https://")))
    json_array_append_new (files, json_pack ("{s:O, s:s}", "at", at, "url", url));
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
