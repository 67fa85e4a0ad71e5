/* Videos: jobs that are made, polled, fetched and removed. */
#include "openai/video.h"
#include "api/openai/client.h"
#include "api/openai/files.h"
#include "api/openai/form.h"
#include "api/openai/openai-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "files/run-data.h"
#include "openai/media.h"
#include "store/predictions.h"
#include <string.h>

#define FORM_LIMIT "max-body"

static VendReply *
make_job (OpenaiRun *run, const VendPrediction *now)
{
  VendReply *reply = vend_reply_json (200, vend_openai_video (now));
  vend_api_openai_mark (run, reply);
  return reply;
}

static bool
read_video (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint, const json_t *body,
            VendOpenaiAsk *ask, json_t **out_options, VendOpenaiFault *fault)
{
  return vend_openai_read_video (model, body, ask, out_options, fault);
}

static bool
post_video (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  static const OpenaiService service
      = { .endpoint = VEND_OPENAI_VIDEOS, .read = read_video, .make = make_job, .is_job = true };
  json_auto_t *body = NULL;
  return vend_api_openai_form (call, &body, error)
         && vend_api_openai_serve (api, call, caller, body, &service, out, error);
}

/* ---- A job that is there */

static bool
load_own (VendApi *api, VendCall *call, const VendCaller *caller, VendPrediction **out,
          GError **error)
{
  const char *id = vend_call_param (call, "id");
  g_autoptr (VendPrediction) found = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!g_str_has_prefix (id, VEND_OPENAI_VIDEO_PREFIX))
    return vend_api_not_found (error);
  if (!vend_store_prediction_get (reader.db, id + strlen (VEND_OPENAI_VIDEO_PREFIX), &found, error))
    return false;
  if (found->account_id != caller->account->id || found->kind != VEND_KIND_PREDICTION)
    return vend_api_not_found (error);
  *out = g_steal_pointer (&found);
  return true;
}

static VendReply *
marked (json_t *take)
{
  VendReply *reply = vend_reply_json (200, take);
  g_autofree char *id = vend_id_new ();
  vend_reply_header (reply, "x-request-id", id);
  return reply;
}

typedef struct
{
  VendApi *api;
  VendCall *call;
  VendPrediction *row;
  VendPrediction *now; /* as the core thread has it, or NULL */
} Question;

static VendReply *
make_shown (void *data)
{
  Question *question = data;
  VendReply *reply
      = marked (vend_openai_video (question->now != NULL ? question->now : question->row));
  vend_prediction_free (question->row);
  vend_prediction_free (question->now);
  g_free (question);
  return reply;
}

static void
reload (void *data)
{
  Question *question = data;
  VendCall *call = question->call;
  g_autoptr (VendPrediction) now = NULL;
  g_autoptr (GError) ignored = NULL;
  {
    g_auto (VendReader) reader = vend_reader (question->api->parts.store);
    if (vend_store_prediction_get (reader.db, question->row->id, &now, &ignored))
      question->now = g_steal_pointer (&now);
  }
  vend_call_reply (call, make_shown (question));
}

/* Core thread. */
static void
peeked (const VendPrediction *now, const GError *error, void *data)
{
  Question *question = data;
  if (error != NULL)
    {
      vend_later_run (question->api->later, VEND_LANE_REPLIES, reload, question);
      return;
    }
  question->now = vend_prediction_copy (now);
  vend_api_reply_made (question->api, question->call, now, make_shown, question);
}

static bool
get_video (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendPrediction) row = NULL;
  if (!load_own (api, call, caller, &row, error))
    return false;
  if (vend_status_is_terminal (row->status))
    {
      *out = marked (vend_openai_video (row));
      return true;
    }
  Question *question = g_new0 (Question, 1);
  *question = (Question){ .api = api, .call = call, .row = g_steal_pointer (&row) };
  vend_sched_peek (api->parts.sched, question->row->id, peeked, question);
  return true;
}

static bool
get_content (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendPrediction) row = NULL;
  g_autoptr (GPtrArray) files = NULL;
  if (!load_own (api, call, caller, &row, error))
    return false;
  if (row->status != VEND_STATUS_SUCCEEDED)
    return vend_fail (error, VEND_ERROR_INVALID, "there is no content: the video is not completed");
  if (!vend_api_output_files (api, row->output, &files, error))
    return false;
  if (files->len == 0)
    return vend_api_not_found (error);
  return vend_api_output_reply (api, g_ptr_array_index (files, 0), out, error);
}

/* ---- Its end */

static bool
remove_data (VendDb *db, void *data, GError **error)
{
  g_autoptr (GPtrArray) contents = g_ptr_array_new_with_free_func (g_free);
  /* Blobs without a row are left to the sweep. */
  return vend_run_data_remove (db, data, vend_now_us (), contents, error);
}

/* One that has not ended is canceled. */
static bool
delete_video (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  g_autoptr (VendPrediction) row = NULL;
  if (!load_own (api, call, caller, &row, error))
    return false;
  if (!vend_status_is_terminal (row->status))
    vend_openai_cancel_run (api, row->id);
  else if (!row->data_removed
           && !vend_store_write_wait (api->parts.store, remove_data, row->id, error))
    return false;
  *out = marked (json_pack ("{s:s, s:s, s:b}", "id", vend_call_param (call, "id"), "object",
                            "video.deleted", "deleted", 1));
  return true;
}

#define ROUTES(prefix) \
  { "POST",     prefix "/videos", VEND_SCOPE_RUN,   VEND_BODY_MULTIPART, \
    post_video, FORM_LIMIT,       VEND_RATE_CREATE, .runs_on = VEND_RUN_BYTES }, \
      { "GET", prefix "/videos/{id}", VEND_SCOPE_READ,         VEND_BODY_NONE, get_video, \
        NULL,  VEND_RATE_POLL,        .runs_on = VEND_RUN_READ }, \
      { "GET", prefix "/videos/{id}/content", VEND_SCOPE_READ, VEND_BODY_NONE, get_content, \
        NULL,  .runs_on = VEND_RUN_READ }, \
  { \
    "DELETE", prefix "/videos/{id}", VEND_SCOPE_RUN, VEND_BODY_NONE, delete_video, NULL \
  }

const ApiRoute vend_api_openai_video_routes[] = {
  ROUTES ("/openai/v1"),
  ROUTES ("/v1"),
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
