/* A model's OpenAPI schema as the schemas of a tool. Pure. */
#include "mcp/tool-schema.h"
#include "base/hash.h"
#include "json/schema.h"
#include <string.h>

/* Bounds of a schema that refers to itself, and of one that is meant to be large. */
#define MAX_DEPTH 24
#define MAX_NODES 4000
#define HASH_CHARACTERS 8
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define FILE_HINT "URL or data: URI of a file"

typedef struct
{
  const json_t *openapi;
  guint nodes;
  bool is_input;
} Conversion;

/* Keywords whose values are taken as they are. */
static const char *const plain[] = {
  "type",     "description", "default",     "enum",      "const",
  "minimum",  "maximum",     "pattern",     "minLength", "maxLength",
  "minItems", "maxItems",    "uniqueItems", "required",  "multipleOf",
};

static json_t *convert (Conversion *conversion, const json_t *schema, guint depth);

static json_t *
convert_list (Conversion *conversion, const json_t *list, guint depth)
{
  json_t *converted = json_array ();
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *) list, i, item)
    json_array_append_new (converted, convert (conversion, item, depth));
  return converted;
}

typedef struct
{
  const char *name;
  const json_t *schema;
  int64_t order;
} Property;

static int
by_order (const void *a, const void *b)
{
  const Property *one = a, *other = b;
  if (one->order != other->order)
    return one->order < other->order ? -1 : 1;
  return strcmp (one->name, other->name);
}

/* In the order of the signature. */
static json_t *
convert_properties (Conversion *conversion, const json_t *properties, guint depth)
{
  g_autoptr (GArray) sorted = g_array_new (FALSE, FALSE, sizeof (Property));
  json_t *converted = json_object ();
  const char *name;
  json_t *schema;
  json_object_foreach ((json_t *) properties, name, schema)
    {
      const Property property = { name, schema, vend_json_int (schema, "x-order", G_MAXINT) };
      g_array_append_val (sorted, property);
    }
  g_array_sort (sorted, by_order);
  for (guint i = 0; i < sorted->len; i++)
    {
      const Property *property = &g_array_index (sorted, Property, i);
      json_object_set_new (converted, property->name,
                           convert (conversion, property->schema, depth));
    }
  return converted;
}

/* What Cog writes for a choice without a description. */
static void
drop_empty_words (json_t *converted)
{
  if (g_strcmp0 (vend_json_string (converted, "description"), "An enumeration.") == 0)
    json_object_del (converted, "description");
}

static void
add_file_hint (const Conversion *conversion, json_t *converted)
{
  const char *said = vend_json_string (converted, "description");
  const char *hint = conversion->is_input ? FILE_HINT : "URL of a file";
  g_autofree char *text
      = said != NULL && *said != '\0' ? g_strdup_printf ("%s (%s)", said, hint) : g_strdup (hint);
  vend_json_set_string (converted, "description", text);
}

/* OpenAPI 3.0 has a member for what JSON Schema says by a type. */
static json_t *
allow_null (json_t *take)
{
  json_t *type = json_object_get (take, "type");
  const json_t *choices = json_object_get (take, "enum");
  if (json_is_string (type) && choices == NULL)
    {
      json_object_set_new (take, "type", json_pack ("[O, s]", type, "null"));
      return take;
    }
  json_t *either = json_object ();
  json_t *description = json_object_get (take, "description");
  if (description != NULL)
    json_object_set (either, "description", description);
  json_object_set_new (either, "anyOf", json_pack ("[o, {s:s}]", take, "type", "null"));
  return either;
}

static void
convert_members (Conversion *conversion, const json_t *schema, guint depth, json_t *converted)
{
  static const char *const lists[] = { "anyOf", "oneOf", "allOf" };
  const json_t *items = json_object_get (schema, "items");
  const json_t *properties = json_object_get (schema, "properties");
  const json_t *others = json_object_get (schema, "additionalProperties");
  for (guint i = 0; i < G_N_ELEMENTS (plain); i++)
    {
      json_t *value = json_object_get (schema, plain[i]);
      if (value != NULL)
        json_object_set (converted, plain[i], value);
    }
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      const json_t *list = json_object_get (schema, lists[i]);
      if (json_array_size (list) > 0)
        json_object_set_new (converted, lists[i], convert_list (conversion, list, depth));
    }
  if (json_is_object (items))
    json_object_set_new (converted, "items", convert (conversion, items, depth));
  if (json_is_object (properties))
    json_object_set_new (converted, "properties",
                         convert_properties (conversion, properties, depth));
  if (json_is_object (others))
    json_object_set_new (converted, "additionalProperties", convert (conversion, others, depth));
  else if (json_is_false (others))
    json_object_set_new (converted, "additionalProperties", json_false ());
}

