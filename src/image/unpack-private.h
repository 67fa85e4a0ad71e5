/* Shared by the files that unpack an image. */
#pragma once
#include "image/layer.h"
#include "image/unpack-image.h"
#include "registry/manifest.h"

/* The manifest with that SHA-256. */
bool vend_image_read_manifest (const VendImageUnpacking *job, const char *sha256,
                               VendOciManifest **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* All layers of a manifest, one over the other. */
bool vend_image_apply_layers (const VendImageUnpacking *job, const VendOciManifest *manifest,
                              VendLayers *layers, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* weights.c: the managed weights of the newest index that has the image, at their targets. */
bool vend_image_add_weights (const VendImageUnpacking *job, VendLayers *layers, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
