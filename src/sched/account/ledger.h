/* Metered usage on its way to the disk and into sums. Core thread. */
#pragma once
#include "sched/account/budgets.h"
#include "sched/core.h"

Ledger *vend_ledger_new (VendStore *store);
Ledger *vend_ledger_ref (Ledger *ledger);
void vend_ledger_unref (Ledger *ledger);
Budgets *vend_ledger_get_budgets (Ledger *ledger);
/* Called when the scheduler is freed. */
void vend_ledger_close (Ledger *ledger);
/* Keeps a failed write for a retry at the next tick; false: the ledger is closed. */
bool vend_ledger_retry (Ledger *ledger, VendStoreJob job, VendStoreDone done, void *data);
/* Whether failed writes wait for the next tick. */
bool vend_ledger_is_behind (const Ledger *ledger);
void vend_ledger_tick (Ledger *ledger);
/* Adds time at this price, billed to the account and on disk. */
void vend_ledger_charge (Ledger *ledger, int64_t account_id, int64_t at_us, int64_t price,
                         int64_t time_us);
