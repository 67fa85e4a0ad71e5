/* Tests of what images are built on, and of the layout that they are taken from. */
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "build/image-base.h"
#include "build/image-layout.h"
#include <string.h>
#include <unistd.h>

/* ---- image-base */

static void
test_bases (void)
{
  static const struct
  {
    const char *text;
    VendImageBaseKind kind;
    const char *name;
    const char *tag;
  } good[] = {
    { "docker.io/library/python:{python}-slim", VEND_IMAGE_BASE_REGISTRY,
      "docker.io/library/python:3.11-slim", NULL },
    { "localhost:5000/base", VEND_IMAGE_BASE_REGISTRY, "localhost:5000/base", NULL },
    { "oci:/srv/base", VEND_IMAGE_BASE_FOLDER, "/srv/base", NULL },
    { "oci:/srv/py{python}:slim", VEND_IMAGE_BASE_FOLDER, "/srv/py3.11", "slim" },
    { "vend:lab/base", VEND_IMAGE_BASE_OWN, "lab/base", NULL },
    { "vend:lab/base:{python}", VEND_IMAGE_BASE_OWN, "lab/base", "3.11" },
  };
  static const char *const bad[]
      = { "",     "python:3.11", "--help/x",      "docker.io/a b", "oci:srv/base",
          "oci:", "vend:base",   "vend:lab/b:..", "vend:/lab/b" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto (VendImageBase) base = { 0 };
      g_autoptr (GError) error = NULL;
      g_assert_true (vend_image_base_parse (good[i].text, "3.11", &base, &error));
      g_assert_cmpint (base.kind, ==, good[i].kind);
      g_assert_cmpstr (base.name, ==, good[i].name);
      g_assert_cmpstr (base.tag, ==, good[i].tag);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto (VendImageBase) base = { 0 };
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_image_base_parse (bad[i], "3.11", &base, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
    }
}

/* ---- Layouts */

typedef struct
{
  char *dir;
  char *from;
  char *to;
  char *blobs;
  json_t *openapi;
  VendCogYaml yaml;
  VendImageLabels labels;
} Fixture;

static void
put (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_file_replace (path, text, strlen (text), 0644, &error));
}

/* Its digest. */
static char *
put_blob (const Fixture *fixture, const char *text)
{
  g_autofree char *sha256 = vend_sha256_text (text);
  put (fixture->blobs, sha256, text);
  return g_strconcat ("sha256:", sha256, NULL);
}

static char *no_items[] = { NULL };
static char *items[] = { (char *) "COLOR=blue", NULL };

static void
set_up (Fixture *fixture, const void *data)
{
  g_autofree char *config = NULL, *layer = NULL;
  g_autoptr (GError) error = NULL;
  fixture->dir = g_dir_make_tmp ("vend-image-XXXXXX", NULL);
  fixture->from = g_build_filename (fixture->dir, "from", NULL);
  fixture->to = g_build_filename (fixture->dir, "to", NULL);
  fixture->blobs = g_build_filename (fixture->from, "blobs", "sha256", NULL);
  g_assert_true (vend_dir_ensure (fixture->blobs, &error));
  config = put_blob (fixture, "{\"config\":{\"Env\":[\"PATH=/bin\",\"COLOR=red\"],\"Entrypoint\":"
                              "[\"x\"]}}");
  layer = put_blob (fixture, "layer");
  g_autofree char *manifest = g_strdup_printf (
      "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
      "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\","
      "\"size\":65},\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
      "\"digest\":\"%s\",\"size\":5}]}",
      config, layer);
  g_autofree char *digest = put_blob (fixture, manifest);
  g_autofree char *index
      = g_strdup_printf ("{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"%s\"}]}", digest);
  put (fixture->from, "index.json", index);
  fixture->openapi = json_pack ("{s:s}", "openapi", "3.0.2");
  fixture->yaml = (VendCogYaml){ .python_packages = no_items,
                                 .system_packages = no_items,
                                 .run = no_items,
                                 .environment = items,
                                 .predict = (char *) "predict.py:Predictor" };
  fixture->labels = (VendImageLabels){ .yaml = &fixture->yaml,
                                       .openapi = fixture->openapi,
                                       .cog_version = "0.23.1",
                                       .freeze = "six==1.16.0\n" };
}

