/* The control plane's side of `vend export`: what the builder needs to know of a version. Any
 * thread but the core thread; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "files/blobs.h"
#include "json/json.h"
#include "store/store.h"

#define VEND_EXPORT_FILE "export.tar.zst" /* in the builder's staging folder */
/* Beside the tree of a version: what was pushed, as vend_source_text says it. */
#define VEND_SOURCE_LIST "source.list"

typedef struct
{
  json_t *spec;         /* for the builder */
  VendBlobHolds *holds; /* of the contents that it names */
} VendExport;

typedef struct
{
  VendStore *store;
  VendBlobs *blobs;
  const char *versions_dir;
  const char *venvs_dir;
  int64_t model_id;
  const char *version;
} VendExportRequest;

bool vend_export_new (const VendExportRequest *request, VendExport **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_export_free (VendExport *export);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendExport, vend_export_free)
