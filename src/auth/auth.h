/* Authentication: tokens to callers, with a cache in front of the store. Any thread but the core.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "model/account.h"
#include "store/store.h"

typedef struct VendAuth VendAuth;

/* A caller; immutable and shared. */
typedef struct
{
  VendAccount *account;
  char *token_id;
  guint scopes;
  bool is_web;        /* by a session of the web page */
  int64_t expires_us; /* end of the session; 0: none */
} VendCaller;

VendAuth *vend_auth_new (VendStore *store);
void vend_auth_free (VendAuth *auth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendAuth, vend_auth_free)

/* Checks an Authorization header ("Bearer x" or "Token x"; NULL when there was none) and that the
 * token has `need`. UNAUTHORIZED or FORBIDDEN with the texts that the clients know. The caller
 * stays valid until vend_auth_caller_unref. */
bool vend_auth_check (VendAuth *auth, const char *authorization, VendScope need, VendCaller **out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, and "Basic x" with any user name and the token as the password. */
bool vend_auth_check_basic (VendAuth *auth, const char *authorization, VendScope need,
                            VendCaller **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same for the secret of a session. */
bool vend_auth_check_session (VendAuth *auth, const char *secret, VendScope need, VendCaller **out,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whoever asks without a token, where that is allowed: owns nothing, and may read what is public.
 * `key` tells apart those who share a rate limit. */
VendCaller *vend_auth_anonymous (const char *key) G_GNUC_WARN_UNUSED_RESULT;
void vend_auth_caller_unref (VendCaller *caller);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCaller, vend_auth_caller_unref)

/* After a token was revoked, or a session ended: empties the cache, so that no cached answer lets
 * the token in. */
void vend_auth_forget (VendAuth *auth);
