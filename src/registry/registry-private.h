/* Shared by the files of this folder. */
#pragma once
#include "registry/registry.h"

struct VendRegistry
{
  VendStore *store;
  VendBlobs *blobs;
  VendBlobUploads *uploads;
  uint64_t max_stored;
};

/* Within the account's limit. In a transaction; the repository of the blob is there. */
bool vend_registry_put_blob (const VendRegistry *registry, VendDb *db, int64_t account_id,
                             const VendRegistryBlob *blob, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
