/* Reads an archive of `vend export`, front to back, in constant memory: a manifest, then each file
 * that it names. Blocks on disk. */
#pragma once
#include "build/bundle-manifest.h"

typedef struct
{
  uint64_t max_bytes; /* of all files together, unpacked */
  uint64_t max_files; /* files and folders */
} VendBundleLimits;

/* Checks every byte. With `dir`, which must be there and empty, the files are written below it;
 * after a failure it holds what came before. INVALID and TOO_LARGE say what is wrong with the
 * archive. */
bool vend_bundle_read (const char *archive, const VendBundleLimits *limits, const char *dir,
                       VendBundleManifest **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
