/* The timeline of a prediction. */
#include "model/timeline.h"
#include "base/clock.h"
#include "base/count.h"
#include "model/attempt.h"
#include "model/decision.h"
#include "model/file.h"
#include "model/webhook.h"
#include <string.h>

typedef struct
{
  int64_t at_us; /* 0 = unknown: sorted to the end */
  guint order;   /* breaks ties */
  const char *what;
  char *sentence;
  json_t *details;
} Entry;

char *
vend_timeline_time (int64_t time_us)
{
  const int64_t us = MAX (time_us, 0);
  if (us < VEND_US_PER_S)
    return g_strdup_printf ("%" G_GINT64_FORMAT " ms", us / VEND_US_PER_MS);
  if (us < 60 * VEND_US_PER_S)
    return g_strdup_printf ("%.1f s", (double) us / (double) VEND_US_PER_S);
  const int64_t s = us / VEND_US_PER_S;
  if (s < 3600)
    return g_strdup_printf ("%" G_GINT64_FORMAT " min %" G_GINT64_FORMAT " s", s / 60, s % 60);
  return g_strdup_printf ("%" G_GINT64_FORMAT " h %" G_GINT64_FORMAT " min", s / 3600,
                          s % 3600 / 60);
}

static double
seconds (int64_t time_us)
{
  return (double) time_us / (double) VEND_US_PER_S;
}

static void
entry_clear (void *data)
{
  Entry *entry = data;
  g_free (entry->sentence);
  json_decref (entry->details);
}

static void add (GArray *entries, int64_t at_us, const char *what, json_t *take_details,
                 const char *format, ...) G_GNUC_PRINTF (5, 6);

static void
add (GArray *entries, int64_t at_us, const char *what, json_t *take_details, const char *format,
     ...)
{
  va_list args;
  va_start (args, format);
  Entry entry = { .at_us = at_us,
                  .order = entries->len,
                  .what = what,
                  .sentence = g_strdup_vprintf (format, args),
                  .details = take_details != NULL ? take_details : json_object () };
  va_end (args);
  g_array_append_val (entries, entry);
}

