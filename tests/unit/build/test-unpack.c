/* Unpacking: good archives of each kind, and archives that somebody means ill with. */
#include "base/error.h"
#include "base/fd.h"
#include "build/unpack.h"
#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct
{
  const char *name;
  mode_t type;
  const char *content; /* or the target of a link */
  mode_t mode;
} Entry;

typedef enum
{
  TAR_GZ,
  TAR,
  ZIP,
} Kind;

static void
add_entry (struct archive *archive, const Entry *item, gsize size)
{
  struct archive_entry *entry = archive_entry_new ();
  archive_entry_set_pathname (entry, item->name);
  archive_entry_set_filetype (entry, item->type);
  archive_entry_set_perm (entry, item->mode != 0 ? item->mode : 0644);
  archive_entry_set_size (entry, item->type == AE_IFREG ? (la_int64_t) size : 0);
  if (item->type == AE_IFLNK)
    archive_entry_set_symlink (entry, item->content);
  if (item->type == 0)
    {
      archive_entry_set_filetype (entry, AE_IFREG);
      archive_entry_set_hardlink (entry, item->content);
    }
  g_assert_cmpint (archive_write_header (archive, entry), >=, ARCHIVE_WARN);
  if (item->type == AE_IFREG && size > 0)
    g_assert_cmpint (archive_write_data (archive, item->content, size), ==, (la_ssize_t) size);
  archive_entry_free (entry);
}

static char *
make_archive (const char *dir, Kind kind, const Entry *items, gsize count)
{
  char *path = g_build_filename (dir, "archive", NULL);
  struct archive *archive = archive_write_new ();
  if (kind == TAR_GZ)
    archive_write_add_filter_gzip (archive);
  if (kind == ZIP)
    archive_write_set_format_zip (archive);
  else
    archive_write_set_format_gnutar (archive);
  g_assert_cmpint (archive_write_open_filename (archive, path), ==, ARCHIVE_OK);
  for (gsize i = 0; i < count; i++)
    add_entry (archive, &items[i], items[i].content != NULL ? strlen (items[i].content) : 0);
  g_assert_cmpint (archive_write_close (archive), ==, ARCHIVE_OK);
  archive_write_free (archive);
  return path;
}

typedef struct
{
  char *dir;
  char *target;
} Place;

