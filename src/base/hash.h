/* SHA-256 as lower-case hex, and HMAC with it. Any thread; the file form blocks on disk. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_SHA256_HEX_LENGTH 64

/* Lower case. Free with g_free. */
char *vend_hex (const guint8 *bytes, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/* Free with g_free. */
char *vend_sha256_hex (const void *data, gsize size) G_GNUC_WARN_UNUSED_RESULT;
char *vend_sha256_text (const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* True for 64 characters of [0-9a-f]. */
bool vend_is_sha256_hex (const char *text);

/* SHA-256 of a whole file. Free with g_free. */
bool vend_sha256_file (const char *path, char **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

#define VEND_HMAC_SIZE 32

/* HMAC-SHA256 of `head` followed by `size` bytes of `data`. */
void vend_hmac_sha256 (const void *key, gsize key_size, const char *head, const void *data,
                       gsize size, guint8 out[VEND_HMAC_SIZE]);
