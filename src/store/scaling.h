/* Store functions of models' scaling, as set by owners. Inside a transaction. */
#pragma once
#include "model/scaling.h"
#include "store/db.h"

/* All members are unset for a model without stored scaling. */
bool vend_store_scaling_get (VendDb *db, int64_t model_id, VendScaling *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_scaling_set (VendDb *db, int64_t model_id, const VendScaling *scaling,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_scaling_delete (VendDb *db, int64_t model_id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Ids of models with stored scaling, of int64_t; free with g_array_unref. */
bool vend_store_scaling_all (VendDb *db, GArray **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a column of the current row. */
VendScaling vend_store_scaling_read (VendStmt *stmt, int column);
/* Binds NULL when all members are unset. */
void vend_store_scaling_bind (VendStmt *stmt, int i, const VendScaling *scaling);
