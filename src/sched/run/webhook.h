/* What is written for the webhook of a prediction, and when. All of it costs nothing for those
 * without one. */
#pragma once
#include "sched/run/run.h"

void vend_run_webhook_init (Run *run);
void vend_run_webhook_clear (Run *run);
/* The model has begun. */
void vend_run_webhook_started (Run *run);
/* VEND_WEBHOOK_OUTPUT or VEND_WEBHOOK_LOGS: there is more of it. */
void vend_run_webhook_changed (Run *run, guint event);
/* It goes back to the queue: what it said does not count. */
void vend_run_webhook_requeued (Run *run);
/* The message that it started, not written yet, for the transaction that stores the start; or NULL.
 * Owned by the caller. */
typedef struct WebhookMessage WebhookMessage;
WebhookMessage *vend_run_webhook_take_start (Run *run);
/* It could not be written. Takes it; NULL does nothing. */
void vend_run_webhook_return_start (Run *run, WebhookMessage *start);
void vend_webhook_message_free (WebhookMessage *message);
/* Writer thread. */
bool vend_webhook_message_store (VendDb *db, const WebhookMessage *message, GError **error);
/* Core thread: once it is known how it ends, then before each try to store that. */
void vend_run_webhook_ending (Run *run);
void vend_run_webhook_writing_end (Run *run);
/* Writer thread, in the transaction of the end, with `p` as it ends. `hooks` may be NULL. */
bool vend_run_webhook_store_end (VendDb *db, const RunWebhook *webhook, const VendPrediction *p,
                                 GError **error);
/* Core thread: the end is stored. */
void vend_run_webhook_ended (Run *run);
/* Something was written. */
void vend_run_webhook_stored (const VendSched *sched);
