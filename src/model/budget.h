/* The budget of an account in a calendar month, UTC. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "model/usage.h"

#define VEND_NO_LIMIT (~(VendAmount) 0)

typedef struct
{
  int64_t account_id;
  VendAmount soft;   /* the amount that gives a warning; VEND_NO_LIMIT: none */
  VendAmount hard;   /* the amount after which nothing more begins; VEND_NO_LIMIT: none */
  int64_t warned_us; /* beginning of the month of the last warning; 0 = never */
  int64_t changed_us;
} VendBudget;

typedef enum
{
  VEND_BUDGET_LEFT,
  VEND_BUDGET_SOFT, /* the soft amount is reached */
  VEND_BUDGET_HARD, /* the hard amount is reached */
} VendBudgetState;

/* Reads "soft" and "hard" of a body: decimal texts, or null. INVALID names the field. */
bool vend_budget_read (const json_t *body, VendBudget *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

VendBudgetState vend_budget_state (const VendBudget *budget, VendAmount spent);

/* {"soft", "hard", "spent", "reached"}: texts or null; `reached` is "soft" or "hard". */
json_t *vend_budget_to_json (const VendBudget *budget, VendAmount spent);

/* The text of a limit; NULL when there is none. Free with g_free. */
char *vend_limit_text (VendAmount limit) G_GNUC_WARN_UNUSED_RESULT;
