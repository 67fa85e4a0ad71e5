/* Archives of sources. Whatever is in one, nothing but plain files and folders come of it, below
 * one folder and within the limits. */
#include "fuzz.h"
#include "build/unpack.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct
{
  uint64_t n_bytes;
  uint64_t n_files;
} Found;

static void
look (const char *path, Found *found)
{
  g_autoptr (GDir) listing = g_dir_open (path, 0, NULL);
  g_assert_nonnull (listing);
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    {
      struct stat status;
      g_autofree char *inner = g_build_filename (path, name, NULL);
      fuzz_check_utf8 (name);
      g_assert_cmpint (lstat (inner, &status), ==, 0);
      g_assert_true (S_ISREG (status.st_mode) || S_ISDIR (status.st_mode));
      g_assert_cmpint (status.st_mode & 07022, ==, 0);
      found->n_files++;
      if (S_ISDIR (status.st_mode))
        look (inner, found);
      else
        found->n_bytes += (uint64_t) status.st_size;
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const VendUnpackLimits limits = { .max_bytes = 1000, .max_files = 12 };
  g_autofree char *archive = g_build_filename (fuzz_folder (), "archive", NULL);
  g_autofree char *around = g_build_filename (fuzz_folder (), "around", NULL);
  g_autofree char *target = g_build_filename (around, "target", NULL);
  fuzz_write_file (archive, (const char *) data, size);
  g_assert_cmpint (g_mkdir_with_parents (target, 0700), ==, 0);

  g_autoptr (GError) error = NULL;
  const bool good = vend_unpack (archive, target, &limits, &error);
  fuzz_check_error (good, error);
  Found inside = { 0 };
  Found all = { 0 };
  look (target, &inside);
  look (around, &all);
  g_assert_cmpuint (all.n_files, ==, inside.n_files + 1);
  g_assert_cmpuint (inside.n_bytes, <=, limits.max_bytes);
  g_assert_cmpuint (inside.n_files, <=, limits.max_files);
  fuzz_remove_tree (around);
  return 0;
}
