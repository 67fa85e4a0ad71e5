/* Explanations: the timeline of a prediction, and the scheduler's decisions. */
#include "api/api-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/decision.h"
#include "model/file.h"
#include "model/timeline.h"
#include "model/webhook.h"
#include "store/decisions.h"
#include "store/files.h"
#include "store/predictions.h"
#include "store/usage.h"
#include "store/webhooks.h"

/* Everything that is stored about a prediction. */
typedef struct
{
  VendCall *call;
  VendPrediction *prediction;
  GPtrArray *attempts;
  GPtrArray *decisions;
  GPtrArray *instance;
  GPtrArray *outputs;
  GPtrArray *deliveries;
  VendUsage *usage;
} Record;

static void
record_free (Record *record)
{
  vend_prediction_free (record->prediction);
  g_clear_pointer (&record->attempts, g_ptr_array_unref);
  g_clear_pointer (&record->decisions, g_ptr_array_unref);
  g_clear_pointer (&record->instance, g_ptr_array_unref);
  g_clear_pointer (&record->outputs, g_ptr_array_unref);
  g_clear_pointer (&record->deliveries, g_ptr_array_unref);
  vend_usage_free (record->usage);
  g_free (record);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Record, record_free)

/* Decisions about the prediction, and about its target while the prediction waited. */
static bool
load_decisions (VendDb *db, Record *record, GError **error)
{
  const VendPrediction *p = record->prediction;
  g_autoptr (GPtrArray) own = NULL;
  int64_t to_us = G_MAXINT64;
  if (p->started_us > 0)
    to_us = p->started_us;
  else if (p->completed_us > 0)
    to_us = p->completed_us;
  const VendDecisionSpan span = { .model = p->model,
                                  .version = p->version,
                                  .deployment = p->deployment,
                                  .from_us = p->created_us,
                                  .to_us = to_us,
                                  .limit = VEND_TIMELINE_MAX + 1 };
  if (!vend_store_decision_of_prediction (db, p->id, VEND_TIMELINE_MAX, &own, error)
      || !vend_store_decision_during (db, &span, &record->decisions, error))
    return false;
  /* Decisions about the prediction come first: they are never left out. */
  while (own->len > 0)
    g_ptr_array_insert (record->decisions, 0, g_ptr_array_steal_index (own, own->len - 1));
  return p->instance == NULL ? true
                             : vend_store_decision_of_instance (db, p->instance, VEND_TIMELINE_MAX,
                                                                &record->instance, error);
}

/* A file of the input is no output. */
static void
remove_inputs (GPtrArray *outputs)
{
  for (guint i = outputs->len; i > 0; i--)
    if (((const VendOutput *) g_ptr_array_index (outputs, i - 1))->is_input)
      g_ptr_array_remove_index (outputs, i - 1);
}

static bool
load (VendDb *db, Record *record, GError **error)
{
  const VendPrediction *p = record->prediction;
  if (!vend_store_attempt_list (db, p->id, VEND_TIMELINE_MAX, &record->attempts, error)
      || !load_decisions (db, record, error)
      || !vend_store_output_list (db, p->id, &record->outputs, error)
      || !vend_store_delivery_of (db, p->id, VEND_TIMELINE_MAX, &record->deliveries, error))
    return false;
  remove_inputs (record->outputs);
  if (record->instance == NULL)
    record->instance = g_ptr_array_new ();
  return p->completed_us == 0
         || vend_store_usage_of (db, p->account_id, p->completed_us, p->id, &record->usage, error);
}

static VendReply *
tell (const Record *record, const VendPrediction *now)
{
  const VendTimeline timeline = { .prediction = now,
                                  .attempts = record->attempts,
                                  .decisions = record->decisions,
                                  .instance = record->instance,
                                  .outputs = record->outputs,
                                  .deliveries = record->deliveries,
                                  .usage = record->usage };
  return vend_reply_json (200, json_pack ("{s:s, s:s, s:o}", "id", now->id, "status",
                                          vend_status_name (now->status), "entries",
                                          vend_timeline_make (&timeline)));
}

/* The core knows more of a running prediction than the disk. */
static void
peeked (const VendPrediction *now, const GError *error, void *data)
{
  g_autoptr (Record) record = data;
  vend_call_reply (record->call, tell (record, now != NULL ? now : record->prediction));
}

static bool
explain (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (Record) record = g_new0 (Record, 1);
  record->call = call;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_prediction_get (reader.db, vend_call_param (call, "id"), &record->prediction,
                                    error))
      return false;
    if (record->prediction->account_id != caller->account->id)
      return vend_api_not_found (error);
    if (!load (reader.db, record, error))
      return false;
  }
  if (vend_status_is_terminal (record->prediction->status))
    {
      *out = tell (record, record->prediction);
      return true;
    }
  const char *id = record->prediction->id;
  vend_sched_peek (api->parts.sched, id, peeked, g_steal_pointer (&record));
  return true;
}

/* ---- Decisions */

static bool
list_decisions (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  static const char *const keep[] = { "model", "since", NULL };
  g_autoptr (GPtrArray) decisions = NULL;
  VendDecisionPage page = { 0 };
  VendPage rows = { .limit = VEND_PAGE_SIZE };
  if (!vend_api_query_reference (call, "model", &page.model, error)
      || !vend_api_number_cursor (call, &page.before_us, &page.before_id, error)
      || !vend_api_query_time (call, "since", &page.since_us, error))
    return false;
  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_decision_page (reader.db, &page, &rows, &decisions, error))
      return false;
  }
  GString *results = vend_api_results ();
  const VendDecision *last = NULL;
  for (guint i = 0; i < decisions->len; i++)
    {
      last = g_ptr_array_index (decisions, i);
      vend_api_add_result (results, vend_decision_to_json (last));
    }
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, last != NULL ? last->id : 0);
  *out = vend_api_page (call, results, rows.more, last != NULL ? last->at_us : 0, id, keep);
  return true;
}

const ApiRoute vend_api_explain_routes[] = {
  { "GET", "/v1/predictions/{id}/explanation", VEND_SCOPE_READ, VEND_BODY_NONE, explain, NULL,
    .runs_on = VEND_RUN_READ },
  { "GET", "/v1/decisions", VEND_SCOPE_ADMIN, VEND_BODY_NONE, list_decisions, NULL,
    .runs_on = VEND_RUN_READ },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
