/* Names, tags, digests and paths of the registry, strictly as the OCI distribution specification
 * has them. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "registry/oci-code.h"

/* "sha256:" and 64, or "sha512:" and 128 lower-case hexadecimal digits. */
bool vend_digest_is_valid (const char *text);
bool vend_digest_is_sha512 (const char *digest);
/* The digits. Borrowed. */
const char *vend_digest_hex (const char *digest);
/* INVALID says what was expected. */
bool vend_digest_check (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of bytes, by the algorithm. Free with g_free. */
char *vend_digest_of (const void *data, gsize size, bool is_sha512) G_GNUC_WARN_UNUSED_RESULT;

bool vend_tag_is_valid (const char *text);

/* owner/name, or owner/name/more: a repository of the model owner/name. */
typedef struct
{
  char *owner;
  char *name;
  char *path; /* "more", "" without */
} VendRepositoryName;

void vend_repository_name_clear (VendRepositoryName *name);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendRepositoryName, vend_repository_name_clear)
/* INVALID says what was expected. */
bool vend_repository_name_parse (const char *text, VendRepositoryName *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Free with g_free. */
char *vend_repository_name_text (const VendRepositoryName *name) G_GNUC_WARN_UNUSED_RESULT;

typedef enum
{
  VEND_REGISTRY_BLOB,      /* NAME/blobs/DIGEST */
  VEND_REGISTRY_UPLOADS,   /* NAME/blobs/uploads/ */
  VEND_REGISTRY_UPLOAD,    /* NAME/blobs/uploads/ID */
  VEND_REGISTRY_MANIFEST,  /* NAME/manifests/TAG or DIGEST */
  VEND_REGISTRY_TAGS,      /* NAME/tags/list */
  VEND_REGISTRY_REFERRERS, /* NAME/referrers/DIGEST */
} VendRegistryKind;

typedef struct
{
  VendRegistryKind kind;
  VendRepositoryName repository;
  char *reference; /* the last part; "" when there is none */
  bool is_digest;  /* `reference` of a manifest */
} VendRegistryPath;

void vend_registry_path_clear (VendRegistryPath *path);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendRegistryPath, vend_registry_path_clear)
/* `text` is what follows /v2/, decoded. On failure `*out_code` says which error it is. */
bool vend_registry_path_parse (const char *text, VendRegistryPath *out, VendOciCode *out_code,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Content-Range of a piece of an upload: "FIRST-LAST", both counted. BAD_REQUEST otherwise. */
bool vend_upload_range_parse (const char *text, uint64_t *out_first, uint64_t *out_size,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
