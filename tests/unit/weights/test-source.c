/* Sources of managed weights. What cannot be one is tested with cog.yaml. */
#include "weights/source.h"
#include "base/error.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static VendWeightSource *
parse (const char *uri)
{
  VendWeightSource *source = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_weight_source_parse (uri, NULL, NULL, NULL, &source, &error));
  g_assert_no_error (error);
  return source;
}

static void
test_kinds (void)
{
  g_autoptr (VendWeightSource) file = parse ("file://./a/b");
  g_assert_cmpint (file->kind, ==, VEND_WEIGHTS_FILE);
  g_assert_cmpstr (file->path, ==, "a/b");
  g_assert_null (vend_weight_source_file_url (file->uri, "https://hub", "x"));
  g_autoptr (VendWeightSource) plain = parse ("./weights/a");
  g_assert_cmpint (plain->kind, ==, VEND_WEIGHTS_FILE);
  g_assert_cmpstr (plain->path, ==, "weights/a");
  g_assert_cmpstr (plain->uri, ==, "file://weights/a");
  g_autoptr (VendWeightSource) absolute = parse ("file:///a/b");
  g_assert_cmpstr (absolute->path, ==, "/a/b");
  g_autoptr (VendWeightSource) url = parse ("https://host/a/b%20c.bin?x=y/z");
  g_assert_cmpstr (url->name, ==, "b c.bin");
  g_assert_false (vend_weight_source_moves (url));
  g_autofree char *whole = vend_weight_source_file_url (url->uri, "https://hub", "b c.bin");
  g_assert_cmpstr (whole, ==, url->uri);
}

static void
test_hub (void)
{
  g_autoptr (VendWeightSource) moving = parse ("hf://lab/tiny");
  g_autoptr (VendWeightSource) pinned = parse ("hf://lab/tiny@" COMMIT);
  g_assert_cmpstr (moving->uri, ==, "hf://lab/tiny@main");
  g_assert_true (vend_weight_source_moves (moving));
  g_assert_false (vend_weight_source_moves (pinned));
  g_autofree char *record = vend_weight_source_pinned (moving, COMMIT);
  g_assert_cmpstr (record, ==, pinned->uri);
  g_autofree char *file = vend_weight_source_file_url (record, "https://hub", "a b/c#d");
  g_assert_cmpstr (file, ==, "https://hub/lab/tiny/resolve/" COMMIT "/a%20b/c%23d");
  g_autoptr (VendWeightSource) branch = parse ("hf://lab/tiny@refs/pr/1");
  g_autofree char *other = vend_weight_source_file_url (branch->uri, "https://hub", "c");
  g_assert_cmpstr (other, ==, "https://hub/lab/tiny/resolve/refs%2Fpr%2F1/c");
}

static void
test_wants (void)
{
  const char *const include[] = { "*.bin", "sub/*", NULL };
  const char *const exclude[] = { "old*", NULL };
  g_autoptr (VendWeightSource) source = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_weight_source_parse ("file://w", NULL, include, exclude, &source, &error));
  g_assert_true (vend_weight_source_wants (source, "a.bin"));
  g_assert_true (vend_weight_source_wants (source, "deep/a.bin"));
  g_assert_true (vend_weight_source_wants (source, "sub/any"));
  g_assert_false (vend_weight_source_wants (source, "a.txt"));
  g_assert_false (vend_weight_source_wants (source, "old.bin"));
}

/* Those of Cog's own examples among them. */
static void
test_patterns (void)
{
  static const struct
  {
    const char *pattern;
    const char *wanted;
    const char *other;
  } cases[] = {
    { "*.bin", "deep/er/a.bin", "a.bin.txt" },
    { "config.json", "deep/config.json", "config.json5" },
    { "onnx/", "onnx/model.onnx", "onnx" },
    { "onnx/", "deep/onnx/a/b", "onnx.txt" },
    { "onnx", "onnx/model.onnx", "onnxes/a" },
    { "onnx/*.bin", "onnx/a.bin", "onnx/deep/a.bin" },
    { "onnx/*.bin", "onnx/a.bin", "deep/onnx/a.bin" },
    { "/a.bin", "a.bin", "deep/a.bin" },
    { "a/**/z", "a/z", "b/a/z" },
    { "a/**/z", "a/b/c/z", "a/b/c" },
    { "**/z", "b/c/z", "zz" },
    { "a/**", "a/b/c", "a" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *const include[] = { cases[i].pattern, NULL };
      g_autoptr (VendWeightSource) source = NULL;
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", cases[i].pattern);
      g_assert_true (vend_weight_source_parse ("w", NULL, include, NULL, &source, &error));
      g_assert_true (vend_weight_source_wants (source, cases[i].wanted));
      g_assert_false (vend_weight_source_wants (source, cases[i].other));
    }
  const char *const exclude[] = { "*.bin", "!model.bin", NULL };
  g_autoptr (VendWeightSource) source = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_weight_source_parse ("w", NULL, NULL, exclude, &source, &error));
  g_assert_true (vend_weight_source_wants (source, "model.bin"));
  g_assert_false (vend_weight_source_wants (source, "other.bin"));
}

static void
test_bad (void)
{
  static const char *const bad[] = {
    "",          "s3://a/b",     "file://",       "file://.",      "ftp://a/b",    "https://",
    "https://h", "https://h/",   "https://h/a b", "https://h/a#b", "hf://a",       "hf://a/b/c",
    "hf://a/b@", "hf://a/b@x y", "hf://../b",     "hf://a/b@../x", "https://h/..", "https://h/a%2fb"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      VendWeightSource *source = NULL;
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", bad[i]);
      g_assert_false (vend_weight_source_parse (bad[i], NULL, NULL, NULL, &source, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_null (source);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/weights/source/kinds", test_kinds);
  g_test_add_func ("/weights/source/hub", test_hub);
  g_test_add_func ("/weights/source/wants", test_wants);
  g_test_add_func ("/weights/source/patterns", test_patterns);
  g_test_add_func ("/weights/source/bad", test_bad);
  return g_test_run ();
}
