/* Predictions in flight of each account, and the room that its limits leave. Core thread. */
#include "sched/account/accounts.h"
#include "base/count.h"
#include "base/error.h"
#include "sched/core.h"

typedef struct
{
  int64_t id;
  guint open; /* predictions that have not ended */
  guint running;
} Account;

GHashTable *
vend_sched_accounts_new (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
}

/* Never NULL between the first count and the last. */
static Account *
account_of (VendSched *sched, int64_t id)
{
  Account *account = g_hash_table_lookup (sched->accounts, &id);
  if (account != NULL)
    return account;
  account = g_new0 (Account, 1);
  account->id = id;
  g_hash_table_insert (sched->accounts, &account->id, account);
  return account;
}

void
vend_account_opened (VendSched *sched, int64_t id)
{
  account_of (sched, id)->open++;
}

void
vend_account_closed (VendSched *sched, int64_t id)
{
  Account *account = account_of (sched, id);
  if (--account->open == 0)
    g_hash_table_remove (sched->accounts, &id);
}

void
vend_account_began (VendSched *sched, int64_t id)
{
  account_of (sched, id)->running++;
}

guint
vend_account_room (int64_t id, const void *data)
{
  const VendSched *sched = data;
  const guint limit = sched->limits.account_max_running;
  const Account *account = g_hash_table_lookup (sched->accounts, &id);
  if (limit == 0)
    return G_MAXUINT;
  return account == NULL ? limit : limit - MIN (account->running, limit);
}

void
vend_account_ended (VendSched *sched, int64_t id)
{
  /* Runs of the account in other queues may begin now. */
  if (vend_account_room (id, sched) == 0)
    sched->has_freed_account = true;
  account_of (sched, id)->running--;
}

bool
vend_account_may_queue (const VendSched *sched, int64_t id, GError **error)
{
  const guint limit = sched->limits.account_max_queued;
  const Account *account = g_hash_table_lookup (sched->accounts, &id);
  if (account == NULL || account->open - account->running < limit)
    return true;
  const guint n = account->open - account->running;
  g_autofree char *waiting = vend_count_text (n, "prediction", "predictions");
  return vend_fail (error, VEND_ERROR_RATE_LIMITED,
                    "%s of this account %s already, which is the limit "
                    "(account-max-queued); try again when %s begun",
                    waiting, n == 1 ? "waits" : "wait", n == 1 ? "it has" : "some of them have");
}

json_t *
vend_accounts_describe (const VendSched *sched)
{
  guint open = 0, running = 0;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->accounts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      open += ((const Account *) value)->open;
      running += ((const Account *) value)->running;
    }
  return json_pack ("{s:i, s:i}", "open", (int) open, "running", (int) running);
}