static void
place_clear (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tree_remove (place->dir, &error));
  g_free (place->dir);
  g_free (place->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static Place
place_new (void)
{
  Place place = { g_dir_make_tmp ("vend-unpack-XXXXXX", NULL), NULL };
  place.target = g_build_filename (place.dir, "src", NULL);
  g_assert_cmpint (g_mkdir (place.target, 0700), ==, 0);
  return place;
}

static void
test_good (void)
{
  static const Entry items[] = {
    { "./", AE_IFDIR, NULL, 0755 },
    { "./cog.yaml", AE_IFREG, "predict: predict.py:Predictor\n", 0600 },
    { "deep", AE_IFDIR, NULL, 0755 },
    { "deep//er/run.sh", AE_IFREG, "#!/bin/sh\n", 0755 },
    { "gr\xc3\xbc\xc3\x9f.txt", AE_IFREG, "hello", 0644 },
    { "empty", AE_IFREG, NULL, 0644 },
    { "deep", AE_IFDIR, NULL, 0755 },
  };
  for (Kind kind = TAR_GZ; kind <= ZIP; kind++)
    {
      g_auto (Place) place = place_new ();
      g_autofree char *archive = make_archive (place.dir, kind, items, G_N_ELEMENTS (items));
      const VendUnpackLimits limits = { 1000, 100 };
      g_autoptr (GError) error = NULL;
      const bool good = vend_unpack (archive, place.target, &limits, &error);
      g_assert_no_error (error);
      g_assert_true (good);
      g_autofree char *script = g_build_filename (place.target, "deep", "er", "run.sh", NULL);
      g_autofree char *named = g_build_filename (place.target, "gr\xc3\xbc\xc3\x9f.txt", NULL);
      g_autofree char *yaml = g_build_filename (place.target, "cog.yaml", NULL);
      g_autofree char *text = NULL;
      struct stat st;
      g_assert_cmpint (stat (script, &st), ==, 0);
      g_assert_cmpint (st.st_mode & 0777, ==, 0755);
      g_assert_cmpint (stat (yaml, &st), ==, 0);
      g_assert_cmpint (st.st_mode & 0777, ==, 0644);
      g_assert_true (g_file_get_contents (named, &text, NULL, NULL));
      g_assert_cmpstr (text, ==, "hello");
    }
}

#define LONG_PART \
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"

static void
test_evil (void)
{
  static const struct
  {
    const char *says; /* both parts of the text */
    const char *names;
    Entry items[2];
  } bad[] = {
    { "absolute", "/etc/evil", { { "/etc/evil", AE_IFREG, "x", 0 } } },
    { "'..'", "../evil", { { "../evil", AE_IFREG, "x", 0 } } },
    { "'..'", "a/../../evil", { { "a/../../evil", AE_IFREG, "x", 0 } } },
    { "'..'", "a/..", { { "a/..", AE_IFDIR, NULL, 0 } } },
    { "symbolic links", "link", { { "link", AE_IFLNK, "/etc", 0 } } },
    { "symbolic links",
      "link",
      { { "link", AE_IFLNK, "/etc", 0 }, { "link/x", AE_IFREG, "x", 0 } } },
    { "hard links", "b", { { "a", AE_IFREG, "x", 0 }, { "b", 0, "a", 0 } } },
    { "hard links", "b", { { "b", 0, "/etc/passwd", 0 } } },
    { "devices and pipes", "pipe", { { "pipe", AE_IFIFO, NULL, 0 } } },
    { "devices and pipes", "tty", { { "tty", AE_IFCHR, NULL, 0 } } },
    { "devices and pipes", "disk", { { "disk", AE_IFBLK, NULL, 0 } } },
    { "twice", "a", { { "a", AE_IFREG, "x", 0 }, { "./a", AE_IFREG, "y", 0 } } },
    { "the same name", "a/b", { { "a", AE_IFREG, "x", 0 }, { "a/b", AE_IFREG, "y", 0 } } },
    { "twice", "a", { { "a/b", AE_IFREG, "x", 0 }, { "a", AE_IFREG, "y", 0 } } },
    { "not UTF-8", "\\377", { { "bad\xff", AE_IFREG, "x", 0 } } },
    { "control character", "\\n", { { "two\nlines", AE_IFREG, "x", 0 } } },
    { "1024",
      "aaaa",
      { { LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART
              LONG_PART LONG_PART LONG_PART "x",
          AE_IFREG, "x", 0 } } },
    { "sum to more",
      "big",
      { { "small", AE_IFREG, "0123456789", 0 },
        { "big", AE_IFREG, "01234567890123456789012345678901234567890123456789012345", 0 } } },
    { "more than 8 files", "a/b/c/d/e/f/g/h", { { "a/b/c/d/e/f/g/h/i", AE_IFREG, "x", 0 } } },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto (Place) place = place_new ();
      const gsize count = bad[i].items[1].name != NULL ? 2 : 1;
      g_autofree char *archive = make_archive (place.dir, TAR_GZ, bad[i].items, count);
      const VendUnpackLimits limits = { 50, 8 };
      g_autoptr (GError) error = NULL;
      g_test_message ("expecting: %s", bad[i].says);
      g_assert_false (vend_unpack (archive, place.target, &limits, &error));
      g_assert_nonnull (strstr (error->message, bad[i].says));
      g_assert_nonnull (strstr (error->message, bad[i].names));
      g_autofree char *egress = g_build_filename (place.dir, "evil", NULL);
      g_assert_false (g_file_test (egress, G_FILE_TEST_EXISTS));
    }
}

/* 64 MiB of zeros in 64 KiB: ends at the limit, not at the end. */
static void
test_bomb (void)
{
  g_auto (Place) place = place_new ();
  const gsize size = (gsize) 64 * 1024 * 1024;
  g_autofree char *zeros = g_malloc (size + 1);
  memset (zeros, '0', size);
  zeros[size] = '\0';
  const Entry items[] = { { "bomb", AE_IFREG, zeros, 0 } };
  g_autofree char *archive = make_archive (place.dir, TAR_GZ, items, 1);
  const VendUnpackLimits limits = { 100000, 10 };
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_unpack (archive, place.target, &limits, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
  g_autofree char *path = g_build_filename (place.target, "bomb", NULL);
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_size, <=, 100000);
}

static void
test_damaged (void)
{
  static const Entry items[] = { { "a", AE_IFREG, "some content that is there", 0 } };
  g_auto (Place) place = place_new ();
  g_autofree char *archive = make_archive (place.dir, TAR_GZ, items, 1);
  g_autofree char *data = NULL;
  gsize size = 0;
  g_assert_true (g_file_get_contents (archive, &data, &size, NULL));
  const VendUnpackLimits limits = { 1000, 10 };
  const struct
  {
    const char *data;
    gsize size;
  } bad[] = { { data, size / 2 }, { data, 0 }, { "no archive at all", 17 } };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_true (g_file_set_contents (archive, bad[i].data, (gssize) bad[i].size, NULL));
      g_assert_false (vend_unpack (archive, place.target, &limits, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/unpack/good", test_good);
  g_test_add_func ("/build/unpack/evil", test_evil);
  g_test_add_func ("/build/unpack/bomb", test_bomb);
  g_test_add_func ("/build/unpack/damaged", test_damaged);
  return g_test_run ();
}
