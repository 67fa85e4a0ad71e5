/* Archives of `vend export`, in zstd, as a tar, or their manifest alone. Whatever is in one, it is
 * read as a whole or refused, and nothing comes of it but files and folders below one folder. */
#include "fuzz.h"
#include "build/bundle-read.h"
#include "base/fd.h"
#include "model/weight-set.h"
#include <glib/gstdio.h>
#include <sys/stat.h>

static void
look (const char *path, uint64_t *n_bytes)
{
  g_autoptr (GDir) listing = g_dir_open (path, 0, NULL);
  g_assert_nonnull (listing);
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    {
      struct stat status;
      g_autofree char *inner = g_build_filename (path, name, NULL);
      g_assert_cmpint (lstat (inner, &status), ==, 0);
      g_assert_true (S_ISREG (status.st_mode) || S_ISDIR (status.st_mode));
      g_assert_cmpint (status.st_mode & 07022, ==, 0);
      if (S_ISDIR (status.st_mode))
        look (inner, n_bytes);
      else
        *n_bytes += (uint64_t) status.st_size;
    }
}

static void
check_manifest (const VendBundleManifest *manifest)
{
  uint64_t size = 0;
  g_assert_nonnull (manifest->version);
  g_assert_nonnull (manifest->pushed);
  for (guint i = 0; i < manifest->entries->len; i++)
    {
      const VendBundleEntry *entry = g_ptr_array_index (manifest->entries, i);
      fuzz_check_utf8 (entry->path);
      g_assert_false (g_path_is_absolute (entry->path));
      g_assert_true (entry->is_dir == (entry->sha256 == NULL));
      size += entry->size;
    }
  g_assert_cmpuint (size, ==, manifest->size);
  for (guint i = 0; i < manifest->sets->len; i++)
    {
      const VendWeightSet *set = g_ptr_array_index (manifest->sets, i);
      g_assert_true (vend_weight_path_is_good (set->target));
      g_assert_false (set->can_fetch || set->any_host);
      for (guint n = 0; n < set->files->len; n++)
        g_assert_true (vend_weight_path_is_good (
            ((const VendWeightFile *) g_ptr_array_index (set->files, n))->path));
    }
}

static void
read_archive (const uint8_t *data, size_t size)
{
  static const VendBundleLimits limits = { .max_bytes = 100000, .max_files = 20 };
  g_autofree char *archive = g_build_filename (fuzz_folder (), "archive", NULL);
  g_autofree char *around = g_build_filename (fuzz_folder (), "around", NULL);
  g_autofree char *target = g_build_filename (around, "target", NULL);
  g_autoptr (VendBundleManifest) manifest = NULL;
  g_autoptr (GError) error = NULL;
  uint64_t n_inside = 0, n_all = 0;
  fuzz_write_file (archive, (const char *) data, size);
  g_assert_cmpint (g_mkdir_with_parents (target, 0700), ==, 0);
  const bool good = vend_bundle_read (archive, &limits, target, &manifest, &error);
  fuzz_check_error (good, error);
  look (target, &n_inside);
  look (around, &n_all);
  g_assert_cmpuint (n_inside, ==, n_all);
  g_assert_cmpuint (n_inside, <=, limits.max_bytes);
  if (good)
    {
      check_manifest (manifest);
      g_assert_cmpuint (n_inside, ==, manifest->size);
    }
  fuzz_remove_tree (around);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (VendBundleManifest) manifest = NULL;
  g_autoptr (GError) error = NULL;
  const bool good = vend_bundle_manifest_parse ((const char *) data, size, &manifest, &error);
  fuzz_check_error (good, error);
  if (good)
    check_manifest (manifest);
  read_archive (data, size);
  return 0;
}
