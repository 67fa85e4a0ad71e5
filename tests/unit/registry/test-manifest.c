/* Manifests as pushed, and what Cog writes into configs. */
#include "base/error.h"
#include "registry/image.h"
#include "registry/manifest.h"
#include <string.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64
#define OCI "application/vnd.oci.image.manifest.v1+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define CONFIG "application/vnd.oci.image.config.v1+json"
#define FOREIGN "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

/* With ' for ". */
static VendOciManifest *
parse (const char *type, const char *text, GError **error)
{
  VendOciManifest *manifest = NULL;
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');
  return vend_oci_manifest_parse (type, json, strlen (json), &manifest, error) ? manifest : NULL;
}

static void
test_image (void)
{
  static const char text[]
      = "{'schemaVersion':2,'mediaType':'" OCI "','config':{'digest':'" DIGEST
        "','size':2,'mediaType':'" CONFIG "'},'layers':[{'digest':'" DIGEST
        "','size':5},{'digest':'" DIGEST "','size':5,'mediaType':'" FOREIGN
        "'}],'annotations':{'a':'b'},'subject':{'digest':'" DIGEST "','size':1}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (VendOciManifest) manifest = parse (OCI "; charset=utf-8", text, &error);
  g_assert_no_error (error);
  g_assert_false (manifest->is_index);
  g_assert_cmpstr (manifest->media_type, ==, OCI);
  g_assert_cmpstr (manifest->config, ==, DIGEST);
  g_assert_cmpstr (manifest->artifact_type, ==, CONFIG);
  g_assert_cmpstr (manifest->subject, ==, DIGEST);
  g_assert_cmpstr (vend_json_string (manifest->annotations, "a"), ==, "b");
  g_assert_cmpuint (manifest->parts->len, ==, 2);
  g_assert_cmpuint (manifest->optional->len, ==, 1);
  const VendRegistryPart *config = g_ptr_array_index (manifest->parts, 0);
  g_assert_true (config->size == 2 && !config->is_manifest);
}

static void
test_index (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendOciManifest) list = parse (
      DOCKER_LIST, "{'schemaVersion':2,'manifests':[{'digest':'" DIGEST "','size':9}]}", &error);
  g_assert_no_error (error);
  g_assert_true (list->is_index && list->config == NULL && list->artifact_type == NULL);
  g_assert_true (((const VendRegistryPart *) g_ptr_array_index (list->parts, 0))->is_manifest);
  /* The members tell what it is when nothing else does. */
  g_autoptr (VendOciManifest) bare = parse (NULL, "{'schemaVersion':2,'manifests':[]}", &error);
  g_assert_no_error (error);
  g_assert_true (bare->is_index);
  g_assert_cmpstr (bare->media_type, ==, VEND_OCI_INDEX);
}

static void
test_artifact (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendOciManifest) artifact
      = parse (OCI,
               "{'schemaVersion':2,'artifactType':'application/vnd.cog.weight.v1','config':"
               "{'digest':'" DIGEST "','size':2,'mediaType':'" CONFIG "'},'layers':[]}",
               &error);
  g_assert_no_error (error);
  g_assert_null (artifact->config);
  g_assert_cmpstr (artifact->artifact_type, ==, "application/vnd.cog.weight.v1");
}

