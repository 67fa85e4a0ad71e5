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
