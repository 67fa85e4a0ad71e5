/* Tests of reading vend.yaml and README.md, and of checking examples against a schema. */
#include "build/card.h"
#include "base/fd.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  GPtrArray *problems;
  GPtrArray *warnings;
} Fixture;

static void
put (Fixture *fixture, const char *name, const char *text, gssize size)
{
  g_autofree char *path = g_build_filename (fixture->dir, name, NULL);
  g_assert_true (g_file_set_contents (path, text, size, NULL));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->dir = g_dir_make_tmp ("vend-card-XXXXXX", NULL);
  fixture->problems = g_ptr_array_new_with_free_func (g_free);
  fixture->warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *sub = g_build_filename (fixture->dir, "media", NULL);
  g_autofree char *out = g_build_filename (fixture->dir, "out.png", NULL);
  g_autofree char *in = g_build_filename (fixture->dir, "in.png", NULL);
  g_assert_cmpint (mkdir (sub, 0700), ==, 0);
  g_assert_cmpint (symlink ("/etc/passwd", out), ==, 0);
  g_assert_cmpint (symlink ("media/cat.png", in), ==, 0);
  put (fixture, "media/cat.png", "cat", -1);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (vend_tree_remove (fixture->dir, NULL));
  g_free (fixture->dir);
  g_ptr_array_unref (fixture->problems);
  g_ptr_array_unref (fixture->warnings);
}

static VendCard *
load (Fixture *fixture, const char *text)
{
  g_ptr_array_set_size (fixture->problems, 0);
  g_ptr_array_set_size (fixture->warnings, 0);
  put (fixture, "vend.yaml", text, -1);
  return vend_card_load (fixture->dir, fixture->problems, fixture->warnings);
}

static char *
joined (GPtrArray *texts)
{
  GString *all = g_string_new (NULL);
  for (guint i = 0; i < texts->len; i++)
    g_string_append_printf (all, "%s\n", (char *) g_ptr_array_index (texts, i));
  return g_string_free (all, FALSE);
}

#define CAT_SHA256 "77af778b51abd4a3c51c5ddd97204a9c3ae614ebccb75a606c3b6865aed6744e"
#define CAT \
  "{\"$vend.file\":{\"path\":\"media/cat.png\",\"name\":\"cat.png\",\"type\":\"image/png\"," \
  "\"size\":3,\"sha256\":\"" CAT_SHA256 "\"}}"

static void
test_good (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *text;
    const char *content;
  } good[] = {
    { "", "{}" },
    { "# nothing\n", "{}" },
    { "description: x\ncover:\nexamples:\n", "{\"description\":\"x\"}" },
    { "description: ''\ngithub_url: http://a/b\npaper_url: https://c\nlicense_url: HTTPS://d/\n",
      "{\"description\":\"\",\"github_url\":\"http://a/b\",\"paper_url\":\"https://c\","
      "\"license_url\":\"HTTPS://d/\"}" },
    { "cover: media/cat.png\n", "{\"cover\":" CAT "}" },
    { "cover: in.png\n", "{\"cover\":" CAT "}" },
    { "licenses: {code: MIT, weights: Apache-2.0}\ndownload: 1.5 GB\naccept: Read it.\n",
      "{\"licenses\":{\"code\":\"MIT\",\"weights\":\"Apache-2.0\"},\"download\":1500000000,"
      "\"accept\":\"Read it.\"}" },
    { "download: 4KiB\n", "{\"download\":4096}" },
    { "download: 280000000\n", "{\"download\":280000000}" },
    { "examples: []\n", "{\"examples\":[]}" },
    { "examples:\n- {}\n", "{\"examples\":[{\"input\":{},\"output\":null,\"logs\":\"\"}]}" },
    { "examples:\n"
      "- input: {a: 1, b: 1.0, c: true, d: null, e: 'true', f: \"1\", g: yes, h: ~, i: -0.5e3}\n"
      "  output: [18446744073709551615, +1, 007, .5, 1., 0x1f, 0o17, 2024-01-01, ab c, '@@x', "
      "'@@@']\n"
      "  logs: 5\n"
      "  metrics: {predict_time: 0.25, tokens: 7}\n",
      "{\"examples\":[{\"input\":{\"a\":1,\"b\":1.0,\"c\":true,\"d\":null,\"e\":\"true\",\"f\":"
      "\"1\","
      "\"g\":\"yes\",\"h\":null,\"i\":-500.0},"
      "\"output\":[18446744073709551615,1,7,0.5,1.0,31,15,\"2024-01-01\",\"ab c\",\"@x\",\"@@\"],"
      "\"logs\":\"5\",\"metrics\":{\"predict_time\":0.25,\"tokens\":7}}]}" },
    { "examples:\n- input: &i {image: '@media/cat.png', list: ['@in.png']}\n- input: *i\n",
      "{\"examples\":[{\"input\":{\"image\":" CAT ",\"list\":[" CAT
      "]},\"output\":null,\"logs\":\"\"},"
      "{\"input\":{\"image\":" CAT ",\"list\":[" CAT "]},\"output\":null,\"logs\":\"\"}]}" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (VendCard) card = load (fixture, good[i].text);
      g_autofree char *problems = joined (fixture->problems);
      g_assert_cmpstr (problems, ==, "");
      g_assert_nonnull (card);
      g_autofree char *content = vend_json_text (card->content);
      g_assert_cmpstr (content, ==, good[i].content);
    }
}

