/* What the registry is given. One line for each text: a path, a Content-Range, a media type; then a
 * manifest or the config of an image. */
#include "fuzz.h"
#include "registry/image.h"
#include "registry/manifest.h"
#include "registry/reference.h"
#include <string.h>

static void
check_path (const char *text)
{
  g_auto (VendRegistryPath) path = { 0 };
  g_autoptr (GError) error = NULL;
  VendOciCode code = VEND_OCI_N_CODES;
  const bool good = vend_registry_path_parse (text, &path, &code, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_null (path.reference);
      g_assert_cmpint (code, <, VEND_OCI_N_CODES);
      return;
    }
  g_autofree char *name = vend_repository_name_text (&path.repository);
  g_assert_true (g_str_has_prefix (text, name));
  g_assert_true (strchr (path.repository.owner, '/') == NULL && *path.repository.owner != '\0');
  g_assert_true (strstr (name, "..") == NULL && strstr (name, "//") == NULL);
  g_assert_true (strchr (path.reference, '/') == NULL && path.reference[0] != '.');
  if (path.kind == VEND_REGISTRY_BLOB || path.kind == VEND_REGISTRY_REFERRERS || path.is_digest)
    g_assert_true (vend_digest_is_valid (path.reference));
  else if (path.kind == VEND_REGISTRY_MANIFEST)
    g_assert_true (vend_tag_is_valid (path.reference));
}

static void
check_range (const char *text)
{
  uint64_t first = 0, size = 0;
  g_autoptr (GError) error = NULL;
  const bool good = vend_upload_range_parse (text, &first, &size, &error);
  fuzz_check_error (good, error);
  g_assert_true (!good || (size > 0 && first + size > first));
}

static void
check_part (const VendRegistryPart *part)
{
  g_assert_true (vend_digest_is_valid (part->digest));
  g_assert_cmpint (part->size, >=, 0);
}

static void
check_manifest (const char *type, const FuzzInput *input)
{
  g_autoptr (VendOciManifest) manifest = NULL;
  g_autoptr (GError) error = NULL;
  const bool good = vend_oci_manifest_parse (*type != '\0' ? type : NULL, input->data, input->size,
                                             &manifest, &error);
  fuzz_check_error (good, error);
  if (!good)
    return;
  for (guint i = 0; i < manifest->parts->len; i++)
    check_part (g_ptr_array_index (manifest->parts, i));
  for (guint i = 0; i < manifest->optional->len; i++)
    check_part (g_ptr_array_index (manifest->optional, i));
  g_assert_true (manifest->is_index || manifest->parts->len > 0);
  g_assert_true (manifest->config == NULL || vend_digest_is_valid (manifest->config));
  g_assert_true (manifest->subject == NULL || vend_digest_is_valid (manifest->subject));
}

static void
check_image (const FuzzInput *input)
{
  g_autoptr (VendVersion) version = NULL;
  g_autoptr (GError) error = NULL;
  const bool good = vend_image_read (input->data, input->size, &version, &error);
  fuzz_check_error (good, error);
  if (version == NULL)
    return;
  fuzz_check_json (version->openapi);
  fuzz_check_json (version->manifest);
  fuzz_check_utf8 (version->cog_version);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  g_autofree char *path = fuzz_take_line (&input);
  g_autofree char *range = fuzz_take_line (&input);
  g_autofree char *type = fuzz_take_line (&input);
  check_path (path);
  check_range (range);
  check_manifest (type, &input);
  check_image (&input);
  return 0;
}
