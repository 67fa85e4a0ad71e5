/* What a model is given: whole numbers as integers, and no deeper than it can be read. */
#include "cog/input.h"
#include "base/error.h"
#include <string.h>

static const char document[]
    = "{\"components\":{\"schemas\":{\"size\":{\"type\":\"integer\",\"enum\":[1,2]},"
      "\"Input\":{\"type\":\"object\",\"properties\":{"
      "\"n\":{\"type\":\"integer\"},\"x\":{\"type\":\"number\"},"
      "\"maybe\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]},"
      "\"either\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]},"
      "\"text\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]},"
      "\"size\":{\"allOf\":[{\"$ref\":\"#/components/schemas/size\"}]},"
      "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},"
      "\"lists\":{\"anyOf\":[{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":"
      "{\"type\":\"integer\"}}},{\"type\":\"string\"}]},"
      "\"any\":{\"type\":\"object\"}}}}}}";

static json_t *
parsed (const char *text)
{
  json_t *value = NULL;
  g_assert_true (vend_json_parse (text, strlen (text), &value, NULL));
  return value;
}

static void
test_whole (void)
{
  static const struct
  {
    const char *input, *made;
  } cases[] = {
    { "{\"n\":1.0}", "{\"n\":1}" },
    { "{\"n\":-3e2,\"x\":1.0}", "{\"n\":-300,\"x\":1.0}" },
    { "{\"n\":-0.0}", "{\"n\":0}" },
    { "{\"n\":1e19}", "{\"n\":10000000000000000000}" },
    { "{\"n\":18446744073709551615}", "{\"n\":18446744073709551615}" },
    { "{\"maybe\":2.0}", "{\"maybe\":2}" },
    { "{\"maybe\":null}", "{\"maybe\":null}" },
    { "{\"either\":2.0}", "{\"either\":2.0}" },
    { "{\"text\":2.0}", "{\"text\":2}" },
    { "{\"text\":\"2.0\"}", "{\"text\":\"2.0\"}" },
    { "{\"size\":2.0}", "{\"size\":2}" },
    { "{\"list\":[1.0,2,3e0]}", "{\"list\":[1,2,3]}" },
    { "{\"lists\":[[1.0],[],[2]]}", "{\"lists\":[[1],[],[2]]}" },
    { "{\"any\":{\"n\":1.0},\"unknown\":1.0}", "{\"any\":{\"n\":1.0},\"unknown\":1.0}" },
  };
  json_auto_t *openapi = parsed (document);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *input = parsed (cases[i].input);
      vend_cog_input_make_whole (openapi, "Input", input);
      g_autofree char *made = vend_json_text (input);
      g_assert_cmpstr (made, ==, cases[i].made);
    }
}

static json_t *
nested (int levels)
{
  json_t *value = json_integer (1);
  for (int i = 0; i < levels; i++)
    {
      json_t *outer = json_array ();
      json_array_append_new (outer, value);
      value = outer;
    }
  json_t *input = json_object ();
  json_object_set_new (input, "any", value);
  return input;
}

static void
test_depth (void)
{
  json_auto_t *deepest = nested (VEND_COG_INPUT_DEPTH);
  json_auto_t *deeper = nested (VEND_COG_INPUT_DEPTH + 1);
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_cog_input_check (deepest, &error));
  g_assert_no_error (error);
  g_assert_false (vend_cog_input_check (deeper, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==,
                   "input.any: nested deeper than 120 levels of arrays and objects");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cog/input/whole", test_whole);
  g_test_add_func ("/cog/input/depth", test_depth);
  return g_test_run ();
}
