/* Turns what a model returned into what Vend passes on. Main thread. */
#include "director/output.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "files/file-name.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FILE_KEY "$vend.file"
#define FORGED_KEY "_$vend.file"
#define MAX_TYPE 127 /* longest MIME type that counts as one (RFC 6838) */
#define BASE64_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static bool convert (VendOutputFiles *files, json_t *value, json_t **out, GError **error);

json_t *
vend_output_file_new (const char *path, const char *name, const char *type, uint64_t size,
                      const char *sha256)
{
  json_t *file = json_object ();
  vend_json_set_string (file, "path", path);
  vend_json_set_string (file, "name", name);
  vend_json_set_string (file, "type", type);
  vend_json_set_int (file, "size", (int64_t) size);
  vend_json_set_string (file, "sha256", sha256);
  json_t *wrapped = json_object ();
  json_object_set_new (wrapped, FILE_KEY, file);
  return wrapped;
}

json_t *
vend_output_peek_file (const json_t *value)
{
  return json_object_get (value, FILE_KEY);
}

/* Splits "data:image/png;base64,AAAA"; other strings that happen to begin with "data:" stay text.
 */
static bool
split_data_uri (const char *text, char **out_type, const char **out_payload)
{
  if (!g_str_has_prefix (text, "data:"))
    return false;
  const char *type = text + strlen ("data:");
  const char *comma = strchr (type, ',');
  const gsize head = comma != NULL ? (gsize) (comma - type) : 0;
  const gsize marker = strlen (";base64");
  if (comma == NULL || head < marker || head > MAX_TYPE + marker
      || memcmp (comma - marker, ";base64", marker) != 0)
    return false;

  const char *payload = comma + 1;
  const gsize digits = strspn (payload, BASE64_ALPHABET);
  const gsize padding = strspn (payload + digits, "=");
  if (payload[digits + padding] != '\0' || padding > 2 || (digits + padding) % 4 != 0)
    return false;
  *out_type = head > marker ? g_strndup (type, head - marker) : g_strdup ("text/plain");
  *out_payload = payload;
  return true;
}

static bool
write_file (VendOutputFiles *files, const char *type, const guchar *data, gsize size, json_t **out,
            GError **error)
{
  const guint n = files->n_files++;
  g_autofree char *disk_name = g_strdup_printf ("%s.%u", files->prefix, n);
  g_autofree char *path = g_build_filename (files->folder, disk_name, NULL);
  g_autofree char *name = n == 0 ? g_strconcat ("output", vend_file_extension (type), NULL)
                                 : g_strdup_printf ("output-%u%s", n, vend_file_extension (type));
  vend_autofd fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  if (!vend_fd_write_all (fd, data, size, error))
    return false;
  g_autofree char *sha256 = vend_sha256_hex (data, size);
  *out = vend_output_file_new (path, name, type, size, sha256);
  return true;
}

static bool
convert_string (VendOutputFiles *files, json_t *value, json_t **out, GError **error)
{
  const char *text = json_string_value (value);
  json_t *upload = files->find_upload != NULL ? files->find_upload (text, files->context) : NULL;
  if (upload != NULL)
    {
      *out = upload;
      return true;
    }

  g_autofree char *type = NULL;
  const char *payload;
  if (!split_data_uri (text, &type, &payload))
    {
      *out = json_incref (value);
      return true;
    }
  gsize size = 0;
  g_autofree guchar *data = g_base64_decode (payload, &size);
  if (files->max_file > 0 && size > files->max_file)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "an output file is larger than %" G_GUINT64_FORMAT " bytes",
                      (uint64_t) files->max_file);
  return write_file (files, type, data, size, out, error);
}

static bool
convert_array (VendOutputFiles *files, json_t *value, json_t **out, GError **error)
{
  json_auto_t *array = json_array ();
  for (size_t i = 0; i < json_array_size (value); i++)
    {
      json_t *item = NULL;
      if (!convert (files, json_array_get (value, i), &item, error))
        return false;
      json_array_append_new (array, item);
    }
  *out = json_incref (array);
  return true;
}

/* A model that makes its own `$vend.file` could name any file of this machine. */
static bool
convert_object (VendOutputFiles *files, json_t *value, json_t **out, GError **error)
{
  json_auto_t *object = json_object ();
  const char *key;
  json_t *member;
  json_object_foreach (value, key, member)
    {
      json_t *converted = NULL;
      if (!convert (files, member, &converted, error))
        return false;
      json_object_set_new (object, strcmp (key, FILE_KEY) == 0 ? FORGED_KEY : key, converted);
    }
  *out = json_incref (object);
  return true;
}

static bool
convert (VendOutputFiles *files, json_t *value, json_t **out, GError **error)
{
  if (json_is_string (value))
    return convert_string (files, value, out, error);
  if (json_is_array (value))
    return convert_array (files, value, out, error);
  if (json_is_object (value))
    return convert_object (files, value, out, error);
  *out = json_incref (value);
  return true;
}

bool
vend_output_convert (VendOutputFiles *files, json_t *value, json_t **out, GError **error)
{
  return convert (files, value, out, error);
}

bool
vend_output_parse (const char *text, gsize size, json_t **out, GError **error)
{
  const VendJsonParsing how = { .max_depth = VEND_JSON_OUTSIDE_DEPTH, .replaces_nul = true };
  g_autoptr (GError) problem = NULL;
  if (vend_json_parse_as (&how, text, size, out, &problem))
    return true;
  if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_INVALID))
    return vend_fail (error, VEND_ERROR_RUNNER, "the model's result cannot be passed on: %s",
                      problem->message);
  return vend_fail (error, VEND_ERROR_RUNNER, "model server sent %s", problem->message);
}
