/* An image layout: index, manifest, config, layers. */
#include "build/image-layout.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "registry/image.h"
#include "registry/manifest.h"
#include "registry/reference.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define BLOBS "blobs/sha256"

/* ---- Labels */

static json_t *
list_of (char **items)
{
  json_t *list = json_array ();
  for (gsize i = 0; items[i] != NULL; i++)
    json_array_append_new (list, json_string (items[i]));
  return list;
}

static json_t *
member (json_t *object, const char *name)
{
  json_t *value = json_object_get (object, name);
  if (!json_is_object (value))
    {
      value = json_object ();
      json_object_set_new (object, name, value);
    }
  return value;
}

/* cog.yaml as Cog writes it down. */
static json_t *
config_of (const VendCogYaml *yaml)
{
  const struct
  {
    const char *key;
    char **items;
  } lists[] = { { "python_packages", yaml->python_packages },
                { "system_packages", yaml->system_packages },
                { "run", yaml->run } };
  json_t *build = json_pack ("{s:b}", "gpu", yaml->gpu);
  json_t *config = json_pack ("{s:o}", "build", build);
  if (yaml->python_version != NULL)
    vend_json_set_string (build, "python_version", yaml->python_version);
  if (yaml->python_requirements != NULL)
    vend_json_set_string (build, "python_requirements", yaml->python_requirements);
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    if (lists[i].items[0] != NULL)
      json_object_set_new (build, lists[i].key, list_of (lists[i].items));
  if (yaml->predict != NULL)
    vend_json_set_string (config, "predict", yaml->predict);
  if (yaml->train != NULL)
    vend_json_set_string (config, "train", yaml->train);
  if (yaml->environment[0] != NULL)
    json_object_set_new (config, "environment", list_of (yaml->environment));
  if (yaml->concurrency > 0)
    json_object_set_new (config, "concurrency", json_pack ("{s:i}", "max", yaml->concurrency));
  return config;
}

static void
set_variable (json_t *env, const char *name, const char *value)
{
  g_autofree char *text = g_strdup_printf ("%s=%s", name, value);
  for (size_t i = 0; i < json_array_size (env); i++)
    {
      const char *old = json_string_value (json_array_get (env, i));
      if (old != NULL && strncmp (old, text, strlen (name) + 1) == 0)
        {
          json_array_set_new (env, i, json_string (text));
          return;
        }
    }
  json_array_append_new (env, json_string (text));
}

static void
set_env (json_t *inner, const VendImageLabels *labels)
{
  const VendCogYaml *yaml = labels->yaml;
  const int concurrency = yaml->concurrency > 0 ? yaml->concurrency : labels->concurrency;
  json_t *env = json_object_get (inner, "Env");
  if (!json_is_array (env))
    {
      env = json_array ();
      json_object_set_new (inner, "Env", env);
    }
  for (gsize i = 0; yaml->environment[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (yaml->environment[i], "=", 2);
      if (pair[0] != NULL && pair[1] != NULL)
        set_variable (env, pair[0], pair[1]);
    }
  set_variable (env, "PYTHONUNBUFFERED", "1");
  if (yaml->predict != NULL)
    set_variable (env, "COG_PREDICT_TYPE_STUB", yaml->predict);
  if (yaml->train != NULL)
    set_variable (env, "COG_TRAIN_TYPE_STUB", yaml->train);
  if (concurrency > 1)
    {
      g_autofree char *number = g_strdup_printf ("%d", concurrency);
      set_variable (env, "COG_MAX_CONCURRENCY", number);
    }
}

void
vend_image_label (json_t *config, const VendImageLabels *labels)
{
  json_t *inner = member (config, "config");
  json_t *all = member (inner, "Labels");
  g_autofree char *schema = vend_json_text (labels->openapi);
  json_auto_t *document = config_of (labels->yaml);
  g_autofree char *yaml = vend_json_text (document);
  vend_json_set_string (all, "run.cog.version", labels->cog_version);
  vend_json_set_string (all, "run.cog.openapi_schema", schema);
  vend_json_set_string (all, "run.cog.config", yaml);
  vend_json_set_string (all, "run.cog.pip_freeze", labels->freeze);
  set_env (inner, labels);
  json_object_del (inner, "Entrypoint");
  json_object_set_new (inner, "Cmd", json_pack ("[s, s, s]", "python3", "-m", "cog.server.http"));
  json_object_set_new (member (inner, "ExposedPorts"), "5000/tcp", json_object ());
  vend_json_set_string (inner, "WorkingDir", "/src");
}

/* ---- Reading */

static int
open_inside (int dir, const char *path, int flags)
{
  struct open_how how = { .flags = (guint64) (flags | O_CLOEXEC | O_NOFOLLOW),
                          .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
  return (int) syscall (SYS_openat2, dir, path, &how, sizeof how);
}

static bool
read_text (int dir, const char *path, gsize limit, char **out, gsize *out_size, GError **error)
{
  struct stat st;
  vend_autofd fd = open_inside (dir, path, O_RDONLY | O_NONBLOCK);
  if (fd < 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode))
    return vend_fail (error, VEND_ERROR_RUNNER, "buildah wrote no file '%s'", path);
  return vend_fd_read_all (fd, path, limit, out, out_size, error);
}

static bool
read_object (int dir, const char *path, gsize limit, json_t **out, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  return read_text (dir, path, limit, &text, &size, error)
         && vend_json_parse (text, size, out, error);
}

static char *
blob_path (const char *digest)
{
  return g_strconcat (BLOBS "/", vend_digest_hex (digest), NULL);
}

/* The manifest that the index names, as it is there. */
static bool
read_manifest (int dir, json_t **out, VendOciManifest **out_parsed, GError **error)
{
  json_auto_t *index = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;
  if (!read_object (dir, "index.json", VEND_OCI_MANIFEST_BYTES, &index, error))
    return false;
  const json_t *first = json_array_get (json_object_get (index, "manifests"), 0);
  const char *digest = vend_json_string (first, "digest");
  if (digest == NULL || !vend_digest_is_valid (digest) || vend_digest_is_sha512 (digest))
    return vend_fail (error, VEND_ERROR_RUNNER, "buildah wrote no image");
  g_autofree char *path = blob_path (digest);
  if (!read_text (dir, path, VEND_OCI_MANIFEST_BYTES, &text, &size, error)
      || !vend_oci_manifest_parse (NULL, text, size, out_parsed, error)
      || !vend_json_parse (text, size, out, error))
    return false;
  return (*out_parsed)->config != NULL
         || vend_fail (error, VEND_ERROR_RUNNER, "buildah wrote an image without a config");
}

/* ---- Taking */

static bool
move_layer (int blobs, int to, const VendRegistryPart *part, GError **error)
{
  const char *name = vend_digest_hex (part->digest);
  struct stat st;
  vend_autofd fd = open_inside (blobs, name, O_RDONLY | O_NONBLOCK);
  if (fd < 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode) || st.st_nlink != 1
      || st.st_size != part->size || vend_digest_is_sha512 (part->digest))
    return vend_fail (error, VEND_ERROR_RUNNER, "buildah wrote no layer %s", part->digest);
  /* A file of the server from now on. */
  if (fchown (fd, geteuid (), getegid ()) < 0 || fchmod (fd, 0600) < 0
      || renameat (blobs, name, to, name) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "take the layer %s", part->digest);
  return true;
}

