/* Store functions of collections. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/collection.h"
#include "store/db.h"

/* Sets collection->id. EXISTS when the slug is taken. */
bool vend_store_collection_insert (VendDb *db, VendCollection *collection, GError **error);
bool vend_store_collection_update (VendDb *db, const VendCollection *collection, GError **error);
bool vend_store_collection_by_slug (VendDb *db, const char *slug, VendCollection **out,
                                    GError **error);
bool vend_store_collection_get (VendDb *db, int64_t id, VendCollection **out, GError **error);
/* Newest first, of VendCollection, after (after_us, after_id); G_MAXINT64 = first page. */
bool vend_store_collection_page (VendDb *db, int64_t after_us, int64_t after_id, VendPage *page,
                                 GPtrArray **out, GError **error);
bool vend_store_collection_delete (VendDb *db, int64_t id, GError **error);

/* Ids (int64_t) of the collection's models, in order. */
bool vend_store_collection_models (VendDb *db, int64_t id, GArray **out, GError **error);
bool vend_store_collection_set_models (VendDb *db, int64_t id, const GArray *models,
                                       GError **error);
/* The model is being deleted. */
bool vend_store_collection_forget_model (VendDb *db, int64_t model_id, GError **error);
