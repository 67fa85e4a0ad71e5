/* Store functions of files, outputs, uploads and builds. */
#include "store/files.h"
#include "base/error.h"

bool
vend_store_file_insert (VendDb *db, const VendFile *file, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_FILE_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, file->id);
  vend_stmt_int (stmt, 2, file->account_id);
  vend_stmt_text (stmt, 3, file->name);
  vend_stmt_text (stmt, 4, file->content_type);
  vend_stmt_int (stmt, 5, file->size);
  vend_stmt_text (stmt, 6, file->sha256);
  vend_stmt_text (stmt, 7, file->md5);
  vend_stmt_json (stmt, 8, file->metadata);
  vend_stmt_int (stmt, 9, file->created_us);
  vend_stmt_int (stmt, 10, file->expires_us);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_file (VendStmt *stmt)
{
  VendFile *row = g_new0 (VendFile, 1);
  row->id = vend_stmt_dup_text (stmt, 0);
  row->account_id = vend_stmt_get_int (stmt, 1);
  row->name = vend_stmt_dup_text (stmt, 2);
  row->content_type = vend_stmt_dup_text (stmt, 3);
  row->size = vend_stmt_get_int (stmt, 4);
  row->sha256 = vend_stmt_dup_text (stmt, 5);
  row->md5 = vend_stmt_dup_text (stmt, 6);
  row->metadata = vend_stmt_get_json (stmt, 7);
  row->created_us = vend_stmt_get_int (stmt, 8);
  row->expires_us = vend_stmt_get_int (stmt, 9);
  return row;
}

bool
vend_store_file_get (VendDb *db, const char *id, VendFile **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_FILE_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  if (!vend_stmt_one (stmt, "file", error))
    return false;
  *out = read_file (stmt);
  return true;
}

bool
vend_store_file_page (VendDb *db, int64_t account_id, int64_t after_us, const char *after_id,
                      int64_t now_us, int limit, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_FILE_PAGE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, after_id != NULL ? after_us : G_MAXINT64);
  vend_stmt_text (stmt, 3, after_id != NULL ? after_id : "");
  vend_stmt_int (stmt, 4, now_us);
  vend_stmt_int (stmt, 5, limit);
  return vend_stmt_collect (stmt, read_file, (GDestroyNotify) vend_file_free, out, error);
}

bool
vend_store_file_delete (VendDb *db, const char *id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_FILE_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_file_expired (VendDb *db, int64_t now_us, int limit, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_FILE_EXPIRED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, now_us);
  vend_stmt_int (stmt, 2, limit);
  return vend_stmt_collect (stmt, read_file, (GDestroyNotify) vend_file_free, out, error);
}

static bool
insert_output (VendDb *db, VendSql sql, const VendOutput *output, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, output->token);
  vend_stmt_text (stmt, 2, output->prediction);
  vend_stmt_text (stmt, 3, output->name);
  vend_stmt_text (stmt, 4, output->content_type);
  vend_stmt_int (stmt, 5, output->size);
  vend_stmt_text (stmt, 6, output->sha256);
  vend_stmt_int (stmt, 7, output->created_us);
  vend_stmt_int (stmt, 8, output->is_input);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_output_insert (VendDb *db, const VendOutput *output, GError **error)
{
  return insert_output (db, VEND_SQL_OUTPUT_INSERT, output, error);
}

bool
vend_store_output_insert_early (VendDb *db, const VendOutput *output, GError **error)
{
  return insert_output (db, VEND_SQL_OUTPUT_INSERT_EARLY, output, error);
}

static void *
read_output (VendStmt *stmt)
{
  VendOutput *row = g_new0 (VendOutput, 1);
  row->token = vend_stmt_dup_text (stmt, 0);
  row->prediction = vend_stmt_dup_text (stmt, 1);
  row->name = vend_stmt_dup_text (stmt, 2);
  row->content_type = vend_stmt_dup_text (stmt, 3);
  row->size = vend_stmt_get_int (stmt, 4);
  row->sha256 = vend_stmt_dup_text (stmt, 5);
  row->created_us = vend_stmt_get_int (stmt, 6);
  row->is_input = vend_stmt_get_int (stmt, 7) != 0;
  return row;
}

bool
vend_store_output_get (VendDb *db, const char *token, VendOutput **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_OUTPUT_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, token);
  if (!vend_stmt_one (stmt, "output file", error))
    return false;
  *out = read_output (stmt);
  return true;
}

