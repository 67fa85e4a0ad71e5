/* Tests of the measure of an instance's files. */
#include "director/disk-use.h"
#include "base/fd.h"
#include "base/tree-bytes.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB ((gsize) 1024)

static void
write_file (const char *dir, const char *name, gsize size)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *bytes = g_malloc (size);
  memset (bytes, 'x', size);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
}

static void
test_measure (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-disk-use-XXXXXX", NULL);
  g_autofree char *missing = g_build_filename (dir, "missing", NULL);
  g_autofree char *one = g_build_filename (dir, "one", NULL);
  g_autofree char *outside = g_build_filename (dir, "outside", NULL);
  g_autofree char *link = g_build_filename (one, "link", NULL);
  const char *const folders[] = { missing, one, NULL };
  atomic_bool stops = false;
  write_file (one, "a/b/c", 64 * KIB);
  write_file (one, "d", 32 * KIB);
  write_file (outside, "large", 512 * KIB);
  g_assert_cmpint (symlink (outside, link), ==, 0);
  const uint64_t bytes = vend_tree_bytes (folders, UINT64_MAX, &stops);
  g_assert_cmpuint (bytes, >=, 96 * KIB);
  g_assert_cmpuint (bytes, <, 256 * KIB);
  g_assert_cmpuint (vend_tree_bytes (folders, 0, &stops), >, 0);
  g_assert_cmpuint (vend_tree_bytes (folders, 0, &stops), <, bytes);
  stops = true;
  g_assert_cmpuint (vend_tree_bytes (folders, UINT64_MAX, &stops), ==, 0);
  g_assert_true (vend_tree_remove (dir, NULL));
}

static void
on_over (void *context)
{
  ++*(guint *) context;
}

/* What was there before the model is not its own. */
static void
test_over (void)
{
  guint n_over = 0;
  g_autofree char *dir = g_dir_make_tmp ("vend-disk-use-XXXXXX", NULL);
  const char *const folders[] = { dir, NULL };
  write_file (dir, "before", 256 * KIB);
  g_autoptr (VendDiskUse) use = vend_disk_use_new (folders, 128 * KIB, on_over, &n_over);
  vend_disk_use_look (use);
  g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (n_over, ==, 0);
  write_file (dir, "after", 256 * KIB);
  while (n_over == 0)
    {
      vend_disk_use_look (use);
      g_main_context_iteration (NULL, FALSE);
    }
  vend_disk_use_look (use);
  g_assert_cmpuint (n_over, ==, 1);
  g_assert_true (vend_tree_remove (dir, NULL));
}

static void
test_count_all (void)
{
  guint n_over = 0;
  g_autofree char *dir = g_dir_make_tmp ("vend-disk-use-XXXXXX", NULL);
  const char *const folders[] = { dir, NULL };
  write_file (dir, "before", 256 * KIB);
  g_autoptr (VendDiskUse) use = vend_disk_use_new (folders, 128 * KIB, on_over, &n_over);
  vend_disk_use_count_all (use);
  while (n_over == 0)
    {
      vend_disk_use_look (use);
      g_main_context_iteration (NULL, FALSE);
    }
  g_assert_cmpuint (n_over, ==, 1);
  g_assert_true (vend_tree_remove (dir, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/disk-use/measure", test_measure);
  g_test_add_func ("/disk-use/over", test_over);
  g_test_add_func ("/disk-use/count-all", test_count_all);
  return g_test_run ();
}
