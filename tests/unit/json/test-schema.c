/* Input checks: what passes, what does not and in which words. */
#include "json/schema.h"
#include <string.h>

static const char document[]
    = "{\"components\":{\"schemas\":{\"mode\":{\"enum\":[\"fast\",\"good\"],\"type\":\"string\"},"
      "\"Input\":{\"type\":\"object\",\"required\":[\"prompt\"],\"properties\":{"
      "\"prompt\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":5},"
      "\"steps\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":50},"
      "\"scale\":{\"type\":\"number\"},\"flag\":{\"type\":\"boolean\"},"
      "\"mode\":{\"allOf\":[{\"$ref\":\"#/components/schemas/mode\"}]},"
      "\"code\":{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"},"
      "\"maybe\":{\"type\":\"integer\",\"nullable\":true},"
      "\"either\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]},"
      "\"seed\":{\"type\":\"integer\",\"minimum\":9223372036854775808,"
      "\"maximum\":18446744073709551614},"
      "\"pick\":{\"type\":\"integer\",\"enum\":[9007199254740992,18446744073709551613]},"
      "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}}}}}";

static json_t *
check (const char *input)
{
  json_auto_t *openapi = NULL;
  json_auto_t *value = NULL;
  g_assert_true (vend_json_parse (document, strlen (document), &openapi, NULL));
  g_assert_true (vend_json_parse (input, strlen (input), &value, NULL));
  return vend_schema_problems (openapi, "Input", value);
}

static void
test_good (void)
{
  static const char *const good[] = {
    "{\"prompt\":\"ab\"}",
    "{\"prompt\":\"\\u00e4\\u00f6\\u00fc\\u00df!\"}",
    "{\"prompt\":\"abc\",\"steps\":50,\"scale\":1,\"flag\":true,\"mode\":\"good\",\"code\":\"x\"}",
    "{\"prompt\":\"abc\",\"steps\":2.0,\"either\":\"x\",\"list\":[]}",
    "{\"prompt\":\"abc\",\"seed\":9223372036854775808,\"pick\":18446744073709551613}",
    "{\"prompt\":\"abc\",\"seed\":18446744073709551614,\"pick\":9007199254740992.0}",
    "{\"prompt\":\"abc\",\"scale\":18446744073709551615,\"list\":[18446744073709551615]}",
    "{\"prompt\":\"abc\",\"maybe\":null,\"steps\":null,\"unknown\":{\"a\":1}}",
  };
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_null (check (good[i]));
}

