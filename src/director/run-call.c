/* The HTTP call of a run: an event stream where the server has one, webhooks where not. Main
 * context. */
#include "base/log.h"
#include "model/failure.h"
#include "director/run-private.h"
#include <string.h>

#define RECEIVE_BUFFER (64L * 1024) /* larger ones are mapped and unmapped for each call */
#define REFUSAL_MAX ((gsize) 64 * 1024)
#define BUSY_AT_ONCE 4 /* a refused request takes 0.2 ms, a timer at least 1 */
#define BUSY_FIRST_MS 1
#define PATIENT_RETRY_MS 50
#define BUSY_TRIES (BUSY_AT_ONCE + 10) /* then 1 + 2 + 4 + … + 512 ms: about a second */

static void
call_again (VendRun *run)
{
  vend_run_call_stop (run);
  vend_run_call (run);
}

static gboolean
on_retry (void *user_data)
{
  VendRun *run = user_data;
  run->retry_source = 0;
  call_again (run);
  return G_SOURCE_REMOVE;
}

/* The server frees a slot a moment after its last event, so a 409 or two are normal. */
static void
take_busy (VendRun *run)
{
  if (run->cancel_asked || run->timed_out)
    vend_run_end (run,
                  (VendRunEnd){ .status = run->timed_out ? "failed" : "canceled",
                                .error = run->timed_out ? "no slot before the timeout" : NULL,
                                .code = run->timed_out ? VEND_FAILURE_PREDICT_TIMEOUT : NULL });
  else if (g_get_monotonic_time () < run->env->patient_until_us)
    run->retry_source = g_timeout_add (PATIENT_RETRY_MS, on_retry, run);
  else if (run->busy_tries >= BUSY_TRIES)
    vend_run_end_lost (run, "the model server has no free slot though none is in use");
  else
    {
      const guint tries = run->busy_tries++;
      run->retry_source
          = tries < BUSY_AT_ONCE
                ? g_idle_add_full (G_PRIORITY_DEFAULT, on_retry, run, NULL)
                : g_timeout_add ((guint) BUSY_FIRST_MS << (tries - BUSY_AT_ONCE), on_retry, run);
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
take_refusal (VendRun *run, long status)
{
  json_auto_t *body = NULL;
  (void) !vend_output_parse (run->refusal->str, run->refusal->len, &body, NULL);
  g_autofree char *detail = detail_text (json_object_get (body, "detail"));
  const char *error = vend_json_string (body, "error");
  g_autofree char *valid = g_utf8_make_valid (run->refusal->str, (gssize) run->refusal->len);
  if (status >= 500)
    {
      g_autofree char *text = g_strdup_printf ("the model server answered %ld: %s", status,
                                               error != NULL ? error : valid);
      vend_run_end_lost (run, text);
      return;
    }
  const char *text = detail != NULL ? detail : error != NULL ? error : valid;
  vend_run_end (run, (VendRunEnd){ .status = "failed", .error = text });
}

/* The server canceled the run because its only reader fell behind. A run that was not begun by a
 * reader is not canceled so: it is done once more that way, unless somebody has seen output or
 * running twice is not allowed. */
static void
run_again (VendRun *run)
{
  run->env->patient_until_us = g_get_monotonic_time () + run->env->spec->cancel_grace_us;
  if (run->cancel_asked || run->timed_out || run->reran || !run->may_rerun
      || run->env->probe == NULL || json_array_size (run->chunks) > 0)
    {
      vend_run_end_lost (run, "the model server dropped events: the model wrote too fast");
      return;
    }
  vend_log (VEND_LOG_WARN, "event stream fell behind, running again", "prediction", run->prediction,
            NULL);
  run->reran = true;
  run->cut_off = run->lagged = run->attached = run->logs_full = run->logs_replaced = false;
  g_string_truncate (run->logs, 0);
  run->logs_flushed = 0;
  vend_loopback_forget (run->env->loopback, run->call_id);
  g_free (run->call_id);
  run->call_id = g_strconcat (run->cog_id, "-again", NULL);
  vend_run_let_go (run);
  call_again (run);
}

/* A reader that falls behind is cut off. The run goes on as long as somebody else reads. */
static void
attach (VendRun *run)
{
  run->attached = (run->holder != NULL || run->reran) && !run->cut_off;
  if (run->attached)
    call_again (run);
  else
    run_again (run);
}

/* What came before is missed, as after a gap. */
static void
attach_first (VendRun *run)
{
  run->attached = run->lagged = true;
  run->phase = VEND_RUN_RUNNING;
  call_again (run);
}

static void
take_reply (VendRun *run, CURLcode result, long status)
{
  if (result != CURLE_OK)
    {
      g_autofree char *text = g_strdup_printf ("the connection to the model server broke: %s",
                                               curl_easy_strerror (result));
      vend_run_end_lost (run, text);
    }
  else if (run->is_stream && run->lagged)
    attach (run);
  else if (run->is_stream)
    vend_run_end_lost (run, "the model server ended the event stream early");
  else if (run->attached)
    run_again (run);
  else if (status == 409)
    take_busy (run);
  else if (status == 406 && !run->env->no_stream)
    {
      run->env->no_stream = true;
      call_again (run);
    }
  else if (status == 202 && run->reran)
    attach_first (run);
  else if (status != 202)
    take_refusal (run, status);
}

static void
on_done (CURL *easy, CURLcode result, void *user_data)
{
  VendRun *run = user_data;
  long status = 0;
  curl_easy_getinfo (easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup (easy);
  run->easy = NULL;
  if (run->phase != VEND_RUN_ENDED)
    {
      take_reply (run, result, status);
      return;
    }
  if (run->linger_source != 0)
    g_source_remove (run->linger_source);
  run->linger_source = 0;
  run->env->released (run, run->env->context);
}

static bool
reply_is_stream (VendRun *run)
{
  long status = 0;
  char *type = NULL;
  curl_easy_getinfo (run->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo (run->easy, CURLINFO_CONTENT_TYPE, &type);
  return status == 200 && type != NULL && g_str_has_prefix (type, "text/event-stream");
}

static size_t
on_bytes (char *data, size_t size, size_t n, void *user_data)
{
  VendRun *run = user_data;
  const gsize length = size * n;
  if (!run->status_known)
    {
      run->status_known = true;
      run->is_stream = reply_is_stream (run);
    }
  if (!run->is_stream)
    {
      g_string_append_len (run->refusal, data,
                           (gssize) MIN (length, REFUSAL_MAX - run->refusal->len));
      return length;
    }
  if (run->phase == VEND_RUN_ENDED)
    return length;
  if (!vend_sse_feed (run->sse, data, length, NULL))
    {
      vend_run_end_too_large (run);
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
prepare_stream (VendRun *run)
{
  const VendSpec *spec = run->env->spec;
  const gsize raw_logs = (gsize) (6 * spec->max_logs) + 64;
  const VendSseCut cuts[] = {
    { "completed", "logs", run->attached ? raw_logs : 0 },
    { "log", "data", raw_logs },
    { run->env->iterates ? NULL : "output", NULL, 0 },
    { NULL },
  };
  const gsize limit = MAX ((gsize) spec->max_output, raw_logs) + VEND_RUN_SLACK;
  run->sse = vend_sse_new (limit, cuts, vend_run_on_event, run);
}

static json_t *
call_body (VendRun *run, bool stream)
{
  json_t *body = json_object ();
  json_object_set (body, "input", run->input);
  /* With a webhook the server copies all logs so far for each line: too slow for what floods. */
  if (stream || run->reran)
    return body;
  g_autofree char *hook = vend_loopback_hook_url (run->env->loopback, run->cog_id);
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
  VendRun *run = user_data;
  curl_easy_cleanup (easy);
  run->holder = NULL;
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
vend_run_let_go (VendRun *run)
{
  if (run->holder != NULL)
    vend_curl_context_cancel (run->env->curl, g_steal_pointer (&run->holder));
}

void
vend_run_hold (VendRun *run)
{
  if (run->holder != NULL || run->env->probe == NULL || run->phase != VEND_RUN_RUNNING)
    return;
  g_autofree char *url = g_strdup_printf ("%s/predictions/%s", run->env->base_url, run->call_id);
  run->holder = curl_easy_init ();
  g_assert (run->holder != NULL);
  if (run->holder_headers == NULL)
    run->holder_headers = stream_headers ();
  set_request (run->holder, url, run->holder_headers, run->env->probe);
  curl_easy_setopt (run->holder, CURLOPT_WRITEFUNCTION, on_held_bytes);
  vend_curl_context_start (run->env->curl, run->holder, on_holder_done, run);
}

void
vend_run_call (VendRun *run)
{
  const bool stream
      = !run->env->no_stream && !run->env->spec->train && (!run->reran || run->attached);
  g_autofree char *url
      = g_strdup_printf ("%s/%s/%s", run->env->base_url,
                         run->env->spec->train ? "trainings" : "predictions", run->call_id);
  if (run->attached)
    run->body = g_strdup (run->env->probe);
  else
    {
      json_auto_t *body = call_body (run, stream);
      run->body = vend_json_text (body);
      run->phase = VEND_RUN_CALLING;
    }
  run->refusal = g_string_new (NULL);
  run->headers
      = stream ? stream_headers () : curl_slist_append (json_headers (), "Prefer: respond-async");
  if (stream)
    prepare_stream (run);

  run->easy = curl_easy_init ();
  g_assert (run->easy != NULL);
  set_request (run->easy, url, run->headers, run->body);
  curl_easy_setopt (run->easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt (run->easy, CURLOPT_WRITEDATA, run);
  vend_curl_context_start (run->env->curl, run->easy, on_done, run);
}

void
vend_run_call_stop (VendRun *run)
{
  if (run->easy != NULL)
    vend_curl_context_cancel (run->env->curl, g_steal_pointer (&run->easy));
  g_clear_pointer (&run->headers, curl_slist_free_all);
  g_clear_pointer (&run->body, g_free);
  g_clear_pointer (&run->sse, vend_sse_free);
  if (run->refusal != NULL)
    g_string_free (g_steal_pointer (&run->refusal), TRUE);
  run->status_known = false;
  run->is_stream = false;
}
