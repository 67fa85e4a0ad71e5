/* A cache of versions with their parsed schemas: versions never change, and every create needs one.
 * Any thread but the core. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "model/model.h"
#include "store/store.h"

typedef struct VendVersionsCache VendVersionsCache;

VendVersionsCache *vend_versions_cache_new (VendStore *store);
void vend_versions_cache_free (VendVersionsCache *cache);

/* A shared, read-only version; `db` is read when it is not in the cache. */
bool vend_versions_cache_get (VendVersionsCache *cache, VendDb *db, int64_t model_id,
                              const char *id, const VendVersion **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_shared_version_unref (const VendVersion *version);
/* After a version was deleted. */
void vend_versions_cache_forget (VendVersionsCache *cache);

typedef const VendVersion VendSharedVersion;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSharedVersion, vend_shared_version_unref)
