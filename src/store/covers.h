/* Store functions of covers: files that models show, which came with their source. Inside a
 * transaction; outputs are the caller's. */
#pragma once
#include "model/model.h"
#include "store/db.h"

/* In the place of an earlier cover of the model; TOO_LARGE when the account's files take more than
 * `max_stored` then (0 = no limit). The same cover again changes nothing. */
bool vend_store_cover_put (VendDb *db, const VendCover *cover, uint64_t max_stored, GError **error);
bool vend_store_cover_get (VendDb *db, const char *token, VendCover **out, GError **error);
/* The model is being deleted, or gets another cover. */
bool vend_store_cover_delete (VendDb *db, int64_t model_id, GError **error);
