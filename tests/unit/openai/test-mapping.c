/* What is stated about OpenAI's endpoints: what is wrong, and the templates. */
#include "openai/mapping.h"
#include "openai/request.h"
#include "schemas.h"

static const struct
{
  const char *mapping;
  const char *problem;
} cases[] = {
  { "{}", NULL },
  { "{'endpoints': ['completions'], 'inputs': {'prompt': 'question'}, 'ignore': ['tools'],"
    " 'template': {'user': 'U: {text}', 'answer': 'A:'}}",
    NULL },
  { "[]", "expected a map" },
  { "{'a\\nb': 1}", "there is no 'a\\nb'; expected endpoints, inputs, template or ignore" },
  { "{'endpoints': 'completions'}", "endpoints: expected a list of names" },
  { "{'endpoints': ['chat']}",
    "endpoints: there is no 'chat'; expected names such as chat.completions and embeddings" },
  { "{'endpoints': [5]}",
    "endpoints: there is no ''; expected names such as chat.completions and embeddings" },
  { "{'inputs': []}", "inputs: expected a map" },
  { "{'inputs': {'x': 'y'}}", "inputs: 'x' is no field; docs/openai.md lists them" },
  { "{'inputs': {'prompt': 1}}", "inputs.prompt: expected the name of an input" },
  { "{'inputs': {'prompt': 'other'}}", "inputs.prompt: the model has no input 'other'" },
  { "{'template': {'answer': 'A:'}}", "template: expected a map with 'user'" },
  { "{'template': {'user': 'U:'}}", "template.user: expected {text} where the message goes" },
  { "{'template': {'user': 5}}", "template.user: expected a text of at most 4096 bytes" },
  { "{'template': {'user': '{text}', 'bot': ''}}",
    "template: there is no 'bot'; expected system, user, assistant, tool or answer" },
  { "{'template': {'user': '{text}'}}", "template: the model has no input 'prompt'" },
  { "{'ignore': ['temperature']}",
    "ignore: 'temperature' is no field that is refused; docs/openai.md lists them" },
  { "{'ignore': 'tools'}", "ignore: expected a list of fields" },
  { "{'endpoints': ['embeddings']}",
    "endpoints: the model does not fit embeddings: there is no input 'texts', 'text' or 'input'" },
};

static void
test_problems (void)
{
  json_auto_t *openapi = version_of ("{'question': " TEXT "}", TEXT);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *mapping = quoted (cases[i].mapping);
      g_autofree char *problem = vend_openai_mapping_problem (mapping);
      if (problem == NULL)
        problem = vend_openai_mapping_misfit (mapping, openapi);
      g_assert_cmpstr (problem, ==, cases[i].problem);
    }
}

typedef struct
{
  const char *template;
  const char *inputs;
  const char *messages;
  const char *input; /* NULL: refused */
} Filled;

#define CHATML \
  "{'system': '<system>{text}</s>', 'user': '<user>{text}</s>', 'assistant': '<bot>{text}</s>'," \
  " 'answer': '<bot>'}"
#define SAID(role, text) "{'role': '" role "', 'content': '" text "'}"
#define PROMPT "'prompt': " TEXT

static const Filled filled[] = {
  { CHATML, "{" PROMPT "}", "[" SAID ("user", "hi") "]", "{'prompt': '<user>hi</s><bot>'}" },
  { CHATML, "{" PROMPT "}",
    "[" SAID ("developer", "be good") "," SAID ("user", "a") "," SAID ("assistant", "b") "," SAID (
        "user", "{text}") "]",
    "{'prompt': '<system>be good</s><user>a</s><bot>b</s><user>{text}</s><bot>'}" },
  { "{'user': 'U {text} {text}'}", "{" PROMPT ", 'system_prompt': " TEXT "}",
    "[" SAID ("system", "s") "," SAID ("user", "a") "]",
    "{'prompt': 'U a a', 'system_prompt': 's'}" },
  { "{'user': 'U {text}'}", "{" PROMPT "}", "[" SAID ("system", "s") "]", NULL },
  { "{'user': 'U {text}'}", "{" PROMPT ", 'system_prompt': " TEXT "}",
    "[" SAID ("assistant", "s") "]", NULL },
};

static void
test_templates (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (filled); i++)
    {
      g_autofree char *text = g_strdup_printf ("{'messages': %s}", filled[i].messages);
      g_autofree char *stated = g_strdup_printf ("{'template': %s}", filled[i].template);
      json_auto_t *openapi = version_of (filled[i].inputs, TEXT);
      json_auto_t *body = quoted (text);
      json_auto_t *mapping = quoted (stated);
      const VendOpenaiModel model = { openapi, mapping };
      g_auto (VendOpenaiFault) fault = { 0 };
      g_auto (VendOpenaiAsk) ask = { 0 };
      const bool good = vend_openai_read_chat (&model, body, &ask, &fault);
      json_auto_t *expected = filled[i].input != NULL ? quoted (filled[i].input) : NULL;
      g_assert_true (good == (expected != NULL));
      g_assert_true (expected == NULL || json_equal (ask.input, expected));
      g_assert_true (good || g_str_has_prefix (fault.message, "messages[0]: this model takes no"));
    }
}

/* Fields that are refused otherwise. */
static void
test_ignored (void)
{
  json_auto_t *openapi = version_of ("{" PROMPT "}", TEXT);
  json_auto_t *mapping = quoted ("{'ignore': ['tools']}");
  json_auto_t *body = quoted ("{'messages': [" SAID ("user", "hi") "], 'tools': [{}]}");
  const VendOpenaiModel model = { openapi, mapping };
  g_auto (VendOpenaiFault) fault = { 0 };
  g_auto (VendOpenaiAsk) ask = { 0 };
  g_assert_true (vend_openai_read_chat (&model, body, &ask, &fault));
  g_assert_cmpstr (ask.ignored->str, ==, "tools");
  json_object_set_new (body, "n", json_integer (2));
  vend_openai_ask_clear (&ask);
  g_assert_false (vend_openai_read_chat (&model, body, &ask, &fault));
  g_assert_cmpstr (fault.param, ==, "n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai/mapping/problems", test_problems);
  g_test_add_func ("/openai/mapping/templates", test_templates);
  g_test_add_func ("/openai/mapping/ignored", test_ignored);
  return g_test_run ();
}
