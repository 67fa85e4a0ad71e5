/* The HTTP call of a run: an event stream where the server has one, webhooks where not. Main
 * context. */
#include "director/http-call.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/failure.h"
#include <string.h>

#define RECEIVE_BUFFER (64L * 1024) /* larger ones are mapped and unmapped for each call */
#define REFUSAL_MAX ((gsize) 64 * 1024)
#define CANCEL_CALL_TIMEOUT_MS 5000L
#define BUSY_AT_ONCE 4 /* a refused request takes 0.2 ms, a timer at least 1 */
#define BUSY_FIRST_MS 1
#define PATIENT_RETRY_MS 50
#define BUSY_TRIES (BUSY_AT_ONCE + 10) /* then 1 + 2 + 4 + … + 512 ms: about a second */

static void begin_call (VendHttpCall *call);
static void stop_call (VendHttpCall *call);
static void let_go (VendHttpCall *call);

static void
call_again (VendHttpCall *call)
{
  stop_call (call);
  begin_call (call);
}

static gboolean
on_retry (void *user_data)
{
  VendHttpCall *call = user_data;
  call->retry_source = 0;
  call_again (call);
  return G_SOURCE_REMOVE;
}

/* The server frees a slot a moment after its last event, so a 409 or two are normal. */
static void
take_busy (VendHttpCall *call)
{
  if (call->execution->cancel_asked || call->execution->timed_out)
    vend_execution_end (
        call->execution,
        (VendExecutionEnd){
            .status = call->execution->timed_out ? "failed" : "canceled",
            .error = call->execution->timed_out ? "no slot before the timeout" : NULL,
            .code = call->execution->timed_out ? VEND_FAILURE_PREDICT_TIMEOUT : NULL });
  else if (g_get_monotonic_time () < call->execution->env->patient_until_us)
    call->retry_source = g_timeout_add (PATIENT_RETRY_MS, on_retry, call);
  else if (call->busy_tries >= BUSY_TRIES)
    vend_execution_end_lost (call->execution,
                             "the model server has no free slot though none is in use");
  else
    {
      const guint tries = call->busy_tries++;
      call->retry_source
          = tries < BUSY_AT_ONCE
                ? g_idle_add_full (G_PRIORITY_DEFAULT, on_retry, call, NULL)
                : g_timeout_add ((guint) BUSY_FIRST_MS << (tries - BUSY_AT_ONCE), on_retry, call);
    }
}

static char *
detail_text (const json_t *detail)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (size_t i = 0; i < json_array_size (detail); i++)
    {
      const json_t *item = json_array_get (detail, i);
      const json_t *loc = json_object_get (item, "loc");
      const char *field = json_string_value (json_array_get (loc, json_array_size (loc) - 1));
      const char *message = vend_json_string (item, "msg");
      if (text->len > 0)
        g_string_append_c (text, '\n');
      if (field != NULL && strcmp (field, "__root__") != 0)
        g_string_append_printf (text, "%s: ", field);
      g_string_append (text, message != NULL ? message : "invalid");
    }
  return text->len > 0 ? g_strdup_printf ("Input validation error: %s", text->str) : NULL;
}

static void
take_refusal (VendHttpCall *call, long status)
{
  json_auto_t *body = NULL;
  (void) !vend_output_parse (call->reply->str, call->reply->len, &body, NULL);
  g_autofree char *detail = detail_text (json_object_get (body, "detail"));
  const char *error = vend_json_string (body, "error");
  g_autofree char *valid = g_utf8_make_valid (call->reply->str, (gssize) call->reply->len);
  if (status >= 500)
    {
      g_autofree char *text = g_strdup_printf ("the model server answered %ld: %s", status,
                                               error != NULL ? error : valid);
      vend_execution_end_lost (call->execution, text);
      return;
    }
  const char *text = detail != NULL ? detail : error != NULL ? error : valid;
  vend_execution_end (call->execution, (VendExecutionEnd){ .status = "failed", .error = text });
}

/* The server canceled the run because its only reader fell behind. A run that was not begun by a
 * reader is not canceled so: it is done once more that way, unless somebody has seen output or
 * running twice is not allowed. */
