/* The budget of an account in a calendar month. */
#include "model/budget.h"
#include "base/error.h"

static bool
read_limit (const json_t *body, const char *key, VendAmount *out, GError **error)
{
  const json_t *value = json_object_get (body, key);
  VendAmount amount = VEND_NO_LIMIT;
  if (value != NULL && !json_is_null (value)
      && (!json_is_string (value) || !vend_amount_parse (json_string_value (value), &amount)))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "%s: expected an amount as a text, such as \"12.50\" with at most %d digits "
                      "before and %d after the point, or null",
                      key, VEND_AMOUNT_WHOLE_DIGITS, VEND_PRICE_DIGITS);
  *out = amount;
  return true;
}

bool
vend_budget_read (const json_t *body, VendBudget *out, GError **error)
{
  VendAmount soft = VEND_NO_LIMIT, hard = VEND_NO_LIMIT;
  if (!read_limit (body, "soft", &soft, error) || !read_limit (body, "hard", &hard, error))
    return false;
  if (soft != VEND_NO_LIMIT && soft > hard)
    return vend_fail (error, VEND_ERROR_INVALID, "soft: expected at most the hard amount");
  out->soft = soft;
  out->hard = hard;
  return true;
}

VendBudgetState
vend_budget_state (const VendBudget *budget, VendAmount spent)
{
  if (spent >= budget->hard)
    return VEND_BUDGET_HARD;
  return spent >= budget->soft ? VEND_BUDGET_SOFT : VEND_BUDGET_LEFT;
}

char *
vend_limit_text (VendAmount limit)
{
  return limit != VEND_NO_LIMIT ? vend_amount_text (limit) : NULL;
}

json_t *
vend_budget_to_json (const VendBudget *budget, VendAmount spent)
{
  static const char *const reached[]
      = { [VEND_BUDGET_LEFT] = NULL, [VEND_BUDGET_SOFT] = "soft", [VEND_BUDGET_HARD] = "hard" };
  json_t *object = json_object ();
  g_autofree char *soft = vend_limit_text (budget->soft);
  g_autofree char *hard = vend_limit_text (budget->hard);
  g_autofree char *so_far = vend_amount_text (spent);
  vend_json_set_string (object, "soft", soft);
  vend_json_set_string (object, "hard", hard);
  vend_json_set_string (object, "spent", so_far);
  vend_json_set_string (object, "reached", reached[vend_budget_state (budget, spent)]);
  return object;
}
