/* Names of files as models and users give them, made safe; types and extensions. Pure. */
#pragma once
#include <glib.h>

#define VEND_FILE_NAME_MAX 255

/* The last path segment without control characters, valid UTF-8, at most VEND_FILE_NAME_MAX bytes
 * with its extension kept, never empty, "." or "..". Free with g_free. */
char *vend_file_name_clean (const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* ".png" for "image/png", whatever parameters follow; "" when unknown. */
const char *vend_file_extension (const char *content_type);
/* "image/png" for "a.png"; "application/octet-stream" when unknown. */
const char *vend_file_type (const char *name);
