/* Store functions of webhook deliveries (the outbox) and signing keys. */
#include "store/webhooks.h"
#include "base/error.h"
#include <string.h>

/* Sorts after every id: the first page. */
#define AFTER_ALL_IDS "n"

/* ---- Deliveries */

static void *
read_delivery (VendStmt *stmt)
{
  VendDelivery *d = g_new0 (VendDelivery, 1);
  d->id = vend_stmt_dup_text (stmt, VEND_COL_DELIVERY_ID);
  d->account_id = vend_stmt_get_int (stmt, VEND_COL_DELIVERY_ACCOUNT_ID);
  d->prediction = vend_stmt_dup_text (stmt, VEND_COL_DELIVERY_PREDICTION);
  if (!vend_webhook_event_parse (vend_stmt_get_text (stmt, VEND_COL_DELIVERY_EVENT), &d->event))
    d->event = VEND_WEBHOOK_COMPLETED;
  d->url = vend_stmt_dup_text (stmt, VEND_COL_DELIVERY_URL);
  d->lane = vend_stmt_dup_text (stmt, VEND_COL_DELIVERY_LANE);
  d->state = (VendDeliveryState) vend_stmt_get_int (stmt, VEND_COL_DELIVERY_STATE);
  d->tries = (guint) vend_stmt_get_int (stmt, VEND_COL_DELIVERY_TRIES);
  d->last_status = (int) vend_stmt_get_int (stmt, VEND_COL_DELIVERY_LAST_STATUS);
  d->last_error = vend_stmt_dup_text (stmt, VEND_COL_DELIVERY_LAST_ERROR);
  d->size = (uint64_t) vend_stmt_get_int (stmt, VEND_COL_DELIVERY_SIZE);
  d->created_us = vend_stmt_get_int (stmt, VEND_COL_DELIVERY_CREATED_US);
  d->since_us = vend_stmt_get_int (stmt, VEND_COL_DELIVERY_SINCE_US);
  d->due_us = vend_stmt_get_int (stmt, VEND_COL_DELIVERY_DUE_US);
  d->ended_us = vend_stmt_get_int (stmt, VEND_COL_DELIVERY_ENDED_US);
  return d;
}

bool
vend_store_delivery_insert (VendDb *db, const VendDelivery *d, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_NEW_DELIVERY_ID, d->id);
  vend_stmt_int (stmt, VEND_ARG_NEW_DELIVERY_ACCOUNT_ID, d->account_id);
  vend_stmt_text (stmt, VEND_ARG_NEW_DELIVERY_PREDICTION, d->prediction);
  vend_stmt_text (stmt, VEND_ARG_NEW_DELIVERY_EVENT, vend_webhook_event_name (d->event));
  vend_stmt_text (stmt, VEND_ARG_NEW_DELIVERY_URL, d->url);
  vend_stmt_text (stmt, VEND_ARG_NEW_DELIVERY_LANE, d->lane);
  vend_stmt_int (stmt, VEND_ARG_NEW_DELIVERY_SIZE, (int64_t) strlen (d->body));
  vend_stmt_int (stmt, VEND_ARG_NEW_DELIVERY_CREATED_US, d->created_us);
  vend_stmt_text (stmt, VEND_ARG_NEW_DELIVERY_BODY, d->body);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_delivery_supersede (VendDb *db, const char *prediction, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_SUPERSEDE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, prediction);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_delivery_get (VendDb *db, const char *id, VendDelivery **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  if (!vend_stmt_one (stmt, "delivery", error))
    return false;
  *out = read_delivery (stmt);
  return true;
}

bool
vend_store_delivery_body (VendDb *db, const char *id, char **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_BODY, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  if (!vend_stmt_one (stmt, "delivery", error))
    return false;
  *out = vend_stmt_dup_text (stmt, 0);
  return true;
}

bool
vend_store_delivery_next_lane (VendDb *db, const char *after, char **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_NEXT_LANE, error);
  bool row = false;
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, after);
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  *out = row ? vend_stmt_dup_text (stmt, 0) : NULL;
  return true;
}

bool
vend_store_delivery_due (VendDb *db, const char *lane, int64_t now_us, int limit, GPtrArray **out,
                         GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_DUE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, lane);
  vend_stmt_int (stmt, 2, now_us);
  vend_stmt_int (stmt, 3, limit);
  return vend_stmt_collect (stmt, read_delivery, (GDestroyNotify) vend_delivery_free, out, error);
}

