/* Store functions of machines that run instances. */
#include "store/machines.h"
#include "base/error.h"

void
vend_machine_row_free (VendMachineRow *row)
{
  if (row == NULL)
    return;
  g_free (row->name);
  json_decref (row->hardware);
  g_free (row->address);
  g_free (row);
}

bool
vend_store_machine_insert (VendDb *db, const char *name, const json_t *hardware, int64_t now_us,
                           GError **error)
{
  int64_t changes = 0;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MACHINE_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, name);
  vend_stmt_json (stmt, 2, hardware);
  vend_stmt_int (stmt, 3, now_us);
  if (!vend_stmt_run (stmt, &changes, error))
    return false;
  return changes == 1 || vend_fail (error, VEND_ERROR_EXISTS, "there is a machine '%s'", name);
}

static void *
read_machine (VendStmt *stmt)
{
  VendMachineRow *row = g_new0 (VendMachineRow, 1);
  row->name = vend_stmt_dup_text (stmt, 0);
  row->hardware = vend_stmt_get_json (stmt, 1);
  row->address = vend_stmt_dup_text (stmt, 2);
  row->draining = vend_stmt_get_int (stmt, 3) != 0;
  row->created_us = vend_stmt_get_int (stmt, 4);
  row->seen_us = vend_stmt_get_int (stmt, 5);
  return row;
}

bool
vend_store_machine_list (VendDb *db, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MACHINE_LIST, error);
  return stmt != NULL
         && vend_stmt_collect (stmt, read_machine, (GDestroyNotify) vend_machine_row_free, out,
                               error);
}

bool
vend_store_machine_seen (VendDb *db, const char *name, const json_t *hardware, const char *address,
                         int64_t now_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MACHINE_SEEN, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, name);
  vend_stmt_json (stmt, 2, hardware);
  vend_stmt_text (stmt, 3, address);
  vend_stmt_int (stmt, 4, now_us);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_machine_drain (VendDb *db, const char *name, bool draining, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MACHINE_DRAIN, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, name);
  vend_stmt_int (stmt, 2, draining);
  return vend_stmt_run_one (stmt, "machine", error);
}

bool
vend_store_machine_delete (VendDb *db, const char *name, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_MACHINE_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, name);
  return vend_stmt_run_one (stmt, "machine", error);
}
