/* Store functions of budgets. Inside a transaction; outputs are the caller's. */
#pragma once
#include "model/budget.h"
#include "store/db.h"

/* Sets the limits of budget->account_id, or removes the budget without limits. Sets
 * budget->warned_us to its previous value. */
bool vend_store_budget_put (VendDb *db, VendBudget *budget, GError **error);
/* The warning of this month was given. */
bool vend_store_budget_warned (VendDb *db, int64_t account_id, int64_t month_us, GError **error);
/* A budget without limits when the account has none. */
bool vend_store_budget_get (VendDb *db, int64_t account_id, VendBudget *out, GError **error);
/* Of VendBudget. */
bool vend_store_budget_all (VendDb *db, GPtrArray **out, GError **error);
