/* A build: packed source → a version that can run. Blocking; runs in its own process
 * (`vend builder`), because archives and package installers are other people's input. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "weights/hub.h"

typedef struct
{
  const char *archive;     /* packed source, tar.gz; NULL of an export */
  const char *staging_dir; /* empty, ours; on success holds src/ and version.json */
  const char *venvs_dir;   /* shared virtual environments, one folder a package set */
  const char *cache_dir;   /* of uv and the like */
  const char *cog_version;
  const char *coglet_version;
  const char *package_allow; /* networks that packages may come from beside public addresses */
  bool any_package_host;     /* packages may come from any address */
  bool allow_build_run;
  bool as_image;            /* the version is an image, and its folder stays empty */
  const char *image_base;   /* the setting */
  const char *image_dir;    /* of an image: a folder of this build alone */
  uint64_t max_image_bytes; /* that it may take there */
  bool smoke_start;         /* start the model once; a failed start fails the build */
  uint64_t max_source_bytes;
  uint64_t max_source_files;
  bool is_import; /* the archive is one of `vend export` */
  uint64_t max_archive_bytes;
  const json_t *export_spec;   /* what to export, instead of a build; or NULL */
  const char *blobs_dir;       /* of the file store, whose contents need not be fetched */
  const char *weights_dir;     /* gets the files of weights that are to come into it */
  VendHub hub;                 /* of "hf://" */
  const json_t *known_weights; /* URLs that were fetched before, with their files; or NULL */
} VendBuildSpec;

/* Receives log text for the person who pushed, whole lines. */
typedef void (*VendBuildLog) (const char *line, void *data);

/* The result that the control plane stores. Free with vend_build_result_free. */
typedef struct
{
  char *version_id; /* 64 hex: SHA-256 of the canonical manifest */
  json_t *manifest; /* what was hashed, and facts beside it: packages, Python, cog.yaml */
  json_t *openapi;  /* the schema document, as shown by the API */
  json_t *launch;   /* how to start it; see docs/architecture/build.md */
  json_t *card;     /* what vend.yaml and README.md say of the model; see there */
  json_t *import;   /* what else an imported version has; else NULL */
  json_t *image;    /* of vend_image_build_write; else NULL */
} VendBuildResult;

bool vend_build_run (const VendBuildSpec *spec, VendBuildLog log, void *log_data,
                     VendBuildResult **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_build_result_free (VendBuildResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBuildResult, vend_build_result_free)
