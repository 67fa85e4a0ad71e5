/* key=value by the Input schema: what each type takes and refuses, files, lists, wrong names. */
#include "base/error.h"
#include "cli/arguments/inputs.h"
#include <glib/gstdio.h>
#include <string.h>

static const char schema_text[]
    = "{'components': {'schemas': {"
      " 'Input': {'required': ['text'], 'properties': {"
      "  'text': {'type': 'string'}, 'whole': {'type': 'integer'}, 'real': {'type': 'number'},"
      "  'flag': {'type': 'boolean'}, 'list': {'type': 'array', 'items': {'type': 'string'}},"
      "  'map': {'type': 'object'}, 'free': {},"
      "  'maybe': {'type': 'integer', 'nullable': true},"
      "  'maybe_text': {'type': 'string', 'nullable': true},"
      "  'null_or': {'anyOf': [{'type': 'integer'}, {'type': 'null'}]},"
      "  'either': {'anyOf': [{'type': 'string'}, {'type': 'integer'}]},"
      "  'numbers': {'anyOf': [{'type': 'integer'}, {'type': 'number'}]},"
      "  'colour': {'allOf': [{'$ref': '#/components/schemas/Colour'}], 'nullable': true},"
      "  'size': {'$ref': '#/components/schemas/Size'},"
      "  'loop': {'$ref': '#/components/schemas/Loop'},"
      "  'few': {'type': 'integer', 'minimum': 1, 'maximum': 5},"
      "  'part': {'anyOf': [{'type': 'number', 'maximum': 0.5}, {'type': 'null'}]},"
      "  'maybe_file': {'anyOf': [{'type': 'string', 'format': 'uri'}, {'type': 'null'}]},"
      "  'file_or_text': {'anyOf': [{'type': 'string', 'format': 'uri'}, {'type': 'string'}]},"
      "  'file': {'type': 'string', 'format': 'uri'},"
      "  'files': {'type': 'array', 'items': {'type': 'string', 'format': 'uri'}}}},"
      " 'Colour': {'type': 'string', 'enum': ['red', 'dark blue']},"
      " 'Size': {'type': 'number', 'enum': [1, 2.5]},"
      " 'Loop': {'$ref': '#/components/schemas/Loop'}}}}";

static json_t *
make_schema (void)
{
  g_autofree char *text = g_strdelimit (g_strdup (schema_text), "'", '"');
  json_t *schema = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_json_parse (text, strlen (text), &schema, &error));
  return schema;
}

/* A stack argument that vend_input_value and friends take. */
static VendInputArgument
argument (const char *name, const char *text, bool is_file)
{
  return (VendInputArgument){ (char *) name, (char *) text, is_file };
}

