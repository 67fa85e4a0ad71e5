/* Schema → run.py. What it does not know makes it give up: a wrong skeleton is worse than none.
 */
#include "cli/commands/skeleton.h"
#include <string.h>

#define REFERENCE "#/components/schemas/"

typedef struct
{
  const json_t *schemas;
  GHashTable *imports; /* names from cog */
} Writing;

static bool
is_identifier (const char *name)
{
  static const char *const reserved[]
      = { "False",   "None",     "True",     "and",    "as",   "assert", "async",  "await",
          "break",   "class",    "continue", "def",    "del",  "elif",   "else",   "except",
          "finally", "for",      "from",     "global", "if",   "import", "in",     "is",
          "lambda",  "nonlocal", "not",      "or",     "pass", "raise",  "return", "try",
          "while",   "with",     "yield",    "self",   NULL };
  if (!g_ascii_isalpha (*name) && *name != '_')
    return false;
  for (const char *c = name; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && *c != '_')
      return false;
  return !g_strv_contains (reserved, name);
}

/* ---- Values */

/* JSON's escapes are Python's too, since all other characters stay as they are. */
static void
append_value (GString *out, const json_t *value)
{
  size_t i;
  json_t *item;
  if (json_is_array (value))
    {
      g_string_append_c (out, '[');
      json_array_foreach ((json_t *) value, i, item)
        {
          g_string_append (out, i > 0 ? ", " : "");
          append_value (out, item);
        }
      g_string_append_c (out, ']');
      return;
    }
  g_autofree char *text = vend_json_text (value);
  g_string_append (out, json_is_true (value)    ? "True"
                        : json_is_false (value) ? "False"
                        : json_is_null (value)  ? "None"
                                                : text);
}

static void
append_argument (GString *out, const char *name, const json_t *value)
{
  if (value == NULL)
    return;
  g_string_append_printf (out, "%s%s=", out->len > 0 ? ", " : "", name);
  append_value (out, value);
}

/* ---- Types */

static const json_t *
follow (const Writing *writing, const json_t *schema)
{
  const json_t *all = json_object_get (schema, "allOf");
  const json_t *named = json_array_size (all) == 1 ? json_array_get (all, 0) : schema;
  const char *reference = vend_json_string (named, "$ref");
  return reference != NULL && g_str_has_prefix (reference, REFERENCE)
             ? json_object_get (writing->schemas, reference + strlen (REFERENCE))
             : named;
}

static const char *
cog_type (const Writing *writing, const char *name)
{
  g_hash_table_add (writing->imports, (gpointer) name);
  return name;
}

/* NULL: none of those that are simple. Free with g_free. */
static char *
type_of (const Writing *writing, const json_t *schema)
{
  static const struct
  {
    const char *type;
    const char *name;
  } plain[]
      = { { "string", "str" }, { "integer", "int" }, { "number", "float" }, { "boolean", "bool" } };
  const char *type = vend_json_string (schema, "type");
  const char *format = vend_json_string (schema, "format");
  if (g_strcmp0 (type, "array") == 0)
    {
      g_autofree char *item = type_of (writing, json_object_get (schema, "items"));
      return item != NULL ? g_strdup_printf ("list[%s]", item) : NULL;
    }
  if (g_strcmp0 (type, "string") == 0 && g_strcmp0 (format, "uri") == 0)
    return g_strdup (cog_type (writing, "Path"));
  if (g_strcmp0 (type, "string") == 0 && g_strcmp0 (format, "password") == 0)
    return g_strdup (cog_type (writing, "Secret"));
  for (gsize i = 0; i < G_N_ELEMENTS (plain); i++)
    if (g_strcmp0 (type, plain[i].type) == 0)
      return g_strdup (plain[i].name);
  return NULL;
}

static char *
output_type (const Writing *writing, const json_t *schema)
{
  const char *iterates = vend_json_string (schema, "x-cog-array-type");
  const char *shown = vend_json_string (schema, "x-cog-array-display");
  if (iterates == NULL)
    return type_of (writing, schema);
  g_autofree char *item = type_of (writing, json_object_get (schema, "items"));
  if (item == NULL)
    return NULL;
  if (g_strcmp0 (shown, "concatenate") == 0 && strcmp (item, "str") == 0)
    return g_strdup_printf ("%s[str]", cog_type (writing, "ConcatenateIterator"));
  return g_strdup_printf ("Iterator[%s]", item);
}

