/* Monthly budgets of accounts. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/budget.h"
#include "model/month.h"
#include "store/accounts.h"
#include "store/budgets.h"
#include "store/statements.h"
#include <string.h>

static json_t *
to_json (const char *account, const VendBudget *budget, VendAmount spent, int64_t month_us)
{
  json_t *object = json_object ();
  g_autofree char *month = vend_month_text (month_us);
  vend_json_set_string (object, "account", account);
  vend_json_set_string (object, "month", month);
  json_auto_t *amounts = vend_budget_to_json (budget, spent);
  json_object_update (object, amounts);
  return object;
}

/* The account in the path; a caller without the scope admin finds the own account alone. */
static bool
find_account (VendDb *db, VendCall *call, const VendCaller *caller, VendAccount **out,
              GError **error)
{
  const char *name = vend_call_param (call, "username");
  if (strcmp (name, caller->account->username) != 0
      && !vend_scopes_allow (caller->scopes, VEND_SCOPE_ADMIN))
    return vend_api_not_found (error);
  return vend_store_account_by_username (db, name, out, error);
}

static bool
get_budget (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendAccount) account = NULL;
  g_autoptr (VendStatement) statement = vend_statement_new (api->parts.prices);
  const int64_t month_us = vend_month_begin (vend_now_us ());
  VendBudget budget = { 0 };
  VendAmount spent = 0;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!find_account (reader.db, call, caller, &account, error)
      || !vend_store_budget_get (reader.db, account->id, &budget, error)
      || !vend_store_statement_add (reader.db, account->id, month_us, vend_month_end (month_us),
                                    statement, error))
    return false;
  (void) vend_statement_amount (statement, &spent);
  *out = vend_reply_json (200, to_json (account->username, &budget, spent, month_us));
  return true;
}

/* On the core thread: the budget is stored. */
static void
set (const VendBudget *budget, VendAmount spent, const GError *error, void *data)
{
  VendCall *call = data;
  const VendAccount *account = vend_call_get_data (call);
  vend_call_reply (
      call, error != NULL ? vend_reply_error (error)
                          : vend_reply_json (200, to_json (account->username, budget, spent,
                                                           vend_month_begin (budget->changed_us))));
}

static void
free_account (void *data)
{
  vend_account_free (data);
}

static bool
put_budget (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (VendAccount) account = NULL;
  VendBudget budget = { .changed_us = vend_now_us () };
  if (!vend_api_object (call, &body, error) || !vend_budget_read (body, &budget, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!find_account (reader.db, call, caller, &account, error))
      return false;
  }
  budget.account_id = account->id;
  vend_call_set_data (call, g_steal_pointer (&account), free_account);
  vend_sched_set_budget (api->parts.sched, &budget, set, call);
  return true;
}

const ApiRoute vend_api_budget_routes[] = {
  { "GET", "/v1/accounts/{username}/budget", VEND_SCOPE_READ, VEND_BODY_NONE, get_budget, NULL },
  { "PUT", "/v1/accounts/{username}/budget", VEND_SCOPE_ADMIN, VEND_BODY_BUFFER, put_budget, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
