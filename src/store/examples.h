/* Store functions of examples: predictions that show a model's work, kept beyond retention. Inside
 * a transaction; outputs are the caller's. */
#pragma once
#include "model/prediction.h"
#include "store/db.h"

/* All examples of a model fit on a page. */
#define VEND_MODEL_MAX_EXAMPLES 100

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
/* Makes it the first, which is the default example. NOT_FOUND when it is none of the model. */
bool vend_store_example_make_default (VendDb *db, int64_t model_id, const char *prediction,
                                      GError **error);
bool vend_store_example_delete (VendDb *db, int64_t model_id, const char *prediction,
                                GError **error);
/* The model is being deleted. */
bool vend_store_example_delete_all (VendDb *db, int64_t model_id, GError **error);

/* Examples that come with the files of their model. */
typedef struct
{
  int64_t model_id;
  const char *version;
  const GPtrArray *examples; /* of VendPrediction, that have succeeded; `kept` has their files */
  uint64_t max_stored;       /* bytes of the account's files; 0 = no limit */
} VendPushedExamples;

/* Puts them in the place of those that came earlier, before all others; those of the same version
 * stay. INVALID and TOO_LARGE for limits. */
bool vend_store_example_push (VendDb *db, const VendPushedExamples *pushed, GError **error);
