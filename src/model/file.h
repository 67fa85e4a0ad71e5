/* Files of users, outputs of models, uploads of model sources, builds. Plain values; the bytes are
 * in the file store under their SHA-256. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  char *id;
  int64_t account_id;
  char *name;
  char *content_type;
  int64_t size;
  char *sha256;
  char *md5;
  json_t *metadata; /* object */
  int64_t created_us;
  int64_t expires_us;
} VendFile;

void vend_file_free (VendFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendFile, vend_file_free)
json_t *vend_file_to_json (const VendFile *file, const char *origin);

typedef struct
{
  char *token; /* unguessable; the capability in the URL */
  char *prediction;
  char *name;
  char *content_type;
  int64_t size;
  char *sha256;
  int64_t created_us;
  bool is_input; /* an input file that came inside of the create */
} VendOutput;

void vend_output_free (VendOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOutput, vend_output_free)

typedef struct
{
  char *id;
  int64_t account_id;
  char *sha256;
  int64_t size;
  int64_t created_us;
} VendUpload;

/* Suffix of an upload's file until its content is checked. */
#define VEND_UPLOAD_PART ".part"

void vend_upload_free (VendUpload *upload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendUpload, vend_upload_free)

typedef struct
{
  char *id;
  int64_t account_id;
  int64_t model_id;
  char *upload;
  char *source_sha256;
  json_t *options; /* object: smoke_start, any_package_host, and those below */
  char *status;    /* queued, running, succeeded, failed; "running" is never stored */
  char *error;
  char *version;
  int64_t created_us;
  int64_t completed_us;
} VendBuild;

/* Options: the upload is an archive of `vend export`; the version that is exported, instead of a
 * build. */
#define VEND_BUILD_IMPORT "import"
#define VEND_BUILD_EXPORT "export"
/* The version becomes an image. */
#define VEND_BUILD_IMAGE "image"
/* Suffix of the file of an exported archive. */
#define VEND_BUILD_ARCHIVE ".archive"

void vend_build_free (VendBuild *build);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendBuild, vend_build_free)
json_t *vend_build_to_json (const VendBuild *build, const char *model, const char *origin);
