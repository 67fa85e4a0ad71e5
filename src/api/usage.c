/* What an account has used, and what it costs. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/accounts.h"
#include "store/usage.h"
#include <string.h>

#define DAY_US (24 * 3600 * VEND_US_PER_S)
/* Every row of the time is read. */
#define MAX_DAYS 366
#define MAX_ROWS 10000
#define DATE_LENGTH 10

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

static int64_t
month_start (int64_t now_us)
{
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_utc (now_us / VEND_US_PER_S);
  g_autoptr (GDateTime) start
      = g_date_time_new_utc (g_date_time_get_year (now), g_date_time_get_month (now), 1, 0, 0, 0);
  return g_date_time_to_unix (start) * VEND_US_PER_S;
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

static bool
read_account (VendDb *db, VendCall *call, const VendCaller *caller, VendAccount **out,
              GError **error)
{
  const char *name = vend_call_query (call, "account");
  g_autoptr (GError) problem = NULL;
  if (name == NULL || strcmp (name, caller->account->username) == 0)
    return vend_store_account_get (db, caller->account->id, out, error);
  if (!vend_scopes_allow (caller->scopes, VEND_SCOPE_ADMIN))
    return vend_fail (error, VEND_ERROR_FORBIDDEN, "account: usage of other accounts needs admin");
  return vend_store_account_by_username (db, name, out, &problem)
         || vend_fail (error, VEND_ERROR_BAD_REQUEST, "account: there is no account '%s'", name);
}

static bool
read_query (VendCall *call, VendUsageQuery *query, GError **error)
{
  const int64_t now_us = vend_now_us ();
  query->from_us = month_start (now_us);
  query->to_us = now_us;
  query->limit = MAX_ROWS + 1;
  if (!read_time (call, "from", &query->from_us, error)
      || !read_time (call, "to", &query->to_us, error) || !read_group (call, &query->group, error))
    return false;
  if (query->to_us < query->from_us)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "to: expected a time that is not before from");
  return query->to_us - query->from_us <= MAX_DAYS * DAY_US
         || vend_fail (error, VEND_ERROR_BAD_REQUEST, "from: expected at most %d days before to",
                       MAX_DAYS);
}

static bool
get_usage (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendAccount) account = NULL;
  g_autoptr (GPtrArray) sums = NULL;
  VendUsageQuery query = { .group = VEND_USAGE_TOTAL };
  if (!read_query (call, &query, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!read_account (reader.db, call, caller, &account, error))
      return false;
    query.account_id = account->id;
    if (!vend_store_usage_sum (reader.db, &query, &sums, error))
      return false;
  }
  if (sums->len > MAX_ROWS)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "group_by: more than %d rows; ask for less time", MAX_ROWS);
  json_t *statement = json_object ();
  vend_json_set_string (statement, "account", account->username);
  vend_json_set_time (statement, "from", query.from_us);
  vend_json_set_time (statement, "to", query.to_us);
  json_auto_t *made = vend_usage_statement (sums, query.group, api->prices);
  json_object_update (statement, made);
  *out = vend_reply_json (200, statement);
  return true;
}

const ApiRoute vend_api_usage_routes[] = {
  { "GET", "/v1/usage", VEND_SCOPE_READ, VEND_BODY_NONE, get_usage, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
