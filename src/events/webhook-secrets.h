/* Signing keys of accounts, made on first use. Any thread but the core thread; blocks on the
 * store. */
#pragma once
#include <stdint.h>

#include "model/webhook.h"
#include "store/store.h"

/* The keys in use, the newest first; at least one. Of VendWebhookSecret. */
bool vend_webhook_secrets_get (VendStore *store, int64_t account_id, int64_t now_us,
                               GPtrArray **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes a new key; the previous key signs too for VEND_WEBHOOK_OVERLAP_US. */
bool vend_webhook_secrets_rotate (VendStore *store, int64_t account_id, int64_t now_us, char **out,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
