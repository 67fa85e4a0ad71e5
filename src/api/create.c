/* The one way a prediction comes into being, whatever route named its version. */
#include "api/create.h"
#include "api/headers.h"
#include "api/input-files.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "cog/input.h"
#include "cog/output.h"
#include "json/schema.h"
#include <string.h>

#define MAX_WEBHOOK 2048

VendReply *
vend_api_problem (int status, const char *title, const char *detail)
{
  json_t *body = json_object ();
  vend_json_set_string (body, "title", title);
  vend_json_set_string (body, "detail", detail);
  vend_json_set_int (body, "status", status);
  g_autofree char *text = vend_json_text (body);
  json_decref (body);
  return vend_reply_new (status, "application/problem+json", text, strlen (text));
}

/* The 422 of the original service: one dash line a field, and the same as data. Takes `problems`.
 */
static VendReply *
input_problem (json_t *problems)
{
  g_autoptr (GString) detail = g_string_new (NULL);
  size_t i;
  json_t *problem;
  json_array_foreach (problems, i, problem)
    g_string_append_printf (detail, "- %s: %s\n", vend_json_string (problem, "field"),
                            vend_json_string (problem, "description"));
  json_t *body = json_pack ("{s:s, s:i, s:s, s:o}", "detail", detail->str, "status", 422, "title",
                            "Input validation failed", "invalid_fields", problems);
  g_autofree char *text = vend_json_text (body);
  json_decref (body);
  return vend_reply_new (422, "application/problem+json", text, strlen (text));
}

static bool
read_webhook (const json_t *body, VendPrediction *prediction, GError **error)
{
  static const char *const known[] = { "start", "output", "logs", "completed", NULL };
  const char *webhook = NULL;
  json_t *events = json_object_get (body, "webhook_events_filter");
  size_t i;
  json_t *event;
  if (!vend_api_optional_url (body, "webhook", &webhook, error))
    return false;
  if (events != NULL && !json_is_null (events) && !json_is_array (events))
    return vend_fail (error, VEND_ERROR_INVALID, "webhook_events_filter: expected a list");
  json_array_foreach (events, i, event)
    {
      const char *name = json_string_value (event);
      if (name == NULL || !g_strv_contains (known, name))
        return vend_fail (error, VEND_ERROR_INVALID,
                          "webhook_events_filter[%zu]: expected start, output, logs or completed",
                          i);
    }
  if (webhook != NULL && *webhook != '\0')
    prediction->webhook = g_strdup (webhook);
  if (json_is_array (events))
    prediction->webhook_events = json_incref (events);
  return true;
}

/* ---- The reply */

typedef struct
{
  VendCall *call;
  char *applied;    /* Preference-Applied; NULL when nothing is held */
  VendReply *ready; /* without a hold the reply is known before, and made outside the core thread */
} Creation;

static void
creation_free (Creation *creation)
{
  g_free (creation->applied);
  g_clear_pointer (&creation->ready, vend_reply_free);
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
  g_autofree char *location = g_strdup_printf ("%s/v1/predictions/%s", origin, now->id);
  vend_reply_header (reply, "Location", location);
  if (creation->applied != NULL)
    vend_reply_header (reply, "Preference-Applied", creation->applied);
  return reply;
}

static void
created (const VendPrediction *now, const GError *error, void *data)
{
  g_autoptr (Creation) creation = data;
  if (error != NULL)
    vend_call_reply (creation->call, vend_reply_error (error));
  else if (creation->ready != NULL)
    vend_call_reply (creation->call, g_steal_pointer (&creation->ready));
  else
    vend_call_reply (creation->call, created_reply (creation, now));
}

bool
vend_api_create (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                 const VendModel *model, const VendVersion *version, const json_t *body,
                 VendReply **out, GError **error)
{
  int64_t now_us = vend_now_us (), cancel_after_us = 0;
  json_t *input = json_object_get (body, "input");
  json_auto_t *no_input = json_object ();
  if (input == NULL || json_is_null (input))
    input = no_input;
  if (!json_is_object (input))
    return vend_fail (error, VEND_ERROR_INVALID, "input: expected an object");
  json_t *problems = vend_schema_problems (version->openapi, "Input", input);
  if (problems != NULL)
    {
      *out = input_problem (problems);
      return true;
    }

  g_autoptr (VendPrediction) prediction = vend_prediction_new ();
  if (!vend_cancel_after_us (vend_call_header (call, "Cancel-After"), &cancel_after_us, error)
      || !read_webhook (body, prediction, error)
      || !vend_api_input_files (api, call, caller, db, version->openapi, "Input", input,
                                &prediction->files, error))
    return false;
  prediction->id = vend_id_new ();
  prediction->account_id = caller->account->id;
  prediction->model_id = model->id;
  prediction->model = g_strdup_printf ("%s/%s", model->owner, model->name);
  prediction->version = g_strdup (version->id);
  prediction->input = json_incref (input);
  prediction->stream = vend_cog_stream_flags (version->openapi);
  prediction->secrets = vend_cog_secret_names (version->openapi, "Input");
  prediction->created_us = now_us;
  prediction->deadline_us = cancel_after_us > 0 ? now_us + cancel_after_us : 0;

  Creation *creation = g_new0 (Creation, 1);
  creation->call = call;
  int64_t hold_us = vend_prefer_hold_us (vend_call_header (call, "Prefer"), &creation->applied);
  if (hold_us == 0)
    creation->ready = created_reply (creation, prediction);
  vend_sched_submit (api->parts.sched, g_steal_pointer (&prediction), version, model->hardware,
                     hold_us > 0 ? now_us + hold_us : 0, created, creation);
  return true;
}
