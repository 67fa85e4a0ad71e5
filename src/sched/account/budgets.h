/* Spending in this month of accounts with a budget. Core thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "model/usage.h"
#include "store/store.h"

typedef struct Budgets Budgets;

Budgets *vend_budgets_new (VendStore *store);
void vend_budgets_free (Budgets *budgets);
/* At a start: reads this month's rows of all accounts with a budget; blocks. */
bool vend_budgets_recover (Budgets *budgets, const VendPrices *prices, int64_t now_us,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds time at this price, billed to the account and on disk. */
void vend_budgets_charge (Budgets *budgets, int64_t account_id, int64_t at_us, int64_t price,
                          int64_t time_us);
/* PAYMENT when the hard amount is reached. */
bool vend_budgets_allow (const Budgets *budgets, int64_t account_id, int64_t now_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_budgets_are_spent (const Budgets *budgets, int64_t account_id, int64_t now_us);
/* For vend_sched_describe. */
json_t *vend_budgets_describe (const Budgets *budgets);
