/* Callers: accounts and tokens. Plain values. */
#include "model/account.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/id.h"
#include <string.h>

#define MAX_NAME 64
#define TOKEN_PREFIX_SHOWN 9

static const struct
{
  const char *name;
  guint bit;
} scope_names[] = {
  { "read", VEND_SCOPE_READ },
  { "run", VEND_SCOPE_RUN },
  { "push", VEND_SCOPE_PUSH },
  { "admin", VEND_SCOPE_ADMIN },
};

void
vend_account_free (VendAccount *account)
{
  if (account == NULL)
    return;
  g_free (account->username);
  g_free (account->name);
  g_free (account->type);
  g_free (account);
}

/* Clients expect URLs. There is no account of GitHub: the nearest is the page with its models. */
json_t *
vend_account_to_json (const VendAccount *account, const char *origin)
{
  g_autofree char *models = g_strconcat (origin, "/explore?q=", account->username, NULL);
  g_autofree char *avatar = g_strconcat (origin, "/-/avatars/", account->username, ".svg", NULL);
  json_t *object = json_object ();
  vend_json_set_string (object, "type", account->type);
  vend_json_set_string (object, "username", account->username);
  vend_json_set_string (object, "name", account->name);
  vend_json_set_string (object, "github_url", models);
  vend_json_set_string (object, "avatar_url", avatar);
  return object;
}

bool
vend_scope_parse (const char *name, guint *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (scope_names); i++)
    if (strcmp (scope_names[i].name, name) == 0)
      {
        *out = scope_names[i].bit;
        return true;
      }
  return false;
}

const char *
vend_scope_name (VendScope scope)
{
  for (guint i = 0; i < G_N_ELEMENTS (scope_names); i++)
    if (scope_names[i].bit == scope)
      return scope_names[i].name;
  return "";
}

bool
vend_scopes_parse (const json_t *value, guint *out, GError **error)
{
  guint scopes = 0;
  size_t i;
  json_t *item;
  if (!json_is_array (value) || json_array_size (value) == 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "scopes: expected a list of read, run, push, admin");
  json_array_foreach (value, i, item)
    {
      guint bit = 0;
      if (!json_is_string (item) || !vend_scope_parse (json_string_value (item), &bit))
        return vend_fail (error, VEND_ERROR_INVALID,
                          "scopes[%zu]: expected read, run, push or admin", i);
      scopes |= bit;
    }
  *out = scopes;
  return true;
}

json_t *
vend_scopes_to_json (guint scopes)
{
  json_t *list = json_array ();
  for (guint i = 0; i < G_N_ELEMENTS (scope_names); i++)
    if ((scopes & scope_names[i].bit) != 0)
      json_array_append_new (list, json_string (scope_names[i].name));
  return list;
}

bool
vend_scopes_allow (guint have, VendScope need)
{
  return (have & (guint) (need | VEND_SCOPE_ADMIN)) != 0;
}

void
vend_token_free (VendToken *token)
{
  if (token == NULL)
    return;
  g_free (token->id);
  g_free (token->name);
  g_free (token->hash);
  g_free (token->prefix);
  g_free (token);
}

json_t *
vend_token_to_json (const VendToken *token)
{
  json_t *object
      = json_pack ("{s:s, s:s, s:s, s:o}", "id", token->id, "name", token->name, "prefix",
                   token->prefix, "scopes", vend_scopes_to_json (token->scopes));
  vend_json_set_time (object, "created_at", token->created_us);
  vend_json_set_time (object, "last_used_at", token->last_used_us);
  vend_json_set_time (object, "revoked_at", token->revoked_us);
  return object;
}

VendToken *
vend_token_new (int64_t account_id, const char *name, guint scopes, const char *secret,
                int64_t now_us)
{
  VendToken *token = g_new0 (VendToken, 1);
  token->id = vend_id_new ();
  token->account_id = account_id;
  token->name = g_strdup (name);
  token->hash = vend_sha256_text (secret);
  token->prefix = g_strndup (secret, TOKEN_PREFIX_SHOWN);
  token->scopes = scopes;
  token->created_us = now_us;
  return token;
}

bool
vend_name_check (const char *field, const char *text, GError **error)
{
  gsize length = strlen (text);
  bool good = length > 0 && length <= MAX_NAME
              && strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == length
              && g_ascii_isalnum (text[0]) && g_ascii_isalnum (text[length - 1]);
  return good
         || vend_fail (
             error, VEND_ERROR_INVALID,
             "%s%sexpected at most %d lower-case letters, digits, '.', '_' or '-', with a "
             "letter or digit at both ends, got '%.80s'",
             field != NULL ? field : "", field != NULL ? ": " : "", MAX_NAME, text);
}