static void
test_wrong (void)
{
  static const struct
  {
    const char *type;
    const char *text;
    const char *says;
  } cases[] = {
    { OCI, "", "" },
    { OCI, "[]", "object" },
    { OCI, "{}", "schemaVersion" },
    { OCI, "{'schemaVersion':'2'}", "schemaVersion" },
    { OCI, "{'schemaVersion':2}", "config" },
    { OCI, "{'schemaVersion':2,'config':{'digest':'x','size':1},'layers':[]}", "config.digest" },
    { OCI, "{'schemaVersion':2,'config':{'digest':'" DIGEST "'},'layers':[]}", "config.size" },
    { OCI, "{'schemaVersion':2,'config':{'digest':'" DIGEST "','size':1.5},'layers':[]}",
      "config.size" },
    { OCI, "{'schemaVersion':2,'config':{'digest':'" DIGEST "','size':1}}", "layers" },
    { OCI, "{'schemaVersion':2,'config':{'digest':'" DIGEST "','size':1},'layers':[7]}",
      "layers.0" },
    { OCI, "{'schemaVersion':2,'mediaType':'" DOCKER_LIST "','manifests':[]}", "mediaType" },
    { "text/plain", "{'schemaVersion':2}", "mediaType" },
    { DOCKER_LIST, "{'schemaVersion':2,'manifests':{}}", "manifests" },
    { DOCKER_LIST, "{'schemaVersion':2,'manifests':[],'annotations':5}", "annotations" },
    { DOCKER_LIST, "{'schemaVersion':2,'manifests':[],'artifactType':'no type'}", "artifactType" },
    { DOCKER_LIST, "{'schemaVersion':2,'manifests':[],'subject':{}}", "subject" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (parse (cases[i].type, cases[i].text, &error));
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
}

/* ---- Labels */

static VendVersion *
read_labels (const char *labels, const char *more, GError **error)
{
  VendVersion *version = NULL;
  g_autofree char *text = g_strdup_printf ("{'config':{'Labels':%s}%s}", labels, more);
  g_autofree char *json = g_strdelimit (text, "'", '"');
  text = NULL;
  g_assert_true (vend_image_read (json, strlen (json), &version, error) || version == NULL);
  return version;
}

#define SCHEMA "{\\'components\\':{\\'schemas\\':{\\'Input\\':{}}}}"

static void
test_labels (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendVersion) version
      = read_labels ("{'run.cog.version':'0.16','run.cog.openapi_schema':'" SCHEMA
                     "','run.cog.pip_freeze':'a==1\\n\\n b==2 ','run.cog.config':'{\\'build\\':"
                     "{\\'python_version\\':\\'3.12\\'}}'}",
                     ",'os':'linux','architecture':'amd64'", &error);
  g_assert_no_error (error);
  const json_t *content = json_object_get (version->manifest, "content");
  g_assert_cmpstr (version->cog_version, ==, "0.16");
  g_assert_cmpuint (json_array_size (json_object_get (content, "packages")), ==, 2);
  g_assert_cmpstr (vend_json_string (content, "python"), ==, "3.12");
  g_autoptr (VendVersion) old = read_labels (
      "{'org.cogmodel.cog_version':'0.3','org.cogmodel.openapi_schema':'" SCHEMA "'}", "", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (old->cog_version, ==, "0.3");
}

static void
test_no_version (void)
{
  static const struct
  {
    const char *labels;
    const char *more;
    bool is_wrong;
  } cases[] = {
    { "null", "", false },
    { "{}", "", false },
    { "{'maintainer':'x'}", "", false },
    { "{'run.cog.version':'1'}", ",'os':'windows'", false },
    { "{'run.cog.version':'1'}", ",'architecture':'arm64'", false },
    { "{'run.cog.version':'1'}", "", true },
    { "{'org.cogmodel.deprecated':'x'}", "", true },
    { "{'run.cog.openapi_schema':'" SCHEMA "'}", "", true },
    { "{'run.cog.version':'1','run.cog.openapi_schema':'{'}", "", true },
    { "{'run.cog.version':'1','run.cog.openapi_schema':'[]'}", "", true },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (read_labels (cases[i].labels, cases[i].more, &error));
      g_assert_true ((error != NULL) == cases[i].is_wrong);
    }
  VendVersion *version = NULL;
  g_assert_true (vend_image_read ("not JSON", 8, &version, NULL));
  g_assert_null (version);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/manifest/image", test_image);
  g_test_add_func ("/manifest/index", test_index);
  g_test_add_func ("/manifest/artifact", test_artifact);
  g_test_add_func ("/manifest/wrong", test_wrong);
  g_test_add_func ("/manifest/labels", test_labels);
  g_test_add_func ("/manifest/no-version", test_no_version);
  return g_test_run ();
}
