/* Layers of images, put over a root that has links out of it. Whatever is in one, nothing comes of
 * it outside of the root, and within it only files, folders and links, within the limits. */
#include "fuzz.h"
#include "image/layer.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ENTRIES 12

static void
look (const char *path, guint *n_entries)
{
  g_autoptr (GDir) listing = g_dir_open (path, 0, NULL);
  g_assert_nonnull (listing);
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    {
      struct stat status;
      g_autofree char *inner = g_build_filename (path, name, NULL);
      g_assert_cmpint (lstat (inner, &status), ==, 0);
      g_assert_true (S_ISREG (status.st_mode) || S_ISDIR (status.st_mode)
                     || S_ISLNK (status.st_mode));
      g_assert_cmpint (status.st_mode & 06000, ==, 0);
      (*n_entries)++;
      if (S_ISDIR (status.st_mode))
        look (inner, n_entries);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *file = g_build_filename (fuzz_folder (), "layer", NULL);
  g_autofree char *around = g_build_filename (fuzz_folder (), "around", NULL);
  g_autofree char *target = g_build_filename (around, "target", NULL);
  g_autofree char *outside = g_build_filename (around, "outside", NULL);
  g_autofree char *lower = g_build_filename (target, "lower", NULL);
  g_autofree char *up = g_build_filename (target, "up", NULL);
  g_autofree char *away = g_build_filename (target, "away", NULL);
  fuzz_write_file (file, (const char *) data, size);
  g_assert_cmpint (g_mkdir_with_parents (lower, 0700), ==, 0);
  fuzz_write_file (outside, "kept", 4);
  g_assert_cmpint (symlink ("../outside", up), ==, 0);
  g_assert_cmpint (symlink (around, away), ==, 0);

  g_autoptr (GError) error = NULL;
  VendLayers layers = { .root = { .fd = open (target, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                                  .max_entries = MAX_ENTRIES },
                        .max_bytes = 1000,
                        .deadline_us = G_MAXINT64 };
  const int fd = open (file, O_RDONLY | O_CLOEXEC);
  g_assert_true (fd >= 0 && layers.root.fd >= 0);
  const bool good = vend_layer_apply (&layers, fd, &error);
  fuzz_check_error (good, error);
  close (fd);
  close (layers.root.fd);
  guint n_inside = 0;
  guint n_all = 0;
  look (target, &n_inside);
  look (around, &n_all);
  g_assert_cmpuint (n_all, ==, n_inside + 2);
  g_assert_cmpuint (n_inside, <=, MAX_ENTRIES + 3);
  g_assert_cmpuint (layers.n_bytes, <=, layers.max_bytes);
  struct stat status;
  g_assert_cmpint (lstat (outside, &status), ==, 0);
  g_assert_true (S_ISREG (status.st_mode) && status.st_size == 4 && status.st_nlink == 1);
  fuzz_remove_tree (around);
  return 0;
}
