/* Files of outputs, for replies that have their bytes. */
#include "api/openai/files.h"
#include "base/error.h"
#include "base/fd.h"
#include "store/files.h"
#include <string.h>

#define SCHEME "vend-output:"

static bool
add_file (VendDb *db, const json_t *value, GPtrArray *files, GError **error)
{
  const char *text = json_string_value (value);
  g_autoptr (VendOutput) file = NULL;
  if (text == NULL || !g_str_has_prefix (text, SCHEME))
    return true;
  const char *start = text + strlen (SCHEME);
  g_autofree char *token = g_strndup (start, strcspn (start, "/"));
  if (!vend_store_output_get (db, token, &file, error))
    return false;
  g_ptr_array_add (files, g_steal_pointer (&file));
  return true;
}

bool
vend_api_output_files (VendApi *api, const json_t *output, GPtrArray **out, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_output_free);
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  size_t i;
  json_t *one;
  if (!add_file (reader.db, output, files, error))
    return false;
  json_array_foreach ((json_t *) output, i, one)
    if (!add_file (reader.db, one, files, error))
      return false;
  *out = g_steal_pointer (&files);
  return true;
}

bool
vend_api_output_reply (VendApi *api, const VendOutput *file, VendReply **out, GError **error)
{
  vend_autofd fd = -1;
  uint64_t size = 0;
  if (!vend_blobs_open_fd (api->parts.blobs, file->sha256, &fd, &size, error))
    return false;
  *out = vend_reply_file (vend_fd_steal (&fd), size, file->content_type, file->sha256);
  vend_reply_header (*out, "X-Content-Type-Options", "nosniff");
  vend_reply_header (*out, "Content-Security-Policy", "sandbox; default-src 'none'");
  return true;
}

bool
vend_api_output_base64 (VendApi *api, const VendOutput *file, char **out, GError **error)
{
  g_autofree char *bytes = NULL;
  gsize size = 0;
  vend_autofd fd = -1;
  uint64_t ignored = 0;
  if (!vend_blobs_open_fd (api->parts.blobs, file->sha256, &fd, &ignored, error)
      || !vend_fd_read_all (fd, file->name, (gsize) file->size, &bytes, &size, error))
    return false;
  *out = g_base64_encode ((const guchar *) bytes, size);
  return true;
}
