/* Predictions: create (two ways to name the version), list, get, cancel, removal of the
 * data; the last four serve trainings as well. */
#include "api/api-private.h"
#include "api/create.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "files/run-data.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/webhooks.h"
#include <string.h>

#define MAX_REFERENCE 256

/* ---- Create */

static VendReply *
no_such_version (void)
{
  return vend_api_problem (422, "Invalid version or not permitted",
                           "The specified version does not exist (or perhaps you don't have "
                           "permission to use it?)");
}

/* What "owner/name", "owner/name:version" or a version names, as far as the caller may see it. */
static bool
find_model (VendApi *api, VendDb *db, const VendCaller *caller, const char *reference,
            VendModel **out_model, char **out_version, GError **error)
{
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  if (strchr (reference, '/') == NULL)
    {
      *out_version = g_strdup (reference);
      return vend_models_cache_by_version (api->models, db, reference, caller->account->id,
                                           out_model, error);
    }
  g_autoptr (VendModel) model = NULL;
  if (!vend_reference_parse (reference, &owner, &name, &version, error)
      || !vend_models_cache_by_name (api->models, db, owner, name, &model, error))
    return false;
  if (!vend_api_may_see (model, caller))
    return vend_api_not_found (error);
  *out_version = g_strdup (version != NULL ? version : model->latest_version);
  *out_model = g_steal_pointer (&model);
  return true;
}

static bool
create_by_version (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error)
{
  json_auto_t *body = NULL;
  const char *reference = NULL;
  if (!vend_api_object (call, &body, error)
      || !vend_api_text (body, "version", MAX_REFERENCE, &reference, error))
    return false;

  g_auto (VendReader) reader = vend_reader (api->parts.store);
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendSharedVersion) version = NULL;
  g_autoptr (GError) problem = NULL;
  g_autofree char *id = NULL;
  bool found = find_model (api, reader.db, caller, reference, &model, &id, &problem);
  if (found && id != NULL)
    found = vend_versions_cache_get (api->versions, reader.db, model->id, id, &version, &problem);
  if (!found || id == NULL)
    {
      if (problem != NULL && vend_error_info (problem)->http_status >= 500)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      *out = no_such_version ();
      return true;
    }
  const VendApiRun run = { .model = model, .version = version, .body = body };
  return vend_api_create (api, call, caller, reader.db, &run, out, error);
}

static bool
create_by_model (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendSharedVersion) version = NULL;
  if (!vend_api_object (call, &body, error))
    return false;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_models_cache_by_name (api->models, reader.db, vend_call_param (call, "owner"),
                                  vend_call_param (call, "name"), &model, error))
    return false;
  if (!vend_api_may_see (model, caller))
    return vend_api_not_found (error);
  if (model->latest_version == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "the model %s/%s has no version yet; push one",
                      model->owner, model->name);
  if (!vend_versions_cache_get (api->versions, reader.db, model->id, model->latest_version,
                                &version, error))
    return false;
  const VendApiRun run = { .model = model, .version = version, .body = body };
  return vend_api_create (api, call, caller, reader.db, &run, out, error);
}

/* ---- Get */

static VendReply *
show (VendCall *call, const VendPrediction *prediction)
{
  return vend_reply_json (
      200, vend_prediction_to_json (prediction, vend_call_origin (call), VEND_VIEW_TRUTH));
}

/* A request about one run of an account: as the core thread has it, or else from its row. */
typedef struct
{
  VendApi *api;
  VendCall *call;
  int64_t account_id;
  VendKind kind;
  bool only_asks; /* whatever keeps the core thread from an answer: the row is one */
  VendPrediction *now;
  GError *error;
} Question;

static void
question_free (Question *question)
{
  vend_prediction_free (question->now);
  g_clear_error (&question->error);
  g_free (question);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Question, question_free)

static Question *
question_new (VendApi *api, VendCall *call, const VendCaller *caller, VendKind kind)
{
  Question *question = g_new0 (Question, 1);
  *question
      = (Question){ .api = api, .call = call, .account_id = caller->account->id, .kind = kind };
  return question;
}

static bool
check_own (const Question *question, const VendPrediction *prediction, GError **error)
{
  /* An example out of the files of a model stands where one that ran stands. */
  const VendKind kind
      = prediction->kind == VEND_KIND_EXAMPLE ? VEND_KIND_PREDICTION : prediction->kind;
  return (prediction->account_id == question->account_id && kind == question->kind)
         || vend_api_not_found (error);
}

