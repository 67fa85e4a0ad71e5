/* Idempotency keys: a create that is sent again returns the first prediction. */
#include "model/idempotency-key.h"
#include "base/error.h"
#include "base/hash.h"
#include <string.h>

/* No key of a caller begins with this character. */
#define DERIVED_PREFIX "\x01"

VendIdempotencyKey *
vend_idempotency_key_copy (const VendIdempotencyKey *key)
{
  VendIdempotencyKey *copy = g_memdup2 (key, sizeof *key);
  copy->text = g_strdup (key->text);
  copy->digest = g_strdup (key->digest);
  return copy;
}

void
vend_idempotency_key_free (VendIdempotencyKey *key)
{
  if (key == NULL)
    return;
  g_free (key->text);
  g_free (key->digest);
  g_free (key);
}

int64_t
vend_idempotency_key_life_us (const VendIdempotencyKey *key)
{
  return key->is_derived ? VEND_RESEND_KEY_LIFE_US : VEND_IDEMPOTENCY_KEY_LIFE_US;
}

static char *
digest_of (const char *path, const char *request, gsize request_size)
{
  g_autoptr (GString) all = g_string_new (path);
  g_string_append_c (all, '\n');
  g_string_append_len (all, request, (gssize) request_size);
  return vend_sha256_hex (all->str, all->len);
}

static bool
is_visible (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if ((guchar) *c < 0x20 || (guchar) *c == 0x7f)
      return false;
  return true;
}

bool
vend_idempotency_key_read (const char *idempotency_key, const char *retry_count,
                           const char *token_id, const char *path, const char *request,
                           gsize request_size, VendIdempotencyKey **out, GError **error)
{
  uint64_t count = 0;
  if (idempotency_key != NULL
      && (*idempotency_key == '\0' || strlen (idempotency_key) > VEND_IDEMPOTENCY_KEY_MAX
          || !is_visible (idempotency_key)))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "Idempotency-Key: expected 1 to %d visible characters",
                      VEND_IDEMPOTENCY_KEY_MAX);
  if (idempotency_key == NULL
      && (retry_count == NULL
          || !g_ascii_string_to_unsigned (retry_count, 10, 0, G_MAXUINT32, &count, NULL)))
    {
      *out = NULL;
      return true;
    }

  VendIdempotencyKey *key = g_new0 (VendIdempotencyKey, 1);
  key->digest = digest_of (path, request, request_size);
  key->text = idempotency_key != NULL
                  ? g_strdup (idempotency_key)
                  : g_strconcat (DERIVED_PREFIX, token_id, " ", key->digest, NULL);
  key->is_derived = idempotency_key == NULL;
  key->renews = key->is_derived && count == 0;
  *out = key;
  return true;
}
