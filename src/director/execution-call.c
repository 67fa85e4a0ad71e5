/* The HTTP call of a run: an event stream where the server has one, webhooks where not. Main
 * context. */
#include "base/log.h"
#include "model/failure.h"
#include "director/execution-private.h"
#include <string.h>

#define RECEIVE_BUFFER (64L * 1024) /* larger ones are mapped and unmapped for each call */
#define REFUSAL_MAX ((gsize) 64 * 1024)
#define BUSY_AT_ONCE 4 /* a refused request takes 0.2 ms, a timer at least 1 */
#define BUSY_FIRST_MS 1
#define PATIENT_RETRY_MS 50
#define BUSY_TRIES (BUSY_AT_ONCE + 10) /* then 1 + 2 + 4 + … + 512 ms: about a second */

static void
call_again (VendExecution *execution)
{
  vend_execution_call_stop (execution);
  vend_execution_call (execution);
}

static gboolean
on_retry (void *user_data)
{
  VendExecution *execution = user_data;
  execution->retry_source = 0;
  call_again (execution);
  return G_SOURCE_REMOVE;
}

/* The server frees a slot a moment after its last event, so a 409 or two are normal. */
static void
take_busy (VendExecution *execution)
{
  if (execution->cancel_asked || execution->timed_out)
    vend_execution_end (
        execution,
        (VendExecutionEnd){ .status = execution->timed_out ? "failed" : "canceled",
                            .error = execution->timed_out ? "no slot before the timeout" : NULL,
                            .code = execution->timed_out ? VEND_FAILURE_PREDICT_TIMEOUT : NULL });
  else if (g_get_monotonic_time () < execution->env->patient_until_us)
    execution->retry_source = g_timeout_add (PATIENT_RETRY_MS, on_retry, execution);
  else if (execution->busy_tries >= BUSY_TRIES)
    vend_execution_end_lost (execution, "the model server has no free slot though none is in use");
  else
    {
      const guint tries = execution->busy_tries++;
      execution->retry_source
          = tries < BUSY_AT_ONCE ? g_idle_add_full (G_PRIORITY_DEFAULT, on_retry, execution, NULL)
                                 : g_timeout_add ((guint) BUSY_FIRST_MS << (tries - BUSY_AT_ONCE),
                                                  on_retry, execution);
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
take_refusal (VendExecution *execution, long status)
{
  json_auto_t *body = NULL;
  (void) !vend_output_parse (execution->refusal->str, execution->refusal->len, &body, NULL);
  g_autofree char *detail = detail_text (json_object_get (body, "detail"));
  const char *error = vend_json_string (body, "error");
  g_autofree char *valid
      = g_utf8_make_valid (execution->refusal->str, (gssize) execution->refusal->len);
  if (status >= 500)
    {
      g_autofree char *text = g_strdup_printf ("the model server answered %ld: %s", status,
                                               error != NULL ? error : valid);
      vend_execution_end_lost (execution, text);
      return;
    }
  const char *text = detail != NULL ? detail : error != NULL ? error : valid;
  vend_execution_end (execution, (VendExecutionEnd){ .status = "failed", .error = text });
}

/* The server canceled the run because its only reader fell behind. A run that was not begun by a
 * reader is not canceled so: it is done once more that way, unless somebody has seen output or
 * running twice is not allowed. */
static void
run_again (VendExecution *execution)
{
  execution->env->patient_until_us
      = g_get_monotonic_time () + execution->env->spec->cancel_grace_us;
  if (execution->cancel_asked || execution->timed_out || execution->reran || !execution->may_rerun
      || execution->env->probe == NULL || json_array_size (execution->chunks) > 0)
    {
      vend_execution_end_lost (execution,
                               "the model server dropped events: the model wrote too fast");
      return;
    }
  vend_log (VEND_LOG_WARN, "event stream fell behind, running again", "prediction",
            execution->prediction, NULL);
  execution->reran = true;
  execution->cut_off = execution->lagged = execution->attached = execution->logs_full
      = execution->logs_replaced = false;
  g_string_truncate (execution->logs, 0);
  execution->logs_flushed = 0;
  vend_loopback_forget (execution->env->loopback, execution->call_id);
  g_free (execution->call_id);
  execution->call_id = g_strconcat (execution->cog_id, "-again", NULL);
  vend_execution_let_go (execution);
  call_again (execution);
}

/* A reader that falls behind is cut off. The run goes on as long as somebody else reads. */
static void
attach (VendExecution *execution)
{
  execution->attached = (execution->holder != NULL || execution->reran) && !execution->cut_off;
  if (execution->attached)
    call_again (execution);
  else
    run_again (execution);
}

/* What came before is missed, as after a gap. */
static void
attach_first (VendExecution *execution)
{
  execution->attached = execution->lagged = true;
  execution->phase = VEND_EXECUTION_RUNNING;
  call_again (execution);
}

static void
take_reply (VendExecution *execution, CURLcode result, long status)
{
  if (result != CURLE_OK)
    {
      g_autofree char *text = g_strdup_printf ("the connection to the model server broke: %s",
                                               curl_easy_strerror (result));
      vend_execution_end_lost (execution, text);
    }
  else if (execution->is_stream && execution->lagged)
    attach (execution);
  else if (execution->is_stream)
    vend_execution_end_lost (execution, "the model server ended the event stream early");
  else if (execution->attached)
    run_again (execution);
  else if (status == 409)
    take_busy (execution);
  else if (status == 406 && !execution->env->no_stream)
    {
      execution->env->no_stream = true;
      call_again (execution);
    }
  else if (status == 202 && execution->reran)
    attach_first (execution);
  else if (status != 202)
    take_refusal (execution, status);
}

static void
on_done (CURL *easy, CURLcode result, void *user_data)
{
  VendExecution *execution = user_data;
  long status = 0;
  curl_easy_getinfo (easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup (easy);
  execution->easy = NULL;
  if (execution->phase != VEND_EXECUTION_ENDED)
    {
      take_reply (execution, result, status);
      return;
    }
  if (execution->linger_source != 0)
    g_source_remove (execution->linger_source);
  execution->linger_source = 0;
  execution->env->released (execution, execution->env->context);
}

static bool
reply_is_stream (VendExecution *execution)
{
  long status = 0;
  char *type = NULL;
  curl_easy_getinfo (execution->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo (execution->easy, CURLINFO_CONTENT_TYPE, &type);
  return status == 200 && type != NULL && g_str_has_prefix (type, "text/event-stream");
}

static size_t
on_bytes (char *data, size_t size, size_t n, void *user_data)
{
  VendExecution *execution = user_data;
  const gsize length = size * n;
  if (!execution->status_known)
    {
      execution->status_known = true;
      execution->is_stream = reply_is_stream (execution);
    }
  if (!execution->is_stream)
    {
      g_string_append_len (execution->refusal, data,
                           (gssize) MIN (length, REFUSAL_MAX - execution->refusal->len));
      return length;
    }
  if (execution->phase == VEND_EXECUTION_ENDED)
    return length;
  if (!vend_sse_feed (execution->sse, data, length, NULL))
    {
      vend_execution_end_too_large (execution);
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
prepare_stream (VendExecution *execution)
{
  const VendSpec *spec = execution->env->spec;
  const gsize raw_logs = (gsize) (6 * spec->max_logs) + 64;
  const VendSseCut cuts[] = {
    { "completed", "logs", execution->attached ? raw_logs : 0 },
    { "log", "data", raw_logs },
    { execution->env->iterates ? NULL : "output", NULL, 0 },
    { NULL },
  };
  const gsize limit = MAX ((gsize) spec->max_output, raw_logs) + VEND_EXECUTION_SLACK;
  execution->sse = vend_sse_new (limit, cuts, vend_execution_on_event, execution);
}

static json_t *
call_body (VendExecution *execution, bool stream)
{
  json_t *body = json_object ();
  json_object_set (body, "input", execution->input);
  /* With a webhook the server copies all logs so far for each line: too slow for what floods. */
  if (stream || execution->reran)
    return body;
  g_autofree char *hook = vend_loopback_hook_url (execution->env->loopback, execution->cog_id);
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
  VendExecution *execution = user_data;
  curl_easy_cleanup (easy);
  execution->holder = NULL;
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

void
vend_execution_let_go (VendExecution *execution)
{
  if (execution->holder != NULL)
    vend_curl_context_cancel (execution->env->curl, g_steal_pointer (&execution->holder));
}

void
vend_execution_hold (VendExecution *execution)
{
  if (execution->holder != NULL || execution->env->probe == NULL
      || execution->phase != VEND_EXECUTION_RUNNING)
    return;
  g_autofree char *url
      = g_strdup_printf ("%s/predictions/%s", execution->env->base_url, execution->call_id);
  execution->holder = curl_easy_init ();
  g_assert (execution->holder != NULL);
  if (execution->holder_headers == NULL)
    execution->holder_headers = stream_headers ();
  set_request (execution->holder, url, execution->holder_headers, execution->env->probe);
  curl_easy_setopt (execution->holder, CURLOPT_WRITEFUNCTION, on_held_bytes);
  vend_curl_context_start (execution->env->curl, execution->holder, on_holder_done, execution);
}

void
vend_execution_call (VendExecution *execution)
{
  const bool stream = !execution->env->no_stream && !execution->env->spec->train
                      && (!execution->reran || execution->attached);
  g_autofree char *url = g_strdup_printf ("%s/%s/%s", execution->env->base_url,
                                          execution->env->spec->train ? "trainings" : "predictions",
                                          execution->call_id);
  if (execution->attached)
    execution->body = g_strdup (execution->env->probe);
  else
    {
      json_auto_t *body = call_body (execution, stream);
      execution->body = vend_json_text (body);
      execution->phase = VEND_EXECUTION_CALLING;
    }
  execution->refusal = g_string_new (NULL);
  execution->headers
      = stream ? stream_headers () : curl_slist_append (json_headers (), "Prefer: respond-async");
  if (stream)
    prepare_stream (execution);

  execution->easy = curl_easy_init ();
  g_assert (execution->easy != NULL);
  set_request (execution->easy, url, execution->headers, execution->body);
  curl_easy_setopt (execution->easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt (execution->easy, CURLOPT_WRITEDATA, execution);
  vend_curl_context_start (execution->env->curl, execution->easy, on_done, execution);
}

void
vend_execution_call_stop (VendExecution *execution)
{
  if (execution->easy != NULL)
    vend_curl_context_cancel (execution->env->curl, g_steal_pointer (&execution->easy));
  g_clear_pointer (&execution->headers, curl_slist_free_all);
  g_clear_pointer (&execution->body, g_free);
  g_clear_pointer (&execution->sse, vend_sse_free);
  if (execution->refusal != NULL)
    g_string_free (g_steal_pointer (&execution->refusal), TRUE);
  execution->status_known = false;
  execution->is_stream = false;
}