/* ---- Inputs */

static int
compare_order (const void *a, const void *b, void *data)
{
  const json_t *properties = data;
  const int64_t first = vend_json_int (json_object_get (properties, *(const char *const *) a),
                                       "x-order", G_MAXINT64);
  const int64_t second = vend_json_int (json_object_get (properties, *(const char *const *) b),
                                        "x-order", G_MAXINT64);
  return first < second ? -1 : first > second;
}

static bool
append_input (const Writing *writing, GString *out, const char *name, const json_t *property)
{
  const json_t *schema = follow (writing, property);
  g_autofree char *type = type_of (writing, schema);
  g_autoptr (GString) arguments = g_string_new (NULL);
  if (type == NULL || !is_identifier (name))
    return false;
  append_argument (arguments, "description", json_object_get (property, "description"));
  append_argument (arguments, "default", json_object_get (property, "default"));
  append_argument (arguments, "ge", json_object_get (property, "minimum"));
  append_argument (arguments, "le", json_object_get (property, "maximum"));
  append_argument (arguments, "min_length", json_object_get (property, "minLength"));
  append_argument (arguments, "max_length", json_object_get (property, "maxLength"));
  append_argument (arguments, "regex", json_object_get (property, "pattern"));
  append_argument (arguments, "choices", json_object_get (schema, "enum"));
  g_string_append_printf (out, "        %s: %s%s = Input(%s),\n", name, type,
                          vend_json_bool (property, "nullable", false) ? " | None" : "",
                          arguments->str);
  return true;
}

static bool
append_inputs (const Writing *writing, GString *out)
{
  json_t *properties = json_object_get (json_object_get (writing->schemas, "Input"), "properties");
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *name;
  json_t *unused;
  json_object_foreach (properties, name, unused)
    g_ptr_array_add (names, (gpointer) name);
  g_ptr_array_sort_with_data (names, compare_order, properties);
  for (guint i = 0; i < names->len; i++)
    {
      name = g_ptr_array_index (names, i);
      if (!append_input (writing, out, name, json_object_get (properties, name)))
        return false;
    }
  return true;
}

static void
append_imports (const Writing *writing, GString *out, bool iterates)
{
  static const char *const names[]
      = { "BaseRunner", "ConcatenateIterator", "Input", "Path", "Secret" };
  bool is_first = true;
  if (iterates)
    g_string_append (out, "from typing import Iterator\n\n");
  g_string_append (out, "from cog import ");
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_hash_table_contains (writing->imports, names[i]))
      {
        g_string_append_printf (out, "%s%s", is_first ? "" : ", ", names[i]);
        is_first = false;
      }
  g_string_append (out, "\n\n\n");
}

char *
vend_skeleton_predict (const char *reference, const json_t *openapi)
{
  g_autoptr (GHashTable) imports = g_hash_table_new (g_str_hash, g_str_equal);
  const json_t *schemas = json_object_get (json_object_get (openapi, "components"), "schemas");
  const Writing writing = { schemas, imports };
  g_autoptr (GString) inputs = g_string_new (NULL);
  g_autofree char *output = output_type (&writing, json_object_get (schemas, "Output"));
  cog_type (&writing, "BaseRunner");
  if (output == NULL || !append_inputs (&writing, inputs))
    return NULL;
  if (inputs->len > 0)
    cog_type (&writing, "Input");
  g_autoptr (GString) text = g_string_new (NULL);
  append_imports (&writing, text, g_str_has_prefix (output, "Iterator["));
  g_string_append_printf (text,
                          "class Runner(BaseRunner):\n"
                          "    def run(\n"
                          "        self,\n%s"
                          "    ) -> %s:\n"
                          "        raise NotImplementedError(\"the code of %s is missing\")\n",
                          inputs->str, output, reference);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
