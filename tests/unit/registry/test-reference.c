/* Names, tags, digests and paths of the registry. */
#include "base/error.h"
#include "registry/reference.h"
#include <string.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256 "sha256:" HEX64
#define SHA512 "sha512:" HEX64 HEX64

static void
test_digests (void)
{
  static const char *const bad[] = { "",
                                     "sha256",
                                     "sha256:",
                                     HEX64,
                                     "sha256:" HEX64 "0",
                                     "SHA256:" HEX64,
                                     "sha256:" HEX64 HEX64,
                                     "sha512:" HEX64,
                                     " " SHA256,
                                     SHA256 " ",
                                     "sha256:../" HEX64,
                                     "sha384:" HEX64,
                                     "sha256:/" };
  g_assert_true (vend_digest_is_valid (SHA256));
  g_assert_true (vend_digest_is_valid (SHA512));
  g_assert_false (vend_digest_is_sha512 (SHA256));
  g_assert_true (vend_digest_is_sha512 (SHA512));
  g_assert_cmpstr (vend_digest_hex (SHA256), ==, HEX64);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_digest_check (bad[i], &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
    }
  g_autofree char *upper = g_ascii_strup (HEX64, -1);
  g_autofree char *text = g_strconcat ("sha256:", upper, NULL);
  g_assert_false (vend_digest_is_valid (text));
  g_autofree char *made = vend_digest_of ("", 0, false);
  g_autofree char *made_long = vend_digest_of ("", 0, true);
  g_assert_cmpstr (made, ==,
                   "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  g_assert_true (vend_digest_is_valid (made_long) && vend_digest_is_sha512 (made_long));
}

static void
test_tags (void)
{
  static const char *const good[] = { "a", "_", "0", "latest", "v1.0-rc_2", "20260512T153042Z" };
  static const char *const bad[] = { "", "-a", ".a", "a b", "a/b", "a:b", "\xc3\xa4", "a\n" };
  g_autofree char *longest = g_strnfill (128, 'a');
  g_autofree char *too_long = g_strnfill (129, 'a');
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (vend_tag_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (vend_tag_is_valid (bad[i]));
  g_assert_true (vend_tag_is_valid (longest));
  g_assert_false (vend_tag_is_valid (too_long));
}

static void
test_names (void)
{
  static const struct
  {
    const char *text;
    const char *path; /* NULL: no name */
  } cases[] = {
    { "lab/echo", "" },
    { "lab/echo/weights/base", "weights/base" },
    { "a.b/c_d__e--f", "" },
    { "lab", NULL },
    { "", NULL },
    { "/", NULL },
    { "lab/", NULL },
    { "/echo", NULL },
    { "lab//echo", NULL },
    { "Lab/echo", NULL },
    { "lab/.echo", NULL },
    { "lab/e..o", NULL },
    { "lab/e___o", NULL },
    { "lab/echo-", NULL },
    { "lab/../echo", NULL },
    { "a/b/c/d/e/f/g/h", "c/d/e/f/g/h" },
    { "a/b/c/d/e/f/g/h/i", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (VendRepositoryName) name = { 0 };
      g_autoptr (GError) error = NULL;
      const bool good = vend_repository_name_parse (cases[i].text, &name, &error);
      g_assert_true (good == (cases[i].path != NULL));
      if (!good)
        continue;
      g_autofree char *text = vend_repository_name_text (&name);
      g_assert_cmpstr (name.path, ==, cases[i].path);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

static void
test_paths (void)
{
  static const struct
  {
    const char *text;
    VendRegistryKind kind;
    const char *name;
    const char *reference;
  } good[] = {
    { "lab/echo/blobs/" SHA256, VEND_REGISTRY_BLOB, "lab/echo", SHA256 },
    { "lab/echo/blobs/uploads/", VEND_REGISTRY_UPLOADS, "lab/echo", "" },
    { "lab/echo/blobs/uploads", VEND_REGISTRY_UPLOADS, "lab/echo", "" },
    { "lab/echo/blobs/uploads/abcdefghijklmnopqrstuvwxyz", VEND_REGISTRY_UPLOAD, "lab/echo",
      "abcdefghijklmnopqrstuvwxyz" },
    { "lab/echo/manifests/v1", VEND_REGISTRY_MANIFEST, "lab/echo", "v1" },
    { "lab/echo/manifests/" SHA512, VEND_REGISTRY_MANIFEST, "lab/echo", SHA512 },
    { "lab/echo/tags/list", VEND_REGISTRY_TAGS, "lab/echo", "" },
    { "lab/echo/referrers/" SHA256, VEND_REGISTRY_REFERRERS, "lab/echo", SHA256 },
    { "lab/manifests/manifests/manifests", VEND_REGISTRY_MANIFEST, "lab/manifests", "manifests" },
    { "blobs/uploads/manifests/x", VEND_REGISTRY_MANIFEST, "blobs/uploads", "x" },
    { "lab/echo/tags/list/tags/list", VEND_REGISTRY_TAGS, "lab/echo/tags/list", "" },
  };
  static const struct
  {
    const char *text;
    VendOciCode code;
  } bad[] = {
    { "", VEND_OCI_NAME_UNKNOWN },
    { "lab/echo", VEND_OCI_NAME_UNKNOWN },
    { "lab/echo/tags/other", VEND_OCI_NAME_UNKNOWN },
    { "manifests/v1", VEND_OCI_NAME_INVALID },
    { "lab/manifests/v1", VEND_OCI_NAME_INVALID },
    { "tags/list", VEND_OCI_NAME_INVALID },
    { "blobs/uploads/", VEND_OCI_NAME_INVALID },
    { "lab/echo/blobs/", VEND_OCI_DIGEST_INVALID },
    { "lab/echo/blobs/latest", VEND_OCI_DIGEST_INVALID },
    { "lab/echo/manifests/", VEND_OCI_MANIFEST_INVALID },
    { "lab/echo/manifests/sha256:x", VEND_OCI_DIGEST_INVALID },
    { "lab/echo/referrers/v1", VEND_OCI_DIGEST_INVALID },
    { "lab/echo/blobs/uploads/short", VEND_OCI_BLOB_UPLOAD_UNKNOWN },
    { "lab/echo/blobs/uploads/ABCDEFGHIJKLMNOPQRSTUVWXYZ", VEND_OCI_BLOB_UPLOAD_UNKNOWN },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto (VendRegistryPath) path = { 0 };
      g_autoptr (GError) error = NULL;
      VendOciCode code;
      const bool parsed = vend_registry_path_parse (good[i].text, &path, &code, &error);
      g_assert_no_error (error);
      g_assert_true (parsed);
      g_autofree char *name = vend_repository_name_text (&path.repository);
      g_assert_cmpint (path.kind, ==, good[i].kind);
      g_assert_cmpstr (name, ==, good[i].name);
      g_assert_cmpstr (path.reference, ==, good[i].reference);
      g_assert_true (
          path.is_digest
          == (path.kind == VEND_REGISTRY_MANIFEST && strchr (path.reference, ':') != NULL));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto (VendRegistryPath) path = { 0 };
      g_autoptr (GError) error = NULL;
      VendOciCode code = VEND_OCI_N_CODES;
      g_assert_false (vend_registry_path_parse (bad[i].text, &path, &code, &error));
      g_assert_nonnull (error);
      g_assert_cmpint (code, ==, bad[i].code);
    }
}

static void
test_ranges (void)
{
  static const char *const bad[]
      = { "",     "-",    "1",         "1-",   "-1",    "5-4", "0-4/5",
          "+0-4", "0-+4", "bytes 0-4", " 0-4", "0 - 4", "a-b", "0-18446744073709551615",
          "0--1" };
  uint64_t first = 7, size = 7;
  g_assert_true (vend_upload_range_parse ("0-0", &first, &size, NULL));
  g_assert_true (first == 0 && size == 1);
  g_assert_true (vend_upload_range_parse ("100-199", &first, &size, NULL));
  g_assert_true (first == 100 && size == 100);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_upload_range_parse (bad[i], &first, &size, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_BAD_REQUEST);
    }
  g_assert_true (first == 100 && size == 100);
}

static void
test_codes (void)
{
  for (int code = 0; code < VEND_OCI_N_CODES; code++)
    {
      const VendOciCodeInfo *info = vend_oci_code_info ((VendOciCode) code);
      g_assert_nonnull (info->name);
      g_assert_true (info->status >= 400 && info->status < 500);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reference/digests", test_digests);
  g_test_add_func ("/reference/tags", test_tags);
  g_test_add_func ("/reference/names", test_names);
  g_test_add_func ("/reference/paths", test_paths);
  g_test_add_func ("/reference/ranges", test_ranges);
  g_test_add_func ("/reference/codes", test_codes);
  return g_test_run ();
}
