/* `openai` of vend.yaml: what the author states about OpenAI's endpoints. */
#include "build/card-private.h"
#include "openai/mapping.h"

/* NULL when it is wrong, which is reported at its line. */
static json_t *
read_member (VendYamlValue value, const char *key, VendYamlJson *json)
{
  json_auto_t *given = vend_yaml_json (value, json);
  json_auto_t *alone = given != NULL ? json_pack ("{s:O}", key, given) : NULL;
  g_autofree char *problem = alone != NULL ? vend_openai_mapping_problem (alone) : NULL;
  if (problem != NULL)
    vend_yaml_problem (json->report, value.line, "openai.%s", problem);
  return given != NULL && problem == NULL ? g_steal_pointer (&given) : NULL;
}

json_t *
vend_card_read_openai (VendYamlValue root, VendYamlJson *json)
{
  static const char *const keys[] = { "endpoints", "inputs", "template", "ignore", NULL };
  const VendYamlValue map = vend_yaml_member (root, "openai", "openai");
  if (map.node == NULL || !vend_yaml_check_keys (map, keys, json->report))
    return NULL;
  json_t *mapping = json_object ();
  for (guint i = 0; keys[i] != NULL; i++)
    {
      g_autofree char *path = g_strconcat ("openai.", keys[i], NULL);
      const VendYamlValue value = vend_yaml_member (map, keys[i], path);
      json_t *given = value.node != NULL ? read_member (value, keys[i], json) : NULL;
      if (given != NULL)
        json_object_set_new (mapping, keys[i], given);
    }
  return mapping;
}

void
vend_card_check_openai (const json_t *mapping, const json_t *openapi, const VendYamlReport *report)
{
  g_autofree char *problem = mapping != NULL ? vend_openai_mapping_misfit (mapping, openapi) : NULL;
  if (problem != NULL)
    vend_yaml_problem (report, 0, "openai.%s", problem);
}
