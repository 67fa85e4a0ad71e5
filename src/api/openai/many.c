/* Embeddings of several texts by a model that takes one: a run for each, and one reply.
 *
 * Each run has an idempotency key of its own, made of the request's and its number: a request that
 * comes again joins the runs that are there. */
#include "api/create.h"
#include "api/idempotency.h"
#include "api/openai/client.h"
#include "api/openai/openai-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "openai/embeddings.h"
#include "store/predictions.h"

/* The official clients wait 600 s for a reply. */
#define HOLD_US (595 * VEND_US_PER_S)

typedef struct Many Many;

typedef struct
{
  Many *many;
  VendIdempotencyKey *key; /* or NULL */
  VendBlobHolds *holds;
  char *id; /* of the prediction */
  VendPrediction *now;
  GError *error;
} One;

/* Freed with its reply. */
struct Many
{
  VendApi *api;
  VendCall *call;
  int64_t account_id;
  char *model;
  char *ignored;
  json_t *options;
  uint64_t words;
  guint n;
  guint n_open;    /* core thread: those whose end is awaited */
  bool has_failed; /* core thread: the other runs are canceled */
  One *ones;
};

static void
many_free (Many *many)
{
  if (many == NULL)
    return;
  for (guint i = 0; i < many->n; i++)
    {
      One *one = &many->ones[i];
      vend_idempotency_key_free (one->key);
      vend_blob_holds_free (one->holds);
      vend_prediction_free (one->now);
      g_clear_error (&one->error);
      g_free (one->id);
    }
  g_free (many->ones);
  g_free (many->model);
  g_free (many->ignored);
  json_decref (many->options);
  g_free (many);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Many, many_free)

/* ---- The reply */

static VendReply *
marked (const Many *many, VendReply *reply)
{
  vend_reply_header (reply, "x-request-id", many->ones[0].id);
  if (*many->ignored != '\0')
    vend_reply_header (reply, "x-vend-ignored", many->ignored);
  return reply;
}

/* NULL for a run that has given a vector. */
static VendReply *
refusal_of (const One *one)
{
  int status = 0;
  if (one->error != NULL)
    return vend_reply_error (one->error);
  if (!vend_status_is_terminal (one->now->status))
    return vend_api_openai_run_problem (one->id, 504, "the runs go on; ask for fewer texts at once",
                                        "timeout");
  if (one->now->status == VEND_STATUS_SUCCEEDED)
    return NULL;
  json_t *error = vend_openai_run_error (one->now, &status);
  VendReply *reply = vend_reply_json (status, error);
  vend_reply_header (reply, "x-should-retry", "false");
  vend_reply_header (reply, "x-request-id", one->id);
  return reply;
}

/* The sum, when every run has told how many tokens it read. */
static json_t *
metrics_of (const Many *many)
{
  int64_t sum = 0;
  for (guint i = 0; i < many->n; i++)
    {
      const json_t *metrics = many->ones[i].now->metrics;
      const int64_t count = vend_json_int (metrics, "input_token_count",
                                           vend_json_int (metrics, "token_count", -1));
      if (count < 0)
        return NULL;
      sum += count;
    }
  json_t *metrics = json_object ();
  vend_json_set_int (metrics, "input_token_count", sum);
  return metrics;
}

static bool
has_failed (const One *one)
{
  return one->now != NULL && one->now->status == VEND_STATUS_FAILED;
}

/* A run that failed decides, as the others were canceled for it; else the first without a vector.
 */
static VendReply *
refusal_of_any (const Many *many)
{
  VendReply *refusal = NULL;
  for (guint i = 0; i < many->n && refusal == NULL; i++)
    refusal = has_failed (&many->ones[i]) ? refusal_of (&many->ones[i]) : NULL;
  for (guint i = 0; i < many->n && refusal == NULL; i++)
    refusal = refusal_of (&many->ones[i]);
  return refusal;
}

