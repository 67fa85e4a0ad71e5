/* What a create is known by, so that a repeat returns the first prediction. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct
{
  char *text;   /* the caller's own, or made of the request */
  char *digest; /* SHA-256 of the request */
  bool is_made; /* of the request, not the caller's own */
  bool renews;  /* a first send: whatever had this key is forgotten */
} VendCreateKey;

VendCreateKey *vend_create_key_copy (const VendCreateKey *key) G_GNUC_WARN_UNUSED_RESULT;
void vend_create_key_free (VendCreateKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCreateKey, vend_create_key_free)

/* How long a key of the caller's counts, and one made of a request. */
#define VEND_CREATE_KEY_LIFE_US (24 * 3600 * G_GINT64_CONSTANT (1000000))
#define VEND_CREATE_RESEND_LIFE_US (600 * G_GINT64_CONSTANT (1000000))
int64_t vend_create_key_life_us (const VendCreateKey *key);

#define VEND_CREATE_KEY_MAX 255

/* From the headers of a create: `Idempotency-Key`, else `X-Stainless-Retry-Count`, by which the
 * generated clients tell a re-send from a first one; each NULL when absent. `request` is what must
 * be the same. `*out` is NULL without either; INVALID names the header. */
bool vend_create_key_read (const char *idempotency_key, const char *retry_count,
                           const char *token_id, const char *path, const char *request,
                           gsize request_size, VendCreateKey **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
