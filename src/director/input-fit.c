/* What coglet's server does with an input before its worker gets it (coglet
 * crates/coglet/src/input_validation.rs). Pure. */
#include "director/input-fit.h"
#include "base/error.h"
#include "json/schema.h"
#include <string.h>

/* A model that trains without a schema of its own for that has the other one. */
static const char *
find_component (const json_t *openapi, bool train)
{
  if (train && vend_schema_component (openapi, "TrainingInput") != NULL)
    return "TrainingInput";
  return vend_schema_component (openapi, "Input") != NULL ? "Input" : NULL;
}

static void
drop_unknown (const json_t *properties, json_t *input)
{
  const char *name;
  json_t *value;
  void *next;
  json_object_foreach_safe (input, next, name, value) if (json_object_get (properties, name)
                                                          == NULL) json_object_del (input, name);
}

static void
add_nulls (const json_t *component, json_t *properties, json_t *input)
{
  const char *name;
  json_t *property;
  json_object_foreach (properties, name, property)
    if (json_object_get (input, name) == NULL && vend_json_bool (property, "nullable", false)
        && json_object_get (property, "default") == NULL && !vend_schema_requires (component, name))
      json_object_set_new (input, name, json_null ());
}

static char *
tell_problems (const json_t *problems)
{
  g_autoptr (GString) text = g_string_new ("Input validation error: ");
  for (size_t i = 0; i < json_array_size (problems); i++)
    {
      const json_t *problem = json_array_get (problems, i);
      const char *field = vend_json_string (problem, "field");
      const char *description = vend_json_string (problem, "description");
      if (i > 0)
        g_string_append_c (text, '\n');
      if (field != NULL && g_str_has_prefix (field, "input."))
        field += strlen ("input.");
      g_string_append_printf (text, "%s%s%s", field != NULL ? field : "", field != NULL ? ": " : "",
                              description != NULL ? description : "invalid");
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

bool
vend_input_fit (const json_t *openapi, bool train, json_t *input, GError **error)
{
  const char *name = find_component (openapi, train);
  const json_t *component = name != NULL ? vend_schema_component (openapi, name) : NULL;
  json_t *properties = json_object_get (component, "properties");
  if (component == NULL)
    return true;
  drop_unknown (properties, input);
  json_auto_t *problems = vend_schema_problems (openapi, name, input);
  if (problems != NULL)
    {
      g_autofree char *text = tell_problems (problems);
      return vend_fail (error, VEND_ERROR_INVALID, "%s", text);
    }
  add_nulls (component, properties, input);
  return true;
}
