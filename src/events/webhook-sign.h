/* Signatures of webhooks, as Standard Webhooks has them. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* "v1,<base64>" over "<id>.<timestamp>.<body>". INVALID when `secret` is none. Free with g_free. */
bool vend_webhook_sign (const char *secret, const char *id, int64_t timestamp_s, const char *body,
                        gsize size, char **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the list of signatures in a header has the one that `secret` makes. */
bool vend_webhook_verify (const char *secret, const char *id, int64_t timestamp_s, const char *body,
                          gsize size, const char *signatures);
