/* Names, tags, digests and paths of the registry. Pure. */
#include "registry/reference.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/id.h"
#include <string.h>

#define SHA256 "sha256:"
#define SHA512 "sha512:"
#define SHA512_HEX_LENGTH 128
#define MAX_TAG 128
#define MAX_NAME 255
#define MAX_COMPONENTS 8
#define HEX "0123456789abcdef"
#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define WORD LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"

/* ---- Digests */

static bool
is_hex (const char *text, gsize length)
{
  return strlen (text) == length && strspn (text, HEX) == length;
}

bool
vend_digest_is_valid (const char *text)
{
  return (g_str_has_prefix (text, SHA256)
          && is_hex (text + strlen (SHA256), VEND_SHA256_HEX_LENGTH))
         || (vend_digest_is_sha512 (text) && is_hex (text + strlen (SHA512), SHA512_HEX_LENGTH));
}

bool
vend_digest_is_sha512 (const char *digest)
{
  return g_str_has_prefix (digest, SHA512);
}

const char *
vend_digest_hex (const char *digest)
{
  return strchr (digest, ':') + 1;
}

bool
vend_digest_check (const char *text, GError **error)
{
  return vend_digest_is_valid (text)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "'%.150s' is no digest; expected sha256: and 64, or sha512: and 128 "
                       "lower-case hexadecimal digits",
                       text);
}

char *
vend_digest_of (const void *data, gsize size, bool is_sha512)
{
  g_autofree char *hex
      = g_compute_checksum_for_data (is_sha512 ? G_CHECKSUM_SHA512 : G_CHECKSUM_SHA256, data, size);
  return g_strconcat (is_sha512 ? SHA512 : SHA256, hex, NULL);
}

/* ---- Names */

bool
vend_tag_is_valid (const char *text)
{
  const gsize length = strlen (text);
  return length > 0 && length <= MAX_TAG && strchr (WORD, text[0]) != NULL
         && strspn (text, WORD ".-") == length;
}

/* Letters and digits, with one dot, one or two underscores or any number of hyphens between. */
static bool
is_component (const char *text)
{
  for (const char *at = text;;)
    {
      const gsize word = strspn (at, LOWER);
      if (word == 0)
        return false;
      at += word;
      if (*at == '\0')
        return true;
      if (*at == '-')
        at += strspn (at, "-");
      else if (*at == '_')
        at += at[1] == '_' ? 2 : 1;
      else if (*at == '.')
        at++;
      else
        return false;
    }
}

void
vend_repository_name_clear (VendRepositoryName *name)
{
  g_free (name->owner);
  g_free (name->name);
  g_free (name->path);
  *name = (VendRepositoryName){ 0 };
}

bool
vend_repository_name_parse (const char *text, VendRepositoryName *out, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, "/", MAX_COMPONENTS + 1);
  const guint n = g_strv_length (parts);
  bool good = n >= 2 && n <= MAX_COMPONENTS && strlen (text) <= MAX_NAME;
  for (guint i = 0; good && i < n; i++)
    good = is_component (parts[i]);
  if (!good)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%.300s' is no name of a repository here; expected the owner/name of a "
                      "model, in lower-case letters, digits and single '.', '_' or '-' between",
                      text);
  *out = (VendRepositoryName){ .owner = g_strdup (parts[0]),
                               .name = g_strdup (parts[1]),
                               .path = g_strjoinv ("/", &parts[2]) };
  return true;
}

char *
vend_repository_name_text (const VendRepositoryName *name)
{
  return g_strconcat (name->owner, "/", name->name, *name->path != '\0' ? "/" : "", name->path,
                      NULL);
}

/* ---- Paths */

void
vend_registry_path_clear (VendRegistryPath *path)
{
  vend_repository_name_clear (&path->repository);
  g_free (path->reference);
  *path = (VendRegistryPath){ 0 };
}

/* The kind of the path and the number of segments behind its name; 0: there is no such thing. Read
 * from the end, since a name may have any of these words. */
