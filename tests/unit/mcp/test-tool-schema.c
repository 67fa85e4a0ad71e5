/* Schemas of models as schemas of tools. */
#include "mcp/tool-schema.h"
#include <string.h>

static json_t *
openapi_of (const char *schemas)
{
  g_autofree char *text = g_strdup_printf ("{'components': {'schemas': {%s}}}", schemas);
  g_strdelimit (text, "'", '"');
  json_t *openapi = json_loads (text, 0, NULL);
  g_assert_nonnull (openapi);
  return openapi;
}

static void
check_text (json_t *take, const char *expected)
{
  json_auto_t *value = take;
  g_autofree char *text = vend_json_text (value);
  g_strdelimit (text, "\"", '\'');
  g_assert_cmpstr (text, ==, expected);
}

static const struct
{
  const char *schemas;
  const char *input;
} inputs[] = {
  { "", "{'type':'object','properties':{}}" },
  { "'Input': 7", "{'type':'object','properties':{}}" },
  { "'Input': {'title': 'Input', 'type': 'object', 'required': ['b'], 'properties': {"
    "'b': {'title': 'B', 'type': 'string', 'x-order': 1, 'maxLength': 3},"
    "'a': {'title': 'A', 'type': 'integer', 'x-order': 0, 'default': 1, 'minimum': 0}}}",
    "{'type':'object','required':['b'],'properties':{"
    "'a':{'type':'integer','default':1,'minimum':0},'b':{'type':'string','maxLength':3}}}" },
  { "'Color': {'title': 'Color', 'enum': ['red'], 'type': 'string', 'description': 'An "
    "enumeration.'},"
    "'Input': {'properties': {'c': {'allOf': [{'$ref': '#/components/schemas/Color'}],"
    " 'default': 'red', 'description': 'Which', 'x-order': 0},"
    "'d': {'$ref': '#/components/schemas/Color', 'x-order': 1}}}",
    "{'properties':{'c':{'type':'string','enum':['red'],'description':'Which','default':'red'},"
    "'d':{'type':'string','enum':['red']}},"
    "'type':'object'}" },
  { "'Input': {'properties': {'f': {'type': 'string', 'format': 'uri', 'description': 'Look'}, "
    "'g': {'type': 'array', 'items': {'type': 'string', 'format': 'uri'}}, "
    "'s': {'type': 'string', 'format': 'password', 'writeOnly': true}}}",
    "{'properties':{"
    "'f':{'type':'string','description':'Look (URL or data: URI of a file)'},"
    "'g':{'type':'array','items':{'type':'string','description':'URL or data: URI of a file'}},"
    "'s':{'type':'string'}},'type':'object'}" },
  { "'Input': {'properties': {'n': {'type': 'integer', 'nullable': true}, "
    "'m': {'enum': [1], 'type': 'integer', 'nullable': true, 'description': 'M'}}}",
    "{'properties':{'m':{'description':'M','anyOf':[{'type':'integer','description':'M',"
    "'enum':[1]},{'type':'null'}]},'n':{'type':['integer','null']}},'type':'object'}" },
  { "'Input': {'properties': {'e': {'anyOf': [{'type': 'integer'}, {'type': 'null'}]},"
    " 'x': {'$ref': '#/components/schemas/None'}, 'y': {'$ref': 'http://a/b'}}}",
    "{'properties':{'e':{'anyOf':[{'type':'integer'},{'type':'null'}]},'x':{},'y':{}},"
    "'type':'object'}" },
};

static void
test_inputs (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (inputs); i++)
    {
      json_auto_t *openapi = openapi_of (inputs[i].schemas);
      check_text (vend_mcp_input_schema (openapi), inputs[i].input);
    }
  check_text (vend_mcp_input_schema (NULL), "{'type':'object','properties':{}}");
}

/* Ends, and stays small enough to be sent. */
static void
test_loops (void)
{
  json_auto_t *tree = openapi_of (
      "'Tree': {'type': 'object', 'properties': {'a': {'$ref': '#/components/schemas/Tree'},"
      " 'b': {'$ref': '#/components/schemas/Tree'}}},"
      "'Loop': {'$ref': '#/components/schemas/Loop'},"
      "'Input': {'properties': {'t': {'$ref': '#/components/schemas/Tree'},"
      " 'l': {'$ref': '#/components/schemas/Loop'}}}");
  json_auto_t *schema = vend_mcp_input_schema (tree);
  g_assert_cmpuint (vend_json_size (schema), <, 1024 * 1024);
  g_autofree char *text = vend_json_text (schema);
  g_assert_null (strstr (text, "$ref"));
}

