/* Accounts and tokens. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "store/accounts.h"
#include "store/stored-bytes.h"
#include <string.h>

#define TOKEN_SECRET_LENGTH 40
#define MAX_NAME 200

/* The caller's own, with the bytes that count against `account-max-stored`. */
static bool
get_account (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const uint64_t limit = vend_settings_bytes (api->parts.settings, "account-max-stored");
  int64_t stored = 0;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_stored_bytes (reader.db, caller->account->id, &stored, error))
    return false;
  json_t *object = vend_account_to_json (caller->account, vend_call_origin (call));
  json_object_set_new (object, "stored_bytes", json_integer (stored));
  json_object_set_new (object, "stored_bytes_limit",
                       limit > 0 ? json_integer ((json_int_t) limit) : json_null ());
  *out = vend_reply_json (200, object);
  return true;
}

static bool
list_accounts (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (GPtrArray) accounts = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_account_list (reader.db, &accounts, error))
    return false;
  json_t *results = json_array ();
  for (guint i = 0; i < accounts->len; i++)
    json_array_append_new (
        results, vend_account_to_json (g_ptr_array_index (accounts, i), vend_call_origin (call)));
  *out = vend_reply_json (200, json_pack ("{s:o}", "results", results));
  return true;
}

static bool
insert_account (VendDb *db, void *data, GError **error)
{
  return vend_store_account_insert (db, data, error);
}

static bool
create_account (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  const char *username = NULL, *name = NULL, *type = NULL;
  if (!vend_api_object (call, &body, error)
      || !vend_api_text (body, "username", MAX_NAME, &username, error)
      || !vend_api_optional_text (body, "name", MAX_NAME, &name, error)
      || !vend_api_optional_text (body, "type", MAX_NAME, &type, error)
      || !vend_name_check ("username", username, error))
    return false;
  if (type != NULL && strcmp (type, "user") != 0 && strcmp (type, "organization") != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "type: expected 'user' or 'organization'");

  VendAccount account = { .username = (char *) username,
                          .name = (char *) (name != NULL ? name : username),
                          .type = (char *) (type != NULL ? type : "user"),
                          .created_us = vend_now_us () };
  if (!vend_store_write_wait (api->parts.store, insert_account, &account, error))
    return false;
  *out = vend_reply_json (201, vend_account_to_json (&account, vend_call_origin (call)));
  return true;
}

static bool
list_tokens (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (GPtrArray) tokens = NULL;
  g_autoptr (VendAccount) account = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_query_account (reader.db, call, caller, "tokens", &account, error)
      || !vend_store_token_list (reader.db, account->id, &tokens, error))
    return false;
  json_t *results = json_array ();
  for (guint i = 0; i < tokens->len; i++)
    json_array_append_new (results, vend_token_to_json (g_ptr_array_index (tokens, i)));
  *out = vend_reply_json (200, json_pack ("{s:o}", "results", results));
  return true;
}

static bool
insert_token (VendDb *db, void *data, GError **error)
{
  return vend_store_token_insert (db, data, error);
}

/* The account that the new token is for; the caller's own when none is named. */
static bool
token_account (VendApi *api, const VendCaller *caller, const char *username, int64_t *out,
               GError **error)
{
  if (username == NULL || strcmp (username, caller->account->username) == 0)
    {
      *out = caller->account->id;
      return true;
    }
  g_autoptr (VendAccount) account = NULL;
  g_autoptr (GError) problem = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_account_by_username (reader.db, username, &account, &problem))
    return vend_fail (error, VEND_ERROR_INVALID, "account: there is no account '%s'", username);
  *out = account->id;
  return true;
}

static bool
create_token (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  const char *name = NULL, *username = NULL;
  guint scopes = 0;
  int64_t account_id = 0;
  if (!vend_api_object (call, &body, error) || !vend_api_text (body, "name", MAX_NAME, &name, error)
      || !vend_api_optional_text (body, "account", MAX_NAME, &username, error)
      || !vend_scopes_parse (json_object_get (body, "scopes"), &scopes, error)
      || !token_account (api, caller, username, &account_id, error))
    return false;
  g_autofree char *secret = vend_secret_new ("vend_", TOKEN_SECRET_LENGTH);
  g_autoptr (VendToken) token = vend_token_new (account_id, name, scopes, secret, vend_now_us ());
  if (!vend_store_write_wait (api->parts.store, insert_token, token, error))
    return false;
  json_t *object = vend_token_to_json (token);
  vend_json_set_string (object, "token", secret);
  *out = vend_reply_json (201, object);
  return true;
}

static bool
revoke_token (VendDb *db, void *data, GError **error)
{
  return vend_store_token_revoke (db, data, vend_now_us (), error);
}

/* A token of any account: admins make tokens, so admins revoke them. */
static bool
delete_token (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  if (!vend_store_write_wait (api->parts.store, revoke_token, (void *) vend_call_param (call, "id"),
                              error))
    return false;
  vend_auth_forget (api->parts.auth);
  *out = vend_reply_empty (204);
  return true;
}

/* A token grants scopes, so only admins create and revoke tokens. */
const ApiRoute vend_api_account_routes[] = {
  { "GET", "/v1/account", VEND_SCOPE_READ, VEND_BODY_NONE, get_account, NULL },
  { "GET", "/v1/accounts", VEND_SCOPE_ADMIN, VEND_BODY_NONE, list_accounts, NULL,
    .runs_on = VEND_RUN_READ },
  { "POST", "/v1/accounts", VEND_SCOPE_ADMIN, VEND_BODY_BUFFER, create_account, NULL },
  { "GET", "/v1/tokens", VEND_SCOPE_READ, VEND_BODY_NONE, list_tokens, NULL,
    .runs_on = VEND_RUN_READ },
  { "POST", "/v1/tokens", VEND_SCOPE_ADMIN, VEND_BODY_BUFFER, create_token, NULL },
  { "DELETE", "/v1/tokens/{id}", VEND_SCOPE_ADMIN, VEND_BODY_NONE, delete_token, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
