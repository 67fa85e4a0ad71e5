/* Manifests and indexes of images and other artifacts, as pushed. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"
#include "model/registry.h"

/* The least that the specification wants registries to take. */
#define VEND_OCI_MANIFEST_BYTES (4 * 1024 * 1024)
#define VEND_OCI_INDEX "application/vnd.oci.image.index.v1+json"

typedef struct
{
  char *media_type;
  bool is_index;
  GPtrArray *parts;    /* of VendRegistryPart: config, layers, manifests */
  GPtrArray *optional; /* of VendRegistryPart: layers that may lie elsewhere */
  char *config;        /* digest of the config of an image that can run; NULL: it is none */
  char *artifact_type; /* as lists of referrers show it; or NULL */
  json_t *annotations; /* or NULL */
  char *subject;       /* digest, or NULL */
} VendOciManifest;

void vend_oci_manifest_free (VendOciManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOciManifest, vend_oci_manifest_free)

/* `content_type` is that of the request, or NULL. INVALID or BAD_REQUEST names the member. */
bool vend_oci_manifest_parse (const char *content_type, const char *text, gsize size,
                              VendOciManifest **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
