/* Decisions on their way to the store: a sentence for people, and the inputs of the decision. Core
 * thread; nothing waits for them. */
#include "sched/observe/decisions.h"
#include "base/clock.h"
#include "base/log.h"
#include "sched/instance/fast-start.h"
#include "sched/instance/instance.h"
#include "sched/run/run.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"
#include "store/decisions.h"
#include <string.h>

/* Limit of an error that a model prints while it boots. */
#define MAX_SENTENCE 2000

static bool
store_decision (VendDb *db, void *data, GError **error)
{
  return vend_store_decision_insert (db, data, error);
}

static void
decision_stored (const GError *error, void *data)
{
  if (error != NULL)
    vend_log (VEND_LOG_WARN, "cannot store a decision", "error", error->message, NULL);
  vend_decision_free (data);
}

static void write_down (VendSched *sched, VendDecision *take, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static void
write_down (VendSched *sched, VendDecision *take, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *sentence = g_strdup_vprintf (format, args);
  va_end (args);
  if (strlen (sentence) > MAX_SENTENCE)
    sentence[MAX_SENTENCE] = '\0';
  take->sentence = g_utf8_make_valid (sentence, -1);
  take->at_us = vend_now_us ();
  vend_store_write (sched->store, store_decision, decision_stored, take);
}

static VendDecision *
about (const Target *target, VendDecisionKind kind, const char *instance, json_t *inputs)
{
  VendDecision *decision = g_new0 (VendDecision, 1);
  decision->kind = kind;
  decision->model = g_strdup (target->name);
  decision->version = g_strdup (target->version);
  decision->deployment = g_strdup (target->deployment);
  decision->instance = g_strdup (instance);
  decision->inputs = inputs;
  return decision;
}

static const char *
name_of (const Target *target)
{
  return target->deployment != NULL ? target->deployment : target->name;
}

/* Reasons of the plan begin with a name, which the sentences here contain already. */
static const char *
plain_reason (const Target *target, const char *reason)
{
  const char *name = name_of (target);
  if (g_str_has_prefix (reason, name) && g_str_has_prefix (reason + strlen (name), ": "))
    return reason + strlen (name) + 2;
  return reason;
}

/* The current inputs of the plan. */
static json_t *
demand_inputs (const Target *target)
{
  const VendSched *sched = target->sched;
  return json_pack ("{s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:i, s:i}", "waiting",
                    (int) vend_queue_length (target->queue), "running", (int) target->n_running,
                    "instances", (int) target->instances->len, "slots", (int) target->slots, "min",
                    (int) target->min, "max", (int) target->max, "boot_seconds",
                    target->boot_us / VEND_US_PER_S, "run_seconds", target->run_us / VEND_US_PER_S,
                    "hardware_used", (int) vend_pool_used (sched, target->pool), "hardware_units",
                    (int) vend_pool_units (sched, target->pool));
}

void
vend_decided_fetch (const Target *target, const char *why)
{
  write_down (target->sched, about (target, VEND_DECISION_FETCH, NULL, demand_inputs (target)),
              "Fetching weights before an instance of %s starts: %s.", name_of (target), why);
}

void
vend_decided_fetched (const Target *target, int64_t took_us)
{
  const double seconds = (double) took_us / VEND_US_PER_S;
  write_down (
      target->sched,
      about (target, VEND_DECISION_FETCH, NULL, json_pack ("{s:f}", "fetch_seconds", seconds)),
      "The weights of %s are on disk; fetching them took %.1f s.", name_of (target), seconds);
}

void
vend_decided_unpack (const Target *target)
{
  write_down (target->sched, about (target, VEND_DECISION_FETCH, NULL, demand_inputs (target)),
              "Unpacking the image of %s before its first instance starts.", name_of (target));
}

void
vend_decided_unpacked (const Target *target, int64_t took_us)
{
  const double seconds = (double) took_us / VEND_US_PER_S;
  write_down (
      target->sched,
      about (target, VEND_DECISION_FETCH, NULL, json_pack ("{s:f}", "unpack_seconds", seconds)),
      "The image of %s is unpacked; that took %.1f s.", name_of (target), seconds);
}

void
vend_decided_start (const Instance *instance, const char *reason)
{
  const Target *target = instance->target;
  write_down (target->sched,
              about (target, VEND_DECISION_START, instance->id, demand_inputs (target)),
              "Starting an instance of %s: %s.", name_of (target), plain_reason (target, reason));
}

static void
write_end (const Instance *instance, const char *what, const char *reason)
{
  const Target *target = instance->target;
  json_t *inputs = demand_inputs (target);
  if (instance->idle_since_us > 0)
    json_object_set_new (
        inputs, "idle_seconds",
        json_real ((double) (vend_steady_us () - instance->idle_since_us) / VEND_US_PER_S));
  write_down (target->sched,
              about (target, instance->evicted ? VEND_DECISION_EVICT : VEND_DECISION_STOP,
                     instance->id, inputs),
              "%s an instance of %s: %s.", what, name_of (target), plain_reason (target, reason));
}

void
vend_decided_stop (const Instance *instance, const char *reason)
{
  write_end (instance, "Stopping", reason);
}

void
vend_decided_drain (const Instance *instance, const char *reason)
{
  write_end (instance, "Draining", reason);
}

void
vend_decided_ready (const Instance *instance)
{
  const Target *target = instance->target;
  const double boot = (double) (instance->ready_us - instance->created_us) / VEND_US_PER_S;
  const char *why = instance->started_fast ? NULL : instance->plain_why;
  const char *no_snapshot = instance->snapshot_why;
  json_t *inputs = json_pack (
      "{s:f, s:i, s:s?, s:s?, s:s?, s:s, s:s?, s:s}", "boot_seconds", boot, "waiting",
      (int) vend_queue_length (target->queue), "start", vend_fast_start_kind (instance),
      "plain_reason", why, "snapshot_reason", no_snapshot, "isolation",
      vend_isolation_word (instance->isolation), "isolation_reason", instance->isolation_why,
      "network", vend_network_word (instance->network));
  if (instance->setup_us > 0)
    json_object_set_new (inputs, "setup_seconds",
                         json_real ((double) instance->setup_us / VEND_US_PER_S));
  const bool has_own_network = instance->isolation == VEND_ISOLATION_SANDBOX;
  write_down (
      target->sched, about (target, VEND_DECISION_READY, instance->id, inputs),
      "An instance of %s is ready; its boot took %.1f s%s%s%s%s%s%s%s.", name_of (target), boot,
      instance->from_snapshot  ? ", from a snapshot"
      : instance->started_fast ? ", from a zygote"
                               : "",
      no_snapshot != NULL ? "; not from a snapshot: " : "", no_snapshot != NULL ? no_snapshot : "",
      why != NULL ? "; it was started plainly: " : "", why != NULL ? why : "",
      has_own_network ? "; its network: " : "",
      has_own_network ? vend_network_word (instance->network) : "");
}

void
vend_decided_gone (const Instance *instance)
{
  const Target *target = instance->target;
  write_down (target->sched,
              about (target, VEND_DECISION_GONE, instance->id,
                     json_pack ("{s:i}", "running", (int) g_hash_table_size (instance->running))),
              "An instance of %s has gone: %s.", name_of (target),
              instance->why != NULL ? plain_reason (target, instance->why) : "it ended");
}

void
vend_decided_boot_failed (const Target *target, bool lost, const char *error_code,
                          const char *error)
{
  const VendBootBackoff *backoff = &target->backoff;
  const int64_t wait_us = MAX (backoff->until_us - vend_steady_us (), 0);
  json_t *inputs = json_pack ("{s:i, s:i, s:f, s:s}", "failures", (int) backoff->failures, "losses",
                              (int) backoff->losses, "back_off_seconds",
                              (double) wait_us / VEND_US_PER_S, "error_code", error_code);
  g_autofree char *next = wait_us > 0
                              ? g_strdup_printf ("the next try is not before %.0f s from now",
                                                 (double) wait_us / VEND_US_PER_S)
                              : g_strdup ("it is tried again at once");
  write_down (target->sched, about (target, VEND_DECISION_BOOT_FAILED, NULL, inputs),
              "An instance of %s %s (%s %u in a row): %s; %s.", name_of (target),
              lost ? "was lost before it was ready" : "did not start", lost ? "loss" : "failure",
              lost ? backoff->losses : backoff->failures, error, next);
}

void
vend_decided_queue_failed (const Target *target, bool lost)
{
  const VendBootBackoff *backoff = &target->backoff;
  const guint waiting = vend_queue_length (target->queue);
  if (waiting == 0)
    return;
  write_down (target->sched,
              about (target, VEND_DECISION_QUEUE_FAILED, NULL,
                     json_pack ("{s:i, s:i, s:i}", "waiting", (int) waiting, "failures",
                                (int) backoff->failures, "losses", (int) backoff->losses)),
              "%u that %s for %s %s an error, since %u boots %s in a row.", waiting,
              waiting == 1 ? "waits" : "wait", name_of (target), waiting == 1 ? "gets" : "get",
              lost ? backoff->losses : backoff->failures, lost ? "were lost" : "failed");
}

void
vend_decided_roll (const Target *to, int64_t release, const char *why)
{
  json_t *inputs = json_pack ("{s:I}", "release", (json_int_t) release);
  write_down (to->sched, about (to, VEND_DECISION_ROLL, NULL, inputs),
              "Release %" G_GINT64_FORMAT " of %s takes over: %s.", release, name_of (to), why);
}

/* ---- About one prediction */

static VendDecision *
about_run (const Run *run, VendDecisionKind kind, const char *instance, json_t *inputs)
{
  VendDecision *decision = about (run->target, kind, instance, inputs);
  decision->prediction = g_strdup (run->p->id);
  return decision;
}

void
vend_decided_lost (const Run *run, const char *refusal, bool started, bool emitted, const char *why)
{
  const char *retry = started ? "it goes back to the head of the queue, as nothing of it had been "
                                "returned"
                              : "it goes back to the head of the queue, as it had not begun";
  json_t *inputs
      = json_pack ("{s:i, s:b, s:b, s:i, s:i}", "attempt", run->p->attempt, "started", started,
                   "output_returned", emitted, "lost_before_start", (int) run->lost_before_start,
                   "lost_running", (int) run->lost_running);
  vend_json_set_int (inputs, "lost_out_of_memory", run->lost_out_of_memory);
  vend_json_set_string (inputs, "reason", why);
  write_down (run->sched,
              about_run (run, refusal != NULL ? VEND_DECISION_GIVE_UP : VEND_DECISION_RETRY,
                         run->p->instance, inputs),
              "Attempt %d was lost (%s): %s.", run->p->attempt, why,
              refusal != NULL ? refusal : retry);
}

void
vend_decided_release (const Run *run)
{
  json_t *inputs = json_pack ("{s:i}", "attempt", run->p->attempt);
  write_down (
      run->sched, about_run (run, VEND_DECISION_RETRY, run->p->instance, inputs),
      "Attempt %d did not begin, as the run before it takes longer than usual: it goes back "
      "to the head of the queue.",
      run->p->attempt);
}

void
vend_decided_unreachable (const Run *run, const char *why, double wait_seconds)
{
  json_t *inputs = json_pack ("{s:f}", "wait_seconds", wait_seconds);
  vend_json_set_time (inputs, "deadline", run->p->deadline_us);
  vend_json_set_int (inputs, "waiting", vend_queue_length (run->target->queue));
  write_down (run->sched, about_run (run, VEND_DECISION_ABORT, NULL, inputs), "Aborted: %s.", why);
}

void
vend_decided_deadline (const Run *run, bool aborted)
{
  json_t *inputs = json_object ();
  vend_json_set_time (inputs, "deadline", run->p->deadline_us);
  vend_json_set_int (inputs, "waiting", vend_queue_length (run->target->queue));
  write_down (run->sched,
              about_run (run, aborted ? VEND_DECISION_ABORT : VEND_DECISION_DEADLINE,
                         run->p->instance, inputs),
              "%s",
              aborted ? "Its deadline passed while it waited: it does not begin any more."
                      : "Its deadline passed while it ran: the model is asked to stop.");
}
