/* Metered usage on its way to the disk and into sums. Core thread. The ledger outlives the
 * scheduler until the store has finished its writes. */
#include "sched/account/ledger.h"
#include "base/clock.h"
#include "sched/account/budgets.h"

typedef struct
{
  VendStoreJob job;
  VendStoreDone done;
  void *data;
} FailedWrite;

struct Ledger
{
  VendStore *store;
  Budgets *budgets;
  GArray *failed; /* of FailedWrite */
  bool is_closed; /* failed writes are not retried any more */
};

static void
ledger_clear (void *data)
{
  Ledger *ledger = data;
  g_array_unref (ledger->failed);
  vend_budgets_free (ledger->budgets);
}

Ledger *
vend_ledger_new (VendStore *store)
{
  Ledger *ledger = g_rc_box_new0 (Ledger);
  ledger->store = store;
  ledger->budgets = vend_budgets_new (store);
  ledger->failed = g_array_new (FALSE, FALSE, sizeof (FailedWrite));
  return ledger;
}

Ledger *
vend_ledger_ref (Ledger *ledger)
{
  return g_rc_box_acquire (ledger);
}

void
vend_ledger_unref (Ledger *ledger)
{
  g_rc_box_release_full (ledger, ledger_clear);
}

void
vend_ledger_close (Ledger *ledger)
{
  ledger->is_closed = true;
  /* Failed writes go to the store once more, and hold the ledger until then. */
  vend_ledger_tick (ledger);
}

bool
vend_ledger_retry (Ledger *ledger, VendStoreJob job, VendStoreDone done, void *data)
{
  const FailedWrite write = { job, done, data };
  if (ledger->is_closed)
    return false;
  g_array_append_val (ledger->failed, write);
  return true;
}

bool
vend_ledger_is_behind (const Ledger *ledger)
{
  return ledger->failed->len > 0;
}

void
vend_ledger_tick (Ledger *ledger)
{
  g_autoptr (GArray) failed = g_steal_pointer (&ledger->failed);
  ledger->failed = g_array_new (FALSE, FALSE, sizeof (FailedWrite));
  for (guint i = 0; i < failed->len; i++)
    {
      const FailedWrite *write = &g_array_index (failed, FailedWrite, i);
      vend_store_write (ledger->store, write->job, write->done, write->data);
    }
}

Budgets *
vend_ledger_get_budgets (Ledger *ledger)
{
  return ledger->budgets;
}

void
vend_ledger_charge (Ledger *ledger, int64_t account_id, int64_t at_us, int64_t price,
                    int64_t time_us)
{
  /* The store is closing, and a start reads all sums again. */
  if (ledger->is_closed)
    return;
  vend_budgets_charge (ledger->budgets, account_id, at_us, price, time_us);
}
