/* `vend tokens create --local`: a token from whoever may write the database, also when all others
 * are lost. Main thread; blocks on disk. */
#include "cli/commands/local-token.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "cli/client/client-config.h"
#include "store/accounts.h"
#include "store/audit.h"
#include <errno.h>
#include <unistd.h>

#define SECRET_LENGTH 40

static bool
check_access (const char *data_dir, GError **error)
{
  if (access (data_dir, R_OK | W_OK | X_OK) == 0)
    return true;
  if (errno == EACCES || errno == EPERM)
    return vend_fail (error, VEND_ERROR_FORBIDDEN,
                      "--local: this user may not write the data directory '%s'; run it as the "
                      "user that 'vend serve' runs as, or as root",
                      data_dir);
  return vend_fail_errno (error, VEND_ERROR_INVALID, errno,
                          "--local: data directory '%s' (--data names another one)", data_dir);
}

static bool
find_account (VendDb *db, const char *username, int64_t *out, GError **error)
{
  g_autoptr (GPtrArray) accounts = NULL;
  g_autoptr (VendAccount) named = NULL;
  if (username != NULL)
    {
      if (!vend_store_account_by_username (db, username, &named, error))
        return false;
      *out = named->id;
      return true;
    }
  if (!vend_store_account_list (db, &accounts, error))
    return false;
  if (accounts->len == 0)
    return vend_fail (error, VEND_ERROR_NOT_FOUND,
                      "there is no account yet; the first start of 'vend serve' makes one");
  *out = ((const VendAccount *) g_ptr_array_index (accounts, 0))->id;
  return true;
}

static bool
insert (VendDb *db, const VendLocalToken *request, const char *secret, json_t **out, GError **error)
{
  int64_t account_id = 0;
  if (!vend_db_control (db, VEND_DB_BEGIN_WRITE, error)
      || !find_account (db, request->account, &account_id, error))
    return false;
  g_autoptr (VendToken) token
      = vend_token_new (account_id, request->name, request->scopes, secret, vend_now_us ());
  if (!vend_store_token_insert (db, token, error))
    return false;
  vend_db_reset (db);
  if (!vend_db_control (db, VEND_DB_COMMIT, error))
    return false;
  *out = vend_token_to_json (token);
  vend_json_set_string (*out, "token", secret);
  return true;
}

bool
vend_local_token_create (const VendLocalToken *request, json_t **out, GError **error)
{
  g_autofree char *standard = vend_data_dir ();
  g_autofree char *dir
      = g_canonicalize_filename (request->data_dir != NULL ? request->data_dir : standard, NULL);
  g_autofree char *path = NULL;
  g_autofree char *secret = vend_secret_new ("vend_", SECRET_LENGTH);
  g_autoptr (VendDb) db = NULL;
  return check_access (dir, error) && vend_data_dir_store (dir, &path, error)
         && vend_store_beside_open (path, &db, error) && insert (db, request, secret, out, error);
}