static guint
kind_of (char **segments, guint n, VendRegistryKind *out)
{
  const char *last = n > 0 ? segments[n - 1] : "";
  const char *second = n > 1 ? segments[n - 2] : "";
  const char *third = n > 2 ? segments[n - 3] : "";
  guint behind = 2;
  if (strcmp (third, "blobs") == 0 && strcmp (second, "uploads") == 0)
    {
      *out = *last != '\0' ? VEND_REGISTRY_UPLOAD : VEND_REGISTRY_UPLOADS;
      behind = 3;
    }
  else if (strcmp (second, "blobs") == 0 && strcmp (last, "uploads") == 0)
    *out = VEND_REGISTRY_UPLOADS;
  else if (strcmp (second, "blobs") == 0)
    *out = VEND_REGISTRY_BLOB;
  else if (strcmp (second, "manifests") == 0)
    *out = VEND_REGISTRY_MANIFEST;
  else if (strcmp (second, "referrers") == 0)
    *out = VEND_REGISTRY_REFERRERS;
  else if (strcmp (second, "tags") == 0 && strcmp (last, "list") == 0)
    *out = VEND_REGISTRY_TAGS;
  else
    behind = 0;
  return behind;
}

static bool
is_upload_id (const char *text)
{
  return strlen (text) == VEND_ID_LENGTH && strspn (text, LOWER) == VEND_ID_LENGTH;
}

static bool
check_reference (VendRegistryPath *path, VendOciCode *out_code, GError **error)
{
  const char *reference = path->reference;
  switch (path->kind)
    {
    case VEND_REGISTRY_UPLOAD:
      *out_code = VEND_OCI_BLOB_UPLOAD_UNKNOWN;
      return is_upload_id (reference)
             || vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no upload '%.100s'", reference);
    case VEND_REGISTRY_MANIFEST:
      path->is_digest = strchr (reference, ':') != NULL;
      if (path->is_digest)
        break;
      *out_code = VEND_OCI_MANIFEST_INVALID;
      return vend_tag_is_valid (reference)
             || vend_fail (error, VEND_ERROR_INVALID,
                           "'%.150s' is no tag; expected at most %d letters, digits, '_', '.' or "
                           "'-'",
                           reference, MAX_TAG);
    case VEND_REGISTRY_BLOB:
    case VEND_REGISTRY_REFERRERS:
      break;
    case VEND_REGISTRY_UPLOADS:
    case VEND_REGISTRY_TAGS:
    default:
      return true;
    }
  *out_code = VEND_OCI_DIGEST_INVALID;
  return vend_digest_check (reference, error);
}

bool
vend_registry_path_parse (const char *text, VendRegistryPath *out, VendOciCode *out_code,
                          GError **error)
{
  g_auto (VendRegistryPath) path = { 0 };
  g_auto (GStrv) segments = g_strsplit (text, "/", -1);
  const guint n = g_strv_length (segments);
  const guint behind = kind_of (segments, n, &path.kind);
  if (behind == 0)
    {
      *out_code = VEND_OCI_NAME_UNKNOWN;
      return vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no such path in a registry");
    }
  const bool has_reference = path.kind != VEND_REGISTRY_UPLOADS && path.kind != VEND_REGISTRY_TAGS;
  path.reference = g_strdup (has_reference ? segments[n - 1] : "");
  g_free (segments[n - behind]);
  segments[n - behind] = NULL;
  g_autofree char *name = g_strjoinv ("/", segments);
  for (guint i = n - behind + 1; i < n; i++)
    g_free (segments[i]);
  *out_code = VEND_OCI_NAME_INVALID;
  if (!vend_repository_name_parse (name, &path.repository, error)
      || !check_reference (&path, out_code, error))
    return false;
  *out = path;
  path = (VendRegistryPath){ 0 };
  return true;
}

/* ---- Pieces */

bool
vend_upload_range_parse (const char *text, uint64_t *out_first, uint64_t *out_size, GError **error)
{
  const char *dash = strchr (text, '-');
  guint64 first = 0, last = 0;
  g_autofree char *before = dash != NULL ? g_strndup (text, (gsize) (dash - text)) : NULL;
  if (before == NULL || !g_ascii_isdigit (text[0]) || !g_ascii_isdigit (dash[1])
      || !g_ascii_string_to_unsigned (before, 10, 0, G_MAXINT64 - 1, &first, NULL)
      || !g_ascii_string_to_unsigned (dash + 1, 10, 0, G_MAXINT64 - 1, &last, NULL) || last < first)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "Content-Range: expected FIRST-LAST, as in 0-1023, got '%.60s'", text);
  *out_first = first;
  *out_size = last - first + 1;
  return true;
}
