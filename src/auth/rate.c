/* Budgets as one time each (GCRA): when the budget will be whole again. A request moves it on by a
 * minute divided by the limit, and fits while it is less than a minute away. */
#include "auth/rate.h"
#include "base/clock.h"
#include <pthread.h>

#define MINUTE_US (60 * VEND_US_PER_S)
/* Spenders that are remembered; those with whole budgets leave first. */
#define MAX_SPENDERS 20000

typedef struct
{
  int64_t whole_us[VEND_RATE_N_KINDS];
} Budget;

struct VendRate
{
  guint per_minute[VEND_RATE_N_KINDS];
  pthread_mutex_t lock;
  GHashTable *tokens;   /* id → Budget */
  GHashTable *accounts; /* id → Budget */
};

VendRate *
vend_rate_new (const guint per_minute[VEND_RATE_N_KINDS])
{
  VendRate *rate = g_new0 (VendRate, 1);
  for (guint kind = 0; kind < VEND_RATE_N_KINDS; kind++)
    rate->per_minute[kind] = per_minute[kind];
  pthread_mutex_init (&rate->lock, NULL);
  rate->tokens = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  rate->accounts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  return rate;
}

void
vend_rate_free (VendRate *rate)
{
  if (rate == NULL)
    return;
  g_hash_table_unref (rate->tokens);
  g_hash_table_unref (rate->accounts);
  pthread_mutex_destroy (&rate->lock);
  g_free (rate);
}

static void
forget_whole (GHashTable *budgets, int64_t now_us)
{
  GHashTableIter iter;
  void *value;
  if (g_hash_table_size (budgets) < MAX_SPENDERS)
    return;
  g_hash_table_iter_init (&iter, budgets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Budget *budget = value;
      bool whole = true;
      for (guint kind = 0; kind < VEND_RATE_N_KINDS; kind++)
        whole = whole && budget->whole_us[kind] <= now_us;
      if (whole)
        g_hash_table_iter_remove (&iter);
    }
  if (g_hash_table_size (budgets) >= MAX_SPENDERS)
    g_hash_table_remove_all (budgets);
}

static Budget *
budget_of_token (VendRate *rate, const char *id, int64_t now_us)
{
  Budget *budget = g_hash_table_lookup (rate->tokens, id);
  if (budget != NULL)
    return budget;
  forget_whole (rate->tokens, now_us);
  budget = g_new0 (Budget, 1);
  g_hash_table_insert (rate->tokens, g_strdup (id), budget);
  return budget;
}

static Budget *
budget_of_account (VendRate *rate, int64_t id, int64_t now_us)
{
  Budget *budget = g_hash_table_lookup (rate->accounts, &id);
  if (budget != NULL)
    return budget;
  forget_whole (rate->accounts, now_us);
  budget = g_new0 (Budget, 1);
  g_hash_table_insert (rate->accounts, g_memdup2 (&id, sizeof id), budget);
  return budget;
}

/* Of one request, under the lock. Callers without an account share nothing with each other: both
 * are the same then. */
typedef struct
{
  int64_t *token;
  int64_t *account;
} Spent;

static Spent
spent_of (VendRate *rate, VendRateKind kind, int64_t account_id, const char *token_id,
          int64_t now_us)
{
  int64_t *token = &budget_of_token (rate, token_id, now_us)->whole_us[kind];
  return (Spent){ token, account_id != 0
                             ? &budget_of_account (rate, account_id, now_us)->whole_us[kind]
                             : token };
}

static void
spend (Spent spent, int64_t now_us, int64_t cost_us)
{
  *spent.token = MAX (*spent.token, now_us) + cost_us;
  if (spent.account != spent.token)
    *spent.account = MAX (*spent.account, now_us) + cost_us;
}

static int64_t
step_of (guint limit)
{
  return MAX (MINUTE_US / limit, 1);
}

void
vend_rate_charge (VendRate *rate, VendRateKind kind, int64_t account_id, const char *token_id,
                  int64_t now_us, guint n)
{
  const guint limit = rate->per_minute[kind];
  if (limit == 0)
    return;
  pthread_mutex_lock (&rate->lock);
  spend (spent_of (rate, kind, account_id, token_id, now_us), now_us, step_of (limit) * n);
  pthread_mutex_unlock (&rate->lock);
}

bool
vend_rate_take (VendRate *rate, VendRateKind kind, int64_t account_id, const char *token_id,
                int64_t now_us, VendRateState *out)
{
  const guint limit = rate->per_minute[kind];
  *out = (VendRateState){ .remaining = G_MAXUINT };
  if (limit == 0)
    return true;

  const int64_t step_us = step_of (limit);
  const int64_t span_us = step_us * limit;
  pthread_mutex_lock (&rate->lock);
  const Spent spent = spent_of (rate, kind, account_id, token_id, now_us);
  const int64_t after_us = MAX (MAX (*spent.token, *spent.account), now_us) + step_us;
  const bool fits = after_us - now_us <= span_us;
  if (fits)
    spend (spent, now_us, step_us);
  pthread_mutex_unlock (&rate->lock);

  const int64_t used_us = fits ? after_us - now_us : after_us - step_us - now_us;
  /* Overdrawn budgets have nothing left. */
  out->remaining = (guint) (MAX (span_us - used_us, 0) / step_us);
  out->reset_us = used_us;
  out->retry_us = fits ? 0 : after_us - now_us - span_us;
  return fits;
}