static bool
load_own (Question *question, GError **error)
{
  g_auto (VendReader) reader = vend_reader (question->api->parts.store);
  return vend_store_prediction_get (reader.db, vend_call_param (question->call, "id"),
                                    &question->now, error)
         && check_own (question, question->now, error);
}

static VendReply *
make_shown (void *data)
{
  g_autoptr (Question) question = data;
  return show (question->call, question->now);
}

/* The prediction does not run any more, or its end is not on disk yet: its row. */
static void
reply_stored (void *data)
{
  g_autoptr (Question) question = data;
  g_autoptr (GError) problem = NULL;
  g_clear_pointer (&question->now, vend_prediction_free);
  vend_call_reply (question->call, load_own (question, &problem)
                                       ? show (question->call, question->now)
                                       : vend_reply_error (problem));
}

static void
reply_refused (void *data)
{
  g_autoptr (Question) question = data;
  vend_call_reply (question->call, vend_reply_error (question->error));
}

/* Core thread. */
static void
notify (const VendPrediction *now, const GError *error, void *data)
{
  Question *question = data;
  g_autoptr (GError) problem = error != NULL ? g_error_copy (error) : NULL;
  if (problem == NULL && check_own (question, now, &problem))
    {
      g_clear_pointer (&question->now, vend_prediction_free);
      question->now = vend_prediction_copy (now);
      vend_api_reply_made (question->api, question->call, now, make_shown, question);
      return;
    }
  const bool has_row
      = error != NULL
        && (question->only_asks || g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND));
  question->error = g_steal_pointer (&problem);
  vend_later_run (question->api->later, VEND_LANE_REPLIES, has_row ? reply_stored : reply_refused,
                  question);
}

bool
vend_api_run_get (VendApi *api, VendCall *call, VendCaller *caller, VendKind kind, VendReply **out,
                  GError **error)
{
  g_autoptr (Question) question = question_new (api, call, caller, kind);
  const char *id = vend_call_param (call, "id");
  question->only_asks = true;
  if (!vend_sched_is_open (api->parts.sched, id))
    {
      if (!load_own (question, error))
        return false;
      if (vend_status_is_terminal (question->now->status))
        {
          *out = show (call, question->now);
          return true;
        }
    }
  vend_sched_peek (api->parts.sched, id, notify, g_steal_pointer (&question));
  return true;
}

static bool
get_prediction (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return vend_api_run_get (api, call, caller, VEND_KIND_PREDICTION, out, error);
}

/* ---- Cancel */

bool
vend_api_run_cancel (VendApi *api, VendCall *call, VendCaller *caller, VendKind kind,
                     VendReply **out, GError **error)
{
  g_autoptr (Question) question = question_new (api, call, caller, kind);
  if (!load_own (question, error))
    return false;
  if (vend_status_is_terminal (question->now->status))
    {
      *out = show (call, question->now);
      return true;
    }
  vend_sched_cancel (api->parts.sched, vend_call_param (call, "id"), notify,
                     g_steal_pointer (&question));
  return true;
}

static bool
cancel_prediction (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                   GError **error)
{
  return vend_api_run_cancel (api, call, caller, VEND_KIND_PREDICTION, out, error);
}

/* ---- Removal of the data */

static bool
remove_data (VendDb *db, void *data, GError **error)
{
  Question *question = data;
  g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func (g_free);
  const char *id = vend_call_param (question->call, "id");
  /* A transaction may be tried again. */
  g_clear_pointer (&question->now, vend_prediction_free);
  if (!vend_store_prediction_get (db, id, &question->now, error)
      || !check_own (question, question->now, error))
    return false;
  if (!vend_status_is_terminal (question->now->status))
    return vend_fail (error, VEND_ERROR_CONFLICT, "%s has not ended; cancel it first", id);
  /* Blobs without a row are left to the sweep. The retention time leaves webhooks their bodies. */
  const int64_t now_us = vend_now_us ();
  return vend_store_delivery_strip (db, id, now_us, error)
         && (question->now->data_removed || vend_run_data_remove (db, id, now_us, contents, error));
}

bool
vend_api_run_remove_data (VendApi *api, VendCall *call, VendCaller *caller, VendKind kind,
                          VendReply **out, GError **error)
{
  g_autoptr (Question) question = question_new (api, call, caller, kind);
  if (!vend_store_write_wait (api->parts.store, remove_data, question, error))
    return false;
  *out = vend_reply_empty (204);
  return true;
}