static void
run_again (VendHttpCall *call)
{
  call->execution->env->patient_until_us
      = g_get_monotonic_time () + call->execution->env->spec->cancel_grace_us;
  if (call->execution->cancel_asked || call->execution->timed_out || call->reran
      || !call->execution->may_rerun || call->server->probe == NULL
      || json_array_size (call->execution->chunks) > 0)
    {
      vend_execution_end_lost (call->execution,
                               "the model server dropped events: the model wrote too fast");
      return;
    }
  vend_log (VEND_LOG_WARN, "event stream fell behind, running again", "prediction",
            call->execution->prediction, NULL);
  call->reran = true;
  call->cut_off = call->lagged = call->attached = false;
  vend_execution_forget_logs (call->execution);
  vend_loopback_forget (call->execution->env->loopback, call->id);
  g_free (call->id);
  call->id = g_strconcat (call->execution->cog_id, "-again", NULL);
  let_go (call);
  call_again (call);
}

/* A reader that falls behind is cut off. The run goes on as long as somebody else reads. */
static void
attach (VendHttpCall *call)
{
  call->attached = (call->holder != NULL || call->reran) && !call->cut_off;
  if (call->attached)
    call_again (call);
  else
    run_again (call);
}

/* What came before is missed, as after a gap. */
static void
attach_first (VendHttpCall *call)
{
  call->attached = call->lagged = true;
  call->execution->phase = VEND_EXECUTION_RUNNING;
  call_again (call);
}

static void
take_reply (VendHttpCall *call, CURLcode result, long status)
{
  if (result != CURLE_OK)
    {
      g_autofree char *text = g_strdup_printf ("the connection to the model server broke: %s",
                                               curl_easy_strerror (result));
      vend_execution_end_lost (call->execution, text);
    }
  else if (call->is_stream && call->lagged)
    attach (call);
  else if (call->is_stream)
    vend_execution_end_lost (call->execution, "the model server ended the event stream early");
  else if (call->attached)
    run_again (call);
  else if (status == 409)
    take_busy (call);
  else if (status == 406 && !call->server->no_stream)
    {
      call->server->no_stream = true;
      call_again (call);
    }
  else if (status == 200 && call->waits)
    vend_http_take_result (call);
  else if (status == 202 && call->reran)
    attach_first (call);
  else if (status != 202)
    take_refusal (call, status);
}