static void
test_bad (void)
{
  static const struct
  {
    const char *input, *type, *field, *description;
  } bad[] = {
    { "{}", "required", "input", "prompt is required" },
    { "{\"prompt\":null}", "invalid_type", "input.prompt",
      "Invalid type. Expected: string, given: null" },
    { "{\"prompt\":\"a\"}", "string_gte", "input.prompt",
      "String length must be greater than or equal to 2" },
    { "{\"prompt\":\"abcdef\"}", "string_lte", "input.prompt",
      "String length must be less than or equal to 5" },
    { "{\"prompt\":\"abc\",\"steps\":\"4\"}", "invalid_type", "input.steps",
      "Invalid type. Expected: integer, given: string" },
    { "{\"prompt\":\"abc\",\"steps\":2.5}", "invalid_type", "input.steps",
      "Invalid type. Expected: integer, given: number" },
    { "{\"prompt\":\"abc\",\"steps\":0}", "number_gte", "input.steps",
      "Must be greater than or equal to 1" },
    { "{\"prompt\":\"abc\",\"steps\":51}", "number_lte", "input.steps",
      "Must be less than or equal to 50" },
    { "{\"prompt\":\"abc\",\"seed\":9223372036854775807}", "number_gte", "input.seed",
      "Must be greater than or equal to 9223372036854775808" },
    { "{\"prompt\":\"abc\",\"seed\":18446744073709551615}", "number_lte", "input.seed",
      "Must be less than or equal to 18446744073709551614" },
    { "{\"prompt\":\"abc\",\"steps\":1e30}", "integer_range", "input.steps",
      "Must be within the integers from -9223372036854775808 to 18446744073709551615" },
    { "{\"prompt\":\"abc\",\"pick\":9007199254740993}", "enum", "input.pick",
      "input.pick must be one of the following: 9007199254740992, 18446744073709551613" },
    { "{\"prompt\":18446744073709551615}", "invalid_type", "input.prompt",
      "Invalid type. Expected: string, given: integer" },
    { "{\"prompt\":\"abc\",\"mode\":\"slow\"}", "enum", "input.mode",
      "input.mode must be one of the following: \"fast\", \"good\"" },
    { "{\"prompt\":\"abc\",\"code\":\"A\"}", "pattern", "input.code",
      "Does not match pattern '^[a-z]+$'" },
    { "{\"prompt\":\"abc\",\"either\":true}", "number_any_of", "input.either",
      "Must validate at least one schema (anyOf)" },
    { "{\"prompt\":\"abc\",\"list\":[1,\"x\"]}", "invalid_type", "input.list.1",
      "Invalid type. Expected: integer, given: string" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_auto_t *problems = check (bad[i].input);
      g_assert_cmpuint (json_array_size (problems), ==, 1);
      const json_t *problem = json_array_get (problems, 0);
      g_assert_cmpstr (vend_json_string (problem, "type"), ==, bad[i].type);
      g_assert_cmpstr (vend_json_string (problem, "field"), ==, bad[i].field);
      g_assert_cmpstr (vend_json_string (problem, "description"), ==, bad[i].description);
    }
}

static void
test_all_at_once (void)
{
  json_auto_t *problems = check ("{\"steps\":\"x\",\"flag\":1,\"scale\":\"y\"}");
  g_assert_cmpuint (json_array_size (problems), ==, 4);
}

static void
test_circular_references_end (void)
{
  json_auto_t *openapi = json_loads (
      "{\"components\":{\"schemas\":{\"A\":{\"$ref\":\"#/components/schemas/A\"},\"Input\":{"
      "\"properties\":{\"a\":{\"$ref\":\"#/components/schemas/A\"}}}}}}",
      0, NULL);
  json_auto_t *input = json_loads ("{\"a\":1}", 0, NULL);
  json_decref (vend_schema_problems (openapi, "Input", input));
}

static json_t *
check_own (const char *schemas, const char *input)
{
  g_autofree char *text = g_strdup_printf ("{\"components\":{\"schemas\":%s}}", schemas);
  json_auto_t *openapi = json_loads (text, 0, NULL);
  json_auto_t *value = json_loads (input, 0, NULL);
  g_assert_nonnull (openapi);
  g_assert_nonnull (value);
  return vend_schema_problems (openapi, "Input", value);
}

/* 6^15 trials if each were made. */
static void
test_alternatives_end (void)
{
  g_autoptr (GString) schemas
      = g_string_new ("{\"Input\":{\"properties\":{\"a\":{\"$ref\":\"#/components/schemas/n0\"}}}");
  for (int i = 0; i < 15; i++)
    {
      g_string_append_printf (schemas, ",\"n%d\":{\"anyOf\":[", i);
      for (int k = 0; k < 6; k++)
        g_string_append_printf (schemas, "%s{\"$ref\":\"#/components/schemas/n%d\"}",
                                k > 0 ? "," : "", i + 1);
      g_string_append (schemas, "]}");
    }
  g_string_append (schemas, ",\"n15\":{\"type\":\"integer\"}}");
  g_assert_null (check_own (schemas->str, "{\"a\":\"x\"}"));
}

/* Each match takes 2^40 steps if it may. */
static void
test_patterns_end (void)
{
  static const char schemas[]
      = "{\"Input\":{\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\","
        "\"pattern\":\"^(a+)+$\"}}}}}";
  g_autoptr (GString) input = g_string_new ("{\"a\":[\"b\"");
  for (int i = 0; i < 5000; i++)
    g_string_append (input, ",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"");
  g_string_append (input, "]}");
  json_auto_t *problems = check_own (schemas, input->str);
  g_assert_cmpuint (json_array_size (problems), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/schema/good", test_good);
  g_test_add_func ("/schema/bad", test_bad);
  g_test_add_func ("/schema/all-at-once", test_all_at_once);
  g_test_add_func ("/schema/circular-references-end", test_circular_references_end);
  g_test_add_func ("/schema/alternatives-end", test_alternatives_end);
  g_test_add_func ("/schema/patterns-end", test_patterns_end);
  return g_test_run ();
}
