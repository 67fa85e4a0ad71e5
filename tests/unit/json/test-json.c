/* Text of JSON values: compact, shortest numbers, nothing lost. */
#include "base/error.h"
#include "json/json.h"
#include <string.h>

static void
test_text (void)
{
  static const char *const same[] = {
    "null",
    "0.1",
    "[1,1.5,-0.25,1e+300,0.30000000000000004,1.0]",
    "{\"b\":1,\"a\":{\"c\":[]},\"\\\"k\":\"\\u0001ä\\n\"}",
    "[true,false,\"\"]",
    "9007199254740993",
    "-12",
    "\"\\b\\f\\n\\r\\t\\\"\\\\/\\u001f\x7f\"",
    "[{},[],[{\"\":[null]}]]",
  };
  for (guint i = 0; i < G_N_ELEMENTS (same); i++)
    {
      json_auto_t *value = json_loads (same[i], JSON_DECODE_ANY, NULL);
      g_autofree char *text = vend_json_text (value);
      g_assert_nonnull (value);
      g_assert_cmpstr (text, ==, same[i]);
    }
  g_autofree char *none = vend_json_text (NULL);
  g_assert_cmpstr (none, ==, "null");
}

static void
test_parse_errors (void)
{
  static const char *const bad[] = { "", "{", "{\"a\":}", "[1,]", "nul", "\"\xff\"", "{} {}" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_t *value = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_json_parse (bad[i], strlen (bad[i]), &value, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_BAD_REQUEST);
      g_assert_null (value);
    }
}

/* What JavaScript makes of the same texts. */
static void
test_text_js (void)
{
  static const struct
  {
    const char *text, *js;
  } cases[] = {
    { "1.0", "1" },
    { "-1.0", "-1" },
    { "0.0", "0" },
    { "-0.0", "0" },
    { "100.0", "100" },
    { "0.1", "0.1" },
    { "-12.5", "-12.5" },
    { "1e20", "100000000000000000000" },
    { "123456789012345680000.0", "123456789012345680000" },
    { "1e21", "1e+21" },
    { "1.5e300", "1.5e+300" },
    { "0.000001", "0.000001" },
    { "0.00000123", "0.00000123" },
    { "0.0000001", "1e-7" },
    { "1.5e-7", "1.5e-7" },
    { "0.30000000000000004", "0.30000000000000004" },
    { "5e-324", "5e-324" },
    { "1.7976931348623157e308", "1.7976931348623157e+308" },
    { "2.5e-5", "0.000025" },
    { "[1.0, {\"a\": 2.0}, \"\\u001B\\u007f\"]", "[1,{\"a\":2},\"\\u001b\x7f\"]" },
    { "12345678901234567", "12345678901234567" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *value = NULL;
      g_assert_true (vend_json_parse (cases[i].text, strlen (cases[i].text), &value, NULL));
      g_autofree char *text = vend_json_text_js (value);
      g_assert_cmpstr (text, ==, cases[i].js);
    }
}

static void
test_is_short (void)
{
  static const struct
  {
    const char *text;
    gsize bytes;
    bool is_short;
  } cases[] = {
    { "null", 8, true },
    { "null", 7, false },
    { "\"abcd\"", 12, true },
    { "\"abcde\"", 12, false },
    { "[1, 2, 3]", 32, true },
    { "[1, 2, 3]", 31, false },
    { "[[[[1]]]]", 40, true },
    { "[[[[1]]]]", 39, false },
    { "{\"key\": {\"other\": 1}}", 32, true },
    { "{\"key\": {\"other\": 1}}", 31, false },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *value = NULL;
      g_assert_true (vend_json_parse (cases[i].text, strlen (cases[i].text), &value, NULL));
      g_assert_true (vend_json_is_short (value, cases[i].bytes) == cases[i].is_short);
    }
  g_assert_true (vend_json_is_short (NULL, 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/text", test_text);
  g_test_add_func ("/json/text-js", test_text_js);
  g_test_add_func ("/json/parse-errors", test_parse_errors);
  g_test_add_func ("/json/is-short", test_is_short);
  return g_test_run ();
}
