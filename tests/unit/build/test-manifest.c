/* The version id: the same for the same content, another one for any other. */
#include "base/fd.h"
#include "base/hash.h"
#include "build/manifest.h"
#include <glib/gstdio.h>
#include <string.h>

static char *
make_tree (bool reversed, const char *content, int mode)
{
  static const char *const names[] = { "a.txt", "b.txt", "z.txt" };
  char *dir = g_dir_make_tmp ("vend-manifest-XXXXXX", NULL);
  g_autofree char *folder = g_build_filename (dir, "folder", NULL);
  g_assert_cmpint (g_mkdir (folder, reversed ? 0700 : 0755), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *name = names[reversed ? G_N_ELEMENTS (names) - 1 - i : i];
      g_autofree char *path = g_build_filename (dir, name, NULL);
      g_assert_true (g_file_set_contents (path, content, -1, NULL));
      g_assert_cmpint (g_chmod (path, mode), ==, 0);
    }
  return dir;
}

static char *
digest_and_remove (char *dir)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_source_text (dir, &text, &error));
  g_assert_true (vend_tree_remove (dir, &error));
  g_free (dir);
  return vend_sha256_text (text);
}

static void
test_digest (void)
{
  g_autofree char *first = digest_and_remove (make_tree (false, "x", 0644));
  g_autofree char *again = digest_and_remove (make_tree (true, "x", 0600));
  g_autofree char *other = digest_and_remove (make_tree (false, "y", 0644));
  g_autofree char *executable = digest_and_remove (make_tree (false, "x", 0755));
  g_assert_true (vend_is_sha256_hex (first));
  g_assert_cmpstr (first, ==, again);
  g_assert_cmpstr (first, !=, other);
  g_assert_cmpstr (first, !=, executable);
}

static char *
id_of (const char *source, const char *packages, const char *python, const char *yaml)
{
  json_auto_t *meaning = json_loads (yaml, 0, NULL);
  const VendManifestFacts facts
      = { .source = source, .packages = packages, .python = python, .cog_yaml = meaning };
  json_auto_t *content = vend_manifest_content (&facts);
  return vend_manifest_id (content);
}

static void
test_id (void)
{
  g_autofree char *first = id_of ("s", "a==1\nb==2\n", "3.11.7", "{\"x\":1,\"y\":2}");
  g_assert_true (vend_is_sha256_hex (first));
  g_autofree char *same = id_of ("s", "b==2\n\na==1", "3.11.7", "{\"y\":2,\"x\":1}");
  g_assert_cmpstr (first, ==, same);
  /* Stored ids must be found again by later builds of Vend. */
  g_assert_cmpstr (first, ==, "808780ad33250e98ac1f5ed0df08476c716dea187bf8e36f3d41cde9f671f6a0");
  static const char *const other[][4] = {
    { "t", "a==1\nb==2\n", "3.11.7", "{\"x\":1,\"y\":2}" },
    { "s", "a==1\nb==3\n", "3.11.7", "{\"x\":1,\"y\":2}" },
    { "s", "a==1\nb==2\n", "3.11.8", "{\"x\":1,\"y\":2}" },
    { "s", "a==1\nb==2\n", "3.11.7", "{\"x\":1,\"y\":3}" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (other); i++)
    {
      g_autofree char *id = id_of (other[i][0], other[i][1], other[i][2], other[i][3]);
      g_assert_cmpstr (first, !=, id);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/manifest/digest", test_digest);
  g_test_add_func ("/build/manifest/id", test_id);
  return g_test_run ();
}