static bool
remove_prediction_data (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out,
                        GError **error)
{
  return vend_api_run_remove_data (api, call, caller, VEND_KIND_PREDICTION, out, error);
}

/* ---- List */

static bool
read_status (VendCall *call, int *out, GError **error)
{
  const char *name = vend_call_query (call, "status");
  if (name == NULL)
    return true;
  for (int status = 0; status < VEND_STATUS_N; status++)
    if (strcmp (name, vend_status_name ((VendStatus) status)) == 0)
      {
        *out = status;
        return true;
      }
  return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                    "status: expected starting, processing, succeeded, failed, canceled or "
                    "aborted, got '%.200s'",
                    name);
}

static bool
read_filters (VendCall *call, VendPredictionPage *page, GError **error)
{
  const char *source = vend_call_query (call, "source");
  if (source != NULL && strcmp (source, "web") != 0)
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "source: expected web");
  page->web_only = source != NULL;
  page->version = vend_call_query (call, "version");
  if (page->version != NULL && !vend_is_sha256_hex (page->version))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST,
                      "version: expected the id of a version, 64 hexadecimal digits");
  return vend_api_query_time (call, "created_before", &page->before_us, error)
         && vend_api_query_time (call, "created_after", &page->created_after_us, error)
         && vend_api_query_reference (call, "model", &page->model, error)
         && vend_api_query_reference (call, "deployment", &page->deployment, error)
         && read_status (call, &page->status, error);
}

bool
vend_api_run_list (VendApi *api, VendCall *call, VendCaller *caller, VendKind kind, VendReply **out,
                   GError **error)
{
  static const char *const keep[] = { "created_after", "created_before", "source", "model",
                                      "version",       "deployment",     "status", NULL };
  g_auto (ApiCursor) cursor = { 0 };
  g_autoptr (GPtrArray) predictions = NULL;
  VendPredictionPage page = { .account_id = caller->account->id,
                              .kind = kind,
                              .before_us = G_MAXINT64,
                              .status = VEND_ANY_STATUS };
  VendPage rows = { .limit = VEND_PAGE_SIZE };
  if (!read_filters (call, &page, error) || !vend_api_cursor (call, &cursor, error))
    return false;
  if (!cursor.first)
    {
      page.before_us = cursor.after_us;
      page.before_id = cursor.after_id;
    }

  {
    g_auto (VendReader) reader = vend_reader (api->parts.store);
    if (!vend_store_prediction_page (reader.db, &page, &rows, &predictions, error))
      return false;
  }
  GString *results = vend_api_results ();
  const VendPrediction *last = NULL;
  for (guint i = 0; i < predictions->len; i++)
    {
      last = g_ptr_array_index (predictions, i);
      vend_api_add_result (
          results, vend_prediction_to_json (last, vend_call_origin (call), VEND_VIEW_TRUTH));
    }
  *out = vend_api_page (call, results, rows.more, rows.more ? last->created_us : 0,
                        rows.more ? last->id : "", keep);
  return true;
}

static bool
list_predictions (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return vend_api_run_list (api, call, caller, VEND_KIND_PREDICTION, out, error);
}

const ApiRoute vend_api_prediction_routes[] = {
  { "POST", "/v1/predictions", VEND_SCOPE_RUN, VEND_BODY_BUFFER, create_by_version, NULL,
    VEND_RATE_CREATE, .runs_on = VEND_RUN_AT_ONCE, .reads_files = true },
  { "POST", "/v1/models/{owner}/{name}/predictions", VEND_SCOPE_RUN, VEND_BODY_BUFFER,
    create_by_model, NULL, VEND_RATE_CREATE, .runs_on = VEND_RUN_AT_ONCE, .reads_files = true },
  { "GET", "/v1/predictions", VEND_SCOPE_READ, VEND_BODY_NONE, list_predictions, NULL,
    .runs_on = VEND_RUN_READ },
  { "GET", "/v1/predictions/{id}", VEND_SCOPE_READ, VEND_BODY_NONE, get_prediction, NULL,
    VEND_RATE_POLL, .runs_on = VEND_RUN_READ_RUN },
  { "DELETE", "/v1/predictions/{id}", VEND_SCOPE_RUN, VEND_BODY_NONE, remove_prediction_data,
    NULL },
  { "POST", "/v1/predictions/{id}/cancel", VEND_SCOPE_RUN, VEND_BODY_NONE, cancel_prediction, NULL,
    .runs_on = VEND_RUN_READ },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