static json_t *
convert (Conversion *conversion, const json_t *schema, guint depth)
{
  if (!json_is_object (schema) || depth > MAX_DEPTH || conversion->nodes >= MAX_NODES)
    return json_object ();
  conversion->nodes++;
  const json_t *target = vend_schema_resolve (conversion->openapi, schema);
  json_t *converted = NULL;
  if (target != schema)
    {
      /* What stands beside the reference is about this use of it. */
      static const char *const own[] = { "description", "default" };
      converted = convert (conversion, target, depth + 1);
      for (guint i = 0; i < G_N_ELEMENTS (own); i++)
        {
          json_t *value = json_object_get (schema, own[i]);
          if (value != NULL)
            json_object_set (converted, own[i], value);
        }
    }
  else if (json_object_get (schema, "$ref") != NULL)
    return json_object ();
  else
    {
      converted = json_object ();
      convert_members (conversion, schema, depth + 1, converted);
      drop_empty_words (converted);
      if (g_strcmp0 (vend_json_string (schema, "format"), "uri") == 0)
        add_file_hint (conversion, converted);
    }
  return vend_json_bool (schema, "nullable", false) ? allow_null (converted) : converted;
}

json_t *
vend_mcp_input_schema (const json_t *openapi)
{
  Conversion conversion = { .openapi = openapi, .is_input = true };
  const json_t *component = vend_schema_component (openapi, "Input");
  json_t *converted = convert (&conversion, component, 0);
  vend_json_set_string (converted, "type", "object");
  if (!json_is_object (json_object_get (converted, "properties")))
    json_object_set_new (converted, "properties", json_object ());
  return converted;
}

static bool
is_joined (const json_t *openapi)
{
  const json_t *output = vend_schema_component (openapi, "Output");
  output = output != NULL ? vend_schema_resolve (openapi, output) : NULL;
  return g_strcmp0 (vend_json_string (output, "x-cog-array-display"), "concatenate") == 0;
}

json_t *
vend_mcp_output_schema (const json_t *openapi)
{
  Conversion conversion = { .openapi = openapi };
  if (is_joined (openapi))
    return json_pack ("{s:s}", "type", "string");
  return convert (&conversion, vend_schema_component (openapi, "Output"), 0);
}

json_t *
vend_mcp_output_value (const json_t *openapi, json_t *output)
{
  if (!json_is_array (output) || !is_joined (openapi))
    return json_incref (output);
  g_autoptr (GString) text = g_string_new (NULL);
  size_t i;
  json_t *chunk;
  json_array_foreach (output, i, chunk)
    {
      if (!vend_json_is_string (chunk))
        return json_incref (output);
      g_string_append (text, json_string_value (chunk));
    }
  return vend_json_string_new (text->str, text->len);
}

char *
vend_mcp_tool_name (const char *owner, const char *name)
{
  g_autofree char *whole = g_strdup_printf ("%s__%s", owner, name);
  g_autofree char *safe = g_strdup (whole);
  g_strcanon (safe, NAME_CHARACTERS, '_');
  /* The first two underscores must be the border, or two models would have one name. */
  if (strcmp (safe, whole) == 0 && strlen (safe) <= VEND_MCP_NAME_MAX
      && strstr (owner, "__") == NULL && !g_str_has_suffix (owner, "_"))
    return g_steal_pointer (&safe);
  g_autofree char *reference = g_strdup_printf ("%s/%s", owner, name);
  g_autofree char *hash = vend_sha256_text (reference);
  return g_strdup_printf ("%.*s_%.*s", VEND_MCP_NAME_MAX - HASH_CHARACTERS - 1, safe,
                          HASH_CHARACTERS, hash);
}

bool
vend_mcp_takes_files (const json_t *openapi)
{
  json_auto_t *schema = vend_mcp_input_schema (openapi);
  g_autofree char *text = vend_json_text (json_object_get (schema, "properties"));
  return strstr (text, FILE_HINT) != NULL;
}
