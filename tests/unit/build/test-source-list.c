/* The files of a source, without what a build adds. */
#include "build/source-list.h"
#include "base/error.h"
#include "base/fd.h"
#include <glib/gstdio.h>
#include <unistd.h>

static void
write_file (const char *dir, const char *relative, const char *text)
{
  g_autofree char *path = g_build_filename (dir, relative, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_list (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-source-XXXXXX", NULL);
  g_autofree char *link = g_build_filename (dir, "link", NULL);
  g_autoptr (GError) error = NULL;
  json_auto_t *list = NULL;
  write_file (dir, "predict.py", "pass");
  write_file (dir, "data/a.txt", "");
  write_file (dir, "data/.cog/kept", "");
  write_file (dir, ".cog/openapi_schema.json", "{}");
  write_file (dir, "__pycache__/predict.pyc", "x");
  write_file (dir, "data/__pycache__/a.pyc", "x");
  g_assert_cmpint (symlink ("/etc/passwd", link), ==, 0);
  g_assert_true (vend_source_list (dir, &list, &error));
  json_auto_t *expected
      = json_loads ("[{\"path\": \"data/.cog/kept\", \"size\": 0, \"sha256\": "
                    "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"},"
                    " {\"path\": \"data/a.txt\", \"size\": 0, \"sha256\": "
                    "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"},"
                    " {\"path\": \"predict.py\", \"size\": 4, \"sha256\": "
                    "\"d74ff0ee8da3b9806b18c877dbf29bbde50b5bd8e4dad7a3a725000feb82e8f1\"}]",
                    0, NULL);
  g_autofree char *text = vend_json_text (list);
  if (!json_equal (list, expected))
    g_error ("%s", text);
  g_assert_true (vend_tree_remove (dir, &error));
  json_decref (g_steal_pointer (&list));
  g_assert_false (vend_source_list (dir, &list, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_STORAGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source-list", test_list);
  return g_test_run ();
}
