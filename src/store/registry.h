/* Store functions of the registry: repositories of models, their blobs, manifests, tags and
 * uploads. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/registry.h"
#include "store/db.h"

/* `path` is "" for the model's own repository. NOT_FOUND before the first push. */
bool vend_store_repository_find (VendDb *db, int64_t model_id, const char *path, int64_t *out,
                                 GError **error);
/* Makes it when it is missing. */
bool vend_store_repository_ensure (VendDb *db, int64_t model_id, const char *path, int64_t *out,
                                   GError **error);
/* Of all models, as int64_t. */
bool vend_store_repository_all (VendDb *db, GArray **out, GError **error);

bool vend_store_registry_upload_insert (VendDb *db, const char *id, int64_t repository,
                                        int64_t now_us, GError **error);
bool vend_store_registry_upload_get (VendDb *db, const char *id, int64_t *out_repository,
                                     GError **error);
bool vend_store_registry_upload_delete (VendDb *db, const char *id, GError **error);
/* Ids, of char *. */
bool vend_store_registry_upload_before (VendDb *db, int64_t before_us, GPtrArray **out,
                                        GError **error);

bool vend_store_registry_blob_put (VendDb *db, const VendRegistryBlob *blob, GError **error);
bool vend_store_registry_blob_get (VendDb *db, int64_t repository, const char *digest,
                                   VendRegistryBlob **out, GError **error);
/* In any repository of the account. */
bool vend_store_registry_blob_find (VendDb *db, int64_t account_id, const char *digest,
                                    VendRegistryBlob **out, GError **error);
bool vend_store_registry_blob_use (VendDb *db, int64_t repository, const char *digest,
                                   int64_t now_us, GError **error);
/* CONFLICT names a manifest that needs it. */
bool vend_store_registry_blob_delete (VendDb *db, int64_t repository, const char *digest,
                                      GError **error);
/* Of VendRegistryBlob: those that no manifest names and nobody has used since. */
bool vend_store_registry_blob_unused (VendDb *db, int64_t repository, int64_t before_us, int limit,
                                      GPtrArray **out, GError **error);

/* `parts` of VendRegistryPart. */
bool vend_store_registry_manifest_put (VendDb *db, const VendRegistryManifest *manifest,
                                       const GPtrArray *parts, GError **error);
bool vend_store_registry_manifest_get (VendDb *db, int64_t repository, const char *digest,
                                       VendRegistryManifest **out, GError **error);
/* With its tags. */
bool vend_store_registry_manifest_delete (VendDb *db, int64_t repository, const char *digest,
                                          GError **error);
/* Of VendRegistryManifest, after `after` in the order of digests; `artifact_type` may be NULL. */
bool vend_store_registry_referrers (VendDb *db, int64_t repository, const char *subject,
                                    const char *artifact_type, const char *after, int limit,
                                    GPtrArray **out, GError **error);
/* Of VendRegistryManifest: no tag and no version keeps it, nor an index or a subject that is kept,
 * and nobody has pushed it since. */
bool vend_store_registry_manifest_unused (VendDb *db, int64_t repository, int64_t before_us,
                                          int limit, GPtrArray **out, GError **error);
/* Digests, of char *: manifests of an index that are versions of its model. */
bool vend_store_registry_images_of (VendDb *db, int64_t repository, const char *index,
                                    GPtrArray **out, GError **error);

/* Digests, of char *: indexes that name the manifest. */
bool vend_store_registry_indexes_of (VendDb *db, int64_t repository, const char *manifest,
                                     GPtrArray **out, GError **error);

bool vend_store_registry_tag_get (VendDb *db, int64_t repository, const char *name,
                                  char **out_digest, GError **error);
/* `*out_is_new`: the tag named nothing, or something else. */
bool vend_store_registry_tag_put (VendDb *db, int64_t repository, const char *name,
                                  const char *digest, bool *out_is_new, GError **error);
bool vend_store_registry_tag_delete (VendDb *db, int64_t repository, const char *name,
                                     GError **error);
/* Names, of char *, after `after` in the order of their bytes. */
bool vend_store_registry_tag_list (VendDb *db, int64_t repository, const char *after, int limit,
                                   GPtrArray **out, GError **error);

/* Takes away the tags that name the image, or an index with it. */
bool vend_store_registry_forget_version (VendDb *db, int64_t model_id, const char *image,
                                         GError **error);
/* All of the model's repositories. */
bool vend_store_registry_forget_model (VendDb *db, int64_t model_id, GError **error);
