/* Uploads of packed sources: resumable, one file each under DATA/uploads. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "store/files.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static uint64_t
size_on_disk (const char *path)
{
  struct stat st;
  return stat (path, &st) == 0 ? (uint64_t) st.st_size : 0;
}

/* When an upload is whole but was never checked, since the server was killed meanwhile, the last
 * byte is requested once more: with it comes the check. */
static uint64_t
stands_at (VendApi *api, const VendUpload *upload)
{
  if (vend_builds_upload_is_complete (api->parts.builds, upload))
    return (uint64_t) upload->size;
  g_autofree char *part = vend_builds_upload_part_path (api->parts.builds, upload->id);
  return MIN (size_on_disk (part), (uint64_t) upload->size - 1);
}

static json_t *
show (VendApi *api, const VendUpload *upload)
{
  const uint64_t offset = stands_at (api, upload);
  return json_pack ("{s:s, s:I, s:I, s:b}", "id", upload->id, "offset", (json_int_t) offset, "size",
                    (json_int_t) upload->size, "complete", offset == (uint64_t) upload->size);
}

static bool
insert (VendDb *db, void *data, GError **error)
{
  return vend_store_upload_insert (db, data, error);
}

static bool
create_upload (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  const char *sha256 = NULL;
  g_autoptr (VendUpload) upload = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_api_object (call, &body, error) || !vend_api_text (body, "sha256", 64, &sha256, error))
    return false;
  int64_t size = vend_json_int (body, "size", -1);
  const bool is_import = vend_json_bool (body, VEND_BUILD_IMPORT, false);
  const char *setting = is_import ? "max-archive" : "max-source";
  int64_t most = (int64_t) vend_settings_bytes (api->parts.settings, setting);
  if (!vend_is_sha256_hex (sha256))
    return vend_fail (error, VEND_ERROR_INVALID, "sha256: expected 64 characters of 0-9 and a-f");
  if (size < 1)
    return vend_fail (error, VEND_ERROR_INVALID, "size: expected a positive whole number");
  if (size > most)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "size: %s has at most %" G_GINT64_FORMAT " bytes here (setting %s)",
                      is_import ? "an archive" : "a packed source", most, setting);
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (vend_store_upload_by_content (reader.db, caller->account->id, sha256, size, &upload,
                                      &problem))
      {
        *out = vend_reply_json (200, show (api, upload));
        return true;
      }
  }
  upload = g_new0 (VendUpload, 1);
  upload->id = vend_id_new ();
  upload->account_id = caller->account->id;
  upload->sha256 = g_strdup (sha256);
  upload->size = size;
  upload->created_us = vend_now_us ();
  if (!vend_store_write_wait (api->parts.store, insert, upload, error))
    return false;
  *out = vend_reply_json (201, show (api, upload));
  return true;
}

static bool
load_own (VendApi *api, VendCall *call, const VendCaller *caller, VendUpload **out, GError **error)
{
  g_autoptr (VendUpload) upload = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_store_upload_get (reader.db, vend_call_param (call, "id"), &upload, error))
    return false;
  if (upload->account_id != caller->account->id)
    return vend_api_not_found (error);
  *out = g_steal_pointer (&upload);
  return true;
}

static bool
get_upload (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendUpload) upload = NULL;
  if (!load_own (api, call, caller, &upload, error))
    return false;
  *out = vend_reply_json (200, show (api, upload));
  return true;
}

static VendReply *
offset_conflict (uint64_t offset)
{
  g_autofree char *detail = g_strdup_printf (
      "Upload-Offset: the upload stands at %" G_GUINT64_FORMAT "; go on there", offset);
  json_t *body = json_pack ("{s:s, s:s, s:i, s:I}", "title", "Conflict", "detail", detail, "status",
                            409, "offset", (json_int_t) offset);
  g_autofree char *text = vend_json_text (body);
  json_decref (body);
  return vend_reply_new (409, "application/problem+json", text, strlen (text));
}

/* Locks the file of the upload: the lock keeps two writers apart, two threads of this process too,
 * from the first byte of a piece until the whole was checked. -1 without an error: another request
 * has finished or removed the upload meanwhile. */