bool
vend_store_output_list (VendDb *db, const char *prediction, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_OUTPUT_LIST, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, prediction);
  return vend_stmt_collect (stmt, read_output, (GDestroyNotify) vend_output_free, out, error);
}

bool
vend_store_output_delete_of (VendDb *db, const char *prediction, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_OUTPUT_DELETE_OF_PREDICTION, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, prediction);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_blob_used (VendDb *db, const char *sha256, bool *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BLOB_USED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, sha256);
  return vend_stmt_step (stmt, out, error);
}

bool
vend_store_upload_insert (VendDb *db, const VendUpload *upload, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_UPLOAD_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, upload->id);
  vend_stmt_int (stmt, 2, upload->account_id);
  vend_stmt_text (stmt, 3, upload->sha256);
  vend_stmt_int (stmt, 4, upload->size);
  vend_stmt_int (stmt, 5, upload->created_us);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_upload (VendStmt *stmt)
{
  VendUpload *row = g_new0 (VendUpload, 1);
  row->id = vend_stmt_dup_text (stmt, 0);
  row->account_id = vend_stmt_get_int (stmt, 1);
  row->sha256 = vend_stmt_dup_text (stmt, 2);
  row->size = vend_stmt_get_int (stmt, 3);
  row->created_us = vend_stmt_get_int (stmt, 4);
  return row;
}

bool
vend_store_upload_get (VendDb *db, const char *id, VendUpload **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_UPLOAD_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  if (!vend_stmt_one (stmt, "upload", error))
    return false;
  *out = read_upload (stmt);
  return true;
}

bool
vend_store_upload_by_content (VendDb *db, int64_t account_id, const char *sha256, int64_t size,
                              VendUpload **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_UPLOAD_BY_CONTENT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_text (stmt, 2, sha256);
  vend_stmt_int (stmt, 3, size);
  if (!vend_stmt_one (stmt, "upload", error))
    return false;
  *out = read_upload (stmt);
  return true;
}

bool
vend_store_upload_delete (VendDb *db, const char *id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_UPLOAD_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_upload_expired (VendDb *db, int64_t before_us, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_UPLOAD_EXPIRED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, before_us);
  return vend_stmt_collect (stmt, read_upload, (GDestroyNotify) vend_upload_free, out, error);
}

bool
vend_store_build_insert (VendDb *db, const VendBuild *build, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BUILD_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, build->id);
  vend_stmt_int (stmt, 2, build->account_id);
  vend_stmt_int (stmt, 3, build->model_id);
  vend_stmt_text (stmt, 4, build->upload);
  vend_stmt_text (stmt, 5, build->source_sha256);
  vend_stmt_json (stmt, 6, build->options);
  vend_stmt_int (stmt, 7, build->created_us);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_build (VendStmt *stmt)
{
  VendBuild *row = g_new0 (VendBuild, 1);
  row->id = vend_stmt_dup_text (stmt, 0);
  row->account_id = vend_stmt_get_int (stmt, 1);
  row->model_id = vend_stmt_get_int (stmt, 2);
  row->upload = vend_stmt_dup_text (stmt, 3);
  row->source_sha256 = vend_stmt_dup_text (stmt, 4);
  row->options = vend_stmt_get_json (stmt, 5);
  row->status = vend_stmt_dup_text (stmt, 6);
  row->error = vend_stmt_dup_text (stmt, 7);
  row->version = vend_stmt_dup_text (stmt, 8);
  row->created_us = vend_stmt_get_int (stmt, 9);
  row->completed_us = vend_stmt_get_int (stmt, 10);
  return row;
}

bool
vend_store_build_get (VendDb *db, const char *id, VendBuild **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BUILD_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  if (!vend_stmt_one (stmt, "build", error))
    return false;
  *out = read_build (stmt);
  return true;
}

bool
vend_store_build_open (VendDb *db, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BUILD_OPEN, error);
  if (stmt == NULL)
    return false;
  return vend_stmt_collect (stmt, read_build, (GDestroyNotify) vend_build_free, out, error);
}

bool
vend_store_build_complete (VendDb *db, const char *id, const char *status, const char *problem,
                           const char *version, int64_t now_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BUILD_COMPLETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  vend_stmt_text (stmt, 2, status);
  vend_stmt_text (stmt, 3, problem);
  vend_stmt_text (stmt, 4, version);
  vend_stmt_int (stmt, 5, now_us);
  return vend_stmt_run_one (stmt, "open build", error);
}
