/* Folders that checks of the file system leave. */
#include "workspace/probe.h"
#include "base/fd.h"
#include <fcntl.h>
#include <sys/stat.h>

static void
make_folder (const char *dir, const char *name, time_t age_s)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *inside = g_build_filename (path, "source", NULL);
  const struct timespec changed = { .tv_sec = time (NULL) - age_s };
  g_assert_true (vend_dir_ensure (inside, NULL));
  g_assert_cmpint (utimensat (AT_FDCWD, path, (const struct timespec[]){ changed, changed }, 0), ==,
                   0);
}

static bool
is_there (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
test_sweep (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-probe-XXXXXX", NULL);
  make_folder (dir, ".probe-aaaaaa", 3600);
  make_folder (dir, ".probe-bbbbbb", 60);
  make_folder (dir, "versions", 3600);
  vend_workspace_probe_sweep (dir);
  g_assert_false (is_there (dir, ".probe-aaaaaa"));
  g_assert_true (is_there (dir, ".probe-bbbbbb"));
  g_assert_true (is_there (dir, "versions"));
  g_assert_true (vend_tree_remove (dir, NULL));
}

static void
test_nothing_stays (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-probe-XXXXXX", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GDir) listing = NULL;
  vend_workspace_probe (dir, VEND_COPY_AUTO, &text);
  g_assert_nonnull (text);
  listing = g_dir_open (dir, 0, NULL);
  g_assert_null (g_dir_read_name (listing));
  g_assert_true (vend_tree_remove (dir, NULL));
}

/* Links stand in the working copy, also below folders that the source lacks. */
static void
test_links (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vend-links-XXXXXX", NULL);
  g_autofree char *source = g_build_filename (dir, "source", NULL);
  g_autofree char *place = g_build_filename (dir, "place", NULL);
  g_autofree char *link = g_build_filename (place, "work", "src", "a", "weights", NULL);
  char *const argv[] = { (char *) "python", NULL };
  char *const env[] = { NULL };
  char *const links[] = { (char *) "a/weights", dir, NULL };
  const VendWorkspaceOptions options = { .dir = place,
                                         .source = source,
                                         .links = links,
                                         .argv = argv,
                                         .env = env,
                                         .kind = VEND_COPY_PLAIN };
  g_autoptr (VendWorkspace) workspace = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_dir_ensure (source, &error));
  g_assert_true (vend_workspace_new (&options, &workspace, &error));
  g_assert_true (vend_workspace_copy (workspace, NULL, &error));
  g_autofree char *to = g_file_read_link (link, &error);
  g_assert_cmpstr (to, ==, dir);
  g_assert_true (vend_tree_remove (dir, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/probe/sweep", test_sweep);
  g_test_add_func ("/probe/nothing-stays", test_nothing_stays);
  g_test_add_func ("/probe/links", test_links);
  return g_test_run ();
}
