/* Store functions of aliases and of mappings. */
#include "store/aliases.h"
#include "base/error.h"
#include <string.h>

#define MAX_NAME 100

void
vend_alias_free (VendAlias *alias)
{
  if (alias == NULL)
    return;
  g_free (alias->name);
  g_free (alias->owner);
  g_free (alias->model);
  g_free (alias);
}

bool
vend_alias_name_is_good (const char *name)
{
  const size_t size = strlen (name);
  for (size_t i = 0; i < size; i++)
    if (!g_ascii_isalnum (name[i]) && strchr ("._-:", name[i]) == NULL)
      return false;
  return size > 0 && size <= MAX_NAME && strcmp (name, ".") != 0 && strcmp (name, "..") != 0;
}

static bool
check_number (VendDb *db, int64_t account_id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ALIAS_COUNT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  if (!vend_stmt_one (stmt, "count", error))
    return false;
  return vend_stmt_get_int (stmt, 0) <= VEND_ALIASES_MAX
         || vend_fail (error, VEND_ERROR_INVALID, "an account has at most %d aliases",
                       VEND_ALIASES_MAX);
}

bool
vend_store_alias_put (VendDb *db, int64_t account_id, const char *name, int64_t model_id,
                      int64_t now_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ALIAS_PUT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_text (stmt, 2, name);
  vend_stmt_int (stmt, 3, model_id);
  vend_stmt_int (stmt, 4, now_us);
  return vend_stmt_run (stmt, NULL, error) && check_number (db, account_id, error);
}

bool
vend_store_alias_get (VendDb *db, int64_t account_id, const char *name, int64_t *out_model,
                      GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ALIAS_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_text (stmt, 2, name);
  if (!vend_stmt_one (stmt, "alias", error))
    return false;
  *out_model = vend_stmt_get_int (stmt, 0);
  return true;
}

static void *
read_alias (VendStmt *stmt)
{
  VendAlias *alias = g_new0 (VendAlias, 1);
  alias->name = vend_stmt_dup_text (stmt, 0);
  alias->owner = vend_stmt_dup_text (stmt, 1);
  alias->model = vend_stmt_dup_text (stmt, 2);
  return alias;
}

bool
vend_store_alias_list (VendDb *db, int64_t account_id, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ALIAS_LIST, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, VEND_ALIASES_MAX);
  return vend_stmt_collect (stmt, read_alias, (GDestroyNotify) vend_alias_free, out, error);
}

bool
vend_store_alias_delete (VendDb *db, int64_t account_id, const char *name, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ALIAS_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_text (stmt, 2, name);
  return vend_stmt_run_one (stmt, "alias", error);
}

bool
vend_store_openai_mapping_set (VendDb *db, int64_t model_id, const json_t *mapping, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_OPENAI_MAPPING_SET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_json (stmt, 2, mapping);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_openai_mapping_get (VendDb *db, int64_t model_id, json_t **out, GError **error)
{
  bool is_there = false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_OPENAI_MAPPING_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  if (!vend_stmt_step (stmt, &is_there, error))
    return false;
  *out = is_there ? vend_stmt_get_json (stmt, 0) : NULL;
  return true;
}

static bool
delete_of (VendDb *db, VendSql sql, int64_t model_id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_openai_forget_model (VendDb *db, int64_t model_id, GError **error)
{
  return delete_of (db, VEND_SQL_OPENAI_MAPPING_DELETE, model_id, error)
         && delete_of (db, VEND_SQL_ALIAS_DELETE_OF_MODEL, model_id, error);
}