static bool
open_part (const char *path, int *out_fd, GError **error)
{
  struct stat opened, named;
  vend_autofd fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || flock (fd, LOCK_EX) < 0 || fstat (fd, &opened) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open the upload");
  const bool is_it = stat (path, &named) == 0 && named.st_ino == opened.st_ino;
  *out_fd = is_it ? vend_fd_steal (&fd) : -1;
  return true;
}

static bool
append (int to, uint64_t offset, const VendPart *piece, GError **error)
{
  vend_autofd source = open (piece->path, O_RDONLY | O_CLOEXEC);
  if (source < 0 || ftruncate (to, (off_t) offset) < 0 || lseek (to, 0, SEEK_END) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "write the upload");
  if (!vend_fd_copy (source, to, piece->size, error))
    {
      g_prefix_error (error, "write the upload: ");
      /* Whole pieces only: the client goes on where the upload stands. */
      if (ftruncate (to, (off_t) offset) < 0)
        vend_log (VEND_LOG_WARN, "cannot truncate an upload", "error", g_strerror (errno), NULL);
      return false;
    }
  if (fdatasync (to) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync the upload");
  return true;
}

static bool
delete_row (VendDb *db, void *data, GError **error)
{
  return vend_store_upload_delete (db, data, error);
}

/* With the lock. Only a file with the announced hash gets the name from which builds read. */
static bool
finish (VendApi *api, const VendUpload *upload, const char *part, GError **error)
{
  g_autofree char *sha256 = NULL;
  if (!vend_sha256_file (part, &sha256, error))
    return false;
  if (g_strcmp0 (sha256, upload->sha256) == 0)
    return vend_builds_upload_keep (api->parts.builds, upload->id, error);
  unlink (part);
  return vend_store_write_wait (api->parts.store, delete_row, upload->id, error)
         && vend_fail (
             error, VEND_ERROR_INVALID,
             "sha256: the received bytes have %s; the upload was removed, create a new one",
             sha256);
}

static bool
add_piece (VendApi *api, const VendUpload *upload, uint64_t offset, const VendPart *piece,
           bool *out_conflict, GError **error)
{
  g_autofree char *path = vend_builds_upload_part_path (api->parts.builds, upload->id);
  vend_autofd to = -1;
  if (!open_part (path, &to, error))
    return false;
  *out_conflict = to < 0 || stands_at (api, upload) != offset;
  if (to >= 0 && vend_builds_upload_is_complete (api->parts.builds, upload))
    unlink (path);
  if (*out_conflict)
    return true;
  return append (to, offset, piece, error)
         && (offset + piece->size < (uint64_t) upload->size || finish (api, upload, path, error));
}

static bool
patch_upload (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendUpload) upload = NULL;
  const VendPart *piece = vend_call_part (call, "");
  const char *header = vend_call_header (call, "Upload-Offset");
  guint64 offset = 0;
  bool conflict = false;
  if (!load_own (api, call, caller, &upload, error))
    return false;
  if (header == NULL || !g_ascii_string_to_unsigned (header, 10, 0, G_MAXINT64, &offset, NULL))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "Upload-Offset: expected a whole number");
  if (piece == NULL || piece->size == 0)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "the request has no body");
  if (offset + piece->size > (uint64_t) upload->size)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "the body goes beyond the announced 'size' of the upload");

  if (!add_piece (api, upload, offset, piece, &conflict, error))
    return false;
  *out = conflict ? offset_conflict (stands_at (api, upload))
                  : vend_reply_json (200, show (api, upload));
  return true;
}

const ApiRoute vend_api_upload_routes[] = {
  { "POST", "/v1/uploads", VEND_SCOPE_PUSH, VEND_BODY_BUFFER, create_upload, NULL },
  { "GET", "/v1/uploads/{id}", VEND_SCOPE_PUSH, VEND_BODY_NONE, get_upload, NULL },
  { "PATCH", "/v1/uploads/{id}", VEND_SCOPE_PUSH, VEND_BODY_SPOOL, patch_upload, "max-source",
    .runs_on = VEND_RUN_BYTES },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
