/* HOME of an account: kept, shared, and set aside once. */
#include "director/home.h"
#include "base/fd.h"
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  char *path;
  char *aside;
  char *other_aside;
} Place;

static void
set_up (Place *place, gconstpointer data)
{
  place->dir = g_dir_make_tmp ("vend-home-XXXXXX", NULL);
  place->path = g_build_filename (place->dir, "homes", "somebody", NULL);
  place->aside = g_build_filename (place->dir, "aside", NULL);
  place->other_aside = g_build_filename (place->dir, "other-aside", NULL);
}

static void
tear_down (Place *place, gconstpointer data)
{
  g_assert_true (vend_tree_remove (place->dir, NULL));
  g_free (place->dir);
  g_free (place->path);
  g_free (place->aside);
  g_free (place->other_aside);
}

static VendHome *
open_home (const Place *place, const char *aside, uid_t owner)
{
  VendHome *home = NULL;
  GError *error = NULL;
  const bool opened = vend_home_open (place->path, aside, owner, &home, &error);
  g_assert_no_error (error);
  g_assert_true (opened);
  return home;
}

static void
set_aside (const VendHome *home)
{
  GError *error = NULL;
  const bool done = vend_home_set_aside (home, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

static void
keep (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

static bool
has (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
test_kept (Place *place, gconstpointer data)
{
  {
    g_autoptr (VendHome) home = open_home (place, place->aside, geteuid ());
    keep (vend_home_folder (home), "kept");
  }
  g_autoptr (VendHome) next = open_home (place, place->other_aside, geteuid ());
  g_assert_true (has (vend_home_folder (next), "kept"));
  g_assert_false (g_file_test (place->other_aside, G_FILE_TEST_EXISTS));
}

/* Who comes second finds that it is done, and leaves the new one alone. */
static void
test_set_aside_once (Place *place, gconstpointer data)
{
  g_autoptr (VendHome) one = open_home (place, place->aside, geteuid ());
  g_autoptr (VendHome) two = open_home (place, place->other_aside, geteuid ());
  keep (place->path, "large");
  set_aside (one);
  g_assert_true (has (place->aside, "large"));
  g_assert_true (has (vend_home_folder (two), "large"));
  set_aside (two);
  g_autoptr (VendHome) next G_GNUC_UNUSED = open_home (place, place->other_aside, geteuid ());
  keep (place->path, "new");
  set_aside (two);
  set_aside (one);
  g_assert_true (has (place->path, "new"));
  g_assert_false (has (place->path, "large"));
  g_assert_false (g_file_test (place->other_aside, G_FILE_TEST_EXISTS));
}

static void
test_of_another_user (Place *place, gconstpointer data)
{
  struct stat st;
  if (geteuid () != 0)
    {
      g_test_skip ("only root gives folders away");
      return;
    }
  {
    g_autoptr (VendHome) first G_GNUC_UNUSED = open_home (place, place->aside, 1900000001);
    keep (place->path, "of one");
  }
  g_autoptr (VendHome) second G_GNUC_UNUSED = open_home (place, place->other_aside, 1900000002);
  g_assert_false (has (place->path, "of one"));
  g_assert_true (has (place->other_aside, "of one"));
  g_assert_cmpint (stat (place->path, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, 1900000002);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0700);
}

/* Nothing outside is given away, and nothing is led there. */
static void
test_link (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *homes = g_path_get_dirname (place->path);
  VendHome *home = NULL;
  g_assert_cmpint (g_mkdir_with_parents (homes, 0700), ==, 0);
  g_assert_cmpint (symlink ("/tmp", place->path), ==, 0);
  g_assert_false (vend_home_open (place->path, place->aside, geteuid (), &home, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/homes/kept", Place, NULL, set_up, test_kept, tear_down);
  g_test_add ("/homes/set-aside-once", Place, NULL, set_up, test_set_aside_once, tear_down);
  g_test_add ("/homes/of-another-user", Place, NULL, set_up, test_of_another_user, tear_down);
  g_test_add ("/homes/link", Place, NULL, set_up, test_link, tear_down);
  return g_test_run ();
}
