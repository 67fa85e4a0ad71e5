/* The one way a prediction or training comes into being, whatever route named its version. */
#include "api/create.h"
#include "api/api-private.h"
#include "api/headers.h"
#include "api/input-files.h"
#include "api/idempotency.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "cog/input.h"
#include "cog/output.h"
#include "json/schema.h"
#include "store/predictions.h"
#include "store/stored-bytes.h"
#include <string.h>

VendReply *
vend_api_problem (int status, const char *title, const char *detail)
{
  json_t *body = json_object ();
  vend_json_set_string (body, "title", title);
  vend_json_set_string (body, "detail", detail);
  vend_json_set_int (body, "status", status);
  return vend_reply_problem_json (status, body);
}

char *
vend_api_problems_text (const json_t *problems)
{
  GString *text = g_string_new (NULL);
  size_t i;
  json_t *problem;
  json_array_foreach ((json_t *) problems, i, problem)
    g_string_append_printf (text, "- %s: %s\n", vend_json_string (problem, "field"),
                            vend_json_string (problem, "description"));
  return g_string_free (text, FALSE);
}

VendReply *
vend_api_invalid_fields (json_t *problems)
{
  g_autofree char *detail = vend_api_problems_text (problems);
  json_t *body = json_pack ("{s:s, s:i, s:s, s:o}", "detail", detail, "status", 422, "title",
                            "Input validation failed", "invalid_fields", problems);
  return vend_reply_problem_json (422, body);
}

/* ---- The reply */

typedef struct
{
  VendApi *api;
  VendCall *call;
  int64_t account_id;
  VendIdempotencyKey *key; /* or NULL */
  VendBlobHolds *holds;    /* of input files: the row that holds them is on disk before the reply */
  int64_t wait_until_us;
  char *id;            /* of the prediction, once there is one */
  char *replayed;      /* id of the prediction that an earlier send has made, or NULL */
  char *applied;       /* Preference-Applied; NULL when nothing is held */
  VendReply *ready;    /* without a wait the reply is known before */
  VendPrediction *now; /* what the core thread told, or the error */
  GError *error;
} Creation;

static void
creation_free (Creation *creation)
{
  g_free (creation->id);
  g_free (creation->applied);
  g_free (creation->replayed);
  vend_idempotency_key_free (creation->key);
  vend_blob_holds_free (creation->holds);
  g_clear_pointer (&creation->ready, vend_reply_free);
  vend_prediction_free (creation->now);
  g_clear_error (&creation->error);
  g_free (creation);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Creation, creation_free)

static VendReply *
created_reply (const Creation *creation, const VendPrediction *now)
{
  bool ran_out = creation->applied != NULL && !vend_status_is_terminal (now->status);
  const char *origin = vend_call_origin (creation->call);
  VendReply *reply = vend_reply_json (ran_out ? 202 : 201,
                                      vend_prediction_to_json (now, origin, VEND_VIEW_STARTED));
  const char *folder = now->kind == VEND_KIND_TRAINING ? "trainings" : "predictions";
  g_autofree char *location = g_strdup_printf ("%s/v1/%s/%s", origin, folder, now->id);
  vend_reply_header (reply, "Location", location);
  if (creation->applied != NULL)
    vend_reply_header (reply, "Preference-Applied", creation->applied);
  return reply;
}

/* Core thread: rows have to be read for it. */
static void
reply_later (Creation *creation, const GError *error, VendLaterWork work)
{
  creation->error = g_error_copy (error);
  vend_later_run (creation->api->later, VEND_LANE_REPLIES, work, creation);
}

static VendReply *
make_replayed (void *data)
{
  g_autoptr (Creation) creation = data;
  VendReply *reply = created_reply (creation, creation->now);
  vend_reply_header (reply, "Idempotency-Replayed", "true");
  return reply;
}

/* It has ended: its row has it. */
static void
reply_replayed (void *data)
{
  g_autoptr (Creation) creation = data;
  g_autoptr (GError) problem = NULL;
  VendCall *call = creation->call;
  VendReply *reply = NULL;
  g_auto (VendReader) reader = vend_reader (creation->api->parts.store);
  if (!vend_store_prediction_get (reader.db, creation->replayed, &creation->now, &problem))
    reply = vend_reply_error (problem);
  else
    reply = make_replayed (g_steal_pointer (&creation));
  vend_call_reply (call, reply);
}