static int
by_time (const void *a, const void *b)
{
  const Entry *x = a, *y = b;
  if (x->at_us != y->at_us && (x->at_us == 0 || y->at_us == 0))
    return x->at_us == 0 ? 1 : -1;
  if (x->at_us != y->at_us)
    return x->at_us < y->at_us ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

/* ---- Before the run */

static void
add_creation (GArray *entries, const VendPrediction *p)
{
  json_t *details = json_object ();
  vend_json_set_string (details, "model", p->model);
  vend_json_set_string (details, "version", p->version);
  vend_json_set_string (details, "deployment", p->deployment);
  vend_json_set_time (details, "deadline", p->deadline_us);
  add (entries, p->created_us, "created", details, "Created for %s%s.",
       p->deployment != NULL ? "the deployment " : "",
       p->deployment != NULL ? p->deployment : p->model);
  if (p->queue_place > 1)
    add (entries, p->created_us, "queued", json_pack ("{s:i}", "behind", (int) p->queue_place - 1),
         "Queued behind %u.", p->queue_place - 1);
  else if (p->queue_place == 1)
    add (entries, p->created_us, "queued", json_pack ("{s:i}", "behind", 0),
         "Queued as the next one.");
}

static json_t *
decision_details (const VendDecision *decision)
{
  json_t *details = json_copy (decision->inputs);
  if (decision->instance != NULL)
    vend_json_set_string (details, "instance", decision->instance);
  return details;
}

static void
add_decisions (GArray *entries, const GPtrArray *decisions)
{
  for (guint i = 0; i < MIN (decisions->len, VEND_TIMELINE_MAX); i++)
    {
      const VendDecision *decision = g_ptr_array_index (decisions, i);
      add (entries, decision->at_us, vend_decision_kind_name (decision->kind),
           decision_details (decision), "%s", decision->sentence);
    }
  if (decisions->len > VEND_TIMELINE_MAX)
    add (entries, 0, "more", NULL, "There were more decisions about its instances than %d.",
         VEND_TIMELINE_MAX);
}

static void
add_attempts (GArray *entries, const GPtrArray *attempts)
{
  for (guint i = 0; i < MIN (attempts->len, VEND_TIMELINE_MAX); i++)
    {
      const VendAttempt *attempt = g_ptr_array_index (attempts, i);
      json_t *details = json_pack ("{s:i}", "attempt", attempt->number);
      vend_json_set_string (details, "instance", attempt->instance);
      vend_json_set_time (details, "started_at", attempt->started_us);
      g_autofree char *ran = vend_timeline_time (attempt->ended_us - attempt->started_us);
      add (entries, attempt->ended_us, attempt->outcome, details, "Attempt %d was %s %s%s.",
           attempt->number, attempt->outcome,
           attempt->started_us > 0 ? "after running for " : "before it began",
           attempt->started_us > 0 ? ran : "");
    }
}

/* ---- The run */

static const VendDecision *
find_decision (const GPtrArray *decisions, VendDecisionKind kind)
{
  for (guint i = 0; i < decisions->len; i++)
    {
      const VendDecision *decision = g_ptr_array_index (decisions, i);
      if (decision->kind == kind)
        return decision;
    }
  return NULL;
}

/* The reason for an older instance is part of the line of the start; a new instance has lines of
 * its own. */
static char *
name_of_instance (const VendTimeline *timeline, json_t *details)
{
  const VendDecision *ready = find_decision (timeline->instance, VEND_DECISION_READY);
  const VendDecision *start = find_decision (timeline->instance, VEND_DECISION_START);
  if (start != NULL)
    {
      vend_json_set_time (details, "instance_started_at", start->at_us);
      vend_json_set_string (details, "instance_reason", start->sentence);
    }
  const int64_t came_us = timeline->prediction->created_us;
  if (ready == NULL)
    return g_strdup ("");
  vend_json_set_time (details, "instance_ready_at", ready->at_us);
  const json_t *setup = json_object_get (ready->inputs, "setup_seconds");
  if (setup != NULL)
    json_object_set (details, "instance_setup_seconds", (json_t *) setup);
  vend_json_set_string (details, "instance_network", vend_json_string (ready->inputs, "network"));
  if (ready->at_us > came_us)
    return g_strdup (start != NULL && start->at_us < came_us ? ", which was booting when it came"
                                                             : "");
  g_autofree char *since = vend_timeline_time (came_us - ready->at_us);
  return g_strdup_printf (", which had been ready for %s when it came", since);
}

static void
add_start (GArray *entries, const VendTimeline *timeline)
{
  const VendPrediction *p = timeline->prediction;
  if (p->started_us == 0)
    return;
  json_t *details = json_object ();
  vend_json_set_string (details, "instance", p->instance);
  vend_json_set_int (details, "attempt", p->attempt);
  json_object_set_new (details, "waited_seconds",
                       json_real (seconds (p->started_us - p->created_us)));
  g_autofree char *waited = vend_timeline_time (p->started_us - p->created_us);
  g_autofree char *instance = name_of_instance (timeline, details);
  add (entries, p->started_us, "started", details, "Started after %s on instance %s%s.", waited,
       p->instance != NULL ? p->instance : "?", instance);
}

static char *
ending_sentence (const VendPrediction *p)
{
  const bool has_run = p->started_us > 0;
  g_autofree char *ran = vend_timeline_time (p->completed_us - p->started_us);
  g_autofree char *after = has_run ? g_strdup_printf (" after running for %s", ran) : g_strdup ("");
  switch (p->status)
    {
    case VEND_STATUS_SUCCEEDED:
      return g_strdup_printf ("Succeeded%s.", after);
    case VEND_STATUS_CANCELED:
      return g_strdup_printf ("Canceled%s%s.", has_run ? after : " before it began",
                              p->cancel_requested ? ", as was asked for" : "");
    case VEND_STATUS_ABORTED:
      return p->error != NULL ? g_strdup_printf ("Aborted: %s.", p->error)
                              : g_strdup ("Aborted: its deadline passed before it began.");
    default:
      return g_strdup_printf ("Failed%s: %s", after, p->error != NULL ? p->error : "no message");
    }
}

static void
add_end (GArray *entries, const VendTimeline *timeline)
{
  const VendPrediction *p = timeline->prediction;
  if (p->completed_us == 0)
    return;
  json_t *details = json_object ();
  vend_json_set_string (details, "status", vend_status_name (p->status));
  vend_json_set_string (details, "error_code", p->error_code);
  json_object_set_new (details, "total_seconds",
                       json_real (seconds (p->completed_us - p->created_us)));
  if (timeline->usage != NULL)
    {
      g_autofree char *text = vend_usage_seconds_text (timeline->usage->run_us);
      json_t *metered
          = json_pack ("{s:s, s:s}", "hardware", timeline->usage->hardware, "seconds", text);
      if (timeline->usage->price != VEND_NO_PRICE)
        {
          g_autofree char *price = vend_price_text (timeline->usage->price);
          g_autofree char *amount
              = vend_amount_text (vend_amount_of (timeline->usage->price, timeline->usage->run_us));
          vend_json_set_string (metered, "price", price);
          vend_json_set_string (metered, "amount", amount);
        }
      vend_json_set_bool (metered, "billed", timeline->usage->billed_us > 0);
      json_object_set_new (details, "metered", metered);
    }
  g_autofree char *sentence = ending_sentence (p);
  add (entries, p->completed_us, "completed", details, "%s", sentence);
  const char *made = vend_json_string (p->output, "version");
  if (p->kind == VEND_KIND_TRAINING && p->status == VEND_STATUS_SUCCEEDED && made != NULL)
    add (entries, p->completed_us, "version", json_pack ("{s:s}", "version", made),
         "It made the version %s.", made);
}

/* ---- During the run and after it */

static void
add_outputs (GArray *entries, const GPtrArray *outputs)
{
  for (guint i = 0; i < MIN (outputs->len, VEND_TIMELINE_MAX); i++)
    {
      const VendOutput *output = g_ptr_array_index (outputs, i);
      g_autofree char *size = g_format_size ((guint64) output->size);
      json_t *details = json_pack ("{s:I}", "size", (json_int_t) output->size);
      vend_json_set_string (details, "name", output->name);
      vend_json_set_string (details, "content_type", output->content_type);
      add (entries, output->created_us, "output", details, "Output file %s was kept (%s).",
           output->name, size);
    }
  if (outputs->len > VEND_TIMELINE_MAX)
    add (entries, 0, "more", NULL, "There are more output files than %d.", VEND_TIMELINE_MAX);
}

static const char *
ordinal (guint n)
{
  const guint teens = n % 100;
  if (teens >= 11 && teens <= 13)
    return "th";
  return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

static void
add_delivery (GArray *entries, const VendDelivery *delivery)
{
  const char *event = vend_webhook_event_name (delivery->event);
  json_t *details = json_pack ("{s:s, s:i, s:i}", "event", event, "tries", (int) delivery->tries,
                               "last_status", delivery->last_status);
  vend_json_set_string (details, "id", delivery->id);
  vend_json_set_string (details, "state", vend_delivery_state_name (delivery->state));
  vend_json_set_string (details, "last_error", delivery->last_error);
  const char *why = delivery->last_error != NULL ? delivery->last_error : "no answer yet";
  g_autofree char *tries = vend_count_text (delivery->tries, "try", "tries");
  switch (delivery->state)
    {
    case VEND_DELIVERY_DELIVERED:
      add (entries, delivery->ended_us, "webhook", details,
           "Webhook '%s' was delivered at the %u%s try.", event, delivery->tries,
           ordinal (delivery->tries));
      break;
    case VEND_DELIVERY_DROPPED:
      add (entries, delivery->ended_us, "webhook", details,
           "Webhook '%s' was tried once and dropped: %s.", event, why);
      break;
    case VEND_DELIVERY_DEAD:
      add (entries, delivery->ended_us, "webhook", details,
           "Webhook '%s' was given up after %s: %s.", event, tries, why);
      break;
    case VEND_DELIVERY_PENDING:
      add (entries, 0, "webhook", details, "Webhook '%s' waits to be delivered after %s%s%s.",
           event, tries, delivery->tries > 0 ? ": " : "", delivery->tries > 0 ? why : "");
      break;
    }
}

static void
add_removal (GArray *entries, const VendPrediction *p)
{
  if (p->data_removed)
    add (entries, p->removed_us > 1 ? p->removed_us : 0, "data-removed", NULL,
         "Its input, output and logs were removed, since their time was over.");
}

static void
add_now (GArray *entries, const VendPrediction *p)
{
  if (p->completed_us > 0)
    return;
  if (p->queue_position > 0 && p->queue_eta_us == VEND_ETA_UNKNOWN)
    add (entries, 0, "waiting",
         json_pack ("{s:i, s:n}", "position", (int) p->queue_position, "eta_seconds"),
         "It waits as number %u in the queue; no instance may start, as max_instances is 0.",
         p->queue_position);
  else if (p->queue_position > 0)
    {
      g_autofree char *eta = vend_timeline_time (p->queue_eta_us);
      add (entries, 0, "waiting",
           json_pack ("{s:i, s:f}", "position", (int) p->queue_position, "eta_seconds",
                      seconds (p->queue_eta_us)),
           "It waits as number %u in the queue and begins in about %s.", p->queue_position, eta);
    }
  else if (p->started_us > 0)
    add (entries, 0, "running", NULL, "It runs.");
}

json_t *
vend_timeline_make (const VendTimeline *timeline)
{
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (entries, entry_clear);
  add_creation (entries, timeline->prediction);
  add_attempts (entries, timeline->attempts);
  add_decisions (entries, timeline->decisions);
  add_start (entries, timeline);
  add_outputs (entries, timeline->outputs);
  add_end (entries, timeline);
  for (guint i = 0; i < MIN (timeline->deliveries->len, VEND_TIMELINE_MAX); i++)
    add_delivery (entries, g_ptr_array_index (timeline->deliveries, i));
  add_removal (entries, timeline->prediction);
  add_now (entries, timeline->prediction);
  qsort (entries->data, entries->len, sizeof (Entry), by_time);

  json_t *list = json_array ();
  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *entry = &g_array_index (entries, Entry, i);
      json_t *object = json_object ();
      vend_json_set_time (object, "at", entry->at_us);
      vend_json_set_string (object, "what", entry->what);
      vend_json_set_string (object, "sentence", entry->sentence);
      json_object_set (object, "details", entry->details);
      json_array_append_new (list, object);
    }
  return list;
}
