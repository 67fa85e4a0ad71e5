/* Outputs of models, as their schemas describe them. Pure. */
#include "cog/output.h"
#include "json/schema.h"
#include "model/prediction.h"

static bool
is_file (const json_t *openapi, const json_t *schema)
{
  schema = schema != NULL ? vend_schema_resolve (openapi, schema) : NULL;
  return g_strcmp0 (vend_json_string (schema, "format"), "uri") == 0;
}

guint
vend_cog_stream_flags (const json_t *openapi)
{
  const json_t *output = vend_schema_component (openapi, "Output");
  if (output == NULL)
    return 0;
  output = vend_schema_resolve (openapi, output);
  guint flags = 0;
  if (g_strcmp0 (vend_json_string (output, "x-cog-array-type"), "iterator") == 0)
    flags |= VEND_STREAM_ITERATES;
  if (is_file (openapi, output) || is_file (openapi, json_object_get (output, "items")))
    flags |= VEND_STREAM_FILES;
  return flags;
}
