/* Names of files made safe; types and extensions. Pure. */
#include "files/file-name.h"
#include <string.h>

#define EXTENSION_MAX 16

static const struct
{
  const char *type;
  const char *extension;
} types[] = {
  { "image/png", ".png" },         { "image/jpeg", ".jpg" },
  { "image/jpeg", ".jpeg" },       { "image/webp", ".webp" },
  { "image/gif", ".gif" },         { "image/svg+xml", ".svg" },
  { "image/bmp", ".bmp" },         { "image/tiff", ".tiff" },
  { "image/avif", ".avif" },       { "audio/wav", ".wav" },
  { "audio/x-wav", ".wav" },       { "audio/mpeg", ".mp3" },
  { "audio/flac", ".flac" },       { "audio/x-flac", ".flac" },
  { "audio/ogg", ".ogg" },         { "video/mp4", ".mp4" },
  { "video/webm", ".webm" },       { "video/quicktime", ".mov" },
  { "video/x-msvideo", ".avi" },   { "text/plain", ".txt" },
  { "text/html", ".html" },        { "text/csv", ".csv" },
  { "text/markdown", ".md" },      { "application/json", ".json" },
  { "application/pdf", ".pdf" },   { "application/zip", ".zip" },
  { "application/gzip", ".gz" },   { "application/x-tar", ".tar" },
  { "model/gltf-binary", ".glb" }, { "model/obj", ".obj" },
  { "application/x-npy", ".npy" }, { "application/octet-stream", ".bin" },
};

char *
vend_file_name_clean (const char *name)
{
  const char *slash = strrchr (name, '/');
  g_autofree char *valid = g_utf8_make_valid (slash != NULL ? slash + 1 : name, -1);
  g_autoptr (GString) clean = g_string_new (NULL);
  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c))
    if (!g_unichar_iscntrl (g_utf8_get_char (c)))
      g_string_append_len (clean, c, g_utf8_next_char (c) - c);

  if (clean->len > VEND_FILE_NAME_MAX)
    {
      const char *dot = strrchr (clean->str, '.');
      gsize tail = dot != NULL ? strlen (dot) : 0;
      g_autofree char *extension = g_strdup (tail <= EXTENSION_MAX && tail > 0 ? dot : "");
      gsize cut = VEND_FILE_NAME_MAX - strlen (extension);
      while (cut > 0 && ((guchar) clean->str[cut] & 0xc0) == 0x80)
        cut--;
      g_string_truncate (clean, cut);
      g_string_append (clean, extension);
    }
  if (clean->len == 0 || strcmp (clean->str, ".") == 0 || strcmp (clean->str, "..") == 0)
    return g_strdup ("file");
  return g_string_free (g_steal_pointer (&clean), FALSE);
}

const char *
vend_file_extension (const char *content_type)
{
  gsize length = strcspn (content_type, "; ");
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (strlen (types[i].type) == length
        && g_ascii_strncasecmp (types[i].type, content_type, length) == 0)
      return types[i].extension;
  return "";
}

const char *
vend_file_type (const char *name)
{
  const char *dot = strrchr (name, '.');
  for (gsize i = 0; dot != NULL && i < G_N_ELEMENTS (types); i++)
    if (g_ascii_strcasecmp (types[i].extension, dot) == 0)
      return types[i].type;
  return "application/octet-stream";
}
