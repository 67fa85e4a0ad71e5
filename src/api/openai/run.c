/* A run of OpenAI's endpoints, from its request to its reply: a prediction like any other.
 *
 * A request that is sent again joins the run that the first one made: by its idempotency key, or by
 * the count of retries that the official clients send. */
#include "api/create.h"
#include "api/idempotency.h"
#include "api/openai/client.h"
#include "api/openai/openai-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/predictions.h"

/* The official clients wait 600 s for a reply. */
#define HOLD_US (595 * VEND_US_PER_S)
/* Between two looks for `stop` in the output of a run whose reply is whole. */
#define LISTEN_US (VEND_US_PER_S / 5)

static void
run_free (OpenaiRun *run)
{
  if (run == NULL)
    return;
  vend_idempotency_key_free (run->key);
  vend_blob_holds_free (run->holds);
  g_free (run->id);
  g_free (run->model);
  g_free (run->ignored);
  json_decref (run->options);
  json_decref (run->stop);
  vend_openai_answer_free (run->listener);
  vend_broadcast_unref (run->log);
  vend_prediction_free (run->now);
  g_clear_error (&run->error);
  g_free (run);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OpenaiRun, run_free)

void
vend_api_openai_mark (const OpenaiRun *run, VendReply *reply)
{
  vend_reply_header (reply, "x-request-id", run->id);
  if (run->ignored != NULL && *run->ignored != '\0')
    vend_reply_header (reply, "x-vend-ignored", run->ignored);
}

/* Official clients send a request again when they have no head of a reply yet: streams have theirs
 * at once. */
static VendOpenaiClient *
client_of (const OpenaiRun *run)
{
  const bool may_return = run->key != NULL && (!run->stream || !run->key->is_derived);
  VendOpenaiClient *client = vend_openai_client_new (run->api, may_return);
  vend_openai_client_wait_for (client, run->id);
  return client;
}

/* ---- A whole reply */

static VendOpenaiAnswer *
listener_new (const OpenaiRun *run)
{
  const VendOpenaiVoice voice = { .endpoint = run->endpoint, .id = run->id, .stop = run->stop };
  return vend_openai_answer_new (&voice);
}

/* The answer is there, and the rest of the run was canceled. */
static bool
is_cut (const OpenaiRun *run, const VendPrediction *now)
{
  if (run->stop == NULL || now->status != VEND_STATUS_CANCELED)
    return false;
  g_autoptr (VendOpenaiAnswer) listener = listener_new (run);
  vend_openai_answer_look (listener, now->output, 0);
  return vend_openai_answer_is_stopped (listener);
}

static VendReply *
make_ended (OpenaiRun *run)
{
  int status = 0;
  const VendPrediction *now = run->now;
  if (run->is_job)
    return run->make (run, now);
  if (!vend_status_is_terminal (now->status))
    return vend_api_openai_run_problem (
        run->id, 504,
        "the run goes on; GET /v1/predictions/ID has its end, with the id of the "
        "header x-request-id. With \"stream\": true a reply has no limit of time",
        "timeout");
  if (now->status == VEND_STATUS_SUCCEEDED || is_cut (run, now))
    return run->make (run, now);
  json_t *error = vend_openai_run_error (now, &status);
  VendReply *reply = vend_reply_json (status, error);
  vend_reply_header (reply, "x-should-retry", "false");
  vend_api_openai_mark (run, reply);
  return reply;
}

static VendReply *
make_whole (void *data)
{
  g_autoptr (OpenaiRun) run = data;
  return make_ended (run);
}

static void
reply_made (void *data)
{
  OpenaiRun *run = data;
  VendCall *call = run->call;
  vend_call_reply (call, make_whole (run));
}

/* ---- A stream */

/* Freed with its log. */
typedef struct
{
  VendApi *api;
  char *id;
  VendOpenaiClient *client;
  VendOpenaiAnswer *answer;
} Stream;

static void
stream_free (void *data)
{
  Stream *stream = data;
  vend_openai_client_free (stream->client);
  vend_openai_answer_free (stream->answer);
  g_free (stream->id);
  g_free (stream);
}

static void
stream_left (void *data)
{
  vend_openai_client_left (((Stream *) data)->client);
}

static void
stream_begin (void *data, GString *to)
{
  vend_openai_answer_begin (((Stream *) data)->answer, to);
}

/* What a model says after the end of its answer is for nobody. */
static void
stream_chunk (void *data, GString *to, const json_t *chunk)
{
  Stream *stream = data;
  const bool was_stopped = vend_openai_answer_is_stopped (stream->answer);
  vend_openai_answer_piece (stream->answer, to, chunk);
  if (!was_stopped && vend_openai_answer_is_stopped (stream->answer))
    vend_openai_cancel_run (stream->api, stream->id);
}

static void
stream_end (void *data, GString *to, const VendPrediction *ended)
{
  vend_openai_answer_end (((Stream *) data)->answer, to, ended);
}

static const VendBroadcastForm stream_form
    = { stream_begin, stream_chunk, stream_end, stream_left, stream_free };

