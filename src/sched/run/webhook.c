/* Webhook messages of a prediction: rows of the outbox, in the transaction of the change that they
 * report. Output and logs messages share one interval and contain everything so far, so that a
 * later message supersedes pending messages. Core thread, unless a function says otherwise.
 *
 * start      with the lease that stores the start; with the end when the run is shorter, or the
 *            lease could not be stored
 * output     at once, then at most every VEND_WEBHOOK_INTERVAL_US; the last one is either written
 * and logs   or superseded by `completed`, which says the same and more
 * completed  with the result; when not in the filter, one last output or logs message instead */
#include "sched/run/webhook.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "sched/run/insert.h"
#include "sched/run/run.h"
#include "store/predictions.h"
#include "store/webhooks.h"

struct RunWebhook
{
  guint events;          /* asked for by the receiver */
  WebhookMessage *start; /* not written yet; the writer thread's while the end is written */
  WebhookMessage *late;  /* a start not written before the end was on its way */
  int64_t last_us;       /* last output or logs message */
  int64_t last_id_us;
  guint changed;  /* unwritten changes: VEND_WEBHOOK_OUTPUT or _LOGS */
  VendTimer *due; /* writes `changed` */
  char *end_id;
};

struct WebhookMessage
{
  VendSched *sched;
  char *id;
  VendWebhookEvent event;
  VendPrediction *p;
  bool supersedes;
};

/* ---- Messages */

/* Messages of one prediction are sent in the order of their ids. */
static char *
next_id (RunWebhook *webhook)
{
  webhook->last_id_us = MAX (vend_now_us (), webhook->last_id_us + 1);
  return vend_delivery_id_new (webhook->last_id_us);
}

static WebhookMessage *
message_new (Run *run, VendWebhookEvent event)
{
  WebhookMessage *message = g_new0 (WebhookMessage, 1);
  message->sched = run->sched;
  message->id = next_id (run->webhook);
  message->event = event;
  message->p = vend_prediction_copy (vend_run_view (run));
  return message;
}

void
vend_webhook_message_free (WebhookMessage *message)
{
  if (message == NULL)
    return;
  g_free (message->id);
  vend_prediction_free (message->p);
  g_free (message);
}

/* Members of a body over the limit are left out, starting with the easiest to fetch. */
static char *
body_of (const VendPrediction *p)
{
  static const char *const members[] = { "input", "logs", "output" };
  json_auto_t *shown
      = vend_prediction_to_json (p, p->origin != NULL ? p->origin : "", VEND_VIEW_TRUTH);
  const gsize most
      = vend_status_is_terminal (p->status) ? VEND_WEBHOOK_MAX_END : VEND_WEBHOOK_MAX_PROGRESS;
  json_t *omitted = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (members) && vend_json_size (shown) > most; i++)
    {
      json_object_set_new (shown, members[i], json_null ());
      if (omitted == NULL)
        json_object_set_new (shown, "omitted", omitted = json_array ());
      json_array_append_new (omitted, json_string (members[i]));
    }
  return vend_json_text_js (shown);
}