static const struct
{
  const char *schema;
  const char *tool;
  const char *output;
  const char *value;
} outputs[] = {
  { "{'type': 'string', 'title': 'Output'}", "{'type':'string'}", "['a','b']", "['a','b']" },
  { "{'type': 'array', 'items': {'type': 'string'}, 'x-cog-array-type': 'iterator',"
    " 'x-cog-array-display': 'concatenate'}",
    "{'type':'string'}", "['a','b']", "'ab'" },
  { "{'type': 'array', 'items': {'type': 'string'}, 'x-cog-array-display': 'concatenate'}",
    "{'type':'string'}", "['a',1]", "['a',1]" },
  { "{'type': 'array', 'items': {'type': 'string'}, 'x-cog-array-display': 'concatenate'}",
    "{'type':'string'}", "[]", "''" },
  { "{'type': 'array', 'items': {'type': 'string'}, 'x-cog-array-type': 'iterator'}",
    "{'type':'array','items':{'type':'string'}}", "['a']", "['a']" },
  { "{'type': 'string', 'format': 'uri'}", "{'type':'string','description':'URL of a file'}",
    "null", "null" },
  { "{}", "{}", "7", "7" },
};

static void
test_outputs (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (outputs); i++)
    {
      g_autofree char *schemas = g_strdup_printf ("'Output': %s", outputs[i].schema);
      json_auto_t *openapi = openapi_of (schemas);
      g_autofree char *text = g_strdelimit (g_strdup (outputs[i].output), "'", '"');
      json_auto_t *output = json_loads (text, JSON_DECODE_ANY, NULL);
      check_text (vend_mcp_output_schema (openapi), outputs[i].tool);
      check_text (vend_mcp_output_value (openapi, output), outputs[i].value);
    }
  check_text (vend_mcp_output_schema (NULL), "{}");
}

static const struct
{
  const char *owner, *name;
  const char *tool; /* NULL: something with a hash */
} names[] = {
  { "lab", "echo", "lab__echo" },
  { "my-lab", "a_b-c", "my-lab__a_b-c" },
  { "my_lab", "x", "my_lab__x" },
  { "lab", "llama-3.1", NULL },
  { "lab", "a-name-that-is-much-too-long-for-the-tools-of-many-clients-out-there", NULL },
  { "a_", "b", NULL },
  { "a__b", "c", NULL },
  { "a", "_b", "a___b" },
  { "a", "b__c", "a__b__c" },
};

static void
test_names (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *tool = vend_mcp_tool_name (names[i].owner, names[i].name);
      g_autofree char *again = vend_mcp_tool_name (names[i].owner, names[i].name);
      g_assert_cmpstr (tool, ==, again);
      g_assert_cmpuint (strlen (tool), <=, VEND_MCP_NAME_MAX);
      g_assert_cmpuint (strspn (tool, "abcdefghijklmnopqrstuvwxyz0123456789_-"), ==, strlen (tool));
      if (names[i].tool != NULL)
        g_assert_cmpstr (tool, ==, names[i].tool);
      g_assert_true (g_hash_table_add (seen, g_steal_pointer (&tool)));
    }
}

static void
test_files (void)
{
  json_auto_t *with = openapi_of ("'Input': {'properties': {'f': {'type': 'array', 'items': "
                                  "{'type': 'string', 'format': 'uri'}}}}");
  json_auto_t *without = openapi_of ("'Input': {'properties': {'f': {'type': 'string'}}}");
  g_assert_true (vend_mcp_takes_files (with));
  g_assert_false (vend_mcp_takes_files (without));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mcp/tool-schema/inputs", test_inputs);
  g_test_add_func ("/mcp/tool-schema/loops", test_loops);
  g_test_add_func ("/mcp/tool-schema/outputs", test_outputs);
  g_test_add_func ("/mcp/tool-schema/names", test_names);
  g_test_add_func ("/mcp/tool-schema/files", test_files);
  return g_test_run ();
}
