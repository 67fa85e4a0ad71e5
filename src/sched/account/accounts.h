/* Predictions in flight of each account. Core thread. */
#pragma once
#include "sched/core.h"

GHashTable *vend_sched_accounts_new (void);
void vend_account_opened (VendSched *sched, int64_t id);
void vend_account_closed (VendSched *sched, int64_t id);
void vend_account_began (VendSched *sched, int64_t id);
void vend_account_ended (VendSched *sched, int64_t id);
/* A VendQueueRoom; `sched` is its data. */
guint vend_account_room (int64_t id, const void *sched);
bool vend_account_may_queue (const VendSched *sched, int64_t id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Totals over all accounts, for vend_sched_describe. */
json_t *vend_accounts_describe (const VendSched *sched);
