/* Store functions of files, outputs, uploads and builds. */
#include "store/files.h"
#include "base/error.h"

bool
vend_store_file_insert (VendDb *db, const VendFile *file, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_FILE_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_FILE_ID, file->id);
  vend_stmt_int (stmt, VEND_ARG_FILE_ACCOUNT_ID, file->account_id);
  vend_stmt_text (stmt, VEND_ARG_FILE_NAME, file->name);
  vend_stmt_text (stmt, VEND_ARG_FILE_CONTENT_TYPE, file->content_type);
  vend_stmt_int (stmt, VEND_ARG_FILE_SIZE, file->size);
  vend_stmt_text (stmt, VEND_ARG_FILE_SHA256, file->sha256);
  vend_stmt_text (stmt, VEND_ARG_FILE_MD5, file->md5);
  vend_stmt_json (stmt, VEND_ARG_FILE_METADATA, file->metadata);
  vend_stmt_int (stmt, VEND_ARG_FILE_CREATED_US, file->created_us);
  vend_stmt_int (stmt, VEND_ARG_FILE_EXPIRES_US, file->expires_us);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_file (VendStmt *stmt)
{
  VendFile *row = g_new0 (VendFile, 1);
  row->id = vend_stmt_dup_text (stmt, VEND_COL_FILE_ID);
  row->account_id = vend_stmt_get_int (stmt, VEND_COL_FILE_ACCOUNT_ID);
  row->name = vend_stmt_dup_text (stmt, VEND_COL_FILE_NAME);
  row->content_type = vend_stmt_dup_text (stmt, VEND_COL_FILE_CONTENT_TYPE);
  row->size = vend_stmt_get_int (stmt, VEND_COL_FILE_SIZE);
  row->sha256 = vend_stmt_dup_text (stmt, VEND_COL_FILE_SHA256);
  row->md5 = vend_stmt_dup_text (stmt, VEND_COL_FILE_MD5);
  row->metadata = vend_stmt_get_json (stmt, VEND_COL_FILE_METADATA);
  row->created_us = vend_stmt_get_int (stmt, VEND_COL_FILE_CREATED_US);
  row->expires_us = vend_stmt_get_int (stmt, VEND_COL_FILE_EXPIRES_US);
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
                      int64_t now_us, VendPage *page, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_FILE_PAGE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, after_id != NULL ? after_us : G_MAXINT64);
  vend_stmt_text (stmt, 3, after_id != NULL ? after_id : "");
  vend_stmt_int (stmt, 4, now_us);
  vend_stmt_int (stmt, 5, (int64_t) page->limit + 1);
  return vend_stmt_page (stmt, read_file, (GDestroyNotify) vend_file_free, page, out, error);
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
  vend_stmt_text (stmt, VEND_ARG_OUTPUT_TOKEN, output->token);
  vend_stmt_text (stmt, VEND_ARG_OUTPUT_PREDICTION, output->prediction);
  vend_stmt_text (stmt, VEND_ARG_OUTPUT_NAME, output->name);
  vend_stmt_text (stmt, VEND_ARG_OUTPUT_CONTENT_TYPE, output->content_type);
  vend_stmt_int (stmt, VEND_ARG_OUTPUT_SIZE, output->size);
  vend_stmt_text (stmt, VEND_ARG_OUTPUT_SHA256, output->sha256);
  vend_stmt_int (stmt, VEND_ARG_OUTPUT_CREATED_US, output->created_us);
  vend_stmt_int (stmt, VEND_ARG_OUTPUT_IS_INPUT, output->is_input);
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
  row->token = vend_stmt_dup_text (stmt, VEND_COL_OUTPUT_TOKEN);
  row->prediction = vend_stmt_dup_text (stmt, VEND_COL_OUTPUT_PREDICTION);
  row->name = vend_stmt_dup_text (stmt, VEND_COL_OUTPUT_NAME);
  row->content_type = vend_stmt_dup_text (stmt, VEND_COL_OUTPUT_CONTENT_TYPE);
  row->size = vend_stmt_get_int (stmt, VEND_COL_OUTPUT_SIZE);
  row->sha256 = vend_stmt_dup_text (stmt, VEND_COL_OUTPUT_SHA256);
  row->created_us = vend_stmt_get_int (stmt, VEND_COL_OUTPUT_CREATED_US);
  row->is_input = vend_stmt_get_int (stmt, VEND_COL_OUTPUT_IS_INPUT) != 0;
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
vend_store_blob_is_input (VendDb *db, const char *sha256, bool *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_BLOB_IS_INPUT, error);
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
  vend_stmt_text (stmt, VEND_ARG_UPLOAD_ID, upload->id);
  vend_stmt_int (stmt, VEND_ARG_UPLOAD_ACCOUNT_ID, upload->account_id);
  vend_stmt_text (stmt, VEND_ARG_UPLOAD_SHA256, upload->sha256);
  vend_stmt_int (stmt, VEND_ARG_UPLOAD_SIZE, upload->size);
  vend_stmt_int (stmt, VEND_ARG_UPLOAD_CREATED_US, upload->created_us);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_upload (VendStmt *stmt)
{
  VendUpload *row = g_new0 (VendUpload, 1);
  row->id = vend_stmt_dup_text (stmt, VEND_COL_UPLOAD_ID);
  row->account_id = vend_stmt_get_int (stmt, VEND_COL_UPLOAD_ACCOUNT_ID);
  row->sha256 = vend_stmt_dup_text (stmt, VEND_COL_UPLOAD_SHA256);
  row->size = vend_stmt_get_int (stmt, VEND_COL_UPLOAD_SIZE);
  row->created_us = vend_stmt_get_int (stmt, VEND_COL_UPLOAD_CREATED_US);
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
  vend_stmt_text (stmt, VEND_ARG_NEW_BUILD_ID, build->id);
  vend_stmt_int (stmt, VEND_ARG_NEW_BUILD_ACCOUNT_ID, build->account_id);
  vend_stmt_int (stmt, VEND_ARG_NEW_BUILD_MODEL_ID, build->model_id);
  vend_stmt_text (stmt, VEND_ARG_NEW_BUILD_UPLOAD, build->upload);
  vend_stmt_text (stmt, VEND_ARG_NEW_BUILD_SOURCE_SHA256, build->source_sha256);
  vend_stmt_json (stmt, VEND_ARG_NEW_BUILD_OPTIONS, build->options);
  vend_stmt_int (stmt, VEND_ARG_NEW_BUILD_CREATED_US, build->created_us);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_build (VendStmt *stmt)
{
  VendBuild *row = g_new0 (VendBuild, 1);
  row->id = vend_stmt_dup_text (stmt, VEND_COL_BUILD_ID);
  row->account_id = vend_stmt_get_int (stmt, VEND_COL_BUILD_ACCOUNT_ID);
  row->model_id = vend_stmt_get_int (stmt, VEND_COL_BUILD_MODEL_ID);
  row->upload = vend_stmt_dup_text (stmt, VEND_COL_BUILD_UPLOAD);
  row->source_sha256 = vend_stmt_dup_text (stmt, VEND_COL_BUILD_SOURCE_SHA256);
  row->options = vend_stmt_get_json (stmt, VEND_COL_BUILD_OPTIONS);
  row->status = vend_stmt_dup_text (stmt, VEND_COL_BUILD_STATUS);
  row->error = vend_stmt_dup_text (stmt, VEND_COL_BUILD_ERROR);
  row->version = vend_stmt_dup_text (stmt, VEND_COL_BUILD_VERSION);
  row->created_us = vend_stmt_get_int (stmt, VEND_COL_BUILD_CREATED_US);
  row->completed_us = vend_stmt_get_int (stmt, VEND_COL_BUILD_COMPLETED_US);
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
