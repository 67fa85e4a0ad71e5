/* Tests of the folder that runs share one after another. */
#include "director/run-folder.h"
#include "base/clock.h"
#include "base/fd.h"
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  VendRunFolder folder;
} World;

static void
world_init (World *world, const void *unused)
{
  world->dir = g_dir_make_tmp ("vend-run-folder-XXXXXX", NULL);
  vend_run_folder_init (&world->folder, g_build_filename (world->dir, "runs", "0", NULL));
}

static void
world_clear (World *world, const void *unused)
{
  vend_run_folder_clear (&world->folder);
  g_assert_true (vend_tree_remove (world->dir, NULL));
  g_free (world->dir);
}

static void
run (World *world)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_run_folder_open (&world->folder, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_test (world->folder.path, G_FILE_TEST_IS_DIR));
}

static void
write_file (const World *world, const char *name)
{
  g_autofree char *path = g_build_filename (world->folder.path, name, NULL);
  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

static guint64
inode (const World *world)
{
  struct stat now;
  g_assert_cmpint (lstat (world->folder.path, &now), ==, 0);
  return now.st_ino;
}

/* Until runs leave no trace of the folder's making. */
static void
settle (World *world)
{
  while (world->folder.empty_since.tv_sec == 0)
    {
      run (world);
      vend_run_folder_close (&world->folder);
    }
}

static void
test_kept (World *world, const void *unused)
{
  run (world);
  const guint64 first = inode (world);
  vend_run_folder_close (&world->folder);
  settle (world);
  run (world);
  vend_run_folder_close (&world->folder);
  g_assert_cmpuint (inode (world), ==, first);
}

static void
test_files_go (World *world, const void *settled)
{
  if (GPOINTER_TO_INT (settled))
    settle (world);
  run (world);
  write_file (world, "left");
  vend_run_folder_close (&world->folder);
  g_assert_false (g_file_test (world->folder.path, G_FILE_TEST_EXISTS));
  run (world);
  vend_run_folder_close (&world->folder);
}

/* A program before this one left something there. */
static void
test_leftovers_go (World *world, const void *unused)
{
  g_assert_true (vend_dir_ensure (world->folder.path, NULL));
  write_file (world, "left");
  run (world);
  vend_run_folder_close (&world->folder);
  g_assert_false (g_file_test (world->folder.path, G_FILE_TEST_EXISTS));
}

static void
test_removed_by_the_model (World *world, const void *unused)
{
  settle (world);
  run (world);
  g_assert_cmpint (rmdir (world->folder.path), ==, 0);
  vend_run_folder_close (&world->folder);
  run (world);
}

#define TEST(path, data, test) g_test_add (path, World, data, world_init, test, world_clear)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST ("/run-folder/kept", NULL, test_kept);
  TEST ("/run-folder/files-go", NULL, test_files_go);
  TEST ("/run-folder/files-of-a-late-run-go", GINT_TO_POINTER (1), test_files_go);
  TEST ("/run-folder/leftovers-go", NULL, test_leftovers_go);
  TEST ("/run-folder/removed-by-the-model", NULL, test_removed_by_the_model);
  return g_test_run ();
}
