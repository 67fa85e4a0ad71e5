/* Which endpoints a model fits, from the schemas that Cog writes. */
#include "openai/fit.h"
#include "schemas.h"

typedef struct
{
  const char *inputs;
  const char *output;
  const char *endpoints; /* joined by spaces */
} Case;

static const Case cases[] = {
  { "{'prompt': " TEXT "}", TEXT, "chat.completions completions responses" },
  { "{'prompt': " TEXT "}", TEXT_STREAM, "chat.completions completions responses" },
  { "{'prompt': {'anyOf': [{'type': 'string'}, {'type': 'null'}]}}", TEXT,
    "chat.completions completions responses" },
  { "{'messages': {'type': 'array', 'items': {'type': 'object'}}}", "{'type': 'object'}",
    "chat.completions responses" },
  { "{'messages': " TEXT "}", "{'type': 'object', 'properties': {'choices': {'type': 'array'}}}",
    "chat.completions responses" },
  { "{'prompt': " TEXT "}", "{'type': 'array', 'items': {'type': 'string'}}", "" },
  { "{'prompt': {'type': 'integer'}}", TEXT, "" },
  { "{'text': " TEXT "}", TEXT, "" },
  { "{'texts': {'type': 'array', 'items': {'type': 'string'}}}",
    "{'type': 'array', 'items': {'type': 'array', 'items': {'type': 'number'}}}", "embeddings" },
  { "{'text': " TEXT "}", "{'type': 'array', 'items': {'type': 'number'}}", "embeddings" },
  { "{'prompt': " TEXT "}", FILE_URI, "images.generations" },
  { "{'prompt': " TEXT ", 'image': " FILE_URI "}", "{'type': 'array', 'items': " FILE_URI "}",
    "images.generations images.edits" },
  { "{'prompt': " TEXT ", 'num_frames': {'type': 'integer'}}", FILE_URI, "videos" },
  { "{'text': " TEXT "}", FILE_URI, "audio.speech" },
  { "{'prompt': " TEXT ", 'voice': " TEXT "}", FILE_URI, "audio.speech" },
  { "{'audio': " FILE_URI "}", TEXT, "audio.transcriptions" },
  { "{'audio': " FILE_URI ", 'task': " TEXT "}",
    "{'type': 'object', 'properties': {'text': {'type': 'string'}}}",
    "audio.transcriptions audio.translations" },
  { "{'image': " FILE_URI "}", FILE_URI, "" },
  { "{}", "{}", "" },
  { "7", "7", "" },
};

static char *
joined (const json_t *names)
{
  g_autoptr (GString) text = g_string_new (NULL);
  size_t i;
  json_t *name;
  json_array_foreach ((json_t *) names, i, name)
    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", json_string_value (name));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_by_names (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *openapi = version_of (cases[i].inputs, cases[i].output);
      const VendOpenaiModel model = { openapi, NULL };
      json_auto_t *told = vend_openai_describe (&model);
      const json_t *fitting = json_object_get (told, "endpoints");
      g_autofree char *names = joined (fitting);
      g_assert_cmpstr (names, ==, cases[i].endpoints);
      g_assert_cmpuint (json_array_size (fitting)
                            + json_object_size (json_object_get (told, "others")),
                        ==, VEND_OPENAI_N_ENDPOINTS);
      g_assert_true (vend_openai_fits_any (&model) == (*names != '\0'));
    }
}

static void
test_stated (void)
{
  json_auto_t *openapi = version_of ("{'question': " TEXT ", 'prompt': {'type': 'integer'}}", TEXT);
  json_auto_t *mapping
      = quoted ("{'endpoints': ['chat.completions'], 'inputs': {'prompt': 'question'}}");
  const VendOpenaiModel model = { openapi, mapping };
  json_auto_t *told = vend_openai_describe (&model);
  g_autofree char *names = joined (json_object_get (told, "endpoints"));
  g_assert_cmpstr (names, ==, "chat.completions");
  g_assert_cmpstr (vend_openai_input (&model, "prompt", NULL), ==, "question");
  g_autofree char *why = vend_openai_misfit (&model, VEND_OPENAI_COMPLETIONS);
  g_assert_cmpstr (why, ==, "its owner does not offer it");
  /* An input that a later version has no more. */
  json_auto_t *gone = quoted ("{'inputs': {'prompt': 'words'}}");
  const VendOpenaiModel other = { openapi, gone };
  g_assert_null (vend_openai_input (&other, "prompt", NULL));
}

static void
test_names (void)
{
  VendOpenaiEndpoint endpoint = VEND_OPENAI_N_ENDPOINTS;
  for (guint i = 0; i < VEND_OPENAI_N_ENDPOINTS; i++)
    {
      g_assert_true (vend_openai_endpoint_parse (vend_openai_endpoint_name ((VendOpenaiEndpoint) i),
                                                 &endpoint));
      g_assert_cmpuint (endpoint, ==, i);
    }
  g_assert_false (vend_openai_endpoint_parse ("chat", &endpoint));
  g_assert_true (vend_openai_has_field ("prompt"));
  g_assert_false (vend_openai_has_field ("question"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai/fit/by-names", test_by_names);
  g_test_add_func ("/openai/fit/stated", test_stated);
  g_test_add_func ("/openai/fit/names", test_names);
  return g_test_run ();
}
