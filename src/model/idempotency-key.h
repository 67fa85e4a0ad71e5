/* Idempotency keys: a create that is sent again returns the first prediction. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct
{
  char *text;      /* the caller's own, or derived from the request */
  char *digest;    /* SHA-256 of the request */
  bool is_derived; /* derived from the request, not the caller's own */
  bool renews;     /* a first send: replaces an earlier prediction of this key */
} VendIdempotencyKey;

VendIdempotencyKey *vend_idempotency_key_copy (const VendIdempotencyKey *key)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_idempotency_key_free (VendIdempotencyKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendIdempotencyKey, vend_idempotency_key_free)

/* The lifetime of a key of the caller, and of one derived from a request. */
#define VEND_IDEMPOTENCY_KEY_LIFE_US (24 * 3600 * G_GINT64_CONSTANT (1000000))
#define VEND_RESEND_KEY_LIFE_US (600 * G_GINT64_CONSTANT (1000000))
int64_t vend_idempotency_key_life_us (const VendIdempotencyKey *key);

#define VEND_IDEMPOTENCY_KEY_MAX 255

/* From the headers of a create: `Idempotency-Key`, else `X-Stainless-Retry-Count`, by which
 * generated clients mark a re-send; each NULL when absent. Equal requests have equal digests.
 * `*out` is NULL without either header; INVALID names the header. */
bool vend_idempotency_key_read (const char *idempotency_key, const char *retry_count,
                                const char *token_id, const char *path, const char *request,
                                gsize request_size, VendIdempotencyKey **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
