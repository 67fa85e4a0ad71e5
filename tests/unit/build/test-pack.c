/* Tests of packing a source tree. */
#include "build/pack.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#define NO_LIMIT (1024 * 1024 * 1024)

typedef struct
{
  char *dir;
  char *tree;
  char *archive;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->dir = g_dir_make_tmp ("vend-pack-XXXXXX", NULL);
  fixture->tree = g_build_filename (fixture->dir, "tree", NULL);
  fixture->archive = g_build_filename (fixture->dir, "source.tar.gz", NULL);
  g_assert_cmpint (mkdir (fixture->tree, 0700), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tree_remove (fixture->dir, &error));
  g_free (fixture->dir);
  g_free (fixture->tree);
  g_free (fixture->archive);
}

static void
put (Fixture *fixture, const char *path, const char *text)
{
  g_autofree char *full = g_build_filename (fixture->tree, path, NULL);
  g_autofree char *parent = g_path_get_dirname (full);
  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_assert_true (g_file_set_contents (full, text, -1, NULL));
}

static void
put_link (Fixture *fixture, const char *path, const char *target)
{
  g_autofree char *full = g_build_filename (fixture->tree, path, NULL);
  g_assert_cmpint (symlink (target, full), ==, 0);
}

/* "path mode size content\n" of each entry. */
static char *
list (const char *path)
{
  GString *text = g_string_new (NULL);
  struct archive *archive = archive_read_new ();
  struct archive_entry *entry = NULL;
  archive_read_support_filter_gzip (archive);
  archive_read_support_format_tar (archive);
  g_assert_cmpint (archive_read_open_filename (archive, path, 4096), ==, ARCHIVE_OK);
  while (archive_read_next_header (archive, &entry) == ARCHIVE_OK)
    {
      char content[64] = "";
      la_ssize_t n = archive_read_data (archive, content, sizeof content - 1);
      g_assert_cmpint (n, >=, 0);
      g_assert_cmpint (archive_entry_mtime (entry), ==, 0);
      g_assert_cmpint (archive_entry_uid (entry), ==, 0);
      g_assert_cmpint (archive_entry_gid (entry), ==, 0);
      g_assert_cmpstr (archive_entry_uname (entry) ?: "", ==, "");
      g_string_append_printf (text, "%s %o %s\n", archive_entry_pathname (entry),
                              archive_entry_mode (entry), content);
    }
  archive_read_free (archive);
  return g_string_free (text, FALSE);
}

static void
assert_packs (Fixture *fixture, const char *expected)
{
  VendPackInfo info = { 0 };
  g_autoptr (GError) error = NULL;
  bool packed = vend_pack_tree (fixture->tree, fixture->archive, NO_LIMIT, &info, &error);
  g_assert_no_error (error);
  g_assert_true (packed);
  g_autofree char *listed = list (fixture->archive);
  g_assert_cmpstr (listed, ==, expected);
}

/* Nothing may be left beside the tree either. */
static void
assert_fails (Fixture *fixture, uint64_t limit, VendError code, const char *word)
{
  VendPackInfo info = { .size = 7 };
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_pack_tree (fixture->tree, fixture->archive, limit, &info, &error));
  g_assert_error (error, VEND_ERROR, (int) code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, word));
  g_assert_cmpint (info.size, ==, 7);
  g_autoptr (GDir) dir = g_dir_open (fixture->dir, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, "tree");
  g_assert_null (g_dir_read_name (dir));
}

static void
test_content (Fixture *fixture, gconstpointer data)
{
  VendPackInfo info = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *sha256 = NULL;
  struct stat status;
  put (fixture, "predict.py", "x = 1");
  put (fixture, "a/b.sh", "run");
  put (fixture, "a-b", "");
  put (fixture, "\xC3\xA9", "accent");
  g_autofree char *script = g_build_filename (fixture->tree, "a/b.sh", NULL);
  g_assert_cmpint (chmod (script, 0700), ==, 0);
  assert_packs (fixture, "a/ 40755 \na-b 100644 \na/b.sh 100755 run\n"
                         "predict.py 100644 x = 1\n\xC3\xA9 100644 accent\n");

  g_assert_true (vend_pack_tree (fixture->tree, fixture->archive, NO_LIMIT, &info, &error));
  g_assert_true (vend_sha256_file (fixture->archive, &sha256, &error));
  g_assert_cmpint (stat (fixture->archive, &status), ==, 0);
  g_assert_cmpstr (info.sha256, ==, sha256);
  g_assert_cmpint (info.size, ==, status.st_size);
  g_assert_cmpint (info.n_files, ==, 4);
  g_assert_cmpint (info.unpacked_size, ==, 14);
}

