/* Inputs against schemas. First byte: one of the schemas below, or with 0xff one of the input's
 * own, before a line "---". */
#include "fuzz.h"
#include "cog/input.h"
#include "json/schema.h"
#include <string.h>

#define MOST_PROBLEMS 100

static const char *const documents[] = {
  "{\"components\":{\"schemas\":{\"mode\":{\"enum\":[\"fast\",\"good\"],\"type\":\"string\"},"
  "\"Input\":{\"type\":\"object\",\"required\":[\"prompt\"],\"properties\":{"
  "\"prompt\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":5},"
  "\"steps\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":50},"
  "\"scale\":{\"type\":\"number\"},\"flag\":{\"type\":\"boolean\"},"
  "\"mode\":{\"allOf\":[{\"$ref\":\"#/components/schemas/mode\"}]},"
  "\"code\":{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"},"
  "\"image\":{\"type\":\"string\",\"format\":\"uri\"},"
  "\"maybe\":{\"type\":\"integer\",\"nullable\":true},"
  "\"either\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]},"
  "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}}}}}",
  "{\"components\":{\"schemas\":{\"loop\":{\"$ref\":\"#/components/schemas/loop\"},"
  "\"tree\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"integer\"},"
  "{\"$ref\":\"#/components/schemas/tree\"}]}},"
  "\"Input\":{\"type\":\"object\",\"properties\":{"
  "\"loop\":{\"$ref\":\"#/components/schemas/loop\"},"
  "\"tree\":{\"$ref\":\"#/components/schemas/tree\"},"
  "\"numbers\":{\"type\":\"array\",\"items\":{\"enum\":[1,2.5,null,\"x\",[1]]}},"
  "\"nested\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"number\","
  "\"minimum\":-1e300,\"maximum\":1e300}}}}}}}}",
  "{\"components\":{\"schemas\":{"
  "\"Input\":{\"type\":\"object\",\"properties\":{"
  "\"seed\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":18446744073709551614},"
  "\"choice\":{\"type\":\"integer\",\"enum\":[1,18446744073709551557]},"
  "\"seeds\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"integer\"},"
  "{\"type\":\"string\"}]}},"
  "\"scale\":{\"type\":\"number\",\"maximum\":9223372036854775808}}}}}}",
};

static void
check_problems (const json_t *problems)
{
  const size_t n = json_array_size (problems);
  g_assert_true (json_is_array (problems) && n > 0 && n <= MOST_PROBLEMS);
  fuzz_check_json (problems);
  for (size_t i = 0; i < n; i++)
    {
      const json_t *problem = json_array_get (problems, i);
      g_assert_cmpuint (json_object_size (problem), ==, 3);
      g_assert_true (g_str_has_prefix (vend_json_string (problem, "field"), "input"));
      g_assert_nonnull (vend_json_string (problem, "type"));
      g_assert_cmpstr (vend_json_string (problem, "description"), !=, "");
    }
}

/* What has become of it is the same numbers, still allowed, and stays so. */
static void
check_whole (const json_t *document, json_t *value)
{
  vend_cog_input_make_whole (document, "Input", value);
  json_auto_t *once = json_deep_copy (value);
  vend_cog_input_make_whole (document, "Input", value);
  g_assert_true (json_equal (once, value));
  json_auto_t *problems = vend_schema_problems (document, "Input", value);
  g_assert_null (problems);
  fuzz_check_json (value);
}

static json_t *
take_document (FuzzInput *input)
{
  const guint8 which = fuzz_take_byte (input);
  if (which != 0xff)
    {
      const char *known = documents[which % G_N_ELEMENTS (documents)];
      json_t *document = NULL;
      g_assert_true (vend_json_parse (known, strlen (known), &document, NULL));
      return document;
    }
  const FuzzInput text = fuzz_take_until (input, "---");
  json_t *document = NULL;
  return vend_json_parse (text.data, text.size, &document, NULL) ? document : NULL;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  json_auto_t *document = take_document (&input);
  json_auto_t *value = NULL;
  if (document == NULL || !vend_json_parse (input.data, input.size, &value, NULL))
    return 0;
  json_auto_t *before = json_deep_copy (value);
  json_auto_t *problems = vend_schema_problems (document, "Input", value);
  if (problems != NULL)
    check_problems (problems);
  g_assert_true (json_equal (before, value));
  json_auto_t *again = vend_schema_problems (document, "Input", value);
  g_assert_true (problems == NULL ? again == NULL : json_equal (problems, again));
  if (problems == NULL && json_is_object (value))
    check_whole (document, value);
  const json_t *component = vend_schema_component (document, "Input");
  if (component != NULL)
    g_assert_nonnull (vend_schema_resolve (document, component));
  return 0;
}
