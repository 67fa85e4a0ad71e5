/* What the files of core-server.h share. */
#pragma once
#include "core-server.h"

#define CORE_VERSION "1111111111111111111111111111111111111111111111111111111111111111"
#define CORE_NEXT_VERSION "2222222222222222222222222222222222222222222222222222222222222222"

struct Core
{
  CoreSettings settings;
  char *dir;
  char *binary;
  VendRunner *runner;
  bool is_fake;
  VendStore *store;
  VendBlobs *blobs;
  VendShelf *shelf;
  VendImages *images;
  VendMeter *meter;
  VendSkus *skus;
  VendPrices *prices;
  VendCgroups *cgroups;
  VendSched *sched;
  VendVersion version;
  int64_t accounts[2];
  GPtrArray *callers;
};

/* core-looks.c */
bool core_all_are_told (const Core *core);