/* Made in another order, at another time, with other permissions for others. */
static void
test_same_bytes (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "c/d", "b", "a" };
  g_autofree char *long_name = g_strnfill (200, 'n');
  VendPackInfo infos[2] = { 0 };
  for (int round = 0; round < 2; round++)
    {
      g_autoptr (GError) error = NULL;
      put (fixture, long_name, "long");
      for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
        {
          const char *name = names[round == 0 ? i : G_N_ELEMENTS (names) - 1 - i];
          g_autofree char *full = g_build_filename (fixture->tree, name, NULL);
          put (fixture, name, "text");
          g_assert_cmpint (chmod (full, round == 0 ? 0600 : 0664), ==, 0);
          g_assert_cmpint (utime (full, &(struct utimbuf){ 1000 + round, 1000 + round }), ==, 0);
        }
      g_assert_true (
          vend_pack_tree (fixture->tree, fixture->archive, NO_LIMIT, &infos[round], &error));
      g_assert_true (vend_tree_remove (fixture->tree, &error));
      g_assert_cmpint (mkdir (fixture->tree, 0755), ==, 0);
    }
  g_assert_cmpstr (infos[0].sha256, ==, infos[1].sha256);
}

static void
test_ignored (Fixture *fixture, gconstpointer data)
{
  put (fixture, ".git/HEAD", "x");
  put (fixture, "lib/__pycache__/a.pyc", "x");
  put (fixture, ".cog/x", "x");
  put (fixture, ".dockerignore", "data\n!data/keep\n");
  put (fixture, "data/drop", "x");
  put (fixture, "data/keep", "x");
  put (fixture, "lib/data", "x");
  assert_packs (fixture, ".dockerignore 100644 data\n!data/keep\n\ndata/keep 100644 x\n"
                         "lib/ 40755 \nlib/data 100644 x\n");
  put (fixture, ".cogignore", ".*ignore\nkeep\ndrop/\nlib");
  assert_packs (fixture, "data/ 40755 \ndata/drop 100644 x\n");
}

static void
test_links_inside (Fixture *fixture, gconstpointer data)
{
  g_autofree char *absolute = g_build_filename (fixture->tree, "d/f", NULL);
  put (fixture, "d/f", "text");
  put_link (fixture, "d/again", "f");
  put_link (fixture, "e", "d");
  put_link (fixture, "g", "e/again");
  put_link (fixture, "h", absolute);
  assert_packs (fixture, "d/ 40755 \nd/again 100644 text\nd/f 100644 text\n"
                         "e/ 40755 \ne/again 100644 text\ne/f 100644 text\n"
                         "g 100644 text\nh 100644 text\n");
}

static void
test_bad_links (Fixture *fixture, gconstpointer data)
{
  static const char *const targets[]
      = { "/etc/passwd", "..", "../tree-2", ".", "nothing", "d", "/", "d/../../source.tar.gz" };
  g_autofree char *link_path = g_build_filename (fixture->tree, "d/link", NULL);
  put (fixture, "d/f", "text");
  for (gsize i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      put_link (fixture, "link", targets[i]);
      if (strcmp (targets[i], "d") == 0)
        g_assert_cmpint (symlink ("../d", link_path), ==, 0);
      assert_fails (fixture, NO_LIMIT, VEND_ERROR_INVALID, "link");
      unlink (link_path);
      g_autofree char *full = g_build_filename (fixture->tree, "link", NULL);
      g_assert_cmpint (unlink (full), ==, 0);
    }
  put_link (fixture, "link", "/etc/passwd");
  put (fixture, ".cogignore", "link/\n.cogignore");
  assert_packs (fixture, "d/ 40755 \nd/f 100644 text\n");
}

static void
test_links_in_a_ring (Fixture *fixture, gconstpointer data)
{
  put (fixture, "a/f", "x");
  put (fixture, "b/f", "x");
  put_link (fixture, "a/b", "../b");
  put_link (fixture, "b/a", "../a");
  assert_fails (fixture, NO_LIMIT, VEND_ERROR_INVALID, "links lead to each other");
}

static void
test_special_file (Fixture *fixture, gconstpointer data)
{
  g_autofree char *pipe_path = g_build_filename (fixture->tree, "the-pipe", NULL);
  g_assert_cmpint (mkfifo (pipe_path, 0600), ==, 0);
  assert_fails (fixture, NO_LIMIT, VEND_ERROR_INVALID, "the-pipe");
}

