/* What a depot promises, on a disk and, with a server in the environment, on S3. */
#include "files/depot.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "files/s3.h"
#include <string.h>
#include <sys/stat.h>

#define ENDPOINT "VEND_TEST_S3_ENDPOINT"
#define PLACE "VEND_TEST_S3_PLACE"
#define PART ((gsize) 16 << 20)

typedef struct
{
  char *dir;
  char *spool;
  VendDepot *depot;
} Fixture;

static VendDepot *
new_on_disk (const Fixture *f)
{
  g_autofree char *dir = g_build_filename (f->dir, "contents", NULL);
  g_assert_true (vend_dir_ensure (dir, NULL));
  return vend_depot_disk_new (dir, f->spool, true);
}

static VendDepot *
new_on_s3 (const Fixture *f)
{
  VendS3 *s3 = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_path_get_basename (f->dir);
  g_autofree char *place = g_strconcat (g_getenv (PLACE), "/", name, NULL);
  g_assert_true (vend_s3_new (&(VendS3Options){ .place = place,
                                                .endpoint = g_getenv (ENDPOINT),
                                                .key_id = g_getenv ("AWS_ACCESS_KEY_ID"),
                                                .secret = g_getenv ("AWS_SECRET_ACCESS_KEY") },
                              &s3, &error));
  g_assert_no_error (error);
  return vend_depot_s3_new (s3);
}

static void
set_up (Fixture *f, gconstpointer is_s3)
{
  f->dir = g_dir_make_tmp ("vend-depot-XXXXXX", NULL);
  f->spool = g_build_filename (f->dir, "spool", NULL);
  g_assert_true (vend_dir_ensure (f->spool, NULL));
  f->depot = is_s3 != NULL ? new_on_s3 (f) : new_on_disk (f);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  vend_depot_free (f->depot);
  g_assert_true (vend_tree_remove (f->dir, NULL));
  g_free (f->spool);
  g_free (f->dir);
}

static char *
write_file (const Fixture *f, const char *bytes, gsize size)
{
  char *path = g_build_filename (f->spool, "incoming", NULL);
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
  return path;
}

static void
put (const Fixture *f, const char *bytes, gsize size, const char *sha256)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = write_file (f, bytes, size);
  g_assert_true (f->depot->ops->put (f->depot, path, sha256, VEND_DEPOT_KEEP, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
}

static bool
append (const void *bytes, gsize size, void *data)
{
  g_byte_array_append (data, bytes, (guint) size);
  return true;
}

static void
check_read (const Fixture *f, const char *sha256, uint64_t start, uint64_t size, const char *bytes,
            gsize n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) got = g_byte_array_new ();
  g_assert_true (f->depot->ops->read (f->depot, sha256, start, size, append, got, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (got->data, got->len, bytes, n);
}

static void
test_sizes (Fixture *f, gconstpointer unused)
{
  static const gsize sizes[] = { 0, 1, 1000, PART, PART + 1 };
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      const gsize size = sizes[i];
      VendDepotStat stat;
      g_autoptr (GError) error = NULL;
      g_autofree char *bytes = g_malloc (size + 1);
      for (gsize n = 0; n < size; n++)
        bytes[n] = (char) (n * 7 + n / 251);
      g_autofree char *sha256 = vend_sha256_hex (bytes, size);
      put (f, bytes, size, sha256);
      put (f, bytes, size, sha256); /* again is fine */
      g_assert_true (f->depot->ops->stat (f->depot, sha256, &stat, &error));
      g_assert_cmpuint (stat.size, ==, size);
      g_assert_cmpint (ABS (vend_now_us () - stat.changed_us), <, 3600 * VEND_US_PER_S);
      check_read (f, sha256, 0, size, bytes, size);
      if (size < 1000)
        continue;
      check_read (f, sha256, 10, 20, bytes + 10, 20);
      check_read (f, sha256, size - 5, 100, bytes + size - 5, 5);
    }
}

static void
test_missing (Fixture *f, gconstpointer unused)
{
  VendDepotStat stat;
  g_autofree char *sha256 = vend_sha256_text ("never stored");
  g_autoptr (GError) of_stat = NULL, of_read = NULL, of_remove = NULL;
  g_autoptr (GByteArray) got = g_byte_array_new ();
  g_assert_false (f->depot->ops->stat (f->depot, sha256, &stat, &of_stat));
  g_assert_error (of_stat, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  g_assert_false (f->depot->ops->read (f->depot, sha256, 0, 10, append, got, &of_read));
  g_assert_error (of_read, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  g_assert_true (f->depot->ops->remove (f->depot, sha256, &of_remove));
}

static void
count (const char *sha256, const VendDepotStat *stat, void *data)
{
  g_hash_table_insert (data, g_strdup (sha256), GSIZE_TO_POINTER (stat->size));
}

static void
test_each_and_remove (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *one = vend_sha256_text ("one"), *other = vend_sha256_text ("other");
  put (f, "one", 3, one);
  put (f, "other", 5, other);
  g_assert_true (f->depot->ops->each (f->depot, count, seen, &error));
  g_assert_cmpuint (g_hash_table_size (seen), ==, 2);
  g_assert_cmpuint (GPOINTER_TO_SIZE (g_hash_table_lookup (seen, other)), ==, 5);
  g_assert_true (f->depot->ops->remove (f->depot, one, &error));
  g_hash_table_remove_all (seen);
  g_assert_true (f->depot->ops->each (f->depot, count, seen, &error));
  g_assert_cmpuint (g_hash_table_size (seen), ==, 1);
  g_assert_true (g_hash_table_contains (seen, other));
}

static bool
refuse (const void *bytes, gsize size, void *data)
{
  return vend_fail (data, VEND_ERROR_NO_SPACE, "enough");
}

static void
test_reader_ends_it (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL, ignored = NULL;
  g_autofree char *sha256 = vend_sha256_text ("content");
  put (f, "content", 7, sha256);
  g_assert_false (f->depot->ops->read (f->depot, sha256, 0, 7, refuse, &error, &ignored));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NO_SPACE);
  g_assert_no_error (ignored);
}

/* A disk believes the caller. */
static void
test_other_bytes_are_refused (Fixture *f, gconstpointer unused)
{
  static const gsize sizes[] = { 1000, PART + 1 };
  VendDepotStat stat;
  g_autofree char *sha256 = vend_sha256_text ("something else");
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *bytes = g_malloc0 (sizes[i]);
      g_autofree char *path = write_file (f, bytes, sizes[i]);
      g_assert_false (f->depot->ops->put (f->depot, path, sha256, VEND_DEPOT_KEEP, &error));
      g_assert_nonnull (error);
      g_assert_false (f->depot->ops->stat (f->depot, sha256, &stat, NULL));
    }
}

static void
add (const char *place, const char *name, gconstpointer is_s3,
     void (*test) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/depot/%s/%s", place, name);
  g_test_add (path, Fixture, is_s3, set_up, test, tear_down);
}

static void
add_all (const char *place, gconstpointer is_s3)
{
  add (place, "sizes", is_s3, test_sizes);
  add (place, "missing", is_s3, test_missing);
  add (place, "each-and-remove", is_s3, test_each_and_remove);
  add (place, "reader-ends-it", is_s3, test_reader_ends_it);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_all ("disk", NULL);
  if (g_getenv (ENDPOINT) != NULL)
    {
      add_all ("s3", "yes");
      add ("s3", "other-bytes-are-refused", "yes", test_other_bytes_are_refused);
    }
  return g_test_run ();
}
