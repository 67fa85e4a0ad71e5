/* What differs between two versions, by kind and name. */
#include "cli/commands/versions-diff.h"

typedef struct
{
  const char *name;
  const char *provenance[2];
  const char *openapi[2];
  const char *files[2];
  const char *expected;
} Case;

#define PUSHED "{\"base\": null, \"weights\": [], \"cog\": \"0.22.0\", \"python\": \"3.11.7\"}"
#define NO_SCHEMA "{\"components\": {\"schemas\": {}}}"
#define INPUTS(PROPERTIES) \
  "{\"components\": {\"schemas\": {\"Input\": {\"properties\": " PROPERTIES "}}}}"

static const Case cases[] = {
  { "nothing", { PUSHED, PUSHED }, { NO_SCHEMA, NO_SCHEMA }, { NULL, NULL }, "[]" },
  { "weights",
    { PUSHED,
      "{\"base\": \"lab/m:1\", \"weights\": [{\"name\": \"w.bin\", \"size\": 7, \"sha256\": "
      "\"0123456789abcdef\"}], \"cog\": \"0.22.0\", \"python\": \"3.11.7\"}" },
    { NO_SCHEMA, NO_SCHEMA },
    { NULL, NULL },
    "[{\"what\": \"base\", \"name\": \"\", \"a\": null, \"b\": \"lab/m:1\"},"
    " {\"what\": \"weights\", \"name\": \"w.bin\", \"a\": null, \"b\": \"7 bytes, "
    "0123456789ab\"}]" },
  { "managed weights",
    { "{\"managed_weights\": [{\"name\": \"base\", \"target\": \"w\", \"size\": 7, \"digest\": "
      "\"0123456789abcdef\", \"source\": \"hf://a/b@c\", \"state\": \"present\"}]}",
      "{\"managed_weights\": [{\"name\": \"base\", \"target\": \"w\", \"size\": 7, \"digest\": "
      "\"0123456789abcdef\", \"source\": \"hf://a/b@c\", \"state\": \"absent\"},"
      " {\"name\": \"more\", \"target\": \"m\", \"size\": 1, \"digest\": \"ff\", \"source\":"
      " \"file://x\"}]}" },
    { NO_SCHEMA, NO_SCHEMA },
    { NULL, NULL },
    "[{\"what\": \"managed weights\", \"name\": \"more\", \"a\": null, \"b\": \"1 bytes at m, ff, "
    "from file://x\"}]" },
  { "environment",
    { "{\"python\": \"3.11.7\", \"cog\": \"1\", \"packages\": [\"numpy==2.0\", \"gone==1\"],"
      " \"config\": {\"run\": \"a\"}}",
      "{\"python\": \"3.12.1\", \"cog\": \"2\", \"packages\": [\"numpy==2.1\"],"
      " \"config\": {\"run\": \"b\"}}" },
    { NO_SCHEMA, NO_SCHEMA },
    { NULL, NULL },
    "[{\"what\": \"cog\", \"name\": \"\", \"a\": \"1\", \"b\": \"2\"},"
    " {\"what\": \"python\", \"name\": \"\", \"a\": \"3.11.7\", \"b\": \"3.12.1\"},"
    " {\"what\": \"package\", \"name\": \"numpy\", \"a\": \"2.0\", \"b\": \"2.1\"},"
    " {\"what\": \"package\", \"name\": \"gone\", \"a\": \"1\", \"b\": null},"
    " {\"what\": \"config\", \"name\": \"run\", \"a\": \"a\", \"b\": \"b\"}]" },
  { "inputs",
    { PUSHED, PUSHED },
    { INPUTS ("{\"same\": {}, \"old\": {\"type\": \"string\"}, \"n\": {\"minimum\": 1}}"),
      INPUTS ("{\"same\": {}, \"n\": {\"minimum\": 2}, \"new\": {}}") },
    { NULL, NULL },
    "[{\"what\": \"input\", \"name\": \"old\", \"a\": {\"type\": \"string\"}, \"b\": null},"
    " {\"what\": \"input\", \"name\": \"n\", \"a\": {\"minimum\": 1}, \"b\": {\"minimum\": 2}},"
    " {\"what\": \"input\", \"name\": \"new\", \"a\": null, \"b\": {}}]" },
  { "files",
    { PUSHED, PUSHED },
    { NO_SCHEMA, NO_SCHEMA },
    { "[{\"path\": \"a.py\", \"size\": 1, \"sha256\": \"aa\"}, {\"path\": \"b\", \"size\": 2,"
      " \"sha256\": \"bb\"}]",
      "[{\"path\": \"a.py\", \"size\": 1, \"sha256\": \"cc\"}, {\"path\": \"b\", \"size\": 2,"
      " \"sha256\": \"bb\"}]" },
    "[{\"what\": \"file\", \"name\": \"a.py\", \"a\": \"1 bytes, aa\", \"b\": \"1 bytes, cc\"}]" },
};

static void
test_diff (gconstpointer data)
{
  const Case *one = data;
  json_t *provenance[2], *openapi[2], *files[2];
  for (int i = 0; i < 2; i++)
    {
      provenance[i] = json_loads (one->provenance[i], 0, NULL);
      openapi[i] = json_loads (one->openapi[i], 0, NULL);
      files[i] = one->files[i] != NULL ? json_loads (one->files[i], 0, NULL) : NULL;
      g_assert_nonnull (provenance[i]);
      g_assert_nonnull (openapi[i]);
    }
  const VendVersionFacts a = { provenance[0], openapi[0], files[0] };
  const VendVersionFacts b = { provenance[1], openapi[1], files[1] };
  json_auto_t *expected = json_loads (one->expected, 0, NULL);
  json_auto_t *found = vend_versions_diff (&a, &b);
  g_autofree char *text = vend_json_text (found);
  g_assert_nonnull (expected);
  if (!json_equal (found, expected))
    g_error ("%s", text);
  for (int i = 0; i < 2; i++)
    {
      json_decref (provenance[i]);
      json_decref (openapi[i]);
      json_decref (files[i]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/versions-diff/", cases[i].name, NULL);
      g_test_add_data_func (path, &cases[i], test_diff);
    }
  return g_test_run ();
}
