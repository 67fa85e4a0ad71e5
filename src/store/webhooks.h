/* Store functions of webhook deliveries (the outbox) and signing keys. Inside a transaction;
 * outputs are the caller's. */
#pragma once
#include "model/webhook.h"
#include "store/db.h"

/* The data of the run are to be gone: bodies go, and what waits is dropped. */
bool vend_store_delivery_strip (VendDb *db, const char *prediction, int64_t now_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Nothing happens when the prediction has no row, nor for a second `start` of a prediction. */
bool vend_store_delivery_insert (VendDb *db, const VendDelivery *delivery, GError **error);
/* Removes pending output and logs messages, before a message with more. */
bool vend_store_delivery_supersede (VendDb *db, const char *prediction, GError **error);
/* Without the body. */
bool vend_store_delivery_get (VendDb *db, const char *id, VendDelivery **out, GError **error);
/* NOT_FOUND when the delivery is not pending any more. */
bool vend_store_delivery_body (VendDb *db, const char *id, char **out, GError **error);

/* The next lane after `after` ("" = the first) with a pending delivery; NULL when there is none. */
bool vend_store_delivery_next_lane (VendDb *db, const char *after, char **out, GError **error);
/* Due deliveries of a lane, of VendDelivery without bodies: only the first pending delivery of each
 * prediction. */
bool vend_store_delivery_due (VendDb *db, const char *lane, int64_t now_us, int limit,
                              GPtrArray **out, GError **error);
/* When the next delivery is due after `now_us`; 0 = never. */
bool vend_store_delivery_next_due (VendDb *db, int64_t now_us, int64_t *out, GError **error);

/* Stores state, tries, last answer and times. Bodies of delivered and dropped deliveries are
 * removed. Nothing happens when the delivery is not pending any more. */
bool vend_store_delivery_tried (VendDb *db, const VendDelivery *delivery, GError **error);
/* Makes a dead delivery pending again, as if new; NOT_FOUND when the delivery is not dead. */
bool vend_store_delivery_replay (VendDb *db, const char *id, int64_t now_us, GError **error);

/* Newest first, of VendDelivery without bodies; `before_id` NULL = first page; `state` -1 = all. */
bool vend_store_delivery_page (VendDb *db, int64_t account_id, int state, const char *before_id,
                               VendPage *page, GPtrArray **out, GError **error);

/* Of one prediction, oldest first, without bodies. */
bool vend_store_delivery_of (VendDb *db, const char *prediction, int limit, GPtrArray **out,
                             GError **error);

/* Deliveries due later than `latest_us` become due at `due_us`. */
bool vend_store_delivery_reschedule (VendDb *db, int64_t due_us, int64_t latest_us, GError **error);
/* Removes at most `limit` deliveries of one state that ended before `before_us`; `*out_removed`
 * counts them. */
bool vend_store_delivery_expire (VendDb *db, VendDeliveryState state, int64_t before_us, int limit,
                                 int64_t *out_removed, GError **error);
/* Removes dead deliveries of an account beyond the newest `keep`, at most `limit`. */
bool vend_store_delivery_trim_dead (VendDb *db, int64_t account_id, int keep, int limit,
                                    GError **error);

/* Keys in use, newest first, of VendWebhookSecret; may be empty. */
bool vend_store_webhook_secrets (VendDb *db, int64_t account_id, int64_t now_us, GPtrArray **out,
                                 GError **error);
/* Puts `secret` in use; the previous key expires at `old_until_us`. */
bool vend_store_webhook_secret_put (VendDb *db, int64_t account_id, const char *secret,
                                    int64_t now_us, int64_t old_until_us, GError **error);