static void
test_bad (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *text;
    const char *problems;
  } bad[] = {
    { "descripton: x\nreadme: y\n",
      "vend.yaml:1: descripton: unknown key; did you mean 'description'?\n"
      "vend.yaml:2: readme: unknown key\n" },
    { "- x\n", "vend.yaml:1: the file: expected a map, got a list\n" },
    { "description: [x]\n", "vend.yaml:1: description: expected text, got a list\n" },
    { "github_url: x\npaper_url: ftp://a\nlicense_url: https://\n",
      "vend.yaml:1: github_url: expected an http or https URL, got 'x'\n"
      "vend.yaml:2: paper_url: expected an http or https URL, got 'ftp://a'\n"
      "vend.yaml:3: license_url: expected an http or https URL, got 'https://'\n" },
    { "description: x\n---\ndescription: y\n",
      "vend.yaml: expected one document, and a line '---' begins a second one: join them\n" },
    { "cover: out.png\n", "vend.yaml:1: cover: 'out.png' lies outside of the project\n" },
    { "cover: ../x.png\n", "vend.yaml:1: cover: file '../x.png' does not exist\n" },
    { "cover: /etc/x.png\n",
      "vend.yaml:1: cover: '/etc/x.png' must be relative to the folder of cog.yaml\n" },
    { "cover: media/cat.svg\n",
      "vend.yaml:1: cover: expected a png, jpg, webp, gif, mp4, wav or mp3 file, got "
      "'media/cat.svg'\n" },
    { "download: 5 parsecs\n",
      "vend.yaml:1: download: expected a size such as '280 MB', got '5 parsecs'\n" },
    { "licenses: MIT\n", "vend.yaml:1: licenses: expected a map, got 'MIT'\n" },
    { "licenses: {cod: MIT}\n", "vend.yaml:1: licenses.cod: unknown key; did you mean 'code'?\n" },
    { "examples: x\n", "vend.yaml:1: examples: expected a list, got 'x'\n" },
    { "examples:\n- x\n", "vend.yaml:2: examples[0]: expected a map, got 'x'\n" },
    { "examples:\n- input: [1]\n", "vend.yaml:2: examples[0].input: expected a map\n" },
    { "examples:\n- input: '@media/cat.png'\n",
      "vend.yaml:2: examples[0].input: expected a map\n" },
    { "examples:\n- {}\n- output:\n    a:\n    - x\n    - '@'\n",
      "vend.yaml:6: examples[1].output.a[1]: expected the path of a file, got ''\n" },
    { "examples:\n- input:\n    x: '@media'\n",
      "vend.yaml:3: examples[0].input.x: 'media' is not a file\n" },
    { "examples:\n- input:\n    x: .inf\n",
      "vend.yaml:3: examples[0].input.x: expected a number that JSON has, got '.inf'\n" },
    { "examples:\n- input:\n    x: 99999999999999999999\n",
      "vend.yaml:3: examples[0].input.x: expected a number that JSON has, got "
      "'99999999999999999999'\n" },
    { "examples:\n- input:\n    x: !!binary aGVsbG8=\n",
      "vend.yaml:3: examples[0].input.x: tags (!…) are not read\n" },
    { "examples:\n- input:\n    x: 1\n    x: 2\n",
      "vend.yaml:4: examples[0].input.x: duplicate key\n" },
    { "examples:\n- input:\n    <<: {a: 1}\n",
      "vend.yaml:3: examples[0].input.<<: maps cannot be merged here\n" },
    { "examples:\n- output: [{$vend.file: {path: /etc/passwd}}]\n",
      "vend.yaml:2: examples[0].output[0].$vend.file: this key is not possible\n" },
    { "examples:\n- metrics: {predict_time: -1}\n",
      "vend.yaml:2: examples[0].metrics.predict_time: expected seconds, a number\n" },
    { "openai: {endpoint: x}\n",
      "vend.yaml:1: openai.endpoint: unknown key; did you mean 'endpoints'?\n" },
    { "openai:\n  endpoints: [chat]\n",
      "vend.yaml:2: openai.endpoints: there is no 'chat'; expected names such as "
      "chat.completions and embeddings\n" },
    { "openai:\n  inputs: {question: x}\n",
      "vend.yaml:2: openai.inputs: 'question' is no field; docs/openai.md lists them\n" },
    { "openai:\n  inputs: {prompt: 5}\n",
      "vend.yaml:2: openai.inputs.prompt: expected the name of an input\n" },
    { "openai:\n  inputs: [x]\n", "vend.yaml:2: openai.inputs: expected a map\n" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VendCard) card = load (fixture, bad[i].text);
      g_autofree char *problems = joined (fixture->problems);
      g_assert_cmpstr (problems, ==, bad[i].problems);
      g_assert_null (card);
    }
}

