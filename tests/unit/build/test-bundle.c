/* Archives of `vend export`: what is written is read, and nothing else is. */
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "build/bundle-read.h"
#include "build/bundle-write.h"
#include "build/manifest.h"
#include "model/weight-set.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define YAML "build:\n  python_version: \"3.11\"\n"
#define SCRIPT "#!/bin/sh\n"
/* Not ASCII, and longer than the name field of a tar. */
#define LONG_NAME \
  "gr\xc3\xbc\xc3\x9f-0123456789012345678901234567890123456789012345678901234567890123456789" \
  "0123456789012345678901234567890123456789.txt"
#define WEIGHTS "what was learned"

static const VendBundleLimits LIMITS = { 1000000, 100 };

typedef struct
{
  char *dir;
  char *archive;
  char *target;
  GPtrArray *entries;
} Place;

static void
place_clear (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tree_remove (place->dir, &error));
  g_free (place->dir);
  g_free (place->archive);
  g_free (place->target);
  g_ptr_array_unref (place->entries);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static void
add (Place *place, const char *path, const char *content, bool is_executable)
{
  VendBundleEntry *entry = g_new0 (VendBundleEntry, 1);
  entry->path = g_strdup (path);
  entry->is_dir = content == NULL;
  entry->is_executable = is_executable;
  if (content != NULL)
    {
      g_autofree char *name = g_strdup_printf ("from-%u", place->entries->len);
      entry->from = g_build_filename (place->dir, name, NULL);
      entry->size = strlen (content);
      entry->sha256 = vend_sha256_text (content);
      g_assert_true (g_file_set_contents (entry->from, content, -1, NULL));
    }
  g_ptr_array_add (place->entries, entry);
}

static Place
place_new (void)
{
  Place place = { .dir = g_dir_make_tmp ("vend-bundle-XXXXXX", NULL) };
  g_autofree char *sha256 = vend_sha256_text (WEIGHTS);
  g_autofree char *weights = g_strconcat ("weights/", sha256, NULL);
  place.archive = g_build_filename (place.dir, "archive", NULL);
  place.target = g_build_filename (place.dir, "target", NULL);
  place.entries = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_bundle_entry_free);
  g_assert_cmpint (g_mkdir (place.target, 0700), ==, 0);
  add (&place, "source/cog.yaml", YAML, false);
  add (&place, "source/empty", NULL, false);
  add (&place, "source/" LONG_NAME, "hello", false);
  add (&place, "source/run.sh", SCRIPT, true);
  add (&place, "wheels/six-1-py3-none-any.whl", "six", false);
  add (&place, weights, WEIGHTS, false);
  return place;
}

/* A version that a training made: it has every field. */
static json_t *
document_new (void)
{
  g_autofree char *sha256 = vend_sha256_text (WEIGHTS);
  g_autofree char *yaml = vend_sha256_text (YAML);
  g_autofree char *script = vend_sha256_text (SCRIPT);
  g_autofree char *hello = vend_sha256_text ("hello");
  g_autofree char *tree = g_strdup_printf ("f %s cog.yaml\nd empty\nf %s %s\nx %s run.sh\n", yaml,
                                           hello, LONG_NAME, script);
  g_autofree char *source = vend_sha256_text (tree);
  json_t *pushed = json_pack ("{s:s, s:[s, s]}", "source", source, "packages", "six==1", "./mine");
  g_autofree char *base = vend_manifest_id (pushed);
  json_t *content = json_pack ("{s:s, s:i, s:s}", "base", base, "format", 1, "weights", sha256);
  g_autofree char *id = vend_manifest_id (content);
  json_t *document = json_pack ("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:{}, s:{}}", "type",
                                VEND_BUNDLE_TYPE, "format", 1, "model", "lab/tuned", "version", id,
                                "python", "3.11.2", "platform", "linux-x86_64", "cog_version",
                                "0.23.1", "content", content, "pushed", pushed, "facts", "page");
  json_object_set_new (document, "wheels",
                       json_pack ("[{s:s, s:s, s:s}]", "name", "Six", "version", "1", "file",
                                  "six-1-py3-none-any.whl"));
  json_object_set_new (document, "weights",
                       json_pack ("[{s:s, s:i, s:s}]", "name", "w.bin", "size",
                                  (int) strlen (WEIGHTS), "sha256", sha256));
  return document;
}

