/* Models and versions. Plain values; NULL strings are JSON null. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  int64_t id;
  int64_t account_id;
  char *owner;
  char *name;
  bool is_private;
  char *hardware;
  char *description;
  char *readme;
  char *github_url;
  char *paper_url;
  char *license_url;
  char *weights_url;
  char *cover_image_url; /* "vend-cover:<token>/<name>" until shown, or a URL */
  char *default_example; /* prediction id */
  char *latest_version;  /* version id */
  int64_t run_count;
  int64_t created_us;
  int64_t sort_us; /* sort key of a row in a page */
} VendModel;

VendModel *vend_model_new (void);
void vend_model_free (VendModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendModel, vend_model_free)

/* The file of a model's cover that came with its source. */
typedef struct
{
  int64_t model_id;
  int64_t account_id; /* the owner's */
  char *token;        /* unguessable; the capability in the URL */
  char *name;
  char *content_type;
  int64_t size;
  char *sha256;
  int64_t created_us;
} VendCover;

void vend_cover_free (VendCover *cover);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCover, vend_cover_free)
/* Its text as `cover_image_url` of a model. Free with g_free. */
char *vend_cover_text (const VendCover *cover) G_GNUC_WARN_UNUSED_RESULT;

/* URL of the model's picture, or NULL; free with g_free. */
char *vend_model_cover_url (const VendModel *model, const char *origin) G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  char *id; /* 64 hex */
  int64_t model_id;
  char *cog_version;
  json_t *openapi;
  json_t *launch;      /* how to start the model; see docs/architecture/build.md */
  json_t *manifest;    /* the hashed manifest */
  char *source_sha256; /* of the packed source; "" of a training */
  char *source;        /* of a training: the version whose folder has the source; else NULL */
  char *base;          /* of a training: the version that was trained; else NULL */
  char *training;      /* the training that made it; else NULL */
  char *image;         /* digest of the manifest that the version is; NULL: a pushed source */
  int64_t created_us;
} VendVersion;

void vend_version_free (VendVersion *version);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendVersion, vend_version_free)
json_t *vend_version_to_json (const VendVersion *version);
/* CONFLICT when it is an image and this server cannot run images; `why_no_images` NULL: it can. */
bool vend_version_check_runs (const VendVersion *version, const char *why_no_images, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* `latest` and `example` may be NULL; `origin` as vend_call_origin. */
json_t *vend_model_to_json (const VendModel *model, const VendVersion *latest, json_t *example,
                            const char *origin);

/* "owner/name" or "owner/name:version". INVALID tells the expected form. Outputs are g_free'd;
 * `*out_version` may be NULL after success. */
bool vend_reference_parse (const char *text, char **out_owner, char **out_name, char **out_version,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
