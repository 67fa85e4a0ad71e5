/* The timeline of a prediction: every ending in words, the order of time, and the bound of lines.
 */
#include "model/attempt.h"
#include "model/decision.h"
#include "model/file.h"
#include "model/timeline.h"
#include "model/webhook.h"
#include <string.h>

#define S G_GINT64_CONSTANT (1000000)
#define AT (1700000000 * S)

static void
test_times (void)
{
  static const struct
  {
    int64_t time_us;
    const char *text;
  } cases[] = { { -5, "0 ms" },       { 999, "0 ms" },           { 230 * 1000, "230 ms" },
                { 4100000, "4.1 s" }, { 200 * S, "3 min 20 s" }, { 3660 * S, "1 h 1 min" } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = vend_timeline_time (cases[i].time_us);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

/* Lists without anything. */
static VendTimeline
timeline_of (const VendPrediction *p, GPtrArray *none)
{
  return (VendTimeline){ .prediction = p,
                         .attempts = none,
                         .decisions = none,
                         .instance = none,
                         .outputs = none,
                         .deliveries = none };
}

static const char *
sentence_of (const json_t *entries, const char *what)
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) entries, i, entry)
    if (g_strcmp0 (vend_json_string (entry, "what"), what) == 0)
      return vend_json_string (entry, "sentence");
  return NULL;
}

static void
test_endings (void)
{
  static const struct
  {
    VendStatus status;
    int64_t started_us;
    bool cancel_requested;
    const char *error;
    const char *sentence;
  } cases[] = {
    { VEND_STATUS_SUCCEEDED, AT + S, false, NULL, "Succeeded after running for 2.0 s." },
    { VEND_STATUS_FAILED, AT + S, false, "boom", "Failed after running for 2.0 s: boom" },
    { VEND_STATUS_FAILED, 0, false, NULL, "Failed: no message" },
    { VEND_STATUS_CANCELED, AT + S, true, NULL,
      "Canceled after running for 2.0 s, as was asked for." },
    { VEND_STATUS_CANCELED, 0, false, NULL, "Canceled before it began." },
    { VEND_STATUS_ABORTED, 0, false, NULL, "Aborted: its deadline passed before it began." },
  };
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VendPrediction p = { .id = (char *) "p",
                           .model = (char *) "lab/echo",
                           .version = (char *) "v",
                           .status = cases[i].status,
                           .error = (char *) cases[i].error,
                           .cancel_requested = cases[i].cancel_requested,
                           .created_us = AT,
                           .started_us = cases[i].started_us,
                           .completed_us = AT + 3 * S };
      const VendTimeline timeline = timeline_of (&p, none);
      json_auto_t *entries = vend_timeline_make (&timeline);
      g_assert_cmpstr (sentence_of (entries, "completed"), ==, cases[i].sentence);
    }
}

static void
test_order_and_bound (void)
{
  VendPrediction p = { .id = (char *) "p",
                       .model = (char *) "lab/echo",
                       .version = (char *) "v",
                       .status = VEND_STATUS_SUCCEEDED,
                       .instance = (char *) "i",
                       .attempt = 2,
                       .queue_place = 4,
                       .created_us = AT,
                       .started_us = AT + 5 * S,
                       .completed_us = AT + 7 * S,
                       .data_removed = true,
                       .removed_us = 1 };
  VendAttempt attempt = { 1, (char *) "h", AT + S, AT + 2 * S, (char *) "lost" };
  VendDelivery delivery = { .id = (char *) "msg_1",
                            .event = VEND_WEBHOOK_COMPLETED,
                            .state = VEND_DELIVERY_DELIVERED,
                            .tries = 22,
                            .created_us = AT + 7 * S,
                            .ended_us = AT + 9 * S };
  json_auto_t *inputs = json_object ();
  VendDecision decision = { .at_us = AT + 3 * S,
                            .kind = VEND_DECISION_START,
                            .model = (char *) "lab/echo",
                            .sentence = (char *) "Starting.",
                            .inputs = inputs };
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GPtrArray) attempts = g_ptr_array_new ();
  g_autoptr (GPtrArray) deliveries = g_ptr_array_new ();
  g_autoptr (GPtrArray) decisions = g_ptr_array_new ();
  g_ptr_array_add (attempts, &attempt);
  g_ptr_array_add (deliveries, &delivery);
  for (guint i = 0; i < VEND_TIMELINE_MAX + 5; i++)
    g_ptr_array_add (decisions, &decision);
  VendTimeline timeline = timeline_of (&p, none);
  timeline.attempts = attempts;
  timeline.deliveries = deliveries;
  timeline.decisions = decisions;
  json_auto_t *entries = vend_timeline_make (&timeline);

  static const char *const begin[] = { "created", "queued", "lost", "start" };
  static const char *const end[]
      = { "start", "started", "completed", "webhook", "more", "data-removed" };
  const size_t n = json_array_size (entries);
  g_assert_cmpuint (n, ==, VEND_TIMELINE_MAX + 8);
  for (guint i = 0; i < G_N_ELEMENTS (begin); i++)
    g_assert_cmpstr (vend_json_string (json_array_get (entries, i), "what"), ==, begin[i]);
  for (guint i = 0; i < G_N_ELEMENTS (end); i++)
    g_assert_cmpstr (
        vend_json_string (json_array_get (entries, n - G_N_ELEMENTS (end) + i), "what"), ==,
        end[i]);
  g_assert_cmpstr (sentence_of (entries, "queued"), ==, "Queued behind 3.");
  g_assert_cmpstr (sentence_of (entries, "lost"), ==,
                   "Attempt 1 was lost after running for 1.0 s.");
  g_assert_cmpstr (sentence_of (entries, "webhook"), ==,
                   "Webhook 'completed' was delivered at the 22nd try.");
}

