/* Store functions of metered time of instances. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/instance-usage.h"
#include "store/db.h"

/* The columns of instance_usage_last. */
void *vend_store_instance_usage_read (VendStmt *stmt);

/* Stores a piece or its growth; a longer stored piece stays. */
bool vend_store_instance_usage_put (VendDb *db, const VendInstanceUsage *usage, GError **error);
/* The last piece of an instance; `*out` is NULL when nothing was counted yet. */
bool vend_store_instance_usage_last (VendDb *db, const char *instance, VendInstanceUsage **out,
                                     GError **error);