bool
vend_store_delivery_next_due (VendDb *db, int64_t now_us, int64_t *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_NEXT_DUE, error);
  bool row = false;
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, now_us);
  if (!vend_stmt_step (stmt, &row, error))
    return false;
  *out = row ? vend_stmt_get_int (stmt, 0) : 0;
  return true;
}

bool
vend_store_delivery_tried (VendDb *db, const VendDelivery *d, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_TRIED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, d->id);
  vend_stmt_int (stmt, 2, d->state);
  vend_stmt_int (stmt, 3, d->tries);
  vend_stmt_int (stmt, 4, d->last_status);
  vend_stmt_text (stmt, 5, d->last_error);
  vend_stmt_int (stmt, 6, d->due_us);
  vend_stmt_int (stmt, 7, d->ended_us);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_delivery_replay (VendDb *db, const char *id, int64_t now_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_REPLAY, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  vend_stmt_int (stmt, 2, now_us);
  return vend_stmt_run_one (stmt, "dead delivery", error);
}

bool
vend_store_delivery_page (VendDb *db, int64_t account_id, int state, const char *before_id,
                          VendPage *page, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (
      db, state < 0 ? VEND_SQL_DELIVERY_PAGE : VEND_SQL_DELIVERY_PAGE_OF_STATE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_text (stmt, 2, before_id != NULL ? before_id : AFTER_ALL_IDS);
  vend_stmt_int (stmt, 3, (int64_t) page->limit + 1);
  if (state >= 0)
    vend_stmt_int (stmt, 4, state);
  return vend_stmt_page (stmt, read_delivery, (GDestroyNotify) vend_delivery_free, page, out,
                         error);
}

bool
vend_store_delivery_of (VendDb *db, const char *prediction, int limit, GPtrArray **out,
                        GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_OF, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, prediction);
  vend_stmt_int (stmt, 2, limit);
  return vend_stmt_collect (stmt, read_delivery, (GDestroyNotify) vend_delivery_free, out, error);
}

bool
vend_store_delivery_reschedule (VendDb *db, int64_t due_us, int64_t latest_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_HURRY, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, due_us);
  vend_stmt_int (stmt, 2, latest_us);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_delivery_expire (VendDb *db, VendDeliveryState state, int64_t before_us, int limit,
                            int64_t *out_removed, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_EXPIRE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, state);
  vend_stmt_int (stmt, 2, before_us);
  vend_stmt_int (stmt, 3, limit);
  return vend_stmt_run (stmt, out_removed, error);
}

bool
vend_store_delivery_trim_dead (VendDb *db, int64_t account_id, int keep, int limit, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_TRIM_DEAD, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, keep);
  vend_stmt_int (stmt, 3, limit);
  return vend_stmt_run (stmt, NULL, error);
}

/* ---- Signing keys */

static void *
read_secret (VendStmt *stmt)
{
  VendWebhookSecret *secret = g_new0 (VendWebhookSecret, 1);
  secret->secret = vend_stmt_dup_text (stmt, 0);
  secret->created_us = vend_stmt_get_int (stmt, 1);
  secret->expires_us = vend_stmt_get_int (stmt, 2);
  return secret;
}

bool
vend_store_webhook_secrets (VendDb *db, int64_t account_id, int64_t now_us, GPtrArray **out,
                            GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEBHOOK_SECRET_LIST, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, now_us);
  return vend_stmt_collect (stmt, read_secret, (GDestroyNotify) vend_webhook_secret_free, out,
                            error);
}

static bool
run_with (VendDb *db, VendSql sql, int64_t account_id, int64_t number, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, number);
  if (sql == VEND_SQL_WEBHOOK_SECRET_FORGET)
    vend_stmt_int (stmt, 3, VEND_WEBHOOK_MAX_SECRETS);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_webhook_secret_put (VendDb *db, int64_t account_id, const char *secret, int64_t now_us,
                               int64_t old_until_us, GError **error)
{
  if (!run_with (db, VEND_SQL_WEBHOOK_SECRET_RETIRE, account_id, old_until_us, error))
    return false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_WEBHOOK_SECRET_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_text (stmt, 2, secret);
  vend_stmt_int (stmt, 3, now_us);
  return vend_stmt_run (stmt, NULL, error)
         && run_with (db, VEND_SQL_WEBHOOK_SECRET_FORGET, account_id, now_us, error);
}

bool
vend_store_delivery_strip (VendDb *db, const char *prediction, int64_t now_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DELIVERY_STRIP, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, prediction);
  vend_stmt_int (stmt, 2, now_us);
  return vend_stmt_run (stmt, NULL, error);
}
