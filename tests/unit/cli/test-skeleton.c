/* Projects without code, from schemas. */
#include "cli/commands/skeleton.h"
#include <string.h>

static char *
skeleton (const char *input, const char *output)
{
  g_autofree char *text = g_strdup_printf (
      "{\"components\": {\"schemas\": {\"Input\": {\"properties\": {%s}}, \"Output\": %s,"
      " \"size\": {\"enum\": [256, 512], \"type\": \"integer\"}}}}",
      input, output);
  json_auto_t *openapi = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_json_parse (text, strlen (text), &openapi, &error));
  return vend_skeleton_predict ("lab/x", openapi);
}

static void
test_whole (void)
{
  g_autofree char *text = skeleton (
      "\"size\": {\"allOf\": [{\"$ref\": \"#/components/schemas/size\"}], \"default\": 256, "
      "\"x-order\": 1},"
      "\"image\": {\"type\": \"string\", \"format\": \"uri\", \"description\": \"a \\\"b\\\"\\n\", "
      "\"x-order\": 0},"
      "\"on\": {\"type\": \"boolean\", \"default\": true, \"nullable\": true, \"x-order\": 2}",
      "{\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"x-cog-array-type\": \"iterator\","
      " \"x-cog-array-display\": \"concatenate\"}");
  g_assert_cmpstr (text, ==,
                   "from cog import BaseRunner, ConcatenateIterator, Input, Path\n\n\n"
                   "class Runner(BaseRunner):\n"
                   "    def run(\n"
                   "        self,\n"
                   "        image: Path = Input(description=\"a \\\"b\\\"\\n\"),\n"
                   "        size: int = Input(default=256, choices=[256, 512]),\n"
                   "        on: bool | None = Input(default=True),\n"
                   "    ) -> ConcatenateIterator[str]:\n"
                   "        raise NotImplementedError(\"the code of lab/x is missing\")\n");
}

static void
test_outputs (void)
{
  static const struct
  {
    const char *schema;
    const char *type; /* NULL: not simple */
  } cases[] = {
    { "{\"type\": \"string\"}", "-> str:" },
    { "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"format\": \"uri\"}}",
      "-> list[Path]:" },
    { "{\"type\": \"array\", \"items\": {\"type\": \"number\"}, \"x-cog-array-type\": "
      "\"iterator\"}",
      "-> Iterator[float]:" },
    { "{\"type\": \"object\"}", NULL },
    { "{}", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = skeleton ("", cases[i].schema);
      g_assert_true ((text == NULL) == (cases[i].type == NULL));
      g_assert_true (text == NULL || strstr (text, cases[i].type) != NULL);
    }
}

/* A name is code there. */
static void
test_names (void)
{
  static const char *const bad[] = { "class", "self", "a-b", "1st", "x: int): pass #", "" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *input = g_strdup_printf ("\"%s\": {\"type\": \"string\"}", bad[i]);
      g_assert_null (skeleton (input, "{\"type\": \"string\"}"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/skeleton/whole", test_whole);
  g_test_add_func ("/skeleton/outputs", test_outputs);
  g_test_add_func ("/skeleton/names", test_names);
  return g_test_run ();
}
