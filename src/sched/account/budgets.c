/* Spending in this month of accounts with a budget: limits and the warning. Core thread. Sums are
 * read from the rows once, at the start or when a budget is set, and grow with each commit. */
#include "sched/account/budgets.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "model/month.h"
#include "sched/core.h"
#include "store/budgets.h"
#include "store/statements.h"

typedef struct
{
  VendBudget limits;
  int64_t month_us;
  int64_t month_end_us;
  VendAmount spent; /* in the month of `month_us` */
} Budget;

struct Budgets
{
  VendStore *store;
  GHashTable *accounts; /* id → Budget */
};

Budgets *
vend_budgets_new (VendStore *store)
{
  Budgets *budgets = g_new0 (Budgets, 1);
  budgets->store = store;
  budgets->accounts = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  return budgets;
}

void
vend_budgets_free (Budgets *budgets)
{
  g_hash_table_unref (budgets->accounts);
  g_free (budgets);
}

/* ---- The warning */

typedef struct
{
  int64_t account_id;
  int64_t month_us;
} Warning;

static bool
store_warning (VendDb *db, void *data, GError **error)
{
  const Warning *warning = data;
  return vend_store_budget_warned (db, warning->account_id, warning->month_us, error);
}

static void
warning_stored (const GError *error, void *data)
{
  if (error != NULL)
    vend_log (VEND_LOG_WARN, "cannot store that a budget was warned of", "error", error->message,
              NULL);
  g_free (data);
}

static void
log_reached (const Budget *budget, const char *message, VendAmount limit)
{
  g_autofree char *account = g_strdup_printf ("%" G_GINT64_FORMAT, budget->limits.account_id);
  g_autofree char *spent = vend_amount_text (budget->spent);
  g_autofree char *text = vend_amount_text (limit);
  g_autofree char *month = vend_month_text (budget->month_us);
  vend_log (VEND_LOG_WARN, message, "account", account, "month", month, "spent", spent, "budget",
            text, NULL);
}

/* Once a month, also across restarts. */
static void
warn (Budgets *budgets, Budget *budget)
{
  if (budget->spent < budget->limits.soft || budget->limits.warned_us >= budget->month_us)
    return;
  log_reached (budget, "an account has reached its soft budget", budget->limits.soft);
  budget->limits.warned_us = budget->month_us;
  Warning *warning = g_new0 (Warning, 1);
  *warning = (Warning){ budget->limits.account_id, budget->month_us };
  vend_store_write (budgets->store, store_warning, warning_stored, warning);
}

/* ---- Spending */

static void
turn_month (Budget *budget, int64_t at_us)
{
  if (at_us < budget->month_end_us)
    return;
  budget->month_us = vend_month_begin (at_us);
  budget->month_end_us = vend_month_end (at_us);
  budget->spent = 0;
}

void
vend_budgets_charge (Budgets *budgets, int64_t account_id, int64_t at_us, int64_t price,
                     int64_t time_us)
{
  Budget *budget = g_hash_table_lookup (budgets->accounts, &account_id);
  if (budget == NULL || price == VEND_NO_PRICE)
    return;
  turn_month (budget, at_us);
  /* Usage of an earlier month, stored late. */
  if (at_us < budget->month_us)
    return;
  const bool was_left = budget->spent < budget->limits.hard;
  budget->spent += vend_amount_of (price, time_us);
  warn (budgets, budget);
  if (was_left && budget->spent >= budget->limits.hard)
    log_reached (budget, "an account has spent its budget", budget->limits.hard);
}

bool
vend_budgets_are_spent (const Budgets *budgets, int64_t account_id, int64_t now_us)
{
  Budget *budget = g_hash_table_lookup (budgets->accounts, &account_id);
  if (budget == NULL)
    return false;
  turn_month (budget, now_us);
  return budget->spent >= budget->limits.hard;
}