static void
replayed (const VendPrediction *now, const GError *error, void *data)
{
  Creation *creation = data;
  if (now == NULL)
    {
      reply_later (creation, error, reply_replayed);
      return;
    }
  creation->now = vend_prediction_copy (now);
  vend_api_reply_made (creation->api, creation->call, now, make_replayed, creation);
}

static void
wait_for (Creation *creation)
{
  vend_sched_wait (creation->api->parts.sched, creation->replayed, creation->wait_until_us,
                   replayed, creation);
}

/* Another send of the same request was stored first. */
static bool
find_winner (Creation *creation, const GError *error)
{
  g_autoptr (GError) problem = NULL;
  if (creation->key == NULL || !g_error_matches (error, VEND_ERROR, VEND_ERROR_EXISTS))
    return false;
  g_auto (VendReader) reader = vend_reader (creation->api->parts.store);
  return vend_api_find_idempotent (reader.db, creation->account_id, creation->key, vend_now_us (),
                                   &creation->replayed, &problem)
         && creation->replayed != NULL;
}

static VendReply *
make_created (void *data)
{
  g_autoptr (Creation) creation = data;
  return created_reply (creation, creation->now);
}

/* Its end cannot be stored now, and its row is on disk. */
static bool
find_stored (Creation *creation, const GError *error)
{
  g_autoptr (GError) problem = NULL;
  if (!g_error_matches (error, VEND_ERROR, VEND_ERROR_BUSY) || creation->id == NULL)
    return false;
  g_auto (VendReader) reader = vend_reader (creation->api->parts.store);
  return vend_store_prediction_get (reader.db, creation->id, &creation->now, &problem);
}

static void
reply_refused (void *data)
{
  g_autoptr (Creation) creation = data;
  const GError *error = creation->error;
  VendCall *call = creation->call;
  if (find_stored (creation, error))
    vend_call_reply (call, make_created (g_steal_pointer (&creation)));
  else if (find_winner (creation, error))
    {
      g_clear_error (&creation->error);
      wait_for (g_steal_pointer (&creation));
    }
  else
    vend_call_reply (call, vend_reply_error (error));
}

static void
created (const VendPrediction *now, const GError *error, void *data)
{
  Creation *creation = data;
  if (error != NULL)
    {
      reply_later (creation, error, reply_refused);
      return;
    }
  if (creation->ready != NULL)
    {
      vend_call_reply (creation->call, g_steal_pointer (&creation->ready));
      creation_free (creation);
      return;
    }
  creation->now = vend_prediction_copy (now);
  vend_api_reply_made (creation->api, creation->call, now, make_created, creation);
}

static Creation *
creation_new (VendApi *api, VendCall *call, const VendCaller *caller, VendKind kind)
{
  Creation *creation = g_new0 (Creation, 1);
  creation->api = api;
  creation->call = call;
  creation->account_id = caller->account->id;
  /* A training takes longer than anybody holds a connection. */
  int64_t wait_us
      = kind == VEND_KIND_TRAINING
            ? 0
            : vend_prefer_wait_us (vend_call_header (call, "Prefer"), &creation->applied);
  creation->wait_until_us = wait_us > 0 ? vend_steady_us () + wait_us : 0;
  return creation;
}

/* ---- The prediction */

static const char *
component_of (const VendApiRun *run)
{
  return run->kind == VEND_KIND_TRAINING ? "TrainingInput" : "Input";
}

/* The input of the body; `*out_problems` when it does not fit. */
static bool
read_input (const VendApiRun *run, json_t **out, json_t **out_problems, GError **error)
{
  const char *component = component_of (run);
  json_auto_t *input = json_incref (json_object_get (run->body, "input"));
  if (input == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "input is required");
  if (!json_is_object (input))
    return vend_fail (error, VEND_ERROR_INVALID, "input: expected an object");
  *out_problems = vend_schema_problems (run->version->openapi, component, input);
  if (*out_problems != NULL)
    return true;
  if (!vend_cog_input_check (input, error))
    return false;
  vend_cog_input_make_whole (run->version->openapi, component, input);
  *out = json_incref (input);
  return true;
}

