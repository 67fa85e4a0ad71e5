/* Store functions of the weights of versions, and of versions that trainings make. Inside a
 * transaction; outputs are the caller's. */
#pragma once
#include "model/weights.h"
#include "store/db.h"

/* The content is in use from then on. */
bool vend_store_weights_insert (VendDb *db, int64_t model_id, const char *version,
                                const VendWeights *weights, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Of VendWeights. */
bool vend_store_weights_of (VendDb *db, int64_t model_id, const char *version, GPtrArray **out,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_weights_delete_of (VendDb *db, int64_t model_id, const char *version,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The model that gets the version of a training; 0 when it was deleted. */
bool vend_store_training_destination (VendDb *db, const char *training, int64_t *out,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds the version that a training has made, with its weights, unless the model has it already;
 * in both cases it is the model's latest version. */
bool vend_store_version_put_trained (VendDb *db, const VendVersion *version,
                                     const VendWeights *weights, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
