/* What a hub says of a repository. */
#include "weights/hub.h"
#include "base/error.h"
#include <string.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define LARGE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEAD "{\"sha\": \"" COMMIT "\", \"siblings\": ["
#define FILE_OF(path, more) "{\"rfilename\": \"" path "\", \"size\": 5" more "}"

static VendWeightSource *
source_of (const char *pattern)
{
  const char *const include[] = { pattern, NULL };
  VendWeightSource *source = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_weight_source_parse ("hf://lab/tiny", NULL, include, NULL, &source, &error));
  return source;
}

static void
test_listing (void)
{
  static const char text[]
      = HEAD FILE_OF ("z.bin", ", \"blobId\": \"" COMMIT "\", \"lfs\": {\"sha256\": \"" LARGE
                               "\"}") "," FILE_OF ("a.json", ", \"blobId\": \"" COMMIT
                                                             "\"") ","
                                                                   "{\"rfilename\": \"../bad\"}]}";
  g_autoptr (VendWeightSource) source = source_of ("*[nz]");
  g_autoptr (VendHubListing) listing = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_hub_listing_parse (text, strlen (text), source, &listing, &error));
  g_assert_cmpstr (listing->commit, ==, COMMIT);
  g_assert_cmpuint (listing->files->len, ==, 2);
  const VendHubFile *small = g_ptr_array_index (listing->files, 0);
  const VendHubFile *large = g_ptr_array_index (listing->files, 1);
  g_assert_cmpstr (small->path, ==, "a.json");
  g_assert_cmpstr (small->git, ==, COMMIT);
  g_assert_null (small->sha256);
  g_assert_cmpstr (large->sha256, ==, LARGE);
  g_assert_null (large->git);

  const VendHub hub = { .endpoint = "https://hub" };
  g_autofree char *url = vend_hub_listing_url (&hub, source);
  g_assert_cmpstr (url, ==, "https://hub/api/models/lab/tiny/revision/main?blobs=true");
}

static void
test_bad (void)
{
  static const char *const bad[] = {
    "",
    "[]",
    "{\"sha\": \"x\", \"siblings\": []}",
    "{\"sha\": \"" COMMIT "\"}",
    HEAD "]}",
    HEAD "{\"rfilename\": \"a\"}]}",
    HEAD FILE_OF ("../a", "") "]}",
    HEAD FILE_OF ("a", ", \"lfs\": {\"sha256\": \"x\"}") "]}",
  };
  g_autoptr (VendWeightSource) source = source_of ("*");
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      VendHubListing *listing = NULL;
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", bad[i]);
      g_assert_false (vend_hub_listing_parse (bad[i], strlen (bad[i]), source, &listing, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_RUNNER);
      g_assert_true (g_str_has_prefix (error->message, "hf://lab/tiny@main: "));
      g_assert_null (listing);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/weights/hub/listing", test_listing);
  g_test_add_func ("/weights/hub/bad", test_bad);
  return g_test_run ();
}
