/* Store functions of webhook deliveries (the outbox) and signing keys. Inside a transaction;
 * outputs are the caller's. */
#pragma once
#include "model/webhook.h"
#include "store/db.h"

/* Nothing happens when the prediction has no row, nor for a second `start` of one. */
bool vend_store_delivery_insert (VendDb *db, const VendDelivery *delivery, GError **error);
/* Takes away output and logs messages that wait, before a message that says more. */
bool vend_store_delivery_supersede (VendDb *db, const char *prediction, GError **error);
/* Without the body. */
bool vend_store_delivery_get (VendDb *db, const char *id, VendDelivery **out, GError **error);
/* NOT_FOUND when it does not wait any more. */
bool vend_store_delivery_body (VendDb *db, const char *id, char **out, GError **error);

/* The next lane after `after` ("" = the first) with something that waits; NULL when there is none.
 */
bool vend_store_delivery_next_lane (VendDb *db, const char *after, char **out, GError **error);
/* What may be tried in a lane, of VendDelivery without bodies: of each prediction only the first
 * that waits. */
bool vend_store_delivery_due (VendDb *db, const char *lane, int64_t now_us, int limit,
                              GPtrArray **out, GError **error);
/* When the next one is due after `now_us`; 0 = never. */
bool vend_store_delivery_next_due (VendDb *db, int64_t now_us, int64_t *out, GError **error);

/* Stores state, tries, last answer and times; bodies of delivered and dropped ones go. Nothing
 * happens when it does not wait any more. */
bool vend_store_delivery_tried (VendDb *db, const VendDelivery *delivery, GError **error);
/* A dead one waits again, as if it were new; NOT_FOUND when it is not dead. */
bool vend_store_delivery_replay (VendDb *db, const char *id, int64_t now_us, GError **error);

/* Newest first, of VendDelivery without bodies; `before_id` NULL = first page; `state` -1 = all. */
bool vend_store_delivery_page (VendDb *db, int64_t account_id, int state, const char *before_id,
                               VendPage *page, GPtrArray **out, GError **error);

/* Of one prediction, oldest first, without bodies. */
bool vend_store_delivery_of (VendDb *db, const char *prediction, int limit, GPtrArray **out,
                             GError **error);

/* Those that are due later than `latest_us` are due at `due_us` instead. */
bool vend_store_delivery_reschedule (VendDb *db, int64_t due_us, int64_t latest_us, GError **error);
/* Removes at most `limit` of one state that ended before; `*out_removed` counts them. */
bool vend_store_delivery_expire (VendDb *db, VendDeliveryState state, int64_t before_us, int limit,
                                 int64_t *out_removed, GError **error);
/* Removes dead ones of an account beyond the newest `keep`, at most `limit`. */
bool vend_store_delivery_trim_dead (VendDb *db, int64_t account_id, int keep, int limit,
                                    GError **error);

/* Keys that sign now, newest first, of VendWebhookSecret; may be empty. */
bool vend_store_webhook_secrets (VendDb *db, int64_t account_id, int64_t now_us, GPtrArray **out,
                                 GError **error);
/* Puts `secret` in use; the one before expires at `old_until_us`. */
bool vend_store_webhook_secret_put (VendDb *db, int64_t account_id, const char *secret,
                                    int64_t now_us, int64_t old_until_us, GError **error);
