/* How many requests a token and an account may make. Budgets are for a minute and fill up
 * continuously; a whole one may be spent at once. Kept in memory: a restart fills them. Any thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef enum
{
  VEND_RATE_OTHER,
  VEND_RATE_CREATE, /* creates of predictions and trainings */
  VEND_RATE_POLL,   /* GET of one of them, which clients poll */
  VEND_RATE_N_KINDS,
} VendRateKind;

typedef struct VendRate VendRate;

/* Requests a minute, by kind; 0 = no limit. */
VendRate *vend_rate_new (const guint per_minute[VEND_RATE_N_KINDS]);
void vend_rate_free (VendRate *rate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRate, vend_rate_free)

typedef struct
{
  guint remaining;  /* of the narrower budget; G_MAXUINT without a limit */
  int64_t reset_us; /* until that one is whole again */
  int64_t retry_us; /* until one more request fits; 0 when this one did */
} VendRateState;

/* Takes one request from the budgets of the token and of its account, or from neither: false. */
bool vend_rate_take (VendRate *rate, VendRateKind kind, int64_t account_id, const char *token_id,
                     int64_t now_us, VendRateState *out);
/* Takes `n` more requests, which were admitted with one: the budgets may be overdrawn, and the next
 * request waits until they are not. */
void vend_rate_charge (VendRate *rate, VendRateKind kind, int64_t account_id, const char *token_id,
                       int64_t now_us, guint n);
