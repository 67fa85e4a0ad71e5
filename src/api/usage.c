/* Usage of accounts, and its cost. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/month.h"
#include "model/statement.h"
#include "store/budgets.h"
#include "store/statements.h"
#include "store/usage.h"
#include <string.h>

#define DAY_US (24 * 3600 * VEND_US_PER_S)
/* Every row of the time is read. */
#define MAX_DAYS 366
#define MAX_ROWS 10000
#define DATE_LENGTH 10
/* The time of instances is on disk after a minute; a request for later times waits for the write.
 */
#define NOT_STORED_US (2 * 60 * VEND_US_PER_S)
#define CSV "text/csv"

/* A date stands for its beginning, UTC. */
static bool
read_time (VendCall *call, const char *name, int64_t *out_us, GError **error)
{
  const char *text = vend_call_query (call, name);
  if (text == NULL || strlen (text) != DATE_LENGTH)
    return vend_api_query_time (call, name, out_us, error);
  g_autofree char *whole = g_strconcat (text, "T00:00:00Z", NULL);
  g_autoptr (GError) problem = NULL;
  return vend_time_parse (whole, out_us, &problem)
         || vend_fail (error, VEND_ERROR_BAD_REQUEST,
                       "%s: expected a date such as 2026-01-31, or a date and time", name);
}

static bool
read_group (VendCall *call, VendUsageGroup *out, GError **error)
{
  const char *text = vend_call_query (call, "group_by");
  if (text == NULL)
    return true;
  if (strcmp (text, "model") == 0)
    *out = VEND_USAGE_BY_MODEL;
  else if (strcmp (text, "day") == 0)
    *out = VEND_USAGE_BY_DAY;
  else
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "group_by: expected model or day");
  return true;
}

/* From the beginning of this month until now, unless the query names a time. */
static bool
read_period (VendCall *call, int64_t *out_from_us, int64_t *out_to_us, GError **error)
{
  const int64_t now_us = vend_now_us ();
  int64_t from_us = vend_month_begin (now_us), to_us = now_us;
  if (!read_time (call, "from", &from_us, error) || !read_time (call, "to", &to_us, error))
    return false;
  if (to_us < from_us)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "to: expected a time that is not before from");
  if (to_us - from_us > MAX_DAYS * DAY_US)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "from: expected at most %d days before to",
                      MAX_DAYS);
  *out_from_us = from_us;
  *out_to_us = to_us;
  return true;
}

static bool
get_usage (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendAccount) account = NULL;
  g_autoptr (GPtrArray) sums = NULL;
  VendUsageQuery query = { .group = VEND_USAGE_TOTAL, .limit = MAX_ROWS + 1 };
  if (!read_period (call, &query.from_us, &query.to_us, error)
      || !read_group (call, &query.group, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_query_account (reader.db, call, caller, "usage", &account, error))
      return false;
    query.account_id = account->id;
    if (!vend_store_usage_sum (reader.db, &query, &sums, error))
      return false;
  }
  if (sums->len > MAX_ROWS)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "group_by: more than %d rows; shorten the time between from and to",
                      MAX_ROWS);
  json_t *statement = json_object ();
  vend_json_set_string (statement, "account", account->username);
  vend_json_set_time (statement, "from", query.from_us);
  vend_json_set_time (statement, "to", query.to_us);
  json_auto_t *made = vend_usage_statement (sums, query.group, api->parts.prices);
  json_object_update (statement, made);
  *out = vend_reply_json (200, statement);
  return true;
}

/* ---- The statement */

/* A month, or any period. */
static bool
read_month (VendCall *call, int64_t *out_from_us, int64_t *out_to_us, bool *out_is_month,
            GError **error)
{
  const char *month = vend_call_query (call, "month");
  int64_t begin_us = vend_month_begin (vend_now_us ());
  *out_is_month
      = month != NULL
        || (vend_call_query (call, "from") == NULL && vend_call_query (call, "to") == NULL);
  if (!*out_is_month)
    return read_period (call, out_from_us, out_to_us, error);
  if (month != NULL
      && (vend_call_query (call, "from") != NULL || vend_call_query (call, "to") != NULL))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "month: cannot be combined with from and to");
  if (month != NULL && !vend_month_parse (month, &begin_us))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "month: expected a month such as 2026-11, got '%.50s'", month);
  *out_from_us = begin_us;
  *out_to_us = vend_month_end (begin_us);
  return true;
}

static bool
read_format (VendCall *call, bool *out_is_csv, GError **error)
{
  const char *format = vend_call_query (call, "format");
  const char *accept = vend_call_header (call, "Accept");
  *out_is_csv = format != NULL ? strcmp (format, "csv") == 0
                               : accept != NULL && strncmp (accept, CSV, strlen (CSV)) == 0;
  return format == NULL || *out_is_csv || strcmp (format, "json") == 0
         || vend_fail (error, VEND_ERROR_BAD_REQUEST, "format: expected json or csv");
}

static VendReply *
show_csv (VendStatement *statement, const VendAccount *account, int64_t from_us)
{
  g_autofree char *month = vend_month_text (from_us);
  g_autofree char *name
      = g_strdup_printf ("attachment; filename=\"%s-%s.csv\"", account->username, month);
  char *csv = vend_statement_to_csv (statement);
  VendReply *reply
      = vend_reply_take (200, CSV "; charset=utf-8; header=present", csv, strlen (csv));
  vend_reply_header (reply, "Content-Disposition", name);
  return reply;
}

static json_t *
show_budget (const VendBudget *budget, const VendStatement *statement)
{
  VendAmount spent = 0;
  if (budget->soft == VEND_NO_LIMIT && budget->hard == VEND_NO_LIMIT)
    return json_null ();
  (void) vend_statement_amount (statement, &spent);
  return vend_budget_to_json (budget, spent);
}

static bool
get_statement (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendAccount) account = NULL;
  g_autoptr (VendStatement) statement = vend_statement_new (api->parts.prices);
  int64_t from_us = 0, to_us = 0;
  bool is_month = false, is_csv = false;
  VendBudget budget = { 0 };
  if (!read_month (call, &from_us, &to_us, &is_month, error) || !read_format (call, &is_csv, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_api_query_account (reader.db, call, caller, "usage", &account, error))
      return false;
  }
  if (to_us > vend_now_us () - NOT_STORED_US)
    vend_sched_store_usage (api->parts.sched, account->id);
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_budget_get (reader.db, account->id, &budget, error)
        || !vend_store_statement_add (reader.db, account->id, from_us, to_us, statement, error))
      return false;
  }
  if (is_csv)
    {
      *out = show_csv (statement, account, from_us);
      return true;
    }
  json_t *shown = json_object ();
  g_autofree char *month = is_month ? vend_month_text (from_us) : NULL;
  vend_json_set_string (shown, "account", account->username);
  vend_json_set_string (shown, "month", month);
  vend_json_set_time (shown, "from", from_us);
  vend_json_set_time (shown, "to", to_us);
  json_auto_t *made = vend_statement_to_json (statement);
  json_object_update (shown, made);
  json_object_set_new (shown, "budget", is_month ? show_budget (&budget, statement) : json_null ());
  *out = vend_reply_json (200, shown);
  return true;
}

const ApiRoute vend_api_usage_routes[] = {
  { "GET", "/v1/usage/statement", VEND_SCOPE_READ, VEND_BODY_NONE, get_statement, NULL,
    .runs_on = VEND_RUN_READ },
  { "GET", "/v1/usage", VEND_SCOPE_READ, VEND_BODY_NONE, get_usage, NULL,
    .runs_on = VEND_RUN_READ },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