static VendBroadcast *
log_new (const OpenaiRun *run)
{
  const VendOpenaiVoice voice = { .endpoint = run->endpoint,
                                  .id = run->id,
                                  .model = run->model,
                                  .created_s = run->created_us / VEND_US_PER_S,
                                  .include_usage = run->include_usage,
                                  .max_tokens = run->max_tokens,
                                  .words = run->words,
                                  .stop = run->stop };
  Stream *stream = g_new0 (Stream, 1);
  *stream = (Stream){ .api = run->api,
                      .id = g_strdup (run->id),
                      .client = client_of (run),
                      .answer = vend_openai_answer_new (&voice) };
  return vend_broadcast_new_as (&stream_form, stream);
}

static void
reply_stream (OpenaiRun *run)
{
  g_autoptr (OpenaiRun) own G_GNUC_UNUSED = run;
  VendReply *reply = vend_broadcast_reply (run->log, 0, "");
  vend_api_openai_mark (run, reply);
  vend_call_reply (run->call, reply);
}

/* ---- Rows that are read */

static bool
load (OpenaiRun *run, GError **error)
{
  g_auto (VendReader) reader = vend_reader (run->api->parts.store);
  g_clear_pointer (&run->now, vend_prediction_free);
  return vend_store_prediction_get (reader.db, run->id, &run->now, error);
}

/* It has ended: its row has it. */
static void
reply_stored (void *data)
{
  g_autoptr (OpenaiRun) run = data;
  g_autoptr (GError) problem = NULL;
  VendCall *call = run->call;
  if (!load (run, &problem))
    vend_call_reply (call, vend_reply_error (problem));
  else if (run->stream)
    {
      vend_broadcast_finish (run->log, run->now);
      reply_stream (g_steal_pointer (&run));
    }
  else
    vend_call_reply (call, make_ended (run));
}

static void
followed (VendBroadcast *log, void *data)
{
  OpenaiRun *run = data;
  if (log != NULL)
    reply_stream (run);
  else
    vend_later_run (run->api->later, VEND_LANE_REPLIES, reply_stored, run);
}

/* ---- The run is there, or not */

static void settled (const VendPrediction *now, const GError *error, void *data);

/* The next time at which a whole reply is looked after. */
static int64_t
due_us (const OpenaiRun *run)
{
  const bool listens = run->listener != NULL && !vend_openai_answer_is_stopped (run->listener);
  return run->is_job ? 0
         : listens   ? MIN (run->hold_until_us, vend_steady_us () + LISTEN_US)
                     : run->hold_until_us;
}

/* To a run whose id is known. */
static void
attach (OpenaiRun *run)
{
  VendSched *sched = run->api->parts.sched;
  if (run->stream)
    {
      if (run->log == NULL)
        run->log = log_new (run);
      vend_sched_follow_as (sched, run->id, vend_broadcast_ref (run->log), followed, run);
      return;
    }
  vend_sched_wait (sched, run->id, due_us (run), settled, run);
}

/* In the lane for replies: a text that ends the answer cancels what the model would still say. */
static void
look_for_stop (void *data)
{
  OpenaiRun *run = data;
  const json_t *output = run->now->output;
  if (json_is_array (output))
    {
      vend_openai_answer_look (run->listener, output, run->n_heard);
      run->n_heard = json_array_size (output);
    }
  g_clear_pointer (&run->now, vend_prediction_free);
  if (vend_openai_answer_is_stopped (run->listener))
    vend_openai_cancel_run (run->api, run->id);
  attach (run);
}

/* A server that stops tells everybody of the current state. */
static bool
is_early (const OpenaiRun *run, const VendPrediction *now)
{
  return run->listener != NULL && !vend_status_is_terminal (now->status)
         && vend_steady_us () < run->hold_until_us && g_atomic_int_get (&run->api->ready);
}

/* Another send of the same request was stored first. */
static bool
find_winner (OpenaiRun *run)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *winner = NULL;
  if (run->key == NULL || !g_error_matches (run->error, VEND_ERROR, VEND_ERROR_EXISTS))
    return false;
  g_auto (VendReader) reader = vend_reader (run->api->parts.store);
  if (!vend_api_find_idempotent (reader.db, run->account_id, run->key, vend_now_us (), &winner,
                                 &problem)
      || winner == NULL)
    return false;
  g_free (run->id);
  run->id = g_steal_pointer (&winner);
  return true;
}

/* Its end cannot be stored now: the row is there, and the request must not come again. */
static bool
has_row (OpenaiRun *run)
{
  g_autoptr (GError) problem = NULL;
  return !g_error_matches (run->error, VEND_ERROR, VEND_ERROR_RATE_LIMITED) && load (run, &problem);
}

static void
reply_refused (void *data)
{
  g_autoptr (OpenaiRun) run = data;
  VendCall *call = run->call;
  if (find_winner (run))
    {
      g_clear_error (&run->error);
      g_clear_pointer (&run->log, vend_broadcast_unref);
      attach (g_steal_pointer (&run));
    }
  else if (has_row (run))
    {
      const VendErrorInfo *info = vend_error_info (run->error);
      vend_call_reply (call, vend_api_openai_run_problem (run->id, info->http_status,
                                                          run->error->message, info->id));
    }
  else
    vend_call_reply (call, vend_reply_error (run->error));
}

