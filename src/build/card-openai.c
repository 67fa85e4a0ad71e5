/* `openai` of vend.yaml: which of OpenAI's endpoints the model offers, and which input takes a
 * field of their requests. */
#include "build/card-private.h"
#include "json/schema.h"
#include "openai/fit.h"

static json_t *
read_endpoints (VendYamlValue list, const VendYamlReport *report)
{
  g_autoptr (GArray) items = vend_yaml_items (list, report);
  json_t *endpoints = json_array ();
  for (guint i = 0; i < items->len; i++)
    {
      const VendYamlValue item = g_array_index (items, VendYamlValue, i);
      g_autofree char *name = vend_yaml_dup_text (item, report);
      VendOpenaiEndpoint endpoint;
      if (name == NULL)
        continue;
      g_autofree char *shown = vend_yaml_shown (name);
      if (!vend_openai_endpoint_parse (name, &endpoint))
        vend_yaml_problem (report, item.line,
                           "openai.endpoints: there is no '%s'; expected names such as "
                           "chat.completions and embeddings",
                           shown);
      else
        json_array_append_new (endpoints, json_string (name));
    }
  return endpoints;
}

static json_t *
read_inputs (VendYamlValue map, VendYamlJson *json)
{
  json_auto_t *given = vend_yaml_json (map, json);
  const char *field;
  json_t *input;
  if (given == NULL)
    return NULL;
  if (!json_is_object (given))
    vend_yaml_problem (json->report, map.line, "openai.inputs: expected a map");
  json_object_foreach (given, field, input)
    {
      g_autofree char *shown = vend_yaml_shown (field);
      if (!vend_openai_has_field (field))
        vend_yaml_problem (json->report, map.line,
                           "openai.inputs: '%s' is no field; docs/openai.md lists them", shown);
      else if (!json_is_string (input))
        vend_yaml_problem (json->report, map.line,
                           "openai.inputs.%s: expected the name of an input", shown);
    }
  return json_is_object (given) ? g_steal_pointer (&given) : NULL;
}

json_t *
vend_card_read_openai (VendYamlValue root, VendYamlJson *json)
{
  static const char *const keys[] = { "endpoints", "inputs", NULL };
  const VendYamlReport *report = json->report;
  const VendYamlValue map = vend_yaml_member (root, "openai", "openai");
  if (map.node == NULL || !vend_yaml_check_keys (map, keys, report))
    return NULL;
  json_t *mapping = json_object ();
  const VendYamlValue endpoints = vend_yaml_member (map, "endpoints", "openai.endpoints");
  const VendYamlValue inputs = vend_yaml_member (map, "inputs", "openai.inputs");
  if (endpoints.node != NULL)
    json_object_set_new (mapping, "endpoints", read_endpoints (endpoints, report));
  json_t *named = inputs.node != NULL ? read_inputs (inputs, json) : NULL;
  if (named != NULL)
    json_object_set_new (mapping, "inputs", named);
  return mapping;
}

void
vend_card_check_openai (const json_t *mapping, const json_t *openapi, const VendYamlReport *report)
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
        g_autofree char *shown = vend_yaml_shown (json_string_value (input));
        vend_yaml_problem (report, 0, "openai.inputs.%s: the model has no input '%s'", field,
                           shown);
      }
  json_array_foreach (json_object_get (mapping, "endpoints"), i, name)
    {
      VendOpenaiEndpoint endpoint;
      g_autofree char *why = vend_openai_endpoint_parse (json_string_value (name), &endpoint)
                                 ? vend_openai_misfit (&model, endpoint)
                                 : NULL;
      if (why != NULL)
        vend_yaml_problem (report, 0, "openai.endpoints: the model does not fit %s: %s",
                           json_string_value (name), why);
    }
}