bool
vend_budgets_allow (const Budgets *budgets, int64_t account_id, int64_t now_us, GError **error)
{
  if (!vend_budgets_are_spent (budgets, account_id, now_us))
    return true;
  const Budget *budget = g_hash_table_lookup (budgets->accounts, &account_id);
  g_autofree char *hard = vend_amount_text (budget->limits.hard);
  g_autofree char *spent = vend_amount_text (budget->spent);
  g_autofree char *month = vend_month_text (budget->month_us);
  g_autofree char *next = vend_month_text (budget->month_end_us);
  return vend_fail (error, VEND_ERROR_PAYMENT,
                    "The budget of this account for %s is spent (%s of %s). Nothing new is begun "
                    "before %s-01, unless an administrator raises it.",
                    month, spent, hard, next);
}

json_t *
vend_budgets_describe (const Budgets *budgets)
{
  json_t *list = json_array ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, budgets->accounts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Budget *budget = value;
      json_t *object = vend_budget_to_json (&budget->limits, budget->spent);
      vend_json_set_int (object, "account_id", budget->limits.account_id);
      json_array_append_new (list, object);
    }
  return list;
}

/* ---- Sums from the rows */

static bool
sum_month (VendDb *db, const VendPrices *prices, Budget *budget, GError **error)
{
  g_autoptr (VendStatement) statement = vend_statement_new (prices);
  if (!vend_store_statement_add (db, budget->limits.account_id, budget->month_us,
                                 budget->month_end_us, statement, error))
    return false;
  (void) vend_statement_amount (statement, &budget->spent);
  return true;
}

static void
keep (Budgets *budgets, const Budget *budget)
{
  Budget *kept = g_new0 (Budget, 1);
  *kept = *budget;
  g_hash_table_replace (budgets->accounts, &kept->limits.account_id, kept);
  warn (budgets, kept);
}

bool
vend_budgets_recover (Budgets *budgets, const VendPrices *prices, int64_t now_us, GError **error)
{
  g_autoptr (GPtrArray) all = NULL;
  g_auto (VendReader) reader = vend_reader (budgets->store);
  if (!vend_store_budget_all (reader.db, &all, error))
    return false;
  for (guint i = 0; i < all->len; i++)
    {
      Budget budget = { .limits = *(const VendBudget *) g_ptr_array_index (all, i) };
      turn_month (&budget, now_us);
      if (!sum_month (reader.db, prices, &budget, error))
        return false;
      keep (budgets, &budget);
    }
  return true;
}

/* ---- Setting a budget */

typedef struct
{
  VendSched *sched;
  Budget budget;
  VendSchedBudgeted notify;
  void *data;
} Setting;

/* Budget and sum are of the same moment in the order of writes, and are applied in that order on
 * the core thread: no charge is missing in the sum, and none is added twice. */
static bool
store_budget (VendDb *db, void *data, GError **error)
{
  Setting *setting = data;
  return vend_store_budget_put (db, &setting->budget.limits, error)
         && sum_month (db, setting->sched->prices, &setting->budget, error);
}

static void
budget_stored (const GError *error, void *data)
{
  g_autofree Setting *setting = data;
  VendSched *sched = setting->sched;
  const VendBudget *limits = &setting->budget.limits;
  if (error == NULL && limits->soft == VEND_NO_LIMIT && limits->hard == VEND_NO_LIMIT)
    g_hash_table_remove (sched->budgets->accounts, &limits->account_id);
  else if (error == NULL)
    keep (sched->budgets, &setting->budget);
  sched->n_disk_jobs--;
  setting->notify (limits, setting->budget.spent, error, setting->data);
  vend_sched_reconcile_soon (sched);
}

static void
set_on_core (void *data)
{
  Setting *setting = data;
  setting->sched->n_disk_jobs++;
  turn_month (&setting->budget, vend_now_us ());
  vend_store_write (setting->sched->store, store_budget, budget_stored, setting);
}

void
vend_sched_set_budget (VendSched *sched, const VendBudget *budget, VendSchedBudgeted notify,
                       void *data)
{
  Setting *setting = g_new0 (Setting, 1);
  *setting = (Setting){
    .sched = sched, .budget = { .limits = *budget }, .notify = notify, .data = data
  };
  vend_inbox_post (sched->inbox, set_on_core, setting);
}
