/* What is stated about OpenAI's endpoints: its rules, and the templates of prompts. */
#include "openai/mapping.h"
#include "json/schema.h"
#include "openai/request.h"
#include <string.h>

#define PLACE "{text}"
#define MAX_TEMPLATE_BYTES 4096

#define MAX_SHOWN 64

static bool
is_among (const char *const *names, const char *name)
{
  for (; *names != NULL; names++)
    if (strcmp (*names, name) == 0)
      return true;
  return false;
}

/* Names come from outside: of any length, with any characters. */
static char *
shown (const char *name)
{
  const glong n = MIN (g_utf8_strlen (name, -1), MAX_SHOWN);
  g_autofree char *part = g_utf8_substring (name, 0, n);
  return g_strescape (part, NULL);
}

static char *
problem_of (const char *before, const char *name, const char *after)
{
  g_autofree char *own = shown (name != NULL ? name : "");
  return g_strconcat (before, own, after, NULL);
}

static char *
problem_of_endpoints (const json_t *endpoints)
{
  size_t i;
  json_t *name;
  VendOpenaiEndpoint endpoint;
  if (!json_is_array (endpoints))
    return g_strdup ("endpoints: expected a list of names");
  json_array_foreach ((json_t *) endpoints, i, name)
    if (!json_is_string (name) || !vend_openai_endpoint_parse (json_string_value (name), &endpoint))
      return problem_of ("endpoints: there is no '", json_string_value (name),
                         "'; expected names such as chat.completions and embeddings");
  return NULL;
}

static char *
problem_of_inputs (const json_t *inputs)
{
  const char *field;
  json_t *input;
  if (!json_is_object (inputs))
    return g_strdup ("inputs: expected a map");
  json_object_foreach ((json_t *) inputs, field, input)
    if (!vend_openai_has_field (field))
      return problem_of ("inputs: '", field, "' is no field; docs/openai.md lists them");
    else if (!json_is_string (input))
      return g_strdup_printf ("inputs.%s: expected the name of an input", field);
  return NULL;
}

static char *
problem_of_template (const json_t *template)
{
  static const char *const roles[] = { "system", "user", "assistant", "tool", "answer", NULL };
  const char *role;
  json_t *text;
  if (!json_is_object (template) || json_object_get (template, "user") == NULL)
    return g_strdup ("template: expected a map with 'user'");
  json_object_foreach ((json_t *) template, role, text)
    {
      if (!is_among (roles, role))
        return problem_of ("template: there is no '", role,
                           "'; expected system, user, assistant, tool or answer");
      if (!json_is_string (text) || json_string_length (text) > MAX_TEMPLATE_BYTES)
        return g_strdup_printf ("template.%s: expected a text of at most %d bytes", role,
                                MAX_TEMPLATE_BYTES);
      if (strcmp (role, "answer") != 0 && strstr (json_string_value (text), PLACE) == NULL)
        return g_strdup_printf ("template.%s: expected " PLACE " where the message goes", role);
    }
  return NULL;
}

static char *
problem_of_ignored (const json_t *names)
{
  size_t i;
  json_t *name;
  if (!json_is_array (names))
    return g_strdup ("ignore: expected a list of fields");
  json_array_foreach ((json_t *) names, i, name)
    if (!json_is_string (name) || !vend_openai_has_meaning (json_string_value (name)))
      return problem_of ("ignore: '", json_string_value (name),
                         "' is no field that is refused; docs/openai.md lists them");
  return NULL;
}

char *
vend_openai_mapping_problem (const json_t *mapping)
{
  static const struct
  {
    const char *key;
    char *(*problem) (const json_t *value);
  } members[] = { { "endpoints", problem_of_endpoints },
                  { "inputs", problem_of_inputs },
                  { "template", problem_of_template },
                  { "ignore", problem_of_ignored } };
  const char *key;
  json_t *value;
  if (!json_is_object (mapping))
    return g_strdup ("expected a map");
  json_object_foreach ((json_t *) mapping, key, value)
    {
      char *problem = NULL;
      bool is_known = false;
      for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
        if (strcmp (members[i].key, key) == 0)
          {
            is_known = true;
            problem = members[i].problem (value);
          }
      if (!is_known)
        return problem_of ("there is no '", key,
                           "'; expected endpoints, inputs, template or ignore");
      if (problem != NULL)
        return problem;
    }
  return NULL;
}

char *
vend_openai_mapping_misfit (const json_t *mapping, const json_t *openapi)
{
  const json_t *known = vend_schema_properties (openapi, "Input");
  const VendOpenaiModel model = { openapi, mapping };
  const char *field;
  json_t *input;
  size_t i;
  json_t *name;
  json_object_foreach (json_object_get (mapping, "inputs"), field, input)
    if (json_object_get (known, json_string_value (input)) == NULL)
      {
        g_autofree char *before = g_strdup_printf ("inputs.%s: the model has no input '", field);
        return problem_of (before, json_string_value (input), "'");
      }
  if (vend_openai_mapping_template (mapping) != NULL
      && vend_openai_input (&model, "prompt", NULL) == NULL)
    return g_strdup ("template: the model has no input 'prompt'");
  json_array_foreach (json_object_get (mapping, "endpoints"), i, name)
    {
      VendOpenaiEndpoint endpoint;
      g_autofree char *why = vend_openai_endpoint_parse (json_string_value (name), &endpoint)
                                 ? vend_openai_misfit (&model, endpoint)
                                 : NULL;
      if (why != NULL)
        return g_strdup_printf ("endpoints: the model does not fit %s: %s",
                                json_string_value (name), why);
    }
  return NULL;
}

bool
vend_openai_mapping_ignores (const json_t *mapping, const char *field)
{
  size_t i;
  json_t *name;
  json_array_foreach (json_object_get (mapping, "ignore"), i, name)
    if (g_strcmp0 (json_string_value (name), field) == 0)
      return true;
  return false;
}

const json_t *
vend_openai_mapping_template (const json_t *mapping)
{
  return json_object_get (mapping, "template");
}

bool
vend_openai_template_append (const json_t *template, const char *role, const char *text,
                             GString *to)
{
  const char *rest = vend_json_string (template, role);
  if (rest == NULL)
    return false;
  for (const char *at = strstr (rest, PLACE); at != NULL; at = strstr (rest, PLACE))
    {
      g_string_append_len (to, rest, at - rest);
      g_string_append (to, text);
      rest = at + strlen (PLACE);
    }
  g_string_append (to, rest);
  return true;
}
