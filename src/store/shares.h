/* Store functions of shared predictions. Inside a transaction; outputs are the caller's. */
#pragma once
#include "store/db.h"

typedef struct
{
  char *prediction;
  char *token; /* of the link */
  int64_t created_us;
} VendShare;

void vend_share_free (VendShare *share);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendShare, vend_share_free)

/* Keeps an older share of the prediction, with its token. */
bool vend_store_share_insert (VendDb *db, const VendShare *share, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* NOT_FOUND when the prediction is not shared. */
bool vend_store_share_of (VendDb *db, const char *prediction, VendShare **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_share_by_token (VendDb *db, const char *token, VendShare **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_share_delete (VendDb *db, const char *prediction, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
