/* Store functions of sessions. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/session.h"
#include "store/db.h"

/* Removes those that have ended, too. */
bool vend_store_session_insert (VendDb *db, const VendSession *session, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* NOT_FOUND when there is no such session, or no more. */
bool vend_store_session_get (VendDb *db, const char *hash, int64_t now_us, VendSession **out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Uses the link up. NOT_FOUND when it was used, or is too old. */
bool vend_store_session_take_link (VendDb *db, const char *hash, int64_t now_us, VendSession **out,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_store_session_delete (VendDb *db, const char *hash, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* All sessions and links of the token. */
bool vend_store_session_delete_of_token (VendDb *db, const char *token_id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
