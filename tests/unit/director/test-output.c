/* Files in outputs, names of files, and lines of the server's log. */
#include "director/output.h"
#include "base/fd.h"
#include "files/file-name.h"
#include "director/log-line.h"
#include <string.h>

static json_t *
find_upload (const char *text, void *context)
{
  return strcmp (text, "http://here/1") == 0
             ? vend_output_file_new ("/up/1", "a.png", "image/png", 3, "sum")
             : NULL;
}

static json_t *
convert (const char *folder, const char *text)
{
  VendOutputFiles files = { .folder = folder, .prefix = "p.1", .find_upload = find_upload };
  json_auto_t *value = NULL;
  json_t *out = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_output_parse (text, strlen (text), &value, &error));
  g_assert_true (vend_output_convert (&files, value, &out, &error));
  g_assert_no_error (error);
  return out;
}

static void
test_unchanged (void)
{
  static const char *const texts[] = {
    "null",
    "[1,2.5,true,\"x\",{\"a\":[]}]",
    "\"data: not a file\"",
    "\"data:text/plain,plain\"",
    "\"data:text/plain;base64,???\"",
    "\"data:text/plain;base64,AAA\"",
    "\"data:;base64\"",
    "\"http://here/2\"",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      json_auto_t *out = convert ("/nonexistent", texts[i]);
      g_autofree char *text = vend_json_text (out);
      g_assert_cmpstr (text, ==, texts[i]);
    }
}

static void
test_changed (void)
{
  static const struct
  {
    const char *text;
    const char *expected;
  } cases[] = {
    { "\"a\\u0000b\"", "\"a\xef\xbf\xbd"
                       "b\"" },
    { "[9223372036854775815,18446744073709551615]", "[9223372036854775815,18446744073709551615]" },
    { "18446744073709552000", "1.8446744073709552e+19" },
    { "{\"a\\u0000\":1}", "{\"a\xef\xbf\xbd\":1}" },
    { "{\"$vend.file\":{\"path\":\"/etc/passwd\"}}",
      "{\"_$vend.file\":{\"path\":\"/etc/passwd\"}}" },
    { "[\"http://here/1\"]", "[{\"$vend.file\":{\"path\":\"/up/1\",\"name\":\"a.png\",\"type\":"
                             "\"image/png\",\"size\":3,\"sha256\":\"sum\"}}]" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *out = convert ("/nonexistent", cases[i].text);
      g_autofree char *text = vend_json_text (out);
      g_assert_cmpstr (text, ==, cases[i].expected);
    }
}

static void
test_data_uri (void)
{
  g_autofree char *folder = g_dir_make_tmp ("vend-output-XXXXXX", NULL);
  json_auto_t *out
      = convert (folder, "{\"a\":[\"data:image/png;base64,aGVsbG8=\",\"data:;base64,\"]}");
  const json_t *first
      = json_object_get (json_array_get (json_object_get (out, "a"), 0), "$vend.file");
  g_assert_cmpstr (vend_json_string (first, "name"), ==, "output.png");
  g_assert_cmpstr (vend_json_string (first, "type"), ==, "image/png");
  g_assert_cmpint (vend_json_int (first, "size", 0), ==, 5);
  g_autofree char *content = NULL;
  g_assert_true (vend_file_read (vend_json_string (first, "path"), 100, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "hello");
  const json_t *second
      = json_object_get (json_array_get (json_object_get (out, "a"), 1), "$vend.file");
  g_assert_cmpstr (vend_json_string (second, "name"), ==, "output-1.txt");
  g_assert_true (vend_tree_remove (folder, NULL));
}

static void
test_names (void)
{
  static const struct
  {
    const char *name;
    const char *clean;
  } cases[] = {
    { "a.png", "a.png" },
    { "../../etc/passwd", "passwd" },
    { "", "file" },
    { "..", "file" },
    { "a/..", "file" },
    { ".", "file" },
    { "a\nb\x7f.txt", "ab.txt" },
    { "C:\\x", "C:\\x" },
    { "100% a#b?.txt", "100% a#b?.txt" },
    { "\xff.png", "\xef\xbf\xbd.png" },
    { "h\xc3\xa9 1.txt", "h\xc3\xa9 1.txt" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *clean = vend_file_name_clean (cases[i].name);
      g_assert_cmpstr (clean, ==, cases[i].clean);
    }
  g_autofree char *fill = g_strnfill (300, 'x');
  g_autofree char *ascii = g_strconcat (fill, ".tar", NULL);
  g_autofree char *clean = vend_file_name_clean (ascii);
  g_assert_cmpuint (strlen (clean), ==, VEND_FILE_NAME_MAX);
  g_assert_true (g_str_has_suffix (clean, "x.tar"));
  g_assert_cmpstr (vend_file_extension ("IMAGE/PNG; q=1"), ==, ".png");
  g_assert_cmpstr (vend_file_extension ("x/y"), ==, "");
  g_assert_cmpstr (vend_file_type ("a.JPG"), ==, "image/jpeg");
  g_assert_cmpstr (vend_file_type ("a"), ==, "application/octet-stream");
}

static void
test_log_lines (void)
{
  static const struct
  {
    const char *line;
    VendLineKind kind;
    const char *text;
  } cases[] = {
    { "Traceback", VEND_LINE_MODEL, "Traceback" },
    { "{not json", VEND_LINE_MODEL, "{not json" },
    { "{\"level\":\"INFO\",\"fields\":{\"message\":\"hi\"},\"target\":\"coglet::setup\"}",
      VEND_LINE_MODEL, "hi" },
    { "{\"level\":\"INFO\",\"fields\":{\"message\":\"hi\"},\"target\":\"coglet\"}",
      VEND_LINE_SERVER, "hi" },
    { "{\"level\":\"ERROR\",\"fields\":{\"message\":\"m\",\"error\":\"e\"},\"target\":\"coglet\"}",
      VEND_LINE_MODEL, "m: e" },
    { "{\"fields\":{\"message\":\"hi\",\"prediction_id\":\"x\"},\"target\":\"coglet::user\"}",
      VEND_LINE_SERVER, "hi" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = NULL;
      g_assert_cmpint (vend_log_line_parse (cases[i].line, strlen (cases[i].line), &text), ==,
                       cases[i].kind);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/output/unchanged", test_unchanged);
  g_test_add_func ("/output/changed", test_changed);
  g_test_add_func ("/output/data-uri", test_data_uri);
  g_test_add_func ("/output/names", test_names);
  g_test_add_func ("/output/log-lines", test_log_lines);
  return g_test_run ();
}
