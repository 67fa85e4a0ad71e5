/* Manifest, config and layers of an image to a folder. */
#include "image/unpack-private.h"
#include "base/error.h"
#include "base/fd.h"
#include "image/config.h"
#include "image/users.h"
#include "registry/image.h"
#include "store/registry.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_COGLET 17 /* 0.17 */
#define MAX_START_FILE ((gsize) 4 * 1024 * 1024)

/* ---- What it is made of */

static bool
read_blob (const VendBlobs *blobs, const char *sha256, const char *name, gsize limit, char **out,
           gsize *out_size, GError **error)
{
  vend_autofd fd = -1;
  uint64_t size = 0;
  return vend_blobs_open_fd (blobs, sha256, &fd, &size, error)
         && vend_fd_read_all (fd, name, limit, out, out_size, error);
}

/* The SHA-256 of what the client calls `digest`. */
static bool
find_blob (const VendImageUnpacking *job, const char *digest, char **out, GError **error)
{
  g_autoptr (VendRegistryBlob) blob = NULL;
  int64_t repository = 0;
  g_auto (VendReader) reader = vend_reader (job->store);
  if (!vend_store_repository_find (reader.db, job->model_id, "", &repository, error)
      || !vend_store_registry_blob_get (reader.db, repository, digest, &blob, error))
    {
      g_prefix_error (error, "the image's %s is not here: ", digest);
      return false;
    }
  *out = g_strdup (blob->sha256);
  return true;
}

bool
vend_image_read_manifest (const VendImageUnpacking *job, const char *sha256, VendOciManifest **out,
                          GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  return read_blob (job->blobs, sha256, "manifest", VEND_OCI_MANIFEST_BYTES, &text, &size, error)
         && vend_oci_manifest_parse (NULL, text, size, out, error);
}

static bool
read_config (const VendImageUnpacking *job, const VendOciManifest *manifest, VendImageConfig **out,
             VendVersion **out_version, GError **error)
{
  g_autofree char *sha256 = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;
  return find_blob (job, manifest->config, &sha256, error)
         && read_blob (job->blobs, sha256, "config", VEND_IMAGE_CONFIG_BYTES, &text, &size, error)
         && vend_image_config_parse (text, size, out, error)
         && vend_image_read (text, size, out_version, error)
         && (*out_version != NULL
             || vend_fail (error, VEND_ERROR_INVALID, "the image has no labels of Cog"));
}

/* ---- Layers */

static bool
apply_layer (const VendImageUnpacking *job, VendLayers *layers, const char *digest, GError **error)
{
  g_autofree char *sha256 = NULL;
  vend_autofd fd = -1;
  uint64_t size = 0;
  if (find_blob (job, digest, &sha256, error)
      && vend_blobs_open_fd (job->blobs, sha256, &fd, &size, error)
      && vend_layer_apply (layers, fd, error))
    return true;
  g_prefix_error (error, "layer %s: ", digest);
  return false;
}

bool
vend_image_apply_layers (const VendImageUnpacking *job, const VendOciManifest *manifest,
                         VendLayers *layers, GError **error)
{
  if (manifest->optional->len > 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the image has layers that may not be distributed, which cannot be unpacked");
  /* The config comes first. */
  for (guint i = 1; i < manifest->parts->len; i++)
    {
      const VendRegistryPart *part = g_ptr_array_index (manifest->parts, i);
      if (!apply_layer (job, layers, part->digest, error))
        return false;
    }
  return true;
}

/* ---- What a sandbox mounts something over: folders and files, never links that lead elsewhere */

static bool
make_place (VendRoot *root, const char *path, bool is_file, mode_t mode, GError **error)
{
  g_auto (GStrv) parts = NULL;
  vend_autofd folder = -1;
  struct stat st;
  if (!vend_root_split (path, &parts, error))
    return false;
  const gsize count = g_strv_length (parts);
  const char *name = parts[count - 1];
  if (!vend_root_folder (root, parts, count - 1, &folder, error))
    return false;
  const bool is_there = fstatat (folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there && (is_file ? S_ISREG (st.st_mode) : S_ISDIR (st.st_mode)))
    return fchmodat (folder, name, mode, 0) == 0
           || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "make '%s'", path);
  if (!vend_root_remove (folder, name, error))
    return false;
  vend_autofd fd = -1;
  const bool made
      = is_file ? (fd = openat (folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)) >= 0
                : mkdirat (folder, name, mode) == 0;
  return (made && fchmodat (folder, name, mode, 0) == 0)
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "make '%s'", path);
}

static bool
empty_place (const VendRoot *root, const char *path, GError **error)
{
  vend_autofd fd = vend_root_open (root, path, O_RDONLY | O_DIRECTORY);
  return fd >= 0 ? vend_root_empty (fd, NULL, NULL, error)
                 : vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
}