static void
test_deliveries (void)
{
  static const struct
  {
    VendDeliveryState state;
    guint tries;
    const char *sentence;
  } cases[] = {
    { VEND_DELIVERY_PENDING, 0, "Webhook 'start' waits to be delivered after 0 tries." },
    { VEND_DELIVERY_PENDING, 1, "Webhook 'start' waits to be delivered after 1 try: refused." },
    { VEND_DELIVERY_PENDING, 2, "Webhook 'start' waits to be delivered after 2 tries: refused." },
    { VEND_DELIVERY_DEAD, 1, "Webhook 'start' was given up after 1 try: refused." },
    { VEND_DELIVERY_DEAD, 13, "Webhook 'start' was given up after 13 tries: refused." },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VendPrediction p = { .id = (char *) "p", .model = (char *) "lab/echo", .created_us = AT };
      VendDelivery delivery = { .id = (char *) "msg_1",
                                .event = VEND_WEBHOOK_START,
                                .state = cases[i].state,
                                .tries = cases[i].tries,
                                .last_error = (char *) "refused",
                                .created_us = AT };
      g_autoptr (GPtrArray) none = g_ptr_array_new ();
      g_autoptr (GPtrArray) deliveries = g_ptr_array_new ();
      g_ptr_array_add (deliveries, &delivery);
      VendTimeline timeline = timeline_of (&p, none);
      timeline.deliveries = deliveries;
      json_auto_t *entries = vend_timeline_make (&timeline);
      g_assert_cmpstr (sentence_of (entries, "webhook"), ==, cases[i].sentence);
    }
}

/* What is said of the instance depends on when it was started and ready. */
static void
test_instances (void)
{
  static const struct
  {
    int64_t start_us;
    int64_t ready_us;
    const char *sentence;
  } cases[] = {
    { AT - 90 * S, AT - 80 * S,
      "Started after 1.0 s on instance i, which had been ready for 1 min 20 s when it came." },
    { AT - S, AT + S, "Started after 1.0 s on instance i, which was booting when it came." },
    { AT + 1, AT + S, "Started after 1.0 s on instance i." },
  };
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VendPrediction p = { .id = (char *) "p",
                           .model = (char *) "lab/echo",
                           .version = (char *) "v",
                           .status = VEND_STATUS_PROCESSING,
                           .instance = (char *) "i",
                           .attempt = 1,
                           .created_us = AT,
                           .started_us = AT + S };
      VendDecision start = { .at_us = cases[i].start_us,
                             .kind = VEND_DECISION_START,
                             .sentence = (char *) "Starting." };
      VendDecision ready = { .at_us = cases[i].ready_us, .kind = VEND_DECISION_READY };
      g_autoptr (GPtrArray) instance = g_ptr_array_new ();
      g_ptr_array_add (instance, &start);
      g_ptr_array_add (instance, &ready);
      VendTimeline timeline = timeline_of (&p, none);
      timeline.instance = instance;
      json_auto_t *entries = vend_timeline_make (&timeline);
      g_assert_cmpstr (sentence_of (entries, "started"), ==, cases[i].sentence);
      g_assert_cmpstr (sentence_of (entries, "running"), ==, "It runs.");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/story/times", test_times);
  g_test_add_func ("/story/endings", test_endings);
  g_test_add_func ("/story/instances", test_instances);
  g_test_add_func ("/story/order-and-bound", test_order_and_bound);
  g_test_add_func ("/story/deliveries", test_deliveries);
  return g_test_run ();
}