static void
describe (VendPrediction *prediction, const VendApiRun *run, const VendCaller *caller)
{
  const VendModel *model = run->model;
  const VendVersion *version = run->version;
  prediction->input_memory
      = vend_json_memory (prediction->input) + vend_json_memory (prediction->files);
  prediction->kind = run->kind;
  prediction->deployment = g_strdup (run->deployment);
  prediction->destination = run->destination;
  prediction->account_id = caller->account->id;
  prediction->from_web = caller->is_web;
  prediction->model_id = model->id;
  prediction->billing = vend_prediction_billing_of (prediction, model);
  prediction->model = g_strdup_printf ("%s/%s", model->owner, model->name);
  prediction->version = g_strdup (version->id);
  prediction->stream = vend_cog_stream_flags (version->openapi);
  prediction->secrets = vend_cog_secret_names (version->openapi, component_of (run));
}

bool
vend_api_prepare (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                  const VendApiRun *run, VendPrediction **out, VendBlobHolds **out_holds,
                  json_t **out_problems, GError **error)
{
  int64_t cancel_after_us = 0;
  g_autoptr (VendPrediction) prediction = vend_prediction_new ();
  g_autoptr (VendBlobHolds) holds = NULL;
  json_auto_t *malformed = json_array ();
  const VendApiSchema schema = { run->version->openapi, component_of (run) };
  if (!vend_version_check_runs (run->version, vend_sched_why_no_images (api->parts.sched), error)
      || !vend_store_accepts (api->parts.store, error)
      || !read_input (run, &prediction->input, out_problems, error))
    return false;
  if (*out_problems != NULL)
    return true;
  /* Before anything is written for the create; the transaction checks once more. */
  if (!vend_store_stored_allow (db, caller->account->id, 0,
                                vend_settings_bytes (api->parts.settings, "account-max-stored"),
                                error))
    return false;
  prediction->id = vend_id_new ();
  prediction->created_us = vend_now_us ();
  if (!vend_cancel_after_us (vend_call_header (call, "Cancel-After"), &cancel_after_us, error)
      || !vend_api_webhook (api, call, run->body, prediction, error)
      || !vend_api_input_files (api, call, caller, db, &schema, prediction, &holds, malformed,
                                error))
    return false;
  if (json_array_size (malformed) > 0)
    {
      *out_problems = json_incref (malformed);
      return true;
    }
  describe (prediction, run, caller);
  prediction->deadline_us = cancel_after_us > 0 ? prediction->created_us + cancel_after_us : 0;
  *out = g_steal_pointer (&prediction);
  *out_holds = g_steal_pointer (&holds);
  return true;
}

VendSchedPlace
vend_api_place (const VendApiRun *run)
{
  return (VendSchedPlace){ run->hardware != NULL ? run->hardware : run->model->hardware,
                           run->scaling };
}

bool
vend_api_create (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                 const VendApiRun *run, VendReply **out, GError **error)
{
  g_autoptr (Creation) creation = creation_new (api, call, caller, run->kind);
  if (!vend_api_idempotency_key (call, caller, &creation->key, error)
      || (creation->key != NULL
          && !vend_api_find_idempotent (db, caller->account->id, creation->key, vend_now_us (),
                                        &creation->replayed, error)))
    return false;
  if (creation->replayed != NULL)
    {
      wait_for (g_steal_pointer (&creation));
      return true;
    }
  g_autoptr (VendPrediction) prediction = NULL;
  json_t *problems = NULL;
  if (!vend_api_prepare (api, call, caller, db, run, &prediction, &creation->holds, &problems,
                         error))
    return false;
  if (problems != NULL)
    {
      *out = vend_api_invalid_fields (problems);
      return true;
    }

  creation->id = g_strdup (prediction->id);
  if (creation->key != NULL)
    prediction->idempotency_key = vend_idempotency_key_copy (creation->key);
  int64_t wait_until_us = creation->wait_until_us;
  if (wait_until_us == 0)
    creation->ready = created_reply (creation, prediction);
  const VendSchedPlace place = vend_api_place (run);
  vend_sched_submit (api->parts.sched, g_steal_pointer (&prediction), run->version, &place,
                     wait_until_us, created, g_steal_pointer (&creation));
  return true;
}
