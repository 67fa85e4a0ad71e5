/* Checks JSON values against the JSON Schema subset that Cog's OpenAPI documents use. Pure. */
#include "json/schema.h"
#include <math.h>
#include <string.h>

#define COMPONENTS "#/components/schemas/"
#define MAX_DEPTH 32
#define MAX_PROBLEMS 100
/* Limits of one check. A schema of a few lines can ask for any number of steps: nested
 * alternatives, slow patterns, long enums for long arrays. Beyond the limits the check is left to
 * the model server. */
#define MAX_STEPS 1000000
#define TRIAL_STEPS 30
#define PATTERN_STEPS 1000
#define PATTERN_LIMIT "(*LIMIT_MATCH=100000)"

typedef struct
{
  const json_t *openapi;
  json_t *problems;
  int depth;
  gsize *steps; /* remaining steps; shared with trials */
} Check;

static void check_value (Check *check, const char *field, const json_t *schema,
                         const json_t *value);

static bool
spend (Check *check, gsize steps)
{
  const bool enough = *check->steps >= steps;
  *check->steps -= enough ? steps : *check->steps;
  return enough;
}

static void add_problem (Check *check, const char *type, const char *field, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static void
add_problem (Check *check, const char *type, const char *field, const char *format, ...)
{
  if (json_array_size (check->problems) >= MAX_PROBLEMS)
    return;
  va_list args;
  va_start (args, format);
  g_autofree char *description = g_strdup_vprintf (format, args);
  va_end (args);
  json_t *problem = json_object ();
  vend_json_set_string (problem, "type", type);
  vend_json_set_string (problem, "field", field);
  vend_json_set_string (problem, "description", description);
  json_array_append_new (check->problems, problem);
}

const json_t *
vend_schema_component (const json_t *openapi, const char *name)
{
  return json_object_get (json_object_get (json_object_get (openapi, "components"), "schemas"),
                          name);
}

const json_t *
vend_schema_resolve (const json_t *openapi, const json_t *schema)
{
  for (int depth = 0; depth < MAX_DEPTH; depth++)
    {
      const json_t *all = json_object_get (schema, "allOf");
      const char *reference = vend_json_string (schema, "$ref");
      const json_t *next = NULL;
      if (reference != NULL && g_str_has_prefix (reference, COMPONENTS))
        next = vend_schema_component (openapi, reference + strlen (COMPONENTS));
      else if (json_array_size (all) == 1)
        next = json_array_get (all, 0);
      if (next == NULL)
        return schema;
      schema = next;
    }
  return schema;
}

const json_t *
vend_schema_properties (const json_t *openapi, const char *name)
{
  return json_object_get (vend_schema_component (openapi, name), "properties");
}

static const char *
type_name (const json_t *value)
{
  if (vend_json_whole (value, NULL))
    return "integer";
  switch (json_typeof (value))
    {
    case JSON_OBJECT:
      return "object";
    case JSON_ARRAY:
      return "array";
    case JSON_STRING:
      return "string";
    case JSON_INTEGER:
    case JSON_REAL:
      return "number";
    case JSON_TRUE:
    case JSON_FALSE:
      return "boolean";
    case JSON_NULL:
      return "null";
    }
  return "null";
}

/* 1e30 has no fraction, but no model server passes it to a model as an integer. */
static bool
is_whole_beyond (const json_t *value)
{
  return json_is_real (value) && floor (json_real_value (value)) == json_real_value (value)
         && !vend_json_whole (value, NULL);
}

static bool
has_type (const json_t *value, const char *type)
{
  if (strcmp (type, "number") == 0)
    return vend_json_is_number (value);
  return strcmp (type, type_name (value)) == 0;
}

static void
check_enum (Check *check, const char *field, const json_t *choices, const json_t *value)
{
  size_t i;
  json_t *choice;
  g_autoptr (GString) list = g_string_new (NULL);
  if (!spend (check, json_array_size (choices)))
    return;
  json_array_foreach ((json_t *) choices, i, choice)
    {
      if (vend_json_same (choice, value))
        return;
      g_autofree char *text = vend_json_text (choice);
      g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", text);
    }
  add_problem (check, "enum", field, "%s must be one of the following: %s", field, list->str);
}

static void
check_number (Check *check, const char *field, const json_t *schema, const json_t *value)
{
  const json_t *least = json_object_get (schema, "minimum");
  const json_t *greatest = json_object_get (schema, "maximum");
  if (vend_json_is_number (least) && vend_json_compare (value, least) < 0)
    {
      g_autofree char *text = vend_json_text_js (least);
      add_problem (check, "number_gte", field, "Must be greater than or equal to %s", text);
    }
  if (vend_json_is_number (greatest) && vend_json_compare (value, greatest) > 0)
    {
      g_autofree char *text = vend_json_text_js (greatest);
      add_problem (check, "number_lte", field, "Must be less than or equal to %s", text);
    }
}

bool
vend_schema_is_file_uri (const char *text)
{
  if (g_ascii_strncasecmp (text, "data:", strlen ("data:")) == 0)
    return true;
  const char *host = strstr (text, "://");
  if (g_ascii_strncasecmp (text, "http://", strlen ("http://")) != 0
      && g_ascii_strncasecmp (text, "https://", strlen ("https://")) != 0)
    return false;
  for (const char *c = text; *c != '\0'; c++)
    if ((guchar) *c <= ' ' || *c == 0x7f)
      return false;
  return strcspn (host + strlen ("://"), "/?#") > 0;
}

static void
check_string (Check *check, const char *field, const json_t *schema, const json_t *value)
{
  const char *text = json_string_value (value);
  int64_t length = g_utf8_strlen (text, (gssize) json_string_length (value));
  int64_t least = vend_json_int (schema, "minLength", 0);
  int64_t greatest = vend_json_int (schema, "maxLength", G_MAXINT64);
  const char *pattern = vend_json_string (schema, "pattern");

  if (length < least)
    add_problem (check, "string_gte", field,
                 "String length must be greater than or equal to %" G_GINT64_FORMAT, least);
  if (length > greatest)
    add_problem (check, "string_lte", field,
                 "String length must be less than or equal to %" G_GINT64_FORMAT, greatest);
  if (g_strcmp0 (vend_json_string (schema, "format"), "uri") == 0
      && !vend_schema_is_file_uri (text))
    add_problem (check, "format", field, "Does not match format 'uri'");
  if (pattern == NULL || !spend (check, PATTERN_STEPS))
    return;
  g_autofree char *limited = g_strconcat (PATTERN_LIMIT, pattern, NULL);
  /* A pattern that only Python understands is left to the model server. */
  g_autoptr (GRegex) regex = g_regex_new (limited, 0, 0, NULL);
  g_autoptr (GError) error = NULL;
  if (regex != NULL && !g_regex_match_full (regex, text, -1, 0, 0, NULL, &error) && error == NULL)
    add_problem (check, "pattern", field, "Does not match pattern '%s'", pattern);
}

static void
check_items (Check *check, const char *field, const json_t *schema, const json_t *value)
{
  const json_t *items = json_object_get (schema, "items");
  size_t i;
  json_t *item;
  if (!json_is_object (items))
    return;
  json_array_foreach ((json_t *) value, i, item)
    {
      g_autofree char *name = g_strdup_printf ("%s.%zu", field, i);
      check_value (check, name, items, item);
    }
}

static bool
fits (Check *check, const json_t *schema, const json_t *value)
{
  if (!spend (check, TRIAL_STEPS))
    return true;
  json_auto_t *problems = json_array ();
  Check trial = { check->openapi, problems, check->depth + 1, check->steps };
  check_value (&trial, "", schema, value);
  return json_array_size (problems) == 0;
}

static void
check_any (Check *check, const char *field, const json_t *any, const json_t *value)
{
  size_t i;
  json_t *alternative;
  json_array_foreach ((json_t *) any, i, alternative)
    if (fits (check, alternative, value))
      return;
  add_problem (check, "number_any_of", field, "Must validate at least one schema (anyOf)");
}

static void
check_value (Check *check, const char *field, const json_t *schema, const json_t *value)
{
  bool nullable = json_is_true (json_object_get (schema, "nullable"));
  if (check->depth > MAX_DEPTH || (nullable && json_is_null (value)) || !spend (check, 1))
    return;

  const json_t *resolved = vend_schema_resolve (check->openapi, schema);
  const json_t *any = json_object_get (resolved, "anyOf");
  const json_t *choices = json_object_get (resolved, "enum");
  const char *type = vend_json_string (resolved, "type");
  check->depth++;
  if (json_array_size (any) > 0)
    check_any (check, field, any, value);
  else if (g_strcmp0 (type, "integer") == 0 && is_whole_beyond (value))
    add_problem (check, "integer_range", field, "Must be within the " VEND_JSON_INTEGERS);
  else if (type != NULL && !has_type (value, type))
    add_problem (check, "invalid_type", field, "Invalid type. Expected: %s, given: %s", type,
                 type_name (value));
  else if (json_array_size (choices) > 0)
    check_enum (check, field, choices, value);
  else if (vend_json_is_number (value))
    check_number (check, field, resolved, value);
  else if (json_is_string (value))
    check_string (check, field, resolved, value);
  else if (json_is_array (value))
    check_items (check, field, resolved, value);
  check->depth--;
}

bool
vend_schema_requires (const json_t *schema, const char *name)
{
  size_t i;
  json_t *item;
  json_array_foreach (json_object_get (schema, "required"), i, item)
    if (g_strcmp0 (json_string_value (item), name) == 0)
      return true;
  return false;
}

json_t *
vend_schema_problems (const json_t *openapi, const char *name, const json_t *input)
{
  const json_t *schema = vend_schema_component (openapi, name);
  json_t *properties = json_object_get (schema, "properties");
  gsize steps = MAX_STEPS;
  Check check = { openapi, json_array (), 0, &steps };
  const char *key;
  json_t *property;

  json_object_foreach (properties, key, property)
    {
      const json_t *value = json_object_get (input, key);
      g_autofree char *field = g_strconcat ("input.", key, NULL);
      bool required = vend_schema_requires (schema, key);
      if (value == NULL && required)
        add_problem (&check, "required", "input", "%s is required", key);
      else if (value != NULL && (required || !json_is_null (value)))
        check_value (&check, field, property, value);
    }
  if (json_array_size (check.problems) > 0)
    return check.problems;
  json_decref (check.problems);
  return NULL;
}
