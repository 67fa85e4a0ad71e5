/* Signing keys of accounts. Blocks on the store. */
#include "events/webhook-secrets.h"
#include "store/webhooks.h"

typedef struct
{
  int64_t account_id;
  int64_t now_us;
  const char *secret;
  bool only_first;
} Change;

static bool
put (VendDb *db, void *data, GError **error)
{
  const Change *change = data;
  g_autoptr (GPtrArray) there = NULL;
  if (!vend_store_webhook_secrets (db, change->account_id, change->now_us, &there, error))
    return false;
  /* Two callers may ask for the first key at the same time. */
  if (change->only_first && there->len > 0)
    return true;
  return vend_store_webhook_secret_put (db, change->account_id, change->secret, change->now_us,
                                        change->now_us + VEND_WEBHOOK_OVERLAP_US, error);
}

static bool
load (VendStore *store, int64_t account_id, int64_t now_us, GPtrArray **out, GError **error)
{
  g_auto (VendReader) reader = vend_reader (store);
  return vend_store_webhook_secrets (reader.db, account_id, now_us, out, error);
}

bool
vend_webhook_secrets_get (VendStore *store, int64_t account_id, int64_t now_us, GPtrArray **out,
                          GError **error)
{
  g_autoptr (GPtrArray) there = NULL;
  if (!load (store, account_id, now_us, &there, error))
    return false;
  if (there->len == 0)
    {
      g_autofree char *secret = vend_webhook_secret_new ();
      Change change = { account_id, now_us, secret, true };
      g_clear_pointer (&there, g_ptr_array_unref);
      if (!vend_store_write_wait (store, put, &change, error)
          || !load (store, account_id, now_us, &there, error))
        return false;
    }
  *out = g_steal_pointer (&there);
  return true;
}

bool
vend_webhook_secrets_rotate (VendStore *store, int64_t account_id, int64_t now_us, char **out,
                             GError **error)
{
  g_autofree char *secret = vend_webhook_secret_new ();
  Change change = { account_id, now_us, secret, false };
  if (!vend_store_write_wait (store, put, &change, error))
    return false;
  *out = g_steal_pointer (&secret);
  return true;
}
