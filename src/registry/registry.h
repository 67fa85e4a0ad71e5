/* The registry's contents: blobs and manifests of models, and the versions that images are. Any
 * thread but the core thread; blocks on disk and on commits. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/clock.h"
#include "files/blobs.h"
#include "model/model.h"
#include "model/registry.h"
#include "registry/oci-code.h"
#include "registry/uploads.h"
#include "store/store.h"

/* Life of an unfinished upload, and of blobs and manifests that nothing keeps. */
#define VEND_REGISTRY_LIFE_US (24 * 3600 * VEND_US_PER_S)

typedef struct VendRegistry VendRegistry;

/* `max_stored`: bytes of an account; 0: no limit. */
bool vend_registry_new (VendStore *store, VendBlobs *blobs, uint64_t max_stored, VendRegistry **out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_registry_free (VendRegistry *registry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRegistry, vend_registry_free)

VendBlobUploads *vend_registry_uploads (VendRegistry *registry);

/* Where something is or goes. */
typedef struct
{
  const VendModel *model;
  const char *path; /* of the repository; "" is the model's own */
} VendRegistryPlace;

/* Begins an upload; `*out_id` is g_free'd. */
bool vend_registry_begin_upload (VendRegistry *registry, const VendRegistryPlace *place,
                                 char **out_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends one: the content becomes a blob. `has_row`: the upload was begun by the function above.
 * INVALID when it has another digest. */
bool vend_registry_finish_upload (VendRegistry *registry, const VendRegistryPlace *place,
                                  const char *id, bool has_row, VendBlobTurn *turn,
                                  const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NOT_FOUND when there is none. */
bool vend_registry_cancel_upload (VendRegistry *registry, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The blob of another repository of the account in this one too. NOT_FOUND when it is gone. */
bool vend_registry_mount (VendRegistry *registry, const VendRegistryPlace *place,
                          const VendRegistryBlob *from, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_registry_delete_blob (VendRegistry *registry, const VendRegistryPlace *place,
                                const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Somebody has looked for the blob, and may name it in a manifest soon: it stays meanwhile. Does
 * not wait. */
void vend_registry_use_blob (VendRegistry *registry, const VendRegistryBlob *blob);

typedef struct
{
  VendRegistryPlace place;
  GPtrArray *tags;          /* of const char *: that shall name it */
  const char *digest;       /* that it must have; or NULL */
  const char *content_type; /* or NULL */
  const char *text;
  gsize size;
  /* Of what was made here; else 0. */
  const GPtrArray *blobs; /* of VendRegistryBlob, held by the caller: stored with the manifest */
  bool is_newest;         /* also without a tag */
  bool (*also) (VendDb *db, const char *version, void *data, GError **error); /* behind the rest */
  void *also_data;
} VendManifestPush;

typedef struct
{
  char *digest;
  char *subject;  /* digest, or NULL */
  char *version;  /* id of the version that the image is; NULL: none */
  bool is_latest; /* the version is what the model's name stands for */
  bool is_image;  /* it could be one, had it Cog's labels */
} VendManifestPushed;

void vend_manifest_pushed_clear (VendManifestPushed *pushed);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendManifestPushed, vend_manifest_pushed_clear)

/* Stores manifest, tag and version in one transaction. `*out_code` says which error it is. */
bool vend_registry_put_manifest (VendRegistry *registry, const VendManifestPush *push,
                                 VendManifestPushed *out, VendOciCode *out_code, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* With its tags, and the version that it is: CONFLICT when that may not go. */
bool vend_registry_delete_manifest (VendRegistry *registry, const VendRegistryPlace *place,
                                    const char *digest, char **out_version, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_registry_delete_tag (VendRegistry *registry, const VendRegistryPlace *place,
                               const char *tag, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes uploads that nobody continues, and manifests and blobs that nothing keeps. */
void vend_registry_sweep (VendRegistry *registry);
