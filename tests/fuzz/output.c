/* What a model returned: parsed and converted, with data URIs written to files. */
#include "fuzz.h"
#include "base/error.h"
#include "base/hash.h"
#include "director/output.h"
#include <string.h>

#define MOST_FILE 64
#define UPLOAD "http://127.0.0.1:1/upload/1"

static json_t *
find_upload (const char *text, void *context)
{
  guint *n_uploads = context;
  if (strcmp (text, UPLOAD) != 0)
    return NULL;
  ++*n_uploads;
  return vend_output_file_new ("/upload", "u", "text/plain", 0, "0");
}

/* Whether a file object is one that the converter made. */
static void
check_file (const json_t *file, guint *n_files, guint *n_uploads)
{
  const char *path = vend_json_string (file, "path");
  g_assert_nonnull (path);
  if (strcmp (path, "/upload") == 0)
    {
      ++*n_uploads;
      return;
    }
  g_autofree char *content = NULL;
  gsize size = 0;
  g_autofree char *parent = g_path_get_dirname (path);
  g_assert_cmpstr (parent, ==, fuzz_folder ());
  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  g_assert_cmpuint (size, <=, MOST_FILE);
  g_assert_cmpint (vend_json_int (file, "size", -1), ==, (int64_t) size);
  g_autofree char *sha256 = vend_sha256_hex (content, size);
  g_assert_cmpstr (vend_json_string (file, "sha256"), ==, sha256);
  g_assert_cmpuint (strlen (vend_json_string (file, "type")), <=, 127);
  g_assert_null (strchr (vend_json_string (file, "name"), '/'));
  ++*n_files;
}

static void
count_files (const json_t *value, guint *n_files, guint *n_uploads)
{
  const char *key;
  json_t *item;
  size_t i;
  json_object_foreach ((json_t *) value, key, item)
    {
      if (strcmp (key, "$vend.file") == 0)
        check_file (item, n_files, n_uploads);
      else
        count_files (item, n_files, n_uploads);
    }
  json_array_foreach ((json_t *) value, i, item)
    count_files (item, n_files, n_uploads);
}

static void
clear_folder (guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("run.%u", i);
      g_autofree char *path = g_build_filename (fuzz_folder (), name, NULL);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        fuzz_remove_tree (path);
    }
}

static void
check_convert (json_t *value)
{
  guint uploads = 0;
  guint n_files = 0;
  guint n_uploads = 0;
  VendOutputFiles files = {
    .folder = fuzz_folder (),
    .prefix = "run",
    .max_file = MOST_FILE,
    .find_upload = find_upload,
    .context = &uploads,
  };
  json_t *const untouched = value;
  json_t *out = untouched;
  json_auto_t *before = json_deep_copy (value);
  g_autoptr (GError) error = NULL;
  const bool good = vend_output_convert (&files, value, &out, &error);
  fuzz_check_error (good, error);
  g_assert_true (json_equal (before, value));
  if (good)
    {
      fuzz_check_json (out);
      count_files (out, &n_files, &n_uploads);
      g_assert_cmpuint (n_files, ==, files.n_files);
      g_assert_cmpuint (n_uploads, ==, uploads);
      json_decref (out);
    }
  else
    g_assert_true (out == untouched && error->code == VEND_ERROR_TOO_LARGE);
  clear_folder (files.n_files);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  json_t *const untouched = (json_t *) data;
  json_t *value = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_output_parse ((const char *) data, size, &value, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (value == untouched && error->code == VEND_ERROR_RUNNER);
      return 0;
    }
  check_convert (value);
  json_decref (value);
  return 0;
}
