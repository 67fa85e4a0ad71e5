/* Store functions of examples: predictions that show what a model does, with the data that
 * retention takes from others. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/prediction.h"
#include "store/db.h"

/* Keeps what the prediction has now, as the last example of the model or as its first, which is the
 * default one. EXISTS when it is one already. */
bool vend_store_example_insert (VendDb *db, int64_t model_id, const char *prediction, bool is_first,
                                GError **error);
bool vend_store_example_count (VendDb *db, int64_t model_id, int64_t *out, GError **error);
bool vend_store_example_get (VendDb *db, const char *prediction, VendPrediction **out,
                             GError **error);
/* In order, of VendPrediction, behind `after_place`; the last one's place is `*out_place`. */
bool vend_store_example_page (VendDb *db, int64_t model_id, int64_t after_place, VendPage *page,
                              GPtrArray **out, int64_t *out_place, GError **error);
bool vend_store_example_has (VendDb *db, const char *prediction, bool *out, GError **error);
bool vend_store_example_delete (VendDb *db, int64_t model_id, const char *prediction,
                                GError **error);
/* The model is going away. */
bool vend_store_example_delete_all (VendDb *db, int64_t model_id, GError **error);
