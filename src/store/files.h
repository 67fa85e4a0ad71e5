/* Store functions of files, outputs, uploads and builds. Inside a transaction; outputs are the
 * caller's. */
#pragma once
#include "model/file.h"
#include "store/db.h"

bool vend_store_file_insert (VendDb *db, const VendFile *file, GError **error);
bool vend_store_file_get (VendDb *db, const char *id, VendFile **out, GError **error);
/* Newest first, of VendFile; `after_id` NULL = first page. */
bool vend_store_file_page (VendDb *db, int64_t account_id, int64_t after_us, const char *after_id,
                           int64_t now_us, VendPage *page, GPtrArray **out, GError **error);
bool vend_store_file_delete (VendDb *db, const char *id, GError **error);
bool vend_store_file_expired (VendDb *db, int64_t now_us, int limit, GPtrArray **out,
                              GError **error);

/* A token that exists already stands for the same file: nothing happens then. */
bool vend_store_output_insert (VendDb *db, const VendOutput *output, GError **error);
/* Before the end of the prediction; nothing happens when the prediction's data are gone. */
bool vend_store_output_insert_early (VendDb *db, const VendOutput *output, GError **error);
bool vend_store_output_get (VendDb *db, const char *token, VendOutput **out, GError **error);
/* Outputs, and input files that came inside of the create. */
bool vend_store_output_list (VendDb *db, const char *prediction, GPtrArray **out, GError **error);
bool vend_store_output_delete_of (VendDb *db, const char *prediction, GError **error);
/* Whether any row still points to the content. */
bool vend_store_blob_used (VendDb *db, const char *sha256, bool *out, GError **error);
/* Whether an open prediction has it as an input. */
bool vend_store_blob_is_input (VendDb *db, const char *sha256, bool *out, GError **error);

bool vend_store_upload_insert (VendDb *db, const VendUpload *upload, GError **error);
bool vend_store_upload_get (VendDb *db, const char *id, VendUpload **out, GError **error);
/* NOT_FOUND without an upload of this content by the account. */
bool vend_store_upload_by_content (VendDb *db, int64_t account_id, const char *sha256, int64_t size,
                                   VendUpload **out, GError **error);
bool vend_store_upload_delete (VendDb *db, const char *id, GError **error);
bool vend_store_upload_expired (VendDb *db, int64_t before_us, GPtrArray **out, GError **error);

bool vend_store_build_insert (VendDb *db, const VendBuild *build, GError **error);
bool vend_store_build_get (VendDb *db, const char *id, VendBuild **out, GError **error);
/* Builds that have not ended, oldest first, of VendBuild. */
bool vend_store_build_open (VendDb *db, GPtrArray **out, GError **error);
/* NOT_FOUND when the build has ended before. */
bool vend_store_build_complete (VendDb *db, const char *id, const char *status, const char *problem,
                                const char *version, int64_t now_us, GError **error);