static void
add_blob (json_t *list, const char *sha256, int64_t size)
{
  json_array_append_new (list,
                         json_pack ("{s:s, s:I}", "sha256", sha256, "size", (json_int_t) size));
}

static bool
take_layers (int dir, const char *to, const VendOciManifest *parsed, json_t *list, GError **error)
{
  vend_autofd blobs = open_inside (dir, BLOBS, O_RDONLY | O_DIRECTORY);
  vend_autofd target = open (to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (blobs < 0 || target < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open the image's folder");
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < parsed->parts->len; i++)
    {
      const VendRegistryPart *part = g_ptr_array_index (parsed->parts, i);
      if (strcmp (part->digest, parsed->config) == 0 || !g_hash_table_add (seen, part->digest))
        continue;
      if (!move_layer (blobs, target, part, error))
        return false;
      add_blob (list, vend_digest_hex (part->digest), part->size);
    }
  return true;
}

static bool
write_config (int dir, const char *to, const VendOciManifest *parsed, const VendImageLabels *labels,
              json_t *manifest, json_t *list, GError **error)
{
  g_autofree char *path = blob_path (parsed->config);
  json_auto_t *config = NULL;
  if (!read_object (dir, path, VEND_IMAGE_CONFIG_BYTES, &config, error))
    return false;
  vend_image_label (config, labels);
  g_autofree char *text = vend_json_text (config);
  const gsize size = strlen (text);
  g_autofree char *sha256 = vend_sha256_hex (text, size);
  g_autofree char *digest = g_strconcat ("sha256:", sha256, NULL);
  g_autofree char *target = g_build_filename (to, sha256, NULL);
  json_t *descriptor = json_object_get (manifest, "config");
  if (size > VEND_IMAGE_CONFIG_BYTES)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "the schema is too large for the config of an image");
  vend_json_set_string (descriptor, "digest", digest);
  vend_json_set_int (descriptor, "size", (int64_t) size);
  add_blob (list, sha256, (int64_t) size);
  return vend_file_replace (target, text, size, 0600, error);
}

bool
vend_image_layout_take (const char *from, const char *to, const VendImageLabels *labels,
                        json_t **out, GError **error)
{
  vend_autofd dir = open (from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  g_autoptr (VendOciManifest) parsed = NULL;
  json_auto_t *manifest = NULL;
  json_auto_t *list = json_array ();
  if (dir < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", from);
  if (!vend_dir_ensure (to, error) || !read_manifest (dir, &manifest, &parsed, error)
      || !take_layers (dir, to, parsed, list, error)
      || !write_config (dir, to, parsed, labels, manifest, list, error)
      || !vend_dir_sync (to, error))
    return false;
  g_autofree char *text = vend_json_text (manifest);
  *out = json_pack ("{s:s, s:O}", "manifest", text, "blobs", list);
  return true;
}