/* Core thread. A whole reply waits for the end. */
static void
settled (const VendPrediction *now, const GError *error, void *data)
{
  OpenaiRun *run = data;
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    {
      vend_later_run (run->api->later, VEND_LANE_REPLIES, reply_stored, run);
      return;
    }
  if (error != NULL)
    {
      run->error = g_error_copy (error);
      vend_later_run (run->api->later, VEND_LANE_REPLIES, reply_refused, run);
      return;
    }
  run->now = vend_prediction_copy (now);
  if (is_early (run, now))
    {
      vend_later_run (run->api->later, VEND_LANE_REPLIES, look_for_stop, run);
      return;
    }
  if (run->reads_files)
    {
      vend_later_run (run->api->later, VEND_LANE_REPLIES, reply_made, run);
      return;
    }
  vend_api_reply_made (run->api, run->call, now, make_whole, run);
}

/* Core thread: the row of a stream is on disk. */
static void
stored (const VendPrediction *now, const GError *error, void *data)
{
  OpenaiRun *run = data;
  if (error != NULL)
    settled (NULL, error, run);
  else
    attach (run);
}

/* ---- The start */

static OpenaiRun *
run_new (VendApi *api, VendCall *call, const VendCaller *caller, const OpenaiStart *start)
{
  OpenaiRun *run = g_new0 (OpenaiRun, 1);
  run->api = api;
  run->call = call;
  run->account_id = caller->account->id;
  run->endpoint = start->endpoint;
  run->model = g_strdup (start->name);
  run->ignored = g_strdup (start->ask->ignored->str);
  run->stream = start->ask->stream;
  run->include_usage = start->ask->include_usage;
  run->max_tokens = start->ask->max_tokens;
  run->words = start->ask->words;
  run->stop = json_incref (start->ask->stop);
  run->created_us = vend_now_us ();
  run->make = start->make;
  run->reads_files = start->reads_files;
  run->is_job = start->is_job;
  run->options = start->options;
  run->hold_until_us = vend_steady_us () + HOLD_US;
  return run;
}

VendReply *
vend_api_openai_invalid (const VendOpenaiAsk *ask, const json_t *problems)
{
  const json_t *first = json_array_get (problems, 0);
  const char *field = vend_json_string (first, "field");
  const char *param = vend_openai_ask_param (ask, field);
  g_auto (VendOpenaiFault) fault = { 0 };
  vend_openai_refuse (&fault, param, "%s: %s", param != NULL ? param : field,
                      vend_json_string (first, "description"));
  return vend_api_openai_fault (&fault);
}

/* Both replies tell the same time. */
static bool
load_time (OpenaiRun *run, VendDb *db, GError **error)
{
  g_autoptr (VendPrediction) first = NULL;
  if (!vend_store_prediction_get (db, run->id, &first, error))
    return false;
  run->created_us = first->created_us;
  return true;
}

static void
watch (OpenaiRun *run)
{
  if (run->stop != NULL && !run->stream)
    run->listener = listener_new (run);
  if (!run->stream && !run->is_job)
    vend_call_watch_client (run->call, vend_openai_client_left, client_of (run),
                            vend_openai_client_free);
}

bool
vend_api_openai_run (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                     const OpenaiStart *start, VendReply **out, GError **error)
{
  g_autoptr (OpenaiRun) run = run_new (api, call, caller, start);
  json_auto_t *body = json_pack ("{s:O}", "input", start->ask->input);
  g_autoptr (VendPrediction) prediction = NULL;
  json_auto_t *problems = NULL;
  const VendApiRun what
      = { .model = start->found->model, .version = start->found->version, .body = body };
  if (!vend_api_idempotency_key (call, caller, &run->key, error)
      || (run->key != NULL
          && !vend_api_find_idempotent (db, run->account_id, run->key, run->created_us, &run->id,
                                        error)))
    return false;
  if (run->id != NULL)
    {
      if (!load_time (run, db, error))
        return false;
      watch (run);
      attach (g_steal_pointer (&run));
      return true;
    }
  if (!vend_api_prepare (api, call, caller, db, &what, &prediction, &run->holds, &problems, error))
    return false;
  if (problems != NULL)
    {
      *out = vend_api_openai_invalid (start->ask, problems);
      return true;
    }
  run->id = g_strdup (prediction->id);
  run->created_us = prediction->created_us;
  if (run->key != NULL)
    prediction->idempotency_key = vend_idempotency_key_copy (run->key);
  watch (run);
  const VendSchedPlace place = vend_api_place (&what);
  const int64_t wait_until_us = run->stream ? 0 : due_us (run);
  const VendSchedNotify told = run->stream ? stored : settled;
  vend_sched_submit (api->parts.sched, g_steal_pointer (&prediction), what.version, &place,
                     wait_until_us, told, g_steal_pointer (&run));
  return true;
}
