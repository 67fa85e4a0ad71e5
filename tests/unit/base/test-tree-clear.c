/* A folder that somebody else may write to is emptied, and nothing outside of it. */
#include "base/fd.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEP 150

static char *
child (const char *dir, const char *name)
{
  return g_build_filename (dir, name, NULL);
}

static void
write_file (const char *path)
{
  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

static bool
is_empty (const char *dir)
{
  g_autoptr (GDir) listing = g_dir_open (dir, 0, NULL);
  return g_dir_read_name (listing) == NULL;
}

static void
test_clears (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-clear-XXXXXX", NULL);
  g_autofree char *inside = child (dir, "inside");
  g_autofree char *outside = child (dir, "outside");
  g_autofree char *kept = child (outside, "kept");
  g_autofree char *link = child (inside, "link");
  g_autofree char *folder = child (inside, "folder");
  g_autofree char *file = child (folder, "file");
  g_autofree char *closed = child (inside, "closed");
  g_autofree char *in_closed = child (closed, "file");
  g_autoptr (GString) deep = g_string_new (inside);
  g_assert_true (vend_dir_ensure (outside, NULL) && vend_dir_ensure (folder, NULL)
                 && vend_dir_ensure (closed, NULL));
  write_file (kept);
  write_file (file);
  write_file (in_closed);
  g_assert_cmpint (symlink (outside, link), ==, 0);
  g_assert_cmpint (chmod (closed, 0), ==, 0);
  for (guint i = 0; i < DEEP; i++)
    g_string_append (deep, "/d");
  g_assert_true (vend_dir_ensure (deep->str, NULL));
  g_assert_true (vend_tree_clear (inside, NULL));
  g_assert_true (is_empty (inside));
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
  g_assert_true (vend_tree_remove (dir, NULL));
}

static void
test_no_link_is_followed (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-clear-XXXXXX", NULL);
  g_autofree char *outside = child (dir, "outside");
  g_autofree char *kept = child (outside, "kept");
  g_autofree char *link = child (dir, "link");
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_dir_ensure (outside, NULL));
  write_file (kept);
  g_assert_cmpint (symlink (outside, link), ==, 0);
  g_assert_false (vend_tree_clear (link, &error));
  g_assert_nonnull (strstr (error->message, link));
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
  g_assert_true (vend_tree_remove (dir, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tree-clear/clears", test_clears);
  g_test_add_func ("/tree-clear/no-link-is-followed", test_no_link_is_followed);
  return g_test_run ();
}