/* A prediction without a row gets no message. */
static bool
read_input (VendDb *db, VendPrediction *p, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (vend_store_prediction_input (db, p, &problem) || problem->code == VEND_ERROR_NOT_FOUND)
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

/* Writer thread: serializes large values, to keep that off the core thread. */
static bool
store_message (VendDb *db, const VendPrediction *p, const char *id, VendWebhookEvent event,
               GError **error)
{
  g_autoptr (VendPrediction) whole = NULL;
  if (p->input == NULL)
    {
      whole = vend_prediction_copy (p);
      if (!read_input (db, whole, error))
        return false;
      p = whole;
    }
  g_autofree char *body = body_of (p);
  g_autofree char *lane = vend_webhook_lane (p->account_id, p->webhook);
  const VendDelivery delivery = { .id = (char *) id,
                                  .account_id = p->account_id,
                                  .prediction = p->id,
                                  .event = event,
                                  .url = p->webhook,
                                  .lane = lane,
                                  .created_us = vend_now_us (),
                                  .body = body };
  return vend_store_delivery_insert (db, &delivery, error);
}

bool
vend_webhook_message_store (VendDb *db, const WebhookMessage *message, GError **error)
{
  return (!message->supersedes || vend_store_delivery_supersede (db, message->p->id, error))
         && store_message (db, message->p, message->id, message->event, error);
}

/* ---- Start */

void
vend_run_webhook_init (Run *run)
{
  const VendPrediction *p = run->p;
  if (p->webhook == NULL || run->sched->webhooks == NULL)
    return;
  run->webhook = g_new0 (RunWebhook, 1);
  run->webhook->events = vend_webhook_events (p->webhook_events);
}

void
vend_run_webhook_clear (Run *run)
{
  RunWebhook *webhook = run->webhook;
  if (webhook == NULL)
    return;
  vend_timer_clear (&webhook->due);
  vend_webhook_message_free (webhook->start);
  vend_webhook_message_free (webhook->late);
  g_free (webhook->end_id);
  g_clear_pointer (&run->webhook, g_free);
}

/* A retried or recovered run may have sent its start already; the store knows. */
void
vend_run_webhook_started (Run *run)
{
  RunWebhook *webhook = run->webhook;
  if (webhook == NULL || (webhook->events & VEND_WEBHOOK_START) == 0 || webhook->start != NULL)
    return;
  webhook->start = message_new (run, VEND_WEBHOOK_START);
}

WebhookMessage *
vend_run_webhook_take_start (Run *run)
{
  return run->webhook != NULL ? g_steal_pointer (&run->webhook->start) : NULL;
}

void
vend_run_webhook_return_start (Run *run, WebhookMessage *start)
{
  if (start == NULL)
    return;
  WebhookMessage **place = run->completion != NULL ? &run->webhook->late : &run->webhook->start;
  if (*place == NULL)
    *place = start;
  else
    vend_webhook_message_free (start);
}

/* ---- Output and logs */

static bool
store_change (VendDb *db, void *data, GError **error)
{
  return vend_webhook_message_store (db, data, error);
}

static void
change_stored (const GError *error, void *data)
{
  WebhookMessage *message = data;
  if (error != NULL)
    vend_log (VEND_LOG_WARN, "cannot store a webhook", "prediction", message->p->id, "error",
              error->message, NULL);
  vend_run_webhook_stored (message->sched);
  vend_webhook_message_free (message);
}

static void
change_is_due (void *data)
{
  Run *run = data;
  RunWebhook *webhook = run->webhook;
  webhook->due = NULL;
  if (run->completion != NULL)
    return;
  /* Insert and lease go before the message. */
  vend_run_store_insert (run);
  vend_run_lease_now (run);
  WebhookMessage *message = message_new (
      run, (webhook->changed & VEND_WEBHOOK_OUTPUT) != 0 ? VEND_WEBHOOK_OUTPUT : VEND_WEBHOOK_LOGS);
  message->supersedes = true;
  webhook->changed = 0;
  webhook->last_us = vend_steady_us ();
  vend_store_write (run->sched->store, store_change, change_stored, message);
}

void
vend_run_webhook_changed (Run *run, guint event)
{
  RunWebhook *webhook = run->webhook;
  if (webhook == NULL || (webhook->events & event) == 0)
    return;
  webhook->changed |= event;
  if (webhook->due == NULL)
    webhook->due = vend_timer_set (run->sched->timers,
                                   vend_webhook_throttle_us (webhook->last_us, vend_steady_us ()),
                                   change_is_due, run);
}

void
vend_run_webhook_requeued (Run *run)
{
  if (run->webhook == NULL)
    return;
  vend_timer_clear (&run->webhook->due);
  run->webhook->changed = 0;
}

/* ---- The end */

void
vend_run_webhook_ending (Run *run)
{
  RunWebhook *webhook = run->webhook;
  if (webhook == NULL)
    return;
  vend_timer_clear (&webhook->due);
  webhook->end_id = next_id (webhook);
}

void
vend_run_webhook_writing_end (Run *run)
{
  RunWebhook *webhook = run->webhook;
  if (webhook != NULL && webhook->start == NULL)
    webhook->start = g_steal_pointer (&webhook->late);
}

void
vend_run_webhook_ended (Run *run)
{
  if (run->webhook == NULL)
    return;
  if (run->webhook->late != NULL)
    vend_store_write (run->sched->store, store_change, change_stored,
                      g_steal_pointer (&run->webhook->late));
  vend_run_webhook_stored (run->sched);
}

/* The last message, by the receiver's events and the result; 0 = none. */
static guint
last_event (guint events, const VendPrediction *p)
{
  if ((events & VEND_WEBHOOK_COMPLETED) != 0)
    return VEND_WEBHOOK_COMPLETED;
  if ((events & VEND_WEBHOOK_OUTPUT) != 0 && p->output != NULL && !json_is_null (p->output))
    return VEND_WEBHOOK_OUTPUT;
  return (events & VEND_WEBHOOK_LOGS) != 0 && *p->logs != '\0' ? VEND_WEBHOOK_LOGS : 0;
}

bool
vend_run_webhook_store_end (VendDb *db, const RunWebhook *webhook, const VendPrediction *p,
                            GError **error)
{
  if (webhook == NULL)
    return true;
  if (webhook->start != NULL && !vend_webhook_message_store (db, webhook->start, error))
    return false;
  guint event = last_event (webhook->events, p);
  return event == 0
         || (vend_store_delivery_supersede (db, p->id, error)
             && store_message (db, p, webhook->end_id, (VendWebhookEvent) event, error));
}

void
vend_run_webhook_stored (const VendSched *sched)
{
  if (sched->webhooks != NULL)
    vend_webhooks_wake (sched->webhooks);
}
