/* Uploaded files. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "store/files.h"
#include "store/stored-bytes.h"
#include <string.h>

#define MAX_FILENAME 255
#define MAX_TYPE 200
#define METADATA_FIELD "metadata["

/* ---- Create */

static bool
read_name (VendCall *call, const VendPart *content, char **out, GError **error)
{
  const VendPart *part = vend_call_part (call, "filename");
  const char *name = part != NULL && part->text != NULL ? part->text : content->filename;
  if (name == NULL || *name == '\0')
    name = "file";
  if (strlen (name) > MAX_FILENAME || !g_utf8_validate (name, -1, NULL))
    return vend_fail (error, VEND_ERROR_INVALID, "filename: expected at most %d bytes of UTF-8",
                      MAX_FILENAME);
  *out = g_strdup (name);
  return true;
}

static bool
read_type (VendCall *call, const VendPart *content, char **out, GError **error)
{
  const VendPart *part = vend_call_part (call, "type");
  const char *type = part != NULL && part->text != NULL ? part->text : content->content_type;
  if (type == NULL || *type == '\0')
    type = "application/octet-stream";
  if (strlen (type) > MAX_TYPE || strpbrk (type, "\r\n") != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "type: expected a content type such as image/png");
  *out = g_strdup (type);
  return true;
}

/* Three forms: a part with JSON text, the same as an application/json file, or metadata[key] parts.
 */
static bool
read_metadata (VendCall *call, json_t **out, GError **error)
{
  const VendPart *part = vend_call_part (call, "metadata");
  json_auto_t *metadata = NULL;
  if (part != NULL && part->path != NULL)
    {
      g_autofree char *text = NULL;
      gsize size = 0;
      if (!vend_file_read (part->path, 64 * 1024, &text, &size, error)
          || !vend_json_parse (text, size, &metadata, error))
        return false;
    }
  else if (part != NULL && !vend_json_parse (part->text, part->text_size, &metadata, error))
    return false;
  if (metadata == NULL)
    metadata = json_object ();
  if (!json_is_object (metadata))
    return vend_fail (error, VEND_ERROR_INVALID, "metadata: expected a JSON object");

  for (gsize i = 0; i < vend_call_n_parts (call); i++)
    {
      const VendPart *field = vend_call_part_at (call, i);
      if (!g_str_has_prefix (field->name, METADATA_FIELD) || field->text == NULL)
        continue;
      const char *start = field->name + strlen (METADATA_FIELD);
      g_autofree char *key = g_strndup (start, strcspn (start, "]"));
      vend_json_set_string (metadata, key, field->text);
    }
  *out = g_steal_pointer (&metadata);
  return true;
}

typedef struct
{
  const VendFile *file;
  uint64_t max_stored;
} Insertion;

static bool
insert_file (VendDb *db, void *data, GError **error)
{
  const Insertion *insertion = data;
  const VendFile *file = insertion->file;
  return vend_store_stored_allow (db, file->account_id, file->size, insertion->max_stored, error)
         && vend_store_file_insert (db, file, error);
}

char *
vend_api_file_too_large (uint64_t most)
{
  return g_strdup_printf ("Files must be less than %" G_GUINT64_FORMAT "MB in size", most >> 20);
}

bool
vend_api_file_store (VendApi *api, const VendCaller *caller, VendFile *file, const char *path,
                     GError **error)
{
  file->id = vend_secret_new ("", 48);
  file->account_id = caller->account->id;
  file->created_us = vend_now_us ();
  file->expires_us = file->created_us + vend_settings_us (api->parts.settings, "file-ttl");
  if (!vend_blobs_take (api->parts.blobs, path, file->sha256, error))
    {
      unlink (path);
      return false;
    }
  Insertion insertion = { file, vend_settings_bytes (api->parts.settings, "account-max-stored") };
  const bool stored = vend_store_write_wait (api->parts.store, insert_file, &insertion, error);
  vend_blobs_let_go (api->parts.blobs, file->sha256);
  return stored;
}

static bool
create_file (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  const VendPart *content = vend_call_part (call, "content");
  if (content == NULL || content->path == NULL)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "content: expected a file part of multipart/form-data");
  uint64_t most = vend_settings_bytes (api->parts.settings, "max-file");
  if (content->size > most)
    {
      g_autofree char *text = vend_api_file_too_large (most);
      return vend_fail (error, VEND_ERROR_TOO_LARGE, "%s", text);
    }
  g_autoptr (VendFile) file = g_new0 (VendFile, 1);
  if (!read_name (call, content, &file->name, error)
      || !read_type (call, content, &file->content_type, error)
      || !read_metadata (call, &file->metadata, error))
    return false;
  file->size = (int64_t) content->size;
  file->sha256 = g_strdup (content->sha256);
  file->md5 = g_strdup (content->md5);
  g_autofree char *path = vend_part_take_path (call, content);
  if (!vend_api_file_store (api, caller, file, path, error))
    return false;
  *out = vend_reply_json (201, vend_file_to_json (file, vend_call_origin (call)));
  return true;
}

/* ---- Get, list, delete */

static bool
load_own (VendApi *api, VendCall *call, const VendCaller *caller, VendFile **out, GError **error)
{
  g_autoptr (VendFile) file = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_file_get (reader.db, vend_call_param (call, "id"), &file, error))
    return false;
  if (file->account_id != caller->account->id || file->expires_us <= vend_now_us ())
    return vend_api_not_found (error);
  *out = g_steal_pointer (&file);
  return true;
}

static bool
get_file (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendFile) file = NULL;
  if (!load_own (api, call, caller, &file, error))
    return false;
  *out = vend_reply_json (200, vend_file_to_json (file, vend_call_origin (call)));
  return true;
}

static bool
list_files (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_auto (ApiCursor) cursor = { 0 };
  g_autoptr (GPtrArray) files = NULL;
  VendPage page = { .limit = VEND_PAGE_SIZE };
  if (!vend_api_cursor (call, &cursor, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_file_page (reader.db, caller->account->id, cursor.after_us, cursor.after_id,
                               vend_now_us (), &page, &files, error))
      return false;
  }
  GString *results = vend_api_results ();
  const VendFile *last = NULL;
  for (guint i = 0; i < files->len; i++)
    {
      last = g_ptr_array_index (files, i);
      vend_api_add_result (results, vend_file_to_json (last, vend_call_origin (call)));
    }
  *out = vend_api_page (call, results, page.more, page.more ? last->created_us : 0,
                        page.more ? last->id : "", NULL);
  return true;
}

static bool
delete_row (VendDb *db, void *data, GError **error)
{
  return vend_store_file_delete (db, data, error);
}

static bool
delete_file (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendFile) file = NULL;
  if (!load_own (api, call, caller, &file, error)
      || !vend_store_write_wait (api->parts.store, delete_row, file->id, error))
    return false;
  *out = vend_reply_empty (204);
  return true;
}

const ApiRoute vend_api_file_routes[] = {
  { "POST", "/v1/files", VEND_SCOPE_RUN, VEND_BODY_MULTIPART, create_file, "max-file",
    .runs_on = VEND_RUN_BYTES },
  { "GET", "/v1/files", VEND_SCOPE_READ, VEND_BODY_NONE, list_files, NULL,
    .runs_on = VEND_RUN_READ },
  { "GET", "/v1/files/{id}", VEND_SCOPE_READ, VEND_BODY_NONE, get_file, NULL,
    .missing = VEND_API_NO_FILE },
  { "DELETE", "/v1/files/{id}", VEND_SCOPE_RUN, VEND_BODY_NONE, delete_file, NULL,
    .missing = VEND_API_NO_FILE },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
