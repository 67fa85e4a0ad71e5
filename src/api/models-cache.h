/* A cache of models as a create needs them: who owns one, who may see it, its hardware and its
 * latest version. Forgotten whenever a model or version changes. Any thread but the core. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "model/model.h"
#include "store/store.h"

typedef struct VendModelsCache VendModelsCache;

VendModelsCache *vend_models_cache_new (VendStore *store);
void vend_models_cache_free (VendModelsCache *cache);

/* As vend_store_model_by_version and vend_store_model_by_name, without texts, URLs, counts and
 * times; `db`, a reader of the store, is read when the model is not in the cache. */
bool vend_models_cache_by_version (VendModelsCache *cache, VendDb *db, const char *version,
                                   int64_t account_id, VendModel **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_models_cache_by_name (VendModelsCache *cache, VendDb *db, const char *owner,
                                const char *name, VendModel **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
