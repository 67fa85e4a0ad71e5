/* Store functions of secrets. Inside a transaction. */
#pragma once
#include "model/secret.h"
#include "store/db.h"

/* In the place of an older one of that name. INVALID when that would be too many, or too much. */
bool vend_store_secret_set (VendDb *db, VendSecretPlace place, int64_t id, const VendSecret *secret,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of VendSecret, in the order of their names (of bytes). */
bool vend_store_secret_list (VendDb *db, VendSecretPlace place, int64_t id, GPtrArray **out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NOT_FOUND when there is none of that name. */
bool vend_store_secret_delete (VendDb *db, VendSecretPlace place, int64_t id, const char *name,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `secret` is borrowed. */
typedef void (*VendStoreSecretSeen) (VendSecretPlace place, int64_t id, const VendSecret *secret,
                                     void *data);
bool vend_store_secret_each (VendDb *db, VendStoreSecretSeen seen, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
