/* Store functions of accounts and tokens. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/account.h"
#include "store/db.h"

/* Sets account->id. EXISTS when the username is taken. */
bool vend_store_account_insert (VendDb *db, VendAccount *account, GError **error);
bool vend_store_account_get (VendDb *db, int64_t id, VendAccount **out, GError **error);
bool vend_store_account_by_username (VendDb *db, const char *username, VendAccount **out,
                                     GError **error);
/* Of VendAccount, oldest first. */
bool vend_store_account_list (VendDb *db, GPtrArray **out, GError **error);

bool vend_store_token_insert (VendDb *db, const VendToken *token, GError **error);
/* Revoked tokens are found too; NOT_FOUND otherwise. */
bool vend_store_token_by_hash (VendDb *db, const char *hash, VendToken **out, GError **error);
/* The same by its id. */
bool vend_store_token_get (VendDb *db, const char *id, VendToken **out, GError **error);
bool vend_store_token_list (VendDb *db, int64_t account_id, GPtrArray **out, GError **error);
/* Of any account; NOT_FOUND when no valid token has this id. */
bool vend_store_token_revoke (VendDb *db, const char *id, int64_t now_us, GError **error);
bool vend_store_token_used (VendDb *db, const char *id, int64_t now_us, GError **error);
