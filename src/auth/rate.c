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

bool
vend_rate_take (VendRate *rate, VendRateKind kind, int64_t account_id, const char *token_id,
                int64_t now_us, VendRateState *out)
{
  const guint limit = rate->per_minute[kind];
  *out = (VendRateState){ .remaining = G_MAXUINT };
  if (limit == 0)
    return true;

  const int64_t step_us = MAX (MINUTE_US / limit, 1);
  const int64_t span_us = step_us * limit;
  pthread_mutex_lock (&rate->lock);
  int64_t *token = &budget_of_token (rate, token_id, now_us)->whole_us[kind];
  /* Callers without an account share nothing with each other. */
  int64_t *account
      = account_id != 0 ? &budget_of_account (rate, account_id, now_us)->whole_us[kind] : token;
  const int64_t after_us = MAX (MAX (*token, *account), now_us) + step_us;
  const bool fits = after_us - now_us <= span_us;
  if (fits)
    {
      *token = MAX (*token, now_us) + step_us;
      if (account != token)
        *account = MAX (*account, now_us) + step_us;
    }
  pthread_mutex_unlock (&rate->lock);

  const int64_t used_us = fits ? after_us - now_us : after_us - step_us - now_us;
  out->remaining = (guint) ((span_us - used_us) / step_us);
  out->reset_us = used_us;
  out->retry_us = fits ? 0 : after_us - now_us - span_us;
  return fits;
}