/* A short file that means a large one. */
static void
test_limits (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) bomb = g_string_new ("examples:\n- input:\n    a0: &a0 [x, x, x, x, x]\n");
  for (int i = 1; i < 12; i++)
    g_string_append_printf (bomb, "    a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
                            i - 1, i - 1, i - 1, i - 1);
  g_autoptr (VendCard) many = load (fixture, bomb->str);
  g_assert_null (many);
  g_assert_cmpuint (fixture->problems->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (fixture->problems, 0), "more than 100000 values"));

  g_autoptr (GString) list = g_string_new ("examples:\n");
  for (int i = 0; i <= VEND_CARD_MAX_EXAMPLES; i++)
    g_string_append (list, "- {}\n");
  g_autoptr (VendCard) examples = load (fixture, list->str);
  g_assert_null (examples);
  g_assert_cmpstr (g_ptr_array_index (fixture->problems, 0), ==,
                   "vend.yaml:1: examples: 51 of them; at most 50");

  g_autoptr (GString) files = g_string_new ("examples:\n- output:\n");
  for (int i = 0; i <= VEND_CARD_MAX_FILES; i++)
    g_string_append (files, "  - '@media/cat.png'\n");
  g_assert_null (load (fixture, files->str));
  g_assert_cmpstr (g_ptr_array_index (fixture->problems, 0), ==,
                   "vend.yaml:1003: examples[0].output[1000]: more than 1000 files are named");

  g_autoptr (GString) inputs = g_string_new ("examples:\n- input:\n");
  for (int i = 0; i <= 1000; i++)
    g_string_append_printf (inputs, "    a%d: 1\n", i);
  g_autoptr (VendCard) wide = load (fixture, inputs->str);
  g_assert_null (wide);
  g_assert_cmpstr (g_ptr_array_index (fixture->problems, 0), ==,
                   "vend.yaml:2: examples[0].input: more than 1000 inputs");
}

/* Few values, each of them large. */
static void
test_alias_to_a_large_text (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (500000, 'x');
  const char *const forms[]
      = { "examples:\n- input:\n    a: &a %s\n    b: [*a, *a, *a, *a, *a, *a, *a, *a]\n",
          "examples:\n- input:\n    a: &a {%s: 1}\n    b: [*a, *a, *a, *a, *a, *a, *a, *a]\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_auto (GStrv) parts = g_strsplit (forms[i], "%s", 2);
      g_autofree char *text = g_strjoinv (large, parts);
      g_assert_null (load (fixture, text));
      g_assert_nonnull (strstr (g_ptr_array_index (fixture->problems, 0), "bytes of text"));
    }
}

static void
test_readme (Fixture *fixture, gconstpointer data)
{
  g_assert_false (vend_card_is_there (fixture->dir));
  put (fixture, "README.md", "# Größe\n", -1);
  g_assert_true (vend_card_is_there (fixture->dir));
  g_autoptr (VendCard) card = vend_card_load (fixture->dir, fixture->problems, fixture->warnings);
  g_assert_cmpstr (vend_json_string (card->content, "readme"), ==, "# Größe\n");

  /* Such a file does not keep a model from being pushed. */
  put (fixture, "README.md", "a\0b", 3);
  g_autoptr (VendCard) odd = vend_card_load (fixture->dir, fixture->problems, fixture->warnings);
  g_assert_cmpuint (json_object_size (odd->content), ==, 0);
  g_autofree char *large = g_strnfill (1024 * 1024 + 1, 'x');
  put (fixture, "README.md", large, -1);
  g_autoptr (VendCard) long_one
      = vend_card_load (fixture->dir, fixture->problems, fixture->warnings);
  g_assert_cmpuint (json_object_size (long_one->content), ==, 0);
  g_autofree char *readme = g_build_filename (fixture->dir, "README.md", NULL);
  g_assert_cmpint (unlink (readme), ==, 0);
  g_assert_cmpint (symlink ("/etc/passwd", readme), ==, 0);
  g_autoptr (VendCard) link = vend_card_load (fixture->dir, fixture->problems, fixture->warnings);
  g_assert_cmpuint (json_object_size (link->content), ==, 0);
  g_assert_cmpuint (fixture->problems->len, ==, 0);
  g_assert_cmpuint (fixture->warnings->len, ==, 3);
}

