/* Signatures of webhooks, by Standard Webhooks. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* "v1,<base64>" over "<id>.<timestamp>.<body>". INVALID when `secret` is malformed. Free with
 * g_free. */
bool vend_webhook_sign (const char *secret, const char *id, int64_t timestamp_s, const char *body,
                        gsize size, char **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the signatures in a header contain the signature by `secret`. */
bool vend_webhook_verify (const char *secret, const char *id, int64_t timestamp_s, const char *body,
                          gsize size, const char *signatures);