static void
on_done (CURL *easy, CURLcode result, void *user_data)
{
  VendHttpCall *call = user_data;
  long status = 0;
  curl_easy_getinfo (easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup (easy);
  call->easy = NULL;
  if (call->execution->phase != VEND_EXECUTION_ENDED)
    {
      take_reply (call, result, status);
      return;
    }
  vend_execution_closed (call->execution);
}

static gsize
reply_max (const VendHttpCall *call, long status)
{
  const VendSpec *spec = call->execution->env->spec;
  return status == 200 && call->waits
             ? (gsize) (spec->max_output + 6 * spec->max_logs) + VEND_EXECUTION_SLACK
             : REFUSAL_MAX;
}

static bool
reply_is_stream (VendHttpCall *call)
{
  long status = 0;
  char *type = NULL;
  curl_easy_getinfo (call->easy, CURLINFO_RESPONSE_CODE, &status);
  call->reply_max = reply_max (call, status);
  curl_easy_getinfo (call->easy, CURLINFO_CONTENT_TYPE, &type);
  return status == 200 && type != NULL && g_str_has_prefix (type, "text/event-stream");
}

static size_t
on_bytes (char *data, size_t size, size_t n, void *user_data)
{
  VendHttpCall *call = user_data;
  const gsize length = size * n;
  if (!call->status_known)
    {
      call->status_known = true;
      call->is_stream = reply_is_stream (call);
    }
  if (!call->is_stream)
    {
      g_string_append_len (call->reply, data,
                           (gssize) MIN (length, call->reply_max - call->reply->len));
      return length;
    }
  if (call->execution->phase == VEND_EXECUTION_ENDED)
    return length;
  if (!vend_sse_feed (call->sse, data, length, NULL))
    {
      vend_execution_end_too_large (call->execution);
      return CURL_WRITEFUNC_ERROR;
    }
  return length;
}

static struct curl_slist *
json_headers (void)
{
  struct curl_slist *headers = curl_slist_append (NULL, "Content-Type: application/json");
  return curl_slist_append (headers, "Expect:");
}

static struct curl_slist *
stream_headers (void)
{
  return curl_slist_append (json_headers (), "Accept: text/event-stream");
}

static void
prepare_stream (VendHttpCall *call)
{
  const VendSpec *spec = call->execution->env->spec;
  const gsize raw_logs = (gsize) (6 * spec->max_logs) + 64;
  const VendSseCut cuts[] = {
    { "completed", "logs", call->attached ? raw_logs : 0 },
    { "log", "data", raw_logs },
    { call->execution->env->iterates ? NULL : "output", NULL, 0 },
    { NULL },
  };
  const gsize limit = MAX ((gsize) spec->max_output, raw_logs) + VEND_EXECUTION_SLACK;
  call->sse = vend_sse_new (limit, cuts, vend_http_call_on_event, call);
}

static json_t *
call_body (VendHttpCall *call, bool stream)
{
  json_t *body = json_object ();
  json_object_set (body, "input", call->execution->input);
  /* With a webhook the server copies all logs so far for each line: too slow for what floods. */
  if (stream || call->reran)
    return body;
  g_autofree char *hook
      = vend_loopback_hook_url (call->execution->env->loopback, call->execution->cog_id);
  vend_json_set_string (body, "webhook", hook);
  json_object_set_new (body, "webhook_events_filter",
                       json_pack ("[ssss]", "start", "output", "logs", "completed"));
  return body;
}

/* Takes one read and then stops, so the server never finds out that this reader is behind. */
static size_t
on_held_bytes (char *data, size_t size, size_t n, void *user_data)
{
  return CURL_WRITEFUNC_PAUSE;
}

static void
on_holder_done (CURL *easy, CURLcode result, void *user_data)
{
  VendHttpCall *call = user_data;
  curl_easy_cleanup (easy);
  call->holder = NULL;
}

static void
set_request (CURL *easy, const char *url, struct curl_slist *headers, const char *body)
{
  vend_cog_setup_easy (easy);
  curl_easy_setopt (easy, CURLOPT_URL, url);
  curl_easy_setopt (easy, CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt (easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt (easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) strlen (body));
  curl_easy_setopt (easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt (easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
}

static void
let_go (VendHttpCall *call)
{
  if (call->holder != NULL)
    vend_curl_context_cancel (call->server->base.options.curl, g_steal_pointer (&call->holder));
}

void
vend_http_call_hold (VendHttpCall *call)
{
  if (call->holder != NULL || call->server->probe == NULL
      || call->execution->phase != VEND_EXECUTION_RUNNING)
    return;
  g_autofree char *url = g_strdup_printf ("%s/predictions/%s", call->server->base_url, call->id);
  call->holder = curl_easy_init ();
  g_assert (call->holder != NULL);
  if (call->holder_headers == NULL)
    call->holder_headers = stream_headers ();
  set_request (call->holder, url, call->holder_headers, call->server->probe);
  curl_easy_setopt (call->holder, CURLOPT_WRITEFUNCTION, on_held_bytes);
  vend_curl_context_start (call->server->base.options.curl, call->holder, on_holder_done, call);
}

/* Webhooks of coglet need certificates that an image may lack, also those without TLS. So its
 * servers without event streams tell the end in their reply as well. */
static bool
waits_for_reply (const VendHttpCall *call)
{
  const VendSpec *spec = call->execution->env->spec;
  return spec->has_root && spec->event_streams && !spec->train && !call->reran;
}

static void
begin_call (VendHttpCall *call)
{
  const bool stream = !call->server->no_stream && !call->execution->env->spec->train
                      && (!call->reran || call->attached);
  g_autofree char *url
      = g_strdup_printf ("%s/%s/%s", call->server->base_url,
                         call->execution->env->spec->train ? "trainings" : "predictions", call->id);
  if (call->attached)
    call->body = g_strdup (call->server->probe);
  else
    {
      json_auto_t *body = call_body (call, stream);
      call->body = vend_json_text (body);
      call->execution->phase = VEND_EXECUTION_CALLING;
    }
  call->reply = g_string_new (NULL);
  call->waits = !stream && waits_for_reply (call);
  call->headers = stream        ? stream_headers ()
                  : call->waits ? json_headers ()
                                : curl_slist_append (json_headers (), "Prefer: respond-async");
  if (stream)
    prepare_stream (call);

  call->easy = curl_easy_init ();
  g_assert (call->easy != NULL);
  set_request (call->easy, url, call->headers, call->body);
  curl_easy_setopt (call->easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt (call->easy, CURLOPT_WRITEDATA, call);
  vend_curl_context_start (call->server->base.options.curl, call->easy, on_done, call);
}

static void
stop_call (VendHttpCall *call)
{
  if (call->easy != NULL)
    vend_curl_context_cancel (call->server->base.options.curl, g_steal_pointer (&call->easy));
  g_clear_pointer (&call->headers, curl_slist_free_all);
  g_clear_pointer (&call->body, g_free);
  g_clear_pointer (&call->sse, vend_sse_free);
  if (call->reply != NULL)
    g_string_free (g_steal_pointer (&call->reply), TRUE);
  call->status_known = false;
  call->is_stream = false;
}

/* ---- Members of the kind. */

static json_t *
find_upload (const char *text, void *user_data)
{
  const VendHttpCall *call = user_data;
  return vend_loopback_claim (call->execution->env->loopback, call->id, text);
}

void
vend_http_execute (VendModelServer *server, VendExecution *execution)
{
  VendHttpCall *call = g_new0 (VendHttpCall, 1);
  call->server = (VendHttpServer *) server;
  call->execution = execution;
  call->id = g_strdup (execution->cog_id);
  execution->call = call;
  execution->files.find_upload = find_upload;
  execution->files.context = call;
  begin_call (call);
}

bool
vend_http_is_asked (const VendExecution *execution)
{
  const VendHttpCall *call = execution->call;
  return call != NULL
         && (call->easy != NULL || execution->phase == VEND_EXECUTION_RUNNING
             || call->retry_source == 0);
}

static void
on_cancel_reply (long status, const char *body, gsize size, const char *problem, void *user_data)
{
  VendHttpCall *call = user_data;
  call->cancel_call = NULL;
  vend_execution_cancel_sent (call->execution, status == 200);
}

void
vend_http_cancel (VendExecution *execution)
{
  VendHttpCall *call = execution->call;
  if (call == NULL || call->cancel_call != NULL)
    return;
  execution->cancel_sent_us = vend_steady_us ();
  g_autofree char *url
      = g_strdup_printf ("%s/%s/%s/cancel", call->server->base_url,
                         execution->env->spec->train ? "trainings" : "predictions", call->id);
  call->cancel_call = vend_cog_call_start (call->server->base.options.curl, "POST", url, "{}",
                                           CANCEL_CALL_TIMEOUT_MS, on_cancel_reply, call);
}

static void
stop_retrying (VendHttpCall *call)
{
  if (call->retry_source != 0)
    g_source_remove (call->retry_source);
  call->retry_source = 0;
}

bool
vend_http_ended (VendExecution *execution)
{
  VendHttpCall *call = execution->call;
  if (call == NULL)
    return false;
  let_go (call);
  stop_retrying (call);
  vend_loopback_forget (execution->env->loopback, call->id);
  /* The rest of the reply is read, so that its connection serves the next run. */
  return call->easy != NULL;
}

void
vend_http_release (VendExecution *execution)
{
  VendHttpCall *call = g_steal_pointer (&execution->call);
  if (call == NULL)
    return;
  execution->files.find_upload = NULL;
  stop_call (call);
  let_go (call);
  stop_retrying (call);
  curl_slist_free_all (call->holder_headers);
  if (call->cancel_call != NULL)
    vend_cog_call_cancel (call->cancel_call);
  g_free (call->id);
  g_free (call);
}
