/* Store functions of examples: predictions that show a model's work, kept beyond retention. Inside
 * a transaction; outputs are the caller's. */
#pragma once
#include "model/prediction.h"
#include "store/db.h"

/* Keeps the current data of the prediction, as the model's last example, or as its first, which is
 * the default example. EXISTS when the prediction is an example already. */
bool vend_store_example_insert (VendDb *db, int64_t model_id, const char *prediction, bool is_first,
                                GError **error);
bool vend_store_example_count (VendDb *db, int64_t model_id, int64_t *out, GError **error);
bool vend_store_example_get (VendDb *db, const char *prediction, VendPrediction **out,
                             GError **error);
/* In order, of VendPrediction, after `after_place`; `*out_place` is the place of the last. */
bool vend_store_example_page (VendDb *db, int64_t model_id, int64_t after_place, VendPage *page,
                              GPtrArray **out, int64_t *out_place, GError **error);
bool vend_store_example_has (VendDb *db, const char *prediction, bool *out, GError **error);
bool vend_store_example_delete (VendDb *db, int64_t model_id, const char *prediction,
                                GError **error);
/* The model is being deleted. */
bool vend_store_example_delete_all (VendDb *db, int64_t model_id, GError **error);
