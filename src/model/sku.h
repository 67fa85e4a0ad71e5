/* Kinds of hardware (SKUs): their units, and the resources of one instance. From the settings
 * `hardware` and `hardware-*`. Plain values; read-only, so any thread may read. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

/* Processes of one instance, threads included, without a setting. */
#define VEND_PROCESSES_DEFAULT 4096

typedef struct
{
  char *sku;
  char *name;
  guint units; /* instances at a time; 0 = shares the common units of the machine */
  guint gpus;  /* of one instance; all SKUs with GPUs share those of the machine */
  /* Of one instance, over all its processes; 0 = no limit. */
  uint64_t memory; /* bytes */
  double cpus;
  guint processes;     /* threads included */
  bool processes_said; /* set by the operator */
} VendSku;

typedef struct VendSkus VendSkus;

/* The texts of the settings. */
typedef struct
{
  const char *hardware;    /* "cpu=CPU,gpu-x=Some GPU" */
  const char *units;       /* "8" or "cpu=4", or both; a number alone is the common units */
  const char *gpus;        /* "gpu-x=1" */
  const char *memory;      /* "16G,gpu-x=64G"; "" = most of the machine's */
  const char *cpus;        /* "2,gpu-x=7.5"; "" = no limit */
  const char *processes;   /* "4096"; "" = the default */
  uint64_t machine_memory; /* bytes; 0 = not known */
} VendSkuTexts;

/* INVALID names the setting and the error. */
bool vend_skus_parse (const VendSkuTexts *texts, VendSkus **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_skus_free (VendSkus *skus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSkus, vend_skus_free)

guint vend_skus_count (const VendSkus *skus);
/* In the order of the setting; borrowed. */
const VendSku *vend_skus_at (const VendSkus *skus, guint index);
/* NULL: no SKU has this name any more. */
const VendSku *vend_skus_find (const VendSkus *skus, const char *sku);
/* Common units of the setting; 0 = none set. */
guint vend_skus_common_units (const VendSkus *skus);
/* Whether any SKU has GPUs. */
bool vend_skus_have_gpus (const VendSkus *skus);
/* Whether any SKU has a limit of CPUs. */
bool vend_skus_limit_cpus (const VendSkus *skus);
