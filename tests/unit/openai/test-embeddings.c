/* Embeddings: what goes in, and both forms of vectors. */
#include "openai/embeddings.h"
#include "schemas.h"

#define LIST "{'type': 'array', 'items': " TEXT "}"

static const struct
{
  const char *inputs;
  const char *body;
  const char *input; /* NULL: refused, and `param` says for what */
  const char *param;
} cases[] = {
  { "{'texts': " LIST "}", "{'input': 'a'}", "{'texts': ['a']}", NULL },
  { "{'texts': " LIST "}", "{'input': ['a', 'b']}", "{'texts': ['a', 'b']}", NULL },
  { "{'texts': " TEXT "}", "{'input': ['a', 'b']}", "{'texts': '[\\\"a\\\",\\\"b\\\"]'}", NULL },
  { "{'text': " TEXT "}", "{'input': ['a']}", "{'text': 'a'}", NULL },
  { "{'text': " TEXT "}", "{'input': ['a', 'b']}", "{'text': 'a'}", NULL },
  { "{'text': " TEXT "}", "{'input': [1]}", NULL, "input" },
  { "{'text': " TEXT "}", "{'input': [[1]]}", NULL, "input" },
  { "{'text': " TEXT "}", "{'input': 'a', 'encoding_format': 'x'}", NULL, "encoding_format" },
  { "{'text': " TEXT "}", "{'input': 'a', 'dimensions': 2}", NULL, "dimensions" },
  { "{'text': " TEXT ", 'dimensions': {}}", "{'input': 'a', 'dimensions': 2}",
    "{'text': 'a', 'dimensions': 2}", NULL },
};

static void
test_requests (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *openapi = version_of (cases[i].inputs, "{}");
      json_auto_t *body = quoted (cases[i].body);
      json_auto_t *options = NULL;
      const VendOpenaiModel model = { openapi, NULL };
      g_auto (VendOpenaiFault) fault = { 0 };
      g_auto (VendOpenaiAsk) ask = { 0 };
      const bool good = vend_openai_read_embeddings (&model, body, &ask, &options, &fault);
      g_assert_true (good == (cases[i].input != NULL));
      g_assert_cmpstr (fault.param, ==, cases[i].param);
      json_auto_t *expected = good ? quoted (cases[i].input) : json_incref (ask.input);
      g_assert_true (json_equal (ask.input, expected));
    }
}

/* By a model that takes one; by one that takes a list they are no matter of the reply. */
static void
test_in_turn (void)
{
  static const char *const inputs[] = { "{'text': " TEXT "}", "{'texts': " LIST "}" };
  for (gsize i = 0; i < G_N_ELEMENTS (inputs); i++)
    {
      json_auto_t *openapi = version_of (inputs[i], "{}");
      json_auto_t *body = quoted ("{'input': ['a', 'b']}");
      json_auto_t *options = NULL;
      const VendOpenaiModel model = { openapi, NULL };
      g_auto (VendOpenaiFault) fault = { 0 };
      g_auto (VendOpenaiAsk) ask = { 0 };
      g_assert_true (vend_openai_read_embeddings (&model, body, &ask, &options, &fault));
      const json_t *texts = json_object_get (options, "texts");
      g_assert_true (i == 0 ? json_equal (texts, json_object_get (body, "input")) : texts == NULL);
    }
}

static json_t *
reply_of (const char *output_text, const char *options_text, char **problem)
{
  json_auto_t *output = quoted (output_text);
  json_auto_t *options = quoted (options_text);
  return vend_openai_embeddings (output, NULL, options, "o/n", 10, problem);
}

static const json_t *
vector_in (const json_t *reply, size_t i)
{
  return json_object_get (json_array_get (json_object_get (reply, "data"), i), "embedding");
}

static void
test_replies (void)
{
  g_autofree char *problem = NULL;
  json_auto_t *plain = reply_of ("[[1, 2.5], [3, 4]]", "{'base64': false, 'n': 2}", &problem);
  json_auto_t *second = quoted ("[3, 4]");
  json_auto_t *usage = quoted ("{'prompt_tokens': 13, 'total_tokens': 13, 'vend_estimated': true}");
  g_assert_true (json_equal (vector_in (plain, 1), second));
  g_assert_true (json_equal (json_object_get (plain, "usage"), usage));
  /* 1.0 and -2.5 as little-endian floats. */
  json_auto_t *coded = reply_of ("[1, -2.5]", "{'base64': true, 'n': 1}", &problem);
  g_assert_cmpstr (json_string_value (vector_in (coded, 0)), ==, "AACAPwAAIMA=");
  g_assert_null (problem);
}

static void
test_bad_outputs (void)
{
  static const char *const outputs[]
      = { "[[1]]", "[]", "'x'", "[[1], ['x']]", "[[1], [2, null]]", "[[1], []]", "{'a': 1}" };
  for (gsize i = 0; i < G_N_ELEMENTS (outputs); i++)
    {
      g_autofree char *problem = NULL;
      json_auto_t *reply = reply_of (outputs[i], "{'base64': true, 'n': 2}", &problem);
      g_assert_null (reply);
      g_assert_nonnull (problem);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai/embeddings/requests", test_requests);
  g_test_add_func ("/openai/embeddings/in-turn", test_in_turn);
  g_test_add_func ("/openai/embeddings/replies", test_replies);
  g_test_add_func ("/openai/embeddings/bad-outputs", test_bad_outputs);
  return g_test_run ();
}
