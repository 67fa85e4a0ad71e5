/* Store functions of models and versions. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/model.h"
#include "store/db.h"

/* Sets model->id. EXISTS when owner/name is taken. */
bool vend_store_model_insert (VendDb *db, VendModel *model, GError **error);
bool vend_store_model_get (VendDb *db, int64_t id, VendModel **out, GError **error);
bool vend_store_model_by_name (VendDb *db, const char *owner, const char *name, VendModel **out,
                               GError **error);
/* Of the models with this version that the viewer may see: the first of the viewer's own, else the
 * first public model. */
bool vend_store_model_by_version (VendDb *db, const char *version, int64_t viewer, VendModel **out,
                                  GError **error);
/* Stores the members that PATCH may change. */
/* What the source of the model brings; NULL fields stay as they are. */
bool vend_store_model_present (VendDb *db, const VendModel *model, GError **error);
bool vend_store_model_update (VendDb *db, const VendModel *model, GError **error);
bool vend_store_model_delete (VendDb *db, int64_t id, GError **error);
bool vend_store_model_count (VendDb *db, int64_t account_id, int64_t *out, GError **error);

typedef struct
{
  bool by_creation; /* else by the latest version */
  bool ascending;
  int64_t after_us; /* key of the last row of the previous page; see vend_store_model_page */
  int64_t after_id;
  bool first;     /* first page */
  int64_t viewer; /* account whose private models are included */
} VendModelPage;

/* Of VendModel, with their sort keys for the next page. */
bool vend_store_model_page (VendDb *db, const VendModelPage *page, VendPage *rows, GPtrArray **out,
                            GError **error);

/* Adds the version unless the model has it already, and makes it the latest. */
bool vend_store_version_put (VendDb *db, const VendVersion *version, GError **error);
/* The same for an image. It becomes the latest when `is_newest` says so or the model has none. */
bool vend_store_version_put_image (VendDb *db, const VendVersion *version, bool is_newest,
                                   GError **error);
bool vend_store_version_get (VendDb *db, int64_t model_id, const char *id, VendVersion **out,
                             GError **error);
bool vend_store_version_has (VendDb *db, int64_t model_id, const char *id, bool *out,
                             GError **error);
/* The newest version built from this packed source; NOT_FOUND when there is none. */
bool vend_store_version_by_source (VendDb *db, int64_t model_id, const char *sha256,
                                   VendVersion **out, GError **error);
/* Newest first, of VendVersion, after (after_us, after_id); NULL `after_id` = first page. */
bool vend_store_version_page (VendDb *db, int64_t model_id, int64_t after_us, const char *after_id,
                              VendPage *page, GPtrArray **out, GError **error);
/* Deletes the version; the newest remaining version becomes the latest. */
bool vend_store_version_delete (VendDb *db, int64_t model_id, const char *id, GError **error);
/* The image was unpacked; its bytes are counted as those of the model's owner. Nothing when the
 * version is gone. */
bool vend_store_version_set_unpacked (VendDb *db, int64_t model_id, const char *id, int64_t bytes,
                                      GError **error);
/* Whether any version, of any model, has its source in the folder of this one. */
bool vend_store_version_id_used (VendDb *db, const char *id, bool *out, GError **error);
/* Whether any version, of any model, is the image. */
bool vend_store_version_image_used (VendDb *db, const char *id, bool *out, GError **error);
/* Keys of the environments in use by versions, as a set. */
bool vend_store_venvs_used (VendDb *db, GHashTable **out, GError **error);