static void
test_arguments (void)
{
  static const struct
  {
    const char *word;
    const char *name;
    const char *text;
    bool is_file;
  } good[] = {
    { "a=b", "a", "b", false },          { "a=", "a", "", false },
    { "a=b=c", "a", "b=c", false },      { "a=@x/y.png", "a", "x/y.png", true },
    { "a=@@home", "a", "@home", false }, { "größe=1", "größe", "1", false },
  };
  static const char *const bad[] = { "", "=", "=b", "ab", "@x", "a=\xff" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      char *words[] = { (char *) good[i].word, NULL };
      g_autoptr (GPtrArray) arguments = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_true (vend_input_arguments_parse (words, &arguments, &error));
      g_assert_cmpuint (arguments->len, ==, 1);
      const VendInputArgument *made = g_ptr_array_index (arguments, 0);
      g_assert_cmpstr (made->name, ==, good[i].name);
      g_assert_cmpstr (made->text, ==, good[i].text);
      g_assert_true (made->is_file == good[i].is_file);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      char *words[] = { (char *) bad[i], NULL };
      g_autoptr (GPtrArray) arguments = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_input_arguments_parse (words, &arguments, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_null (arguments);
    }
}

static void
test_values (void)
{
  static const struct
  {
    const char *name;
    const char *text;
    const char *json;
  } good[] = {
    { "text", "7", "\"7\"" },
    { "text", "null", "\"null\"" },
    { "text", "", "\"\"" },
    { "whole", "-12", "-12" },
    { "whole", "9223372036854775807", "9223372036854775807" },
    { "whole", "18446744073709551557", "18446744073709551557" },
    { "real", "9223372036854775808", "9223372036854775808" },
    { "map", "{\"a\": [18446744073709551615, 0.1]}", "{\"a\":[18446744073709551615,0.1]}" },
    { "free", "18446744073709551615", "18446744073709551615" },
    { "real", "2", "2" },
    { "real", "-1.5e-3", "-0.0015" },
    { "real", ".5", "0.5" },
    { "flag", "true", "true" },
    { "flag", "False", "false" },
    { "flag", "1", "true" },
    { "flag", "off", "false" },
    { "list", "[\"a\", \"b\"]", "[\"a\",\"b\"]" },
    { "list", "[]", "[]" },
    { "map", "{\"a\": 1}", "{\"a\":1}" },
    { "free", "1.5", "1.5" },
    { "free", "[1]", "[1]" },
    { "free", "plain", "\"plain\"" },
    { "unknown", "{\"a\":1}", "{\"a\":1}" },
    { "unknown", "x", "\"x\"" },
    { "maybe", "null", "null" },
    { "maybe", "3", "3" },
    { "maybe_text", "null", "\"null\"" },
    { "null_or", "null", "null" },
    { "null_or", "4", "4" },
    { "either", "12", "12" },
    { "either", "x", "\"x\"" },
    { "numbers", "1.5", "1.5" },
    { "colour", "dark blue", "\"dark blue\"" },
    { "colour", "null", "null" },
    { "size", "2.50", "2.5" },
    { "size", "1", "1" },
    { "file", "https://h.example/x", "\"https://h.example/x\"" },
  };
  static const struct
  {
    const char *name;
    const char *text;
    const char *expected;
  } bad[] = {
    { "whole", "1.5", "integer" },
    { "whole", "", "integer" },
    { "whole", "18446744073709551616", "integer" },
    { "whole", "-9223372036854775809", "integer" },
    { "whole", "+9223372036854775808x", "integer" },
    { "free", "18446744073709551616", "any JSON" },
    { "map", "{\"a\": 18446744073709551616}", "object as JSON" },
    { "whole", "0x10", "integer" },
    { "whole", "null", "integer" },
    { "real", "nan", "number" },
    { "real", "inf", "number" },
    { "real", "1e999", "number" },
    { "real", "0x1p3", "number" },
    { "real", "1,5", "number" },
    { "flag", "2", "boolean" },
    { "flag", "", "boolean" },
    { "list", "a,b", "list of string as JSON" },
    { "list", "{}", "list of string as JSON" },
    { "list", "[1", "list of string as JSON" },
    { "map", "[]", "object as JSON" },
    { "map", "null", "object as JSON" },
    { "null_or", "x", "integer" },
    { "numbers", "x", "integer or number" },
    { "colour", "Red", "one of red, dark blue" },
    { "size", "3", "one of 1, 2.5" },
  };
  json_auto_t *schema = make_schema ();
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      const VendInputArgument one = argument (good[i].name, good[i].text, false);
      json_auto_t *value = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_true (vend_input_value (schema, &one, &value, &error));
      g_autofree char *json = vend_json_text (value);
      g_assert_cmpstr (json, ==, good[i].json);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const VendInputArgument one = argument (bad[i].name, bad[i].text, false);
      json_auto_t *value = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_input_value (schema, &one, &value, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_autofree char *start
          = g_strdup_printf ("input.%s: expected %s, got '", bad[i].name, bad[i].expected);
      g_assert_true (g_str_has_prefix (error->message, start));
      g_assert_null (value);
    }
}

static void
test_bounds (void)
{
  static const struct
  {
    const char *name;
    const char *text;
    const char *problem; /* NULL: none */
  } cases[] = {
    { "few", "1", NULL },
    { "few", "5", NULL },
    { "few", "0", "expected at least 1, got 0" },
    { "few", "18446744073709551615", "expected at most 5, got 18446744073709551615" },
    { "part", "null", NULL },
    { "part", "0.5", NULL },
    { "part", "0.51", "expected at most 0.5, got 0.51" },
    { "file", "data:text/plain,x", NULL },
    { "file", "x y", "expected @FILE or a URL, got 'x y'; for a file write file=@x y" },
    { "file", "", "expected @FILE or a URL, got ''; for a file write file=@PATH" },
    { "maybe_file", "null", NULL },
    { "maybe_file", "HTTPS://h/x", NULL },
    { "maybe_file", "x", "expected @FILE or a URL, got 'x'; for a file write maybe_file=@x" },
    { "file_or_text", "x", NULL },
  };
  json_auto_t *schema = make_schema ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const VendInputArgument one = argument (cases[i].name, cases[i].text, false);
      json_auto_t *value = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_cmpint (vend_input_value (schema, &one, &value, &error), ==,
                       cases[i].problem == NULL);
      g_assert_cmpint (value != NULL, ==, cases[i].problem == NULL);
      if (cases[i].problem == NULL)
        continue;
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_autofree char *text = g_strdup_printf ("input.%s: %s", cases[i].name, cases[i].problem);
      g_assert_cmpstr (error->message, ==, text);
    }
}

