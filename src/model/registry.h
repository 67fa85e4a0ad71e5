/* Blobs and manifests of a registry's repositories. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  int64_t repository;
  char *digest; /* "sha256:…" or "sha512:…", as the client names it */
  char *sha256; /* of the bytes in the file store */
  int64_t size;
  int64_t used_us;
} VendRegistryBlob;

void vend_registry_blob_free (VendRegistryBlob *blob);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRegistryBlob, vend_registry_blob_free)

/* What a manifest names: a blob, or a manifest of an index. */
typedef struct
{
  char *digest;
  int64_t size;
  bool is_manifest;
} VendRegistryPart;

VendRegistryPart *vend_registry_part_new (const char *digest, int64_t size, bool is_manifest);
void vend_registry_part_free (VendRegistryPart *part);

typedef struct
{
  int64_t repository;
  char *digest;
  char *sha256;
  int64_t size;
  char *media_type;
  char *artifact_type; /* as lists of referrers show it; or NULL */
  json_t *annotations; /* or NULL */
  char *subject;       /* digest, or NULL */
  int64_t used_us;
} VendRegistryManifest;

void vend_registry_manifest_free (VendRegistryManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRegistryManifest, vend_registry_manifest_free)
/* The descriptor in a list of referrers. */
json_t *vend_registry_manifest_to_json (const VendRegistryManifest *manifest);