static void
test_unreadable_file (Fixture *fixture, gconstpointer data)
{
  g_autofree char *secret = g_build_filename (fixture->tree, "secret", NULL);
  if (geteuid () == 0)
    {
      g_test_skip ("root reads everything");
      return;
    }
  put (fixture, "secret", "x");
  g_assert_cmpint (chmod (secret, 0), ==, 0);
  assert_fails (fixture, NO_LIMIT, VEND_ERROR_INVALID, "secret");
}

static void
test_limits (Fixture *fixture, gconstpointer data)
{
  VendPackInfo info = { 0 };
  g_autoptr (GError) error = NULL;
  put (fixture, "a", "12345");
  put (fixture, "b", "67890");
  assert_fails (fixture, 9, VEND_ERROR_TOO_LARGE, "9 bytes");
  g_assert_true (vend_pack_tree (fixture->tree, fixture->archive, 10, &info, &error));
}

static void
test_bad_names (Fixture *fixture, gconstpointer data)
{
  put (fixture, "bad-\xFF", "x");
  assert_fails (fixture, NO_LIMIT, VEND_ERROR_INVALID, "bad-");
}

static void
test_full_disk (Fixture *fixture, gconstpointer data)
{
  struct rlimit before;
  put (fixture, "a", "x");
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  struct rlimit small = { .rlim_cur = 16, .rlim_max = before.rlim_max };
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  assert_fails (fixture, NO_LIMIT, VEND_ERROR_NO_SPACE, "source.tar.gz");
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
}

static bool
is_binary (const char *path, void *data)
{
  return g_str_has_suffix (path, ".bin") && data == &is_binary;
}

/* Packed under other names, whatever is ignored, and not where they lie in the tree. */
static void
test_extras (Fixture *fixture, gconstpointer data)
{
  VendPackInfo info = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *outside = g_build_filename (fixture->dir, "outside", NULL);
  g_autofree char *one = g_build_filename (outside, "one.bin", NULL);
  g_autofree char *inside = g_build_filename (fixture->tree, "w", NULL);
  put (fixture, "a", "x");
  put (fixture, "w/b.bin", "b");
  put (fixture, "w/deep/c.bin", "c");
  put (fixture, "w/d.txt", "d");
  put (fixture, ".vend/weights/forged", "x");
  put (fixture, ".cogignore", "*.bin\n");
  g_assert_cmpint (mkdir (outside, 0700), ==, 0);
  g_assert_true (g_file_set_contents (one, "1", -1, NULL));
  const VendPackExtra extras[]
      = { { .dir = inside,
            .path = ".vend/weights/w",
            .wants = is_binary,
            .data = &is_binary,
            .inside = "w" },
          { .dir = outside, .file = "one.bin", .path = ".vend/weights/one" } };
  g_assert_true (vend_pack_tree_and (fixture->tree, extras, G_N_ELEMENTS (extras), fixture->archive,
                                     NO_LIMIT, &info, &error));
  g_autofree char *listed = list (fixture->archive);
  g_assert_cmpstr (listed, ==,
                   ".cogignore 100644 *.bin\n\n"
                   ".vend/weights/one/one.bin 100644 1\n"
                   ".vend/weights/w/b.bin 100644 b\n"
                   ".vend/weights/w/deep/c.bin 100644 c\n"
                   "a 100644 x\n");
  g_assert_cmpint (info.n_files, ==, 5);
  g_assert_false (vend_pack_tree_and (fixture->tree, extras, G_N_ELEMENTS (extras),
                                      fixture->archive, 9, &info, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
}

static void
test_bad_places (Fixture *fixture, gconstpointer data)
{
  VendPackInfo info = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *nowhere = g_build_filename (fixture->dir, "no", "archive", NULL);
  put (fixture, "a", "x");
  g_assert_false (vend_pack_tree (fixture->tree, nowhere, NO_LIMIT, &info, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_STORAGE);
  g_clear_error (&error);
  g_assert_false (vend_pack_tree ("/nowhere", fixture->archive, NO_LIMIT, &info, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*test) (Fixture *, gconstpointer);
  } tests[] = {
    { "/build/pack/content", test_content },
    { "/build/pack/same-bytes", test_same_bytes },
    { "/build/pack/ignored", test_ignored },
    { "/build/pack/links-inside", test_links_inside },
    { "/build/pack/bad-links", test_bad_links },
    { "/build/pack/links-in-a-ring", test_links_in_a_ring },
    { "/build/pack/special-file", test_special_file },
    { "/build/pack/unreadable-file", test_unreadable_file },
    { "/build/pack/limits", test_limits },
    { "/build/pack/bad-names", test_bad_names },
    { "/build/pack/full-disk", test_full_disk },
    { "/build/pack/bad-places", test_bad_places },
    { "/build/pack/extras", test_extras },
  };
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
