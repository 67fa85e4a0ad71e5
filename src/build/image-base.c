/* What images are built on. */
#include "build/image-base.h"
#include "base/error.h"
#include "base/fd.h"
#include "json/json.h"
#include "registry/manifest.h"
#include "registry/reference.h"
#include "store/models.h"
#include "store/registry.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FOLDER "oci:"
#define OWN "vend:"
#define DEFAULT_TAG "latest"
#define MAX_DEPTH 4

void
vend_image_base_clear (VendImageBase *base)
{
  g_clear_pointer (&base->name, g_free);
  g_clear_pointer (&base->tag, g_free);
}

static bool
wrong (const char *text, GError **error)
{
  return vend_fail (error, VEND_ERROR_INVALID, "image-base: '%.200s' is neither " VEND_IMAGE_BASES,
                    text);
}

/* A word of a command line that no program takes for an option. */
static bool
is_word (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isgraph (*at))
      return false;
  return *text != '\0' && *text != '-';
}

/* The tag stands behind the last part of the path. */
static void
split_tag (VendImageBase *base)
{
  char *part = strrchr (base->name, '/');
  char *colon = strchr (part != NULL ? part : base->name, ':');
  if (colon == NULL)
    return;
  base->tag = g_strdup (colon + 1);
  *colon = '\0';
}

bool
vend_image_base_parse (const char *text, const char *python, VendImageBase *out, GError **error)
{
  g_auto (VendImageBase) base = { 0 };
  g_autoptr (GString) full = g_string_new (text);
  g_string_replace (full, "{python}", python, 0);
  if (g_str_has_prefix (full->str, FOLDER))
    base.kind = VEND_IMAGE_BASE_FOLDER;
  else if (g_str_has_prefix (full->str, OWN))
    base.kind = VEND_IMAGE_BASE_OWN;
  const char *prefix = base.kind == VEND_IMAGE_BASE_FOLDER ? FOLDER
                       : base.kind == VEND_IMAGE_BASE_OWN  ? OWN
                                                           : "";
  base.name = g_strdup (full->str + strlen (prefix));
  if (base.kind != VEND_IMAGE_BASE_REGISTRY)
    split_tag (&base);
  g_auto (VendRepositoryName) repository = { 0 };
  if (!is_word (base.name) || (base.tag != NULL && !vend_tag_is_valid (base.tag))
      || (base.kind == VEND_IMAGE_BASE_FOLDER && !g_path_is_absolute (base.name))
      /* Other names would be looked up on whatever host the machine knows for them. */
      || (base.kind == VEND_IMAGE_BASE_REGISTRY && strchr (base.name, '/') == NULL)
      || (base.kind == VEND_IMAGE_BASE_OWN
          && !vend_repository_name_parse (base.name, &repository, NULL)))
    return wrong (text, error);
  *out = base;
  base = (VendImageBase){ 0 };
  return true;
}

/* ---- An image of this server */

typedef struct
{
  VendStore *store;
  const VendBlobs *blobs;
  const char *folder; /* of the layout's blobs */
  int64_t repository;
} Laying;

static bool
lay_out_file (const Laying *laying, const char *digest, const char *sha256, GError **error)
{
  g_autofree char *path = g_build_filename (laying->folder, vend_digest_hex (digest), NULL);
  vend_autofd from = -1;
  uint64_t size = 0;
  if (vend_digest_is_sha512 (digest))
    return vend_fail (error, VEND_ERROR_INVALID, "%s: digests of a base must be of SHA-256",
                      digest);
  if (!vend_blobs_open_fd (laying->blobs, sha256, &from, &size, error))
    return false;
  vend_autofd to = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (to < 0)
    return errno == EEXIST
           || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  return vend_fd_copy (from, to, size, error);
}

static bool
find_manifest (const Laying *laying, const char *digest, VendRegistryManifest **out,
               char **out_text, gsize *out_size, GError **error)
{
  g_autoptr (VendRegistryManifest) row = NULL;
  vend_autofd fd = -1;
  uint64_t size = 0;
  {
    g_auto (VendReader) reader = vend_reader (laying->store);
    if (!vend_store_registry_manifest_get (reader.db, laying->repository, digest, &row, error))
      return false;
  }
  if (!vend_blobs_open_fd (laying->blobs, row->sha256, &fd, &size, error)
      || !vend_fd_read_all (fd, digest, VEND_OCI_MANIFEST_BYTES, out_text, out_size, error))
    return false;
  *out = g_steal_pointer (&row);
  return true;
}