static void
test_other_name (Fixture *fixture, gconstpointer data)
{
  put (fixture, "vend.yml", "description: x\n", -1);
  g_autoptr (VendCard) card = vend_card_load (fixture->dir, fixture->problems, fixture->warnings);
  g_assert_cmpuint (json_object_size (card->content), ==, 0);
  g_assert_nonnull (strstr (g_ptr_array_index (fixture->warnings, 0), "not 'vend.yml'"));
}

static void
test_inputs (Fixture *fixture, gconstpointer data)
{
  static const char *const schema
      = "{\"components\": {\"schemas\": {\"Input\": {\"type\": \"object\", \"required\": "
        "[\"text\"],"
        "\"properties\": {\"text\": {\"type\": \"string\"},"
        "\"a.b\": {\"type\": \"string\"},"
        "\"steps\": {\"type\": \"integer\", \"maximum\": 10},"
        "\"image\": {\"type\": \"string\", \"format\": \"uri\"},"
        "\"images\": {\"type\": \"array\", \"items\": {\"type\": \"string\", \"format\": \"uri\"}},"
        "\"key\": {\"type\": \"string\", \"x-cog-secret\": true}}}}}}";
  json_auto_t *openapi = json_loads (schema, 0, NULL);
  g_assert_nonnull (openapi);
  g_autoptr (VendCard) good = load (
      fixture, "examples:\n- input:\n    text: x\n    steps: 2.0\n    image: '@media/cat.png'\n"
               "    images: ['@media/cat.png', 'https://a/b']\n    key: hidden\n");
  g_assert_true (vend_card_check_inputs (good, openapi, fixture->problems));
  const json_t *input
      = json_object_get (json_array_get (json_object_get (good->content, "examples"), 0), "input");
  g_assert_true (json_is_integer (json_object_get (input, "steps")));
  g_assert_cmpstr (vend_json_string (input, "key"), ==, "**********");
  g_assert_nonnull (json_object_get (json_object_get (input, "image"), VEND_CARD_FILE));

  g_autoptr (VendCard) bad
      = load (fixture, "examples:\n- input: {text: x}\n- input:\n    steps: 11\n"
                       "    images:\n    - /etc/passwd\n    a.b: 5\n    stepz: 1\n");
  g_assert_false (vend_card_check_inputs (bad, openapi, fixture->problems));
  g_autofree char *problems = joined (fixture->problems);
  g_assert_nonnull (
      strstr (problems, "vend.yaml:8: examples[1].input.stepz: the model has no such input\n"));
  g_assert_nonnull (strstr (problems, "vend.yaml:4: examples[1].input.steps: "));
  g_assert_nonnull (strstr (problems, "vend.yaml:5: examples[1].input.images.0: "));
  g_assert_nonnull (strstr (problems, "vend.yaml:7: examples[1].input.a.b: "));
  /* What is missing has no line of its own. */
  g_assert_nonnull (strstr (problems, "vend.yaml:3: examples[1].input: "));
}

static void
test_openai (Fixture *fixture, gconstpointer data)
{
  json_auto_t *openapi = json_loads (
      "{\"components\": {\"schemas\": {\"Input\": {\"properties\": {\"question\": {\"type\": "
      "\"string\"}}}, \"Output\": {\"type\": \"string\"}}}}",
      0, NULL);
  g_autoptr (VendCard) good = load (fixture, "openai:\n  endpoints: [completions]\n"
                                             "  inputs:\n    prompt: question\n");
  g_autofree char *content = vend_json_text (good->content);
  g_assert_cmpstr (content, ==,
                   "{\"openai\":{\"endpoints\":[\"completions\"],\"inputs\":{\"prompt\":"
                   "\"question\"}}}");
  g_assert_true (vend_card_check_inputs (good, openapi, fixture->problems));
  g_autoptr (VendCard) bad
      = load (fixture, "openai:\n  endpoints: [embeddings]\n  inputs:\n    prompt: text\n");
  g_assert_false (vend_card_check_inputs (bad, openapi, fixture->problems));
  g_autofree char *problems = joined (fixture->problems);
  g_assert_cmpstr (problems, ==,
                   "vend.yaml: openai.inputs.prompt: the model has no input 'text'\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/card/good", test_good);
  ADD ("/card/bad", test_bad);
  ADD ("/card/limits", test_limits);
  ADD ("/card/alias-to-a-large-text", test_alias_to_a_large_text);
  ADD ("/card/readme", test_readme);
  ADD ("/card/other-name", test_other_name);
  ADD ("/card/inputs", test_inputs);
  ADD ("/card/openai", test_openai);
  return g_test_run ();
}