static void
tear_down (Fixture *fixture, const void *data)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tree_remove (fixture->dir, &error));
  json_decref (fixture->openapi);
  g_free (fixture->dir);
  g_free (fixture->from);
  g_free (fixture->to);
  g_free (fixture->blobs);
}

static json_t *
read_blob (const Fixture *fixture, const char *digest)
{
  g_autofree char *path = g_build_filename (fixture->to, digest + strlen ("sha256:"), NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  json_t *object = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_file_read (path, 1 << 20, &text, &size, &error));
  g_assert_true (vend_json_parse (text, size, &object, &error));
  return object;
}

static void
test_take (Fixture *fixture, const void *data)
{
  json_auto_t *image = NULL;
  json_auto_t *manifest = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (
      vend_image_layout_take (fixture->from, fixture->to, &fixture->labels, &image, &error));
  g_assert_cmpuint (json_array_size (json_object_get (image, "blobs")), ==, 2);
  const char *text = vend_json_string (image, "manifest");
  g_assert_true (vend_json_parse (text, strlen (text), &manifest, &error));
  json_auto_t *config
      = read_blob (fixture, vend_json_string (json_object_get (manifest, "config"), "digest"));
  const json_t *inner = json_object_get (config, "config");
  const json_t *labels = json_object_get (inner, "Labels");
  g_assert_cmpstr (vend_json_string (labels, "run.cog.version"), ==, "0.23.1");
  g_assert_cmpstr (vend_json_string (labels, "run.cog.pip_freeze"), ==, "six==1.16.0\n");
  g_assert_cmpstr (vend_json_string (labels, "run.cog.openapi_schema"), ==,
                   "{\"openapi\":\"3.0.2\"}");
  g_assert_null (json_object_get (inner, "Entrypoint"));
  const json_t *env = json_object_get (inner, "Env");
  g_assert_cmpstr (json_string_value (json_array_get (env, 0)), ==, "PATH=/bin");
  g_assert_cmpstr (json_string_value (json_array_get (env, 1)), ==, "COLOR=blue");
}

static void
refuse (const Fixture *fixture)
{
  json_auto_t *image = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_false (
      vend_image_layout_take (fixture->from, fixture->to, &fixture->labels, &image, &error));
  g_assert_nonnull (error);
  g_assert_null (image);
}

/* What a command in the room could have put there. */
static void
test_links (Fixture *fixture, const void *data)
{
  g_autofree char *sha256 = vend_sha256_text ("layer");
  g_autofree char *layer = g_build_filename (fixture->blobs, sha256, NULL);
  g_autofree char *other = g_build_filename (fixture->dir, "other", NULL);
  put (fixture->dir, "other", "layer");
  g_assert_cmpint (unlink (layer), ==, 0);
  g_assert_cmpint (symlink (other, layer), ==, 0);
  refuse (fixture);
  g_assert_cmpint (unlink (layer), ==, 0);
  g_assert_cmpint (link (other, layer), ==, 0);
  refuse (fixture);
  g_assert_cmpint (unlink (layer), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (layer, 0700), ==, 0);
  refuse (fixture);
}

static void
test_folder_link (Fixture *fixture, const void *data)
{
  g_autofree char *aside = g_build_filename (fixture->dir, "aside", NULL);
  g_assert_cmpint (rename (fixture->blobs, aside), ==, 0);
  g_assert_cmpint (symlink (aside, fixture->blobs), ==, 0);
  refuse (fixture);
}

static void
test_no_layout (Fixture *fixture, const void *data)
{
  static const char *const indexes[]
      = { "", "[]", "{}", "{\"manifests\":[{\"digest\":\"sha256:../../etc/passwd\"}]}",
          "{\"manifests\":[{\"digest\":7}]}" };
  for (gsize i = 0; i < G_N_ELEMENTS (indexes); i++)
    {
      put (fixture->from, "index.json", indexes[i]);
      refuse (fixture);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/bases", test_bases);
  g_test_add ("/image/take", Fixture, NULL, set_up, test_take, tear_down);
  g_test_add ("/image/links", Fixture, NULL, set_up, test_links, tear_down);
  g_test_add ("/image/folder-link", Fixture, NULL, set_up, test_folder_link, tear_down);
  g_test_add ("/image/no-layout", Fixture, NULL, set_up, test_no_layout, tear_down);
  return g_test_run ();
}