static bool
lay_out_blob (const Laying *laying, const char *digest, GError **error)
{
  g_autoptr (VendRegistryBlob) blob = NULL;
  {
    g_auto (VendReader) reader = vend_reader (laying->store);
    if (!vend_store_registry_blob_get (reader.db, laying->repository, digest, &blob, error))
      return false;
  }
  return lay_out_file (laying, digest, blob->sha256, error);
}

/* With all that it names. */
static bool
lay_out_manifest (const Laying *laying, const char *digest, guint depth, VendRegistryManifest **out,
                  GError **error)
{
  g_autoptr (VendRegistryManifest) row = NULL;
  g_autoptr (VendOciManifest) manifest = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;
  if (depth == MAX_DEPTH)
    return vend_fail (error, VEND_ERROR_INVALID, "%s: indexes are nested too deep", digest);
  if (!find_manifest (laying, digest, &row, &text, &size, error)
      || !vend_oci_manifest_parse (row->media_type, text, size, &manifest, error)
      || !lay_out_file (laying, digest, row->sha256, error))
    return false;
  for (guint i = 0; i < manifest->parts->len; i++)
    {
      const VendRegistryPart *part = g_ptr_array_index (manifest->parts, i);
      g_autoptr (VendRegistryManifest) inner = NULL;
      if (!(part->is_manifest ? lay_out_manifest (laying, part->digest, depth + 1, &inner, error)
                              : lay_out_blob (laying, part->digest, error)))
        return false;
    }
  *out = g_steal_pointer (&row);
  return true;
}

static bool
write_index (const char *dir, const VendRegistryManifest *row, GError **error)
{
  static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
  g_autofree char *layout_path = g_build_filename (dir, "oci-layout", NULL);
  g_autofree char *index_path = g_build_filename (dir, "index.json", NULL);
  json_auto_t *index
      = json_pack ("{s:i, s:[{s:s, s:s, s:I}]}", "schemaVersion", 2, "manifests", "mediaType",
                   row->media_type, "digest", row->digest, "size", (json_int_t) row->size);
  g_autofree char *text = vend_json_text (index);
  return vend_file_replace (layout_path, version, strlen (version), 0600, error)
         && vend_file_replace (index_path, text, strlen (text), 0600, error);
}

static bool
find_digest (Laying *laying, const VendImageBase *base, char **out, GError **error)
{
  g_auto (VendRepositoryName) name = { 0 };
  g_autoptr (VendModel) model = NULL;
  g_auto (VendReader) reader = vend_reader (laying->store);
  return vend_repository_name_parse (base->name, &name, error)
         && vend_store_model_by_name (reader.db, name.owner, name.name, &model, error)
         && vend_store_repository_find (reader.db, model->id, name.path, &laying->repository, error)
         && vend_store_registry_tag_get (reader.db, laying->repository,
                                         base->tag != NULL ? base->tag : DEFAULT_TAG, out, error);
}

bool
vend_image_base_lay_out (VendStore *store, const VendBlobs *blobs, const VendImageBase *base,
                         const char *dir, GError **error)
{
  g_autofree char *folder = g_build_filename (dir, "blobs", "sha256", NULL);
  g_autofree char *digest = NULL;
  g_autoptr (VendRegistryManifest) row = NULL;
  g_autoptr (GError) problem = NULL;
  Laying laying = { .store = store, .blobs = blobs, .folder = folder };
  if (!find_digest (&laying, base, &digest, &problem))
    return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                      "image-base: there is no image " OWN "%s:%s on this server: %s", base->name,
                      base->tag != NULL ? base->tag : DEFAULT_TAG, problem->message);
  return vend_dir_ensure (folder, error) && lay_out_manifest (&laying, digest, 0, &row, error)
         && write_index (dir, row, error);
}
