/* The manifest of an archive of `vend export`: what the version is, and each file of the archive,
 * in order, with its checksum. Plain values; docs/architecture/export.md has the format. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

/* The newest that is read. One that has managed weights has it, others have the first. */
#define VEND_BUNDLE_FORMAT 2
#define VEND_BUNDLE_FORMAT_PLAIN 1
#define VEND_BUNDLE_TYPE "vend-version"
#define VEND_BUNDLE_MANIFEST "manifest.json"
#define VEND_BUNDLE_MAX_MANIFEST ((gsize) 64 * 1024 * 1024)

/* Folders of an archive. */
#define VEND_BUNDLE_SOURCE "source"
#define VEND_BUNDLE_MADE "made"
#define VEND_BUNDLE_WHEELS "wheels"
#define VEND_BUNDLE_WEIGHTS "weights"
#define VEND_BUNDLE_PAGE "page"

#define VEND_BUNDLE_WEIGHT_SETS "weight_sets" /* member of the manifest */

typedef struct
{
  char *path; /* "source/predict.py" */
  bool is_dir;
  bool is_executable;
  uint64_t size;
  char *sha256; /* NULL of a folder */
  char *from;   /* where its bytes are, for the writer; else NULL */
} VendBundleEntry;

typedef struct
{
  json_t *document;
  GPtrArray *entries; /* of VendBundleEntry */
  GHashTable *files;  /* path → VendBundleEntry, without folders */
  uint64_t size;      /* of all files */
  /* Borrowed from the document. */
  const char *model; /* "owner/name" where it was exported */
  const char *version;
  const char *base;      /* the version that was trained; NULL: the version was pushed */
  const char *python;    /* "3.11.7" */
  const char *platform;  /* what binary packages depend on */
  const char *cog;       /* version of Cog */
  const json_t *content; /* what the id is the hash of */
  const json_t *pushed;  /* the same of the version that was pushed */
  const json_t *facts;   /* of a training; else NULL */
  const json_t *page;
  const json_t *wheels;  /* array of {"name", "version", "file"} */
  const json_t *weights; /* array of {"name", "size", "sha256"} */
  GPtrArray *sets;       /* of VendWeightSet: the managed weights */
} VendBundleManifest;

void vend_bundle_entry_free (VendBundleEntry *entry);
json_t *vend_bundle_entry_to_json (const VendBundleEntry *entry);

/* Checks all that can be known from the manifest alone; INVALID says what is wrong. */
bool vend_bundle_manifest_parse (const char *text, gsize size, VendBundleManifest **out,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_bundle_manifest_free (VendBundleManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBundleManifest, vend_bundle_manifest_free)