static void
write_archive (const Place *place, json_t *document)
{
  g_autoptr (GError) error = NULL;
  const bool good = vend_bundle_write (place->archive, document, place->entries, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

static void
test_round_trip (void)
{
  g_auto (Place) place = place_new ();
  json_auto_t *document = document_new ();
  g_autoptr (VendBundleManifest) manifest = NULL;
  g_autoptr (VendBundleManifest) only_checked = NULL;
  g_autoptr (GError) error = NULL;
  struct stat st;
  write_archive (&place, document);
  const bool good = vend_bundle_read (place.archive, &LIMITS, place.target, &manifest, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  g_assert_cmpstr (manifest->model, ==, "lab/tuned");
  g_assert_cmpstr (manifest->base, ==, vend_json_string (manifest->content, "base"));
  g_assert_cmpuint (manifest->entries->len, ==, place.entries->len);

  g_autofree char *script = g_build_filename (place.target, "source", "run.sh", NULL);
  g_autofree char *empty = g_build_filename (place.target, "source", "empty", NULL);
  g_autofree char *named = g_build_filename (place.target, "source", LONG_NAME, NULL);
  g_assert_cmpint (stat (script, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0755);
  g_assert_true (g_file_test (empty, G_FILE_TEST_IS_DIR));
  g_assert_true (g_file_test (named, G_FILE_TEST_IS_REGULAR));

  /* The same again, byte by byte; a look alone writes nothing. */
  g_autofree char *first = NULL, *second = NULL;
  g_assert_true (vend_sha256_file (place.archive, &first, &error));
  write_archive (&place, document);
  g_assert_true (vend_sha256_file (place.archive, &second, &error));
  g_assert_cmpstr (first, ==, second);
  g_assert_true (vend_bundle_read (place.archive, &LIMITS, NULL, &only_checked, &error));
}

static void
refused (const Place *place, const VendBundleLimits *limits, const char *why)
{
  g_autoptr (VendBundleManifest) manifest = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_bundle_read (place->archive, limits, place->target, &manifest, &error));
  g_assert_null (manifest);
  if (strstr (error->message, why) == NULL)
    g_error ("expected '%s', got '%s'", why, error->message);
}

/* ---- What the manifest may say */

static void
bad_document (const char *key, json_t *value, const char *why)
{
  g_auto (Place) place = place_new ();
  json_auto_t *document = document_new ();
  json_object_set_new (document, key, value);
  write_archive (&place, document);
  refused (&place, &LIMITS, why);
}

static void
test_bad_documents (void)
{
  json_t *other = json_pack ("{s:s, s:i, s:s}", "base", "x", "format", 1, "weights", "y");
  bad_document ("type", json_string ("vend-model"), "this is not an archive of 'vend export'");
  bad_document ("format", json_integer (3), "import it with a newer Vend");
  bad_document ("format", json_integer (0), "this is not an archive of 'vend export'");
  bad_document ("model", json_null (), "model: expected a text");
  bad_document ("model", json_string ("../x"), "model: ");
  bad_document ("version", json_string ("abc"), "version: it is not the SHA-256 of 'content'");
  bad_document ("content", other, "version: it is not the SHA-256 of 'content'");
  bad_document ("pushed", json_null (), "has the objects 'pushed' and 'facts' too");
  bad_document ("page", json_array (), "page: expected an object");
  bad_document ("page", json_pack ("{s:s}", "github_url", "javascript:x"),
                "page.github_url: expected an http or https URL");
  bad_document ("page", json_pack ("{s:i}", "readme", 1), "page.readme: expected a text");
  bad_document ("page", json_pack ("{s:s}", "cover", "x"), "page.cover: expected a file");
  bad_document ("page",
                json_pack ("{s:{s:{s:s, s:s, s:s, s:s, s:i}}}", "cover", "$vend.file", "path",
                           "../source/run.sh", "name", "a", "type", "b", "sha256", "c", "size", 1),
                "page.cover: 'files' has not the file that it names");
  bad_document ("page", json_pack ("{s:[{s:{}}]}", "examples", "input"),
                "page.examples: one has no input or output");
  bad_document ("page",
                json_pack ("{s:[{s:{s:[{s:{}}]}, s:i}]}", "examples", "input", "x", "$vend.file",
                           "output", 1),
                "page.examples: a file has no name or type");
  bad_document ("wheels", json_array (), "wheels: the package 'six' is missing");
  bad_document ("wheels",
                json_pack ("[{s:s, s:s, s:s}]", "name", "six", "version", "1 --index-url x", "file",
                           "six-1-py3-none-any.whl"),
                "wheels: a name or a version is missing or has other characters");
  bad_document (
      "wheels",
      json_pack ("[{s:s, s:s, s:s}]", "name", "six", "version", "1", "file", "../source/cog.whl"),
      "wheels: 'files' has not the file");
  bad_document ("weights", json_array (), "weights: those that the training made are missing");
  bad_document ("weights",
                json_pack ("[{s:s, s:i, s:s}]", "name", "../w", "size", 1, "sha256", "x"),
                "weights: a name is missing, or no name of a file");
}

/* Whole sets of files are changed by tests/e2e. */
static void
test_bad_weight_sets (void)
{
  json_t *many = json_array ();
  for (guint i = 0; i <= VEND_WEIGHT_SETS_MAX; i++)
    json_array_append_new (many, json_object ());
  bad_document (VEND_BUNDLE_WEIGHT_SETS, many, "there are more than a version may have");
  bad_document (VEND_BUNDLE_WEIGHT_SETS, json_pack ("[{}]"), "weights without a name");
  bad_document (VEND_BUNDLE_WEIGHT_SETS,
                json_pack ("[{s:s, s:s, s:s, s:s, s:[]}]", "name", "a", "target", "w", "source",
                           "file://w", "digest", "x", "files"),
                "weights 'a': expected 1 to");
}

static void
bad_path (const char *path, const char *content, const char *why)
{
  g_auto (Place) place = place_new ();
  json_auto_t *document = document_new ();
  g_autofree char *up = g_build_filename (place.dir, "up", NULL);
  add (&place, path, content, false);
  write_archive (&place, document);
  refused (&place, &LIMITS, why);
  g_assert_false (g_file_test (up, G_FILE_TEST_EXISTS));
}

static void
test_bad_paths (void)
{
  bad_path ("../up", "x", "the path begins with none of the folders of an archive");
  bad_path ("source/../../up", "x", "a part of the path is empty, '.' or '..'");
  bad_path ("source//up", "x", "a part of the path is empty, '.' or '..'");
  bad_path ("source/a\nb", "x", "the path holds a control character");
  bad_path ("source/cog.yaml", "x", "it is in the list twice");
  bad_path ("source/cog.yaml/x", "x", "a file and a folder have the same name");
  bad_path ("source/cog.yaml", NULL, "it is in the list twice");
  bad_path ("source/more", "x", "the source is not the one that the id of the version is of");
  bad_path ("elsewhere/x", "x", "the path begins with none of the folders of an archive");
}

/* ---- What the archive may have */

static void
test_limits (void)
{
  static const VendBundleLimits few_bytes = { 20, 100 }, few_files = { 1000000, 5 };
  g_auto (Place) place = place_new ();
  json_auto_t *document = document_new ();
  write_archive (&place, document);
  refused (&place, &few_bytes, "setting max-archive");
  refused (&place, &few_files, "setting max-source-files");
}

static void
test_cut_off (void)
{
  json_auto_t *document = document_new ();
  g_auto (Place) place = place_new ();
  struct stat st;
  write_archive (&place, document);
  g_assert_cmpint (stat (place.archive, &st), ==, 0);
  for (off_t size = 0; size < st.st_size; size += 61)
    {
      g_autoptr (VendBundleManifest) manifest = NULL;
      g_autoptr (GError) error = NULL;
      write_archive (&place, document);
      g_assert_cmpint (truncate (place.archive, size), ==, 0);
      g_assert_false (vend_bundle_read (place.archive, &LIMITS, NULL, &manifest, &error));
      g_assert_cmpint (error->code, ==, VEND_ERROR_INVALID);
    }
}

static void
test_changed_while_packed (void)
{
  g_auto (Place) place = place_new ();
  json_auto_t *document = document_new ();
  g_autoptr (GError) error = NULL;
  const VendBundleEntry *entry = g_ptr_array_index (place.entries, 3);
  g_assert_true (g_file_set_contents (entry->from, "#!/bin/ls\n", -1, NULL));
  g_assert_false (vend_bundle_write (place.archive, document, place.entries, &error));
  g_assert_cmpint (error->code, ==, VEND_ERROR_CONFLICT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bundle/round-trip", test_round_trip);
  g_test_add_func ("/bundle/bad-documents", test_bad_documents);
  g_test_add_func ("/bundle/bad-weight-sets", test_bad_weight_sets);
  g_test_add_func ("/bundle/bad-paths", test_bad_paths);
  g_test_add_func ("/bundle/limits", test_limits);
  g_test_add_func ("/bundle/cut-off", test_cut_off);
  g_test_add_func ("/bundle/changed-while-packed", test_changed_while_packed);
  return g_test_run ();
}
