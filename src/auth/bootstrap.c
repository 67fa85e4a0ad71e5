/* The first start: an admin account and its token. */
#include "auth/bootstrap.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include "store/accounts.h"
#include <string.h>

#define MAX_TOKEN_FILE 4096
#define MAX_CLIENT_FILE 65536
#define SECRET_LENGTH 40
#define LEAST_TOKEN_LENGTH 16

typedef struct
{
  const char *username;
  const char *secret;
  int64_t now_us;
  bool only_when_empty;
  bool made;
} Bootstrap;

static bool
make_account (VendDb *db, const Bootstrap *bootstrap, int64_t *out_id, GError **error)
{
  g_autoptr (VendAccount) found = NULL;
  g_autoptr (GError) problem = NULL;
  if (vend_store_account_by_username (db, bootstrap->username, &found, &problem))
    {
      *out_id = found->id;
      return true;
    }
  VendAccount account = { .username = (char *) bootstrap->username,
                          .name = (char *) bootstrap->username,
                          .type = (char *) "user",
                          .created_us = bootstrap->now_us };
  if (!vend_store_account_insert (db, &account, error))
    return false;
  *out_id = account.id;
  return true;
}

static bool
run (VendDb *db, void *data, GError **error)
{
  Bootstrap *bootstrap = data;
  g_autoptr (GPtrArray) accounts = NULL;
  g_autoptr (VendToken) known = NULL;
  g_autoptr (GError) problem = NULL;
  g_autofree char *hash = vend_sha256_text (bootstrap->secret);
  int64_t account_id = 0;
  if (!vend_store_account_list (db, &accounts, error))
    return false;
  if ((bootstrap->only_when_empty && accounts->len > 0)
      || vend_store_token_by_hash (db, hash, &known, &problem))
    return true;
  if (!make_account (db, bootstrap, &account_id, error))
    return false;
  g_autoptr (VendToken) token = vend_token_new (account_id, "bootstrap", VEND_SCOPE_ALL,
                                                bootstrap->secret, bootstrap->now_us);
  bootstrap->made = vend_store_token_insert (db, token, error);
  return bootstrap->made;
}

/* Keeps the token of an earlier start when there is no new one. */
static bool
write_client_file (const char *data_dir, const char *url, const char *ca, const char *secret,
                   GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, "cli.json", NULL);
  g_autofree char *old = NULL;
  json_auto_t *file = NULL;
  gsize size = 0;
  if (vend_file_read (path, MAX_CLIENT_FILE, &old, &size, NULL))
    (void) !vend_json_parse (old, size, &file, NULL);
  if (!json_is_object (file))
    {
      json_decref (file);
      file = json_object ();
    }
  vend_json_set_string (file, "url", url);
  vend_json_set_string (file, "ca", ca);
  if (secret != NULL)
    vend_json_set_string (file, "token", secret);
  g_autofree char *text = vend_json_text (file);
  /* So that a full disk stops no restart. */
  if (g_strcmp0 (text, old) == 0)
    return true;
  return vend_file_replace (path, text, strlen (text), 0600, error);
}

void
vend_bootstrap_request_clear (VendBootstrapRequest *request)
{
  if (request->token != NULL)
    explicit_bzero (request->token, strlen (request->token));
  g_clear_pointer (&request->token, g_free);
  g_clear_pointer (&request->account, g_free);
  g_clear_pointer (&request->token_file, g_free);
}

bool
vend_bootstrap_read_file (VendBootstrapRequest *request, GError **error)
{
  if (request->token_file == NULL)
    return true;
  if (request->token != NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      VEND_BOOTSTRAP_TOKEN " and " VEND_BOOTSTRAP_TOKEN_FILE ": expected one");
  if (!vend_file_read (request->token_file, MAX_TOKEN_FILE, &request->token, NULL, error))
    {
      g_prefix_error (error, VEND_BOOTSTRAP_TOKEN_FILE ": ");
      return false;
    }
  g_strstrip (request->token);
  return true;
}

bool
vend_bootstrap_check (const VendBootstrapRequest *request, GError **error)
{
  if ((request->account == NULL) != (request->token == NULL))
    return vend_fail (error, VEND_ERROR_INVALID,
                      VEND_BOOTSTRAP_ACCOUNT " and " VEND_BOOTSTRAP_TOKEN
                                             ": expected both or neither");
  if (request->token != NULL && strlen (request->token) < LEAST_TOKEN_LENGTH)
    return vend_fail (error, VEND_ERROR_INVALID, VEND_BOOTSTRAP_TOKEN ": at least %d characters",
                      LEAST_TOKEN_LENGTH);
  return request->account == NULL
         || vend_name_check (VEND_BOOTSTRAP_ACCOUNT, request->account, error);
}

bool
vend_bootstrap (const VendBootstrapRequest *request, VendStore *store, const char *data_dir,
                const char *url, const char *ca, char **out_new, GError **error)
{
  g_autofree char *random = vend_secret_new ("vend_", SECRET_LENGTH);
  Bootstrap bootstrap = { .username = request->account != NULL ? request->account : "admin",
                          .secret = request->token != NULL ? request->token : random,
                          .now_us = vend_now_us (),
                          .only_when_empty = request->token == NULL };
  if (!vend_store_write_wait (store, run, &bootstrap, error)
      || !write_client_file (data_dir, url, ca,
                             bootstrap.made || request->token != NULL ? bootstrap.secret : NULL,
                             error))
    return false;
  *out_new = bootstrap.made && request->token == NULL ? g_steal_pointer (&random) : NULL;
  return true;
}