static bool
make_places (VendRoot *root, GError **error)
{
  static const struct
  {
    const char *path;
    bool is_file;
    mode_t mode;
    bool is_empty; /* a mount may go below it */
  } places[] = { { "proc", false, 0755, true },    { "sys", false, 0755, true },
                 { "dev", false, 0755, true },     { "tmp", false, 01777 },
                 { "etc", false, 0755 },           { "etc/hosts", true, 0644 },
                 { "etc/resolv.conf", true, 0644 } };
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    if (!make_place (root, places[i].path, places[i].is_file, places[i].mode, error)
        || (places[i].is_empty && !empty_place (root, places[i].path, error)))
      return false;
  return true;
}

static bool
make_working_folder (VendRoot *root, const char *path, GError **error)
{
  g_auto (GStrv) parts = NULL;
  vend_autofd folder = -1;
  if (vend_root_split (path, &parts, error)
      && vend_root_folder (root, parts, g_strv_length (parts), &folder, error))
    return true;
  g_prefix_error (error, "config.WorkingDir: ");
  return false;
}

/* ---- image.json and schema.json */

/* Servers from coglet's on stream events, or say that they do not. */
static bool
has_event_streams (const char *cog)
{
  guint major = 0;
  guint minor = 0;
  return sscanf (cog, "%u.%u", &major, &minor) == 2 && (major > 0 || minor >= FIRST_COGLET);
}

static bool
write_json (const char *dir, const char *name, const json_t *value, GError **error)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *text = vend_json_text (value);
  return vend_file_replace (path, text, strlen (text), 0600, error);
}

static json_t *
argv_json (char *const *argv)
{
  json_t *list = json_array ();
  for (gsize i = 0; argv[i] != NULL; i++)
    json_array_append_new (list, vend_json_string_new (argv[i], strlen (argv[i])));
  return list;
}

static bool
write_start (const VendLayers *layers, const VendImageConfig *config, const VendImageUser *user,
             const VendVersion *version, const char *dir, GError **error)
{
  if (json_object_get (config->env, "HOME") == NULL)
    vend_json_set_string (config->env, "HOME", user->home);
  json_auto_t *start = json_pack (
      "{s:o, s:O, s:s, s:i, s:i, s:b, s:I, s:I}", "argv", argv_json (config->argv), "env",
      config->env, "cwd", config->cwd, "uid", (int) user->uid, "gid", (int) user->gid,
      "event_streams", (int) has_event_streams (version->cog_version), "bytes",
      (json_int_t) layers->n_bytes, "files", (json_int_t) layers->root.n_entries);
  if (start == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "config: it has text that is not UTF-8");
  return write_json (dir, VEND_IMAGE_SCHEMA, version->openapi, error)
         && write_json (dir, VEND_IMAGE_FILE, start, error);
}

bool
vend_image_read_start (const char *dir, json_t **out, GError **error)
{
  g_autofree char *path = g_build_filename (dir, VEND_IMAGE_FILE, NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  return vend_file_read (path, MAX_START_FILE, &text, &size, error)
         && vend_json_parse (text, size, out, error);
}

/* ---- */

static bool
fill (const VendImageUnpacking *job, const VendOciManifest *manifest, VendLayers *layers,
      const char *dir, GError **error)
{
  g_autoptr (VendImageConfig) config = NULL;
  g_autoptr (VendVersion) version = NULL;
  VendImageUser user = { 0 };
  const bool filled = read_config (job, manifest, &config, &version, error)
                      && vend_image_apply_layers (job, manifest, layers, error)
                      && vend_image_add_weights (job, layers, error)
                      && make_places (&layers->root, error)
                      && make_working_folder (&layers->root, config->cwd, error)
                      && vend_image_user_find (&layers->root, config->user, &user, error)
                      && write_start (layers, config, &user, version, dir, error);
  g_free (user.home);
  return filled
         /* Once for all files. */
         && (syncfs (layers->root.fd) == 0
             || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "write the image to disk"));
}

bool
vend_image_unpack (const VendImageUnpacking *job, const char *dir, GError **error)
{
  g_autoptr (VendOciManifest) manifest = NULL;
  g_autofree char *root = g_build_filename (dir, VEND_IMAGE_ROOT, NULL);
  if (!vend_image_read_manifest (job, job->version, &manifest, error))
    return false;
  if (manifest->config == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "the manifest is not that of an image");
  if (mkdir (dir, 0700) < 0 || mkdir (root, 0755) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", root);
  vend_autofd fd = open (root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", root);
  VendLayers layers = { .root = { .fd = fd, .max_entries = job->max_files },
                        .max_bytes = job->max_bytes,
                        .deadline_us = g_get_monotonic_time () + job->timeout_us,
                        .cancellable = job->cancellable };
  return fill (job, manifest, &layers, dir, error);
}
