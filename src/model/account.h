/* Callers: accounts and tokens. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct
{
  int64_t id;
  char *username; /* [a-z0-9-], unique; the owner in owner/name */
  char *name;
  char *type; /* "user" or "organization" */
  int64_t created_us;
} VendAccount;

void vend_account_free (VendAccount *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendAccount, vend_account_free)
/* `origin` as vend_call_origin. */
json_t *vend_account_to_json (const VendAccount *account, const char *origin);

/* Rights of a token; `admin` includes the others. */
typedef enum
{
  VEND_SCOPE_READ = 1 << 0,
  VEND_SCOPE_RUN = 1 << 1,
  VEND_SCOPE_PUSH = 1 << 2,
  VEND_SCOPE_ADMIN = 1 << 3,
  VEND_SCOPE_ALL = (1 << 4) - 1,
} VendScope;

bool vend_scope_parse (const char *name, guint *out);
const char *vend_scope_name (VendScope scope); /* of a single one */
/* Comma-separated or array; INVALID names the unknown scope. */
bool vend_scopes_parse (const json_t *value, guint *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
json_t *vend_scopes_to_json (guint scopes);
bool vend_scopes_allow (guint have, VendScope need);

typedef struct
{
  char *id;
  int64_t account_id;
  char *name;
  char *hash;   /* SHA-256 of the token; the token itself is shown once and not stored */
  char *prefix; /* first characters, to tell tokens apart */
  guint scopes;
  int64_t created_us;
  int64_t last_used_us; /* 0 = never */
  int64_t revoked_us;   /* 0 = valid */
} VendToken;

void vend_token_free (VendToken *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendToken, vend_token_free)
json_t *vend_token_to_json (const VendToken *token);

/* The record of a new token; `secret` is "vend_" and 40 characters. */
VendToken *vend_token_new (int64_t account_id, const char *name, guint scopes, const char *secret,
                           int64_t now_us);

/* Owner and model names: [a-z0-9] then [a-z0-9._-], at most 64; INVALID names `field`, unless that
 * is NULL. */
bool vend_name_check (const char *field, const char *text, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