static void
test_without_schema (void)
{
  const VendInputArgument one = argument ("any", "5", false);
  json_auto_t *value = NULL;
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_input_value (NULL, &one, &value, &error));
  g_assert_cmpint (json_integer_value (value), ==, 5);
  g_assert_true (vend_input_required_check (NULL, none, &error));
  g_assert_true (vend_input_is_known (NULL, "any"));
  g_assert_null (vend_input_suggest (NULL, "any"));
}

static void
test_files (void)
{
  static const char *const good[] = { "file", "files", "text", "either", "free", "unknown" };
  static const char *const bad[] = { "whole", "flag", "map", "size" };
  json_auto_t *schema = make_schema ();
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "vend-inputs-XXXXXX", NULL);
  int fd = g_mkstemp (path);
  g_assert_cmpint (fd, >=, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      const VendInputArgument one = argument (good[i], path, true);
      g_assert_true (vend_input_file_check (schema, &one, &error));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const VendInputArgument one = argument (bad[i], path, true);
      g_assert_false (vend_input_file_check (schema, &one, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "got a file"));
      g_clear_error (&error);
    }
  g_close (fd, NULL);
  g_assert_cmpint (g_remove (path), ==, 0);
  const VendInputArgument gone = argument ("file", path, true);
  g_assert_false (vend_input_file_check (schema, &gone, &error));
}

static void
test_collecting (void)
{
  json_auto_t *schema = make_schema ();
  json_auto_t *input = json_object ();
  g_autoptr (GError) error = NULL;
  const VendInputArgument first = argument ("files", "a.png", true);
  const VendInputArgument second = argument ("files", "b.png", true);
  const VendInputArgument text = argument ("text", "x", false);

  g_assert_true (vend_input_set (schema, input, &first, json_string ("u1"), &error));
  g_assert_true (vend_input_set (schema, input, &second, json_string ("u2"), &error));
  g_assert_true (vend_input_set (schema, input, &text, json_string ("x"), &error));
  g_assert_false (vend_input_set (schema, input, &text, json_string ("y"), &error));
  g_assert_cmpstr (error->message, ==, "input.text: given twice");
  g_autofree char *json = vend_json_text (input);
  g_assert_cmpstr (json, ==, "{\"files\":[\"u1\",\"u2\"],\"text\":\"x\"}");
}

static void
test_names (void)
{
  static const struct
  {
    const char *name;
    const char *nearest;
  } cases[] = {
    { "txt", "text" },       { "hwole", "whole" }, { "colors", "colour" },
    { "numbre", "numbers" }, { "q", NULL },        { "something else", NULL },
  };
  json_auto_t *schema = make_schema ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_false (vend_input_is_known (schema, cases[i].name));
      g_assert_cmpstr (vend_input_suggest (schema, cases[i].name), ==, cases[i].nearest);
    }
  g_assert_true (vend_input_is_known (schema, "loop"));
}

static void
test_required (void)
{
  json_auto_t *schema = make_schema ();
  char word[] = "whole=1";
  char *words[] = { word, NULL };
  g_autoptr (GPtrArray) arguments = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_input_arguments_parse (words, &arguments, &error));
  g_assert_false (vend_input_required_check (schema, arguments, &error));
  g_assert_cmpstr (error->message, ==, "input.text: is required (string)");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inputs/arguments", test_arguments);
  g_test_add_func ("/inputs/values", test_values);
  g_test_add_func ("/inputs/bounds", test_bounds);
  g_test_add_func ("/inputs/without-schema", test_without_schema);
  g_test_add_func ("/inputs/files", test_files);
  g_test_add_func ("/inputs/collecting", test_collecting);
  g_test_add_func ("/inputs/names", test_names);
  g_test_add_func ("/inputs/required", test_required);
  return g_test_run ();
}
