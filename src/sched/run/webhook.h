/* Webhook messages of a prediction, and when they are written. Costs nothing for predictions
 * without a webhook. */
#pragma once
#include "sched/run/run.h"

void vend_run_webhook_init (Run *run);
void vend_run_webhook_clear (Run *run);
/* The model has begun. */
void vend_run_webhook_started (Run *run);
/* More output or logs: VEND_WEBHOOK_OUTPUT or VEND_WEBHOOK_LOGS. */
void vend_run_webhook_changed (Run *run, guint event);
/* The run goes back to the queue: its output and logs do not count. */
void vend_run_webhook_requeued (Run *run);
/* The unwritten `start` message, for the transaction that stores the start; or NULL. Owned by the
 * caller. */
typedef struct WebhookMessage WebhookMessage;
WebhookMessage *vend_run_webhook_take_start (Run *run);
/* Returns a message that could not be written. Takes it; NULL does nothing. */
void vend_run_webhook_return_start (Run *run, WebhookMessage *start);
void vend_webhook_message_free (WebhookMessage *message);
/* Writer thread. */
bool vend_webhook_message_store (VendDb *db, const WebhookMessage *message, GError **error);
/* Core thread: once the end is decided, then before each try to store it. */
void vend_run_webhook_ending (Run *run);
void vend_run_webhook_writing_end (Run *run);
/* Writer thread, in the transaction of the end, with `p` as it ends. `hooks` may be NULL. */
bool vend_run_webhook_store_end (VendDb *db, const RunWebhook *webhook, const VendPrediction *p,
                                 GError **error);
/* Core thread: the end is stored. */
void vend_run_webhook_ended (Run *run);
/* Messages were written. */
void vend_run_webhook_stored (const VendSched *sched);
