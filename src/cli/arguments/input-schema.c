/* The parts of a version's OpenAPI schema that commands read. Pure. */
#include "cli/arguments/inputs.h"
#include <string.h>

#define MAX_EDITS_PART 3 /* a name may differ in a third of its letters */

static const json_t *
input_properties (const json_t *openapi)
{
  const json_t *input = vend_schema_resolve (openapi, vend_schema_component (openapi, "Input"));
  return json_object_get (input, "properties");
}

const json_t *
vend_schema_field (const json_t *openapi, const char *name)
{
  return json_object_get (input_properties (openapi), name);
}

bool
vend_input_is_known (const json_t *openapi, const char *name)
{
  const json_t *properties = input_properties (openapi);
  return properties == NULL || json_object_get (properties, name) != NULL;
}

/* Levenshtein distance in bytes: names of fields are nearly always ASCII. */
static guint
distance (const char *a, const char *b)
{
  gsize length = strlen (b);
  g_autofree guint *row = g_new (guint, length + 1);

  for (gsize j = 0; j <= length; j++)
    row[j] = (guint) j;
  for (gsize i = 1; a[i - 1] != '\0'; i++)
    {
      guint diagonal = row[0];
      row[0] = (guint) i;
      for (gsize j = 1; j <= length; j++)
        {
          guint above = row[j];
          guint changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
          row[j] = MIN (changed, MIN (above, row[j - 1]) + 1);
          diagonal = above;
        }
    }
  return row[length];
}

const char *
vend_input_suggest (const json_t *openapi, const char *name)
{
  const char *best = NULL;
  guint least = MAX (2u, (guint) strlen (name) / MAX_EDITS_PART) + 1;
  const char *known;
  json_t *schema;

  json_object_foreach ((json_t *) input_properties (openapi), known, schema)
    {
      guint edits = distance (name, known);
      /* Of a very short name nothing would be left. */
      if (edits < least && edits < strlen (known))
        {
          least = edits;
          best = known;
        }
    }
  return best;
}

static char *
list_text (const json_t *openapi, const json_t *schemas, const char *between)
{
  g_autoptr (GString) text = g_string_new (NULL);
  size_t i;
  json_t *schema;
  json_array_foreach (schemas, i, schema)
    {
      g_autofree char *one = vend_schema_type_text (openapi, schema);
      if (strcmp (one, "null") != 0)
        g_string_append_printf (text, "%s%s", text->len > 0 ? between : "", one);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
choices_text (const json_t *choices)
{
  g_autoptr (GString) text = g_string_new ("one of ");
  size_t i;
  json_t *choice;
  json_array_foreach (choices, i, choice)
    {
      g_autofree char *one = vend_json_is_string (choice) ? g_strdup (json_string_value (choice))
                                                          : vend_json_text (choice);
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", one);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
vend_schema_type_text (const json_t *openapi, const json_t *schema)
{
  schema = vend_schema_resolve (openapi, schema);
  const json_t *choices = json_object_get (schema, "enum");
  const json_t *any = json_object_get (schema, "anyOf");
  const char *type = vend_json_string (schema, "type");
  const char *format = vend_json_string (schema, "format");

  if (json_is_array (choices))
    return choices_text (choices);
  if (json_is_array (any))
    return list_text (openapi, any, " or ");
  if (type == NULL)
    return g_strdup ("any JSON");
  if (strcmp (type, "array") == 0 && json_object_get (schema, "items") != NULL)
    {
      g_autofree char *item = vend_schema_type_text (openapi, json_object_get (schema, "items"));
      return g_strdup_printf ("list of %s", item);
    }
  if (strcmp (type, "string") == 0 && g_strcmp0 (format, "uri") == 0)
    return g_strdup ("file");
  if (strcmp (type, "string") == 0 && g_strcmp0 (format, "password") == 0)
    return g_strdup ("secret");
  return g_strdup (type);
}