static VendReply *
make_reply (const Many *many)
{
  json_auto_t *vectors = json_array ();
  g_autofree char *problem = NULL;
  VendReply *refusal = refusal_of_any (many);
  if (refusal != NULL)
    return refusal;
  for (guint i = 0; i < many->n; i++)
    {
      json_t *output = many->ones[i].now->output;
      json_t *first = json_array_get (output, 0);
      json_array_append (vectors,
                         json_array_size (output) == 1 && json_is_array (first) ? first : output);
    }
  json_auto_t *metrics = metrics_of (many);
  json_t *made = vend_openai_embeddings (vectors, metrics, many->options, many->model, many->words,
                                         &problem);
  if (made == NULL)
    return vend_api_openai_run_problem (many->ones[0].id, 500, problem, "bad_output");
  return marked (many, vend_reply_json (200, made));
}

/* ---- The runs */

static void settled (const VendPrediction *now, const GError *error, void *data);

/* One that has ended, or that another send of the request has made: true when its end is still
 * awaited. */
static bool
look_up (One *one)
{
  const bool is_other = g_error_matches (one->error, VEND_ERROR, VEND_ERROR_EXISTS);
  g_autofree char *winner = NULL;
  if (!is_other && !g_error_matches (one->error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return false;
  g_auto (VendReader) reader = vend_reader (one->many->api->parts.store);
  g_autoptr (GError) problem = NULL;
  if (is_other
      && (one->key == NULL
          || !vend_api_find_idempotent (reader.db, one->many->account_id, one->key, vend_now_us (),
                                        &winner, &problem)
          || winner == NULL))
    return false;
  if (!is_other && !vend_store_prediction_get (reader.db, one->id, &one->now, &problem))
    return false;
  g_clear_error (&one->error);
  if (is_other)
    {
      g_free (one->id);
      one->id = g_steal_pointer (&winner);
    }
  return is_other;
}

/* In the lane for replies: all have been told of. */
static void
all_settled (void *data)
{
  g_autoptr (Many) many = data;
  VendSched *sched = many->api->parts.sched;
  VendCall *call = many->call;
  g_autoptr (GPtrArray) again = g_ptr_array_new ();
  for (guint i = 0; i < many->n; i++)
    if (look_up (&many->ones[i]))
      g_ptr_array_add (again, &many->ones[i]);
  if (again->len == 0)
    {
      vend_call_reply (call, make_reply (many));
      return;
    }
  many->n_open = again->len;
  (void) g_steal_pointer (&many);
  for (guint i = 0; i < again->len; i++)
    vend_sched_wait (sched, ((One *) g_ptr_array_index (again, i))->id, vend_steady_us () + HOLD_US,
                     settled, g_ptr_array_index (again, i));
}

/* The reply is a refusal now. Core thread. */
static void
cancel_others (Many *many)
{
  for (guint i = 0; i < many->n && !many->has_failed; i++)
    if (many->ones[i].now == NULL)
      vend_openai_cancel_run (many->api, many->ones[i].id);
  many->has_failed = true;
}

/* Core thread. */
static void
settled (const VendPrediction *now, const GError *error, void *data)
{
  One *one = data;
  Many *many = one->many;
  if (error != NULL)
    one->error = g_error_copy (error);
  else
    one->now = vend_prediction_copy (now);
  if (has_failed (one))
    cancel_others (many);
  if (--many->n_open == 0)
    vend_later_run (many->api->later, VEND_LANE_REPLIES, all_settled, many);
}

static void
set_key (One *one, const VendIdempotencyKey *of_all, guint number)
{
  if (of_all == NULL)
    return;
  one->key = vend_idempotency_key_copy (of_all);
  g_autofree char *text = g_strdup_printf ("%s#%u", of_all->text, number);
  g_free (one->key->text);
  one->key->text = g_steal_pointer (&text);
}

/* The prediction of a text, or the id of the one that is there. */
static bool
prepare (Many *many, const VendCaller *caller, VendDb *db, const OpenaiStart *start, guint number,
         VendPrediction **out, json_t **out_problems, GError **error)
{
  One *one = &many->ones[number];
  json_auto_t *input = json_copy (start->ask->input);
  json_object_set (input, vend_openai_input (&start->found->shape, "texts", NULL),
                   json_array_get (json_object_get (start->options, "texts"), number));
  json_auto_t *body = json_pack ("{s:O}", "input", input);
  const VendApiRun what
      = { .model = start->found->model, .version = start->found->version, .body = body };
  if (one->key != NULL
      && !vend_api_find_idempotent (db, many->account_id, one->key, vend_now_us (), &one->id,
                                    error))
    return false;
  if (one->id != NULL)
    return true;
  if (!vend_api_prepare (many->api, many->call, caller, db, &what, out, &one->holds, out_problems,
                         error))
    return false;
  if (*out != NULL)
    {
      one->id = g_strdup ((*out)->id);
      if (one->key != NULL)
        (*out)->idempotency_key = vend_idempotency_key_copy (one->key);
    }
  return true;
}

static Many *
many_new (VendApi *api, VendCall *call, const VendCaller *caller, const OpenaiStart *start)
{
  Many *many = g_new0 (Many, 1);
  *many = (Many){ .api = api,
                  .call = call,
                  .account_id = caller->account->id,
                  .model = g_strdup (start->name),
                  .ignored = g_strdup (start->ask->ignored->str),
                  .options = start->options,
                  .words = start->ask->words,
                  .n = (guint) json_array_size (json_object_get (start->options, "texts")) };
  many->n_open = many->n;
  many->ones = g_new0 (One, many->n);
  for (guint i = 0; i < many->n; i++)
    many->ones[i].many = many;
  return many;
}

/* From here on the core thread may end the call at any time. */
static void
begin (Many *many, GPtrArray *predictions, const OpenaiStart *start)
{
  const VendApiRun what = { .model = start->found->model, .version = start->found->version };
  const VendSchedPlace place = vend_api_place (&what);
  VendSched *sched = many->api->parts.sched;
  const guint n = many->n;
  One *ones = many->ones;
  VendOpenaiClient *client = vend_openai_client_new (many->api, ones[0].key != NULL);
  for (guint i = 0; i < n; i++)
    vend_openai_client_wait_for (client, ones[i].id);
  vend_call_watch_client (many->call, vend_openai_client_left, client, vend_openai_client_free);
  for (guint i = 0; i < n; i++)
    {
      VendPrediction *prediction = g_ptr_array_index (predictions, i);
      const int64_t until_us = vend_steady_us () + HOLD_US;
      if (prediction != NULL)
        vend_sched_submit (sched, prediction, what.version, &place, until_us, settled, &ones[i]);
      else
        vend_sched_wait (sched, ones[i].id, until_us, settled, &ones[i]);
    }
}

/* The request was admitted as one create. */
static void
count_creates (VendApi *api, const VendCaller *caller, const GPtrArray *predictions)
{
  guint n = 0;
  for (guint i = 0; i < predictions->len; i++)
    n += predictions->pdata[i] != NULL;
  if (n > 1)
    vend_api_count_more (api, caller, VEND_RATE_CREATE, n - 1);
}

static void
free_prediction (void *prediction)
{
  vend_prediction_free (prediction);
}

bool
vend_api_openai_run_many (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                          const OpenaiStart *start, VendReply **out, GError **error)
{
  g_autoptr (Many) many = many_new (api, call, caller, start);
  g_autoptr (VendIdempotencyKey) key = NULL;
  g_autoptr (GPtrArray) predictions = g_ptr_array_new_with_free_func (free_prediction);
  if (!vend_api_idempotency_key (call, caller, &key, error))
    return false;
  for (guint i = 0; i < many->n; i++)
    {
      VendPrediction *prediction = NULL;
      json_auto_t *problems = NULL;
      set_key (&many->ones[i], key, i);
      if (!prepare (many, caller, db, start, i, &prediction, &problems, error))
        return false;
      g_ptr_array_add (predictions, prediction);
      if (problems != NULL)
        {
          *out = vend_api_openai_invalid (start->ask, problems);
          return true;
        }
    }
  count_creates (api, caller, predictions);
  g_ptr_array_set_free_func (predictions, NULL);
  begin (g_steal_pointer (&many), predictions, start);
  return true;
}
