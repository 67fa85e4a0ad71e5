/* Tests of adding a saved run to the text of a vend.yaml. */
#include "build/card-append.h"
#include "base/error.h"
#include <string.h>

static json_t *
example (void)
{
  return json_pack ("{s:{s:s, s:i, s:[s]}, s:s, s:{s:f}}", "input", "text", "a: \"b\"\n# c", "no",
                    1, "a b", "@x.png", "output", "@@y", "metrics", "predict_time", 0.5);
}

#define ITEM(indent) \
  indent "- input:\n" indent "    text: \"a: \\\"b\\\"\\n# c\"\n" indent "    \"no\": 1\n" indent \
         "    \"a b\": [\"@x.png\"]\n" indent "  output: \"@@y\"\n" indent \
         "  metrics: {\"predict_time\":0.5}\n"

static void
test_good (void)
{
  static const struct
  {
    const char *before;
    const char *after;
  } good[] = {
    { "", "examples:\n" ITEM ("  ") },
    { "# mine\n", "# mine\n\nexamples:\n" ITEM ("  ") },
    { "description: x", "description: x\n\nexamples:\n" ITEM ("  ") },
    { "examples:\n", "examples:\n" ITEM ("  ") },
    { "examples: []  # none\ncover: x\n", "examples:\n" ITEM ("  ") "cover: x\n" },
    { "examples: null\n", "examples:\n" ITEM ("  ") },
    { "examples: # some\n- input: {a: 1}\n  # of this one\n",
      "examples: # some\n- input: {a: 1}\n  # of this one\n" ITEM ("") },
    { "examples:\n    - {}", "examples:\n    - {}\n" ITEM ("    ") },
    { "examples:\n  - logs: |\n      one\n\n      two\n\n# of the cover\ncover: x\n",
      "examples:\n  - logs: |\n      one\n\n      two\n" ITEM (
          "  ") "\n# of the cover\ncover: x\n" },
    { "cover: x\r\nexamples:\r\n- {}\r\n", "cover: x\r\nexamples:\r\n- {}\r\n" ITEM ("") },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      json_auto_t *item = example ();
      g_autofree char *after = NULL;
      g_autoptr (GError) error = NULL;
      bool is_good = vend_card_append_example (good[i].before, item, &after, &error);
      g_assert_no_error (error);
      g_assert_true (is_good);
      g_assert_cmpstr (after, ==, good[i].after);
      /* Once more, behind the first. */
      g_autofree char *twice = NULL;
      g_assert_true (vend_card_append_example (after, item, &twice, &error));
      g_assert_cmpuint (strlen (twice), >, strlen (after));
    }
}

static void
test_bad (void)
{
  static const char *const bad[] = {
    "examples: [{}]\n", "{examples: []}\n",  "- x\n",       "examples: x\n",
    "examples: [\n",    "a: 1\n---\nb: 2\n", "a: 1\n...\n", "examples:\n- {}\n...\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      json_auto_t *item = example ();
      g_autofree char *after = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_card_append_example (bad[i], item, &after, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_null (after);
    }
}

static void
test_empty_input (void)
{
  json_auto_t *item = json_pack ("{s:{}, s:n}", "input", "output");
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_card_append_example ("", item, &after, &error));
  g_assert_cmpstr (after, ==, "examples:\n  - input: {}\n    output: null\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/card-append/good", test_good);
  g_test_add_func ("/card-append/bad", test_bad);
  g_test_add_func ("/card-append/empty-input", test_empty_input);
  return g_test_run ();
}
