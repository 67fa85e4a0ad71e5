/* One request of MCP: its answer as JSON, as an event of a stream, or as part of a batch. */
#include "mcp/mcp-private.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include <string.h>

#ifndef VEND_VERSION
#define VEND_VERSION "0.1.0"
#endif
#define EVENT_STREAM "text/event-stream"
/* Notes beyond that are dropped, and a reader who takes nothing meanwhile is given up. */
#define MAX_BEHIND ((gsize) 256 * 1024)

struct McpBatch
{
  GMutex lock;
  VendCall *call;
  guint left;
  json_t *answers; /* an array with null for what is not there yet */
};

bool
mcp_is_modern (const McpRequest *request)
{
  return request->revision >= VEND_MCP_MODERN;
}

McpRequest *
mcp_request_ref (McpRequest *request)
{
  g_atomic_ref_count_inc (&request->refs);
  return request;
}

void
mcp_request_unref (McpRequest *request)
{
  if (request == NULL || !g_atomic_ref_count_dec (&request->refs))
    return;
  vend_auth_caller_unref (request->caller);
  g_free (request->origin);
  g_free (request->remote);
  json_decref (request->message);
  g_strfreev (request->models);
  g_mutex_clear (&request->lock);
  vend_signal_unref (request->signal);
  if (request->pending != NULL)
    g_string_free (request->pending, TRUE);
  g_free (request->prediction);
  g_free (request);
}

/* ---- Requests with a prediction */

/* Of all requests that have begun a prediction and are not answered. */
static GMutex open_lock;
static GQueue open_requests = G_QUEUE_INIT;

static void
forget (const VendPrediction *now, const GError *error, void *data)
{
}

void
mcp_begin_prediction (McpRequest *request, const char *id)
{
  g_mutex_lock (&request->lock);
  request->prediction = g_strdup (id);
  g_mutex_unlock (&request->lock);
  g_mutex_lock (&open_lock);
  g_queue_push_tail (&open_requests, mcp_request_ref (request));
  g_mutex_unlock (&open_lock);
}

/* It is about to be answered. */
static void
close_request (McpRequest *request)
{
  g_mutex_lock (&open_lock);
  const bool was_open = g_queue_remove (&open_requests, request);
  g_mutex_unlock (&open_lock);
  if (was_open)
    mcp_request_unref (request);
}

void
mcp_cancel_request (VendApi *api, const VendCaller *caller, const char *remote, const json_t *id)
{
  g_autofree char *prediction = NULL;
  guint n = 0;
  g_mutex_lock (&open_lock);
  for (GList *link = open_requests.head; link != NULL; link = link->next)
    {
      McpRequest *request = link->data;
      if (request->api != api || request->revision >= VEND_MCP_MODERN
          || g_strcmp0 (request->caller->token_id, caller->token_id) != 0
          || strcmp (request->remote, remote) != 0 || !json_equal (request->rpc.id, (json_t *) id))
        continue;
      n++;
      g_free (prediction);
      prediction = g_strdup (request->prediction);
    }
  g_mutex_unlock (&open_lock);
  if (n == 1)
    vend_sched_cancel (api->parts.sched, prediction, forget, NULL);
}

/* ---- The stream */

static gssize
read_events (void *data, char *buffer, gsize room)
{
  McpRequest *request = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&request->lock);
  const gsize size = MIN (request->pending->len - request->sent, room);
  memcpy (buffer, request->pending->str + request->sent, size);
  request->sent += size;
  if (size == 0 && request->is_answered)
    return VEND_PULL_END;
  if (request->sent == request->pending->len && !request->is_answered)
    {
      g_string_truncate (request->pending, 0);
      request->sent = 0;
    }
  return (gssize) size;
}

static bool
is_behind (void *data)
{
  McpRequest *request = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&request->lock);
  return request->pending->len - request->sent > MAX_BEHIND;
}

/* From VEND_MCP_MODERN on a client cancels its request by leaving; before that leaving means
 * nothing. */
static void
stream_ended (void *data)
{
  g_autoptr (McpRequest) request = data;
  g_autofree char *prediction = NULL;
  g_mutex_lock (&request->lock);
  const bool has_all = request->is_answered && request->sent == request->pending->len;
  if (!has_all && mcp_is_modern (request))
    prediction = g_steal_pointer (&request->prediction);
  request->is_streaming = false;
  g_mutex_unlock (&request->lock);
  if (prediction != NULL)
    vend_sched_cancel (request->api->parts.sched, prediction, forget, NULL);
}

static const VendPullFuncs legacy_stream = {
  .read = read_events,
  .is_slow = is_behind,
  .free = stream_ended,
  .keep_alive = ": still here\n\n",
};
static const VendPullFuncs modern_stream = {
  .read = read_events,
  .is_slow = is_behind,
  .free = stream_ended,
  .keep_alive = ": still here\n\n",
  .ends_with_client = true,
};

/* Under the lock. */
static void
begin_stream (McpRequest *request)
{
  VendCall *call = g_steal_pointer (&request->call);
  request->signal = vend_signal_new ();
  request->pending = g_string_new (NULL);
  request->is_streaming = true;
  VendReply *reply = vend_reply_pull (200, EVENT_STREAM, request->signal,
                                      mcp_is_modern (request) ? &modern_stream : &legacy_stream,
                                      mcp_request_ref (request));
  vend_reply_header (reply, "Cache-Control", "no-store");
  vend_reply_header (reply, "X-Accel-Buffering", "no");
  vend_call_reply (call, reply);
}

/* May be megabytes: not under the lock, for which an HTTP thread may wait. */
static GString *
event_of (const json_t *message)
{
  GString *event = g_string_new ("event: message\ndata: ");
  vend_json_append_text (event, message);
  return g_string_append (event, "\n\n");
}

/* Under the lock. */
static void
append_event (McpRequest *request, const GString *event)
{
  g_string_append_len (request->pending, event->str, (gssize) event->len);
  vend_signal_raise (request->signal);
}

void
mcp_start_stream (McpRequest *request)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&request->lock);
  if (request->call != NULL && request->accepts_stream)
    begin_stream (request);
}

void
mcp_notify (McpRequest *request, const char *method, json_t *take_params)
{
  json_auto_t *message = vend_rpc_notification (method, take_params);
  g_autoptr (GString) event = event_of (message);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&request->lock);
  if (request->is_streaming && !request->is_answered
      && request->pending->len - request->sent <= MAX_BEHIND)
    append_event (request, event);
}

bool
mcp_is_deserted (McpRequest *request)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&request->lock);
  return request->pending != NULL && !request->is_streaming;
}

/* ---- Batches */

McpBatch *
mcp_batch_new (VendCall *call, guint n)
{
  McpBatch *batch = g_new0 (McpBatch, 1);
  g_mutex_init (&batch->lock);
  batch->call = call;
  batch->left = n;
  batch->answers = json_array ();
  for (guint i = 0; i < n; i++)
    json_array_append_new (batch->answers, json_null ());
  return batch;
}

static void
batch_put (McpBatch *batch, guint slot, json_t *message)
{
  g_mutex_lock (&batch->lock);
  json_array_set (batch->answers, slot, message);
  const bool is_whole = --batch->left == 0;
  g_mutex_unlock (&batch->lock);
  if (!is_whole)
    return;
  vend_call_reply (batch->call, vend_reply_json (200, batch->answers));
  g_mutex_clear (&batch->lock);
  g_free (batch);
}

VendCall *
mcp_call_of (McpRequest *request)
{
  return request->batch != NULL ? request->batch->call : request->call;
}

/* ---- Answers */

static void
send_answer (McpRequest *request, int status, json_t *take_message)
{
  json_auto_t *message = take_message;
  close_request (request);
  if (request->batch != NULL)
    {
      batch_put (request->batch, request->slot, message);
      return;
    }
  g_autoptr (GString) event = event_of (message);
  VendCall *call = NULL;
  {
    g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&request->lock);
    g_assert (!request->is_answered);
    if (request->call != NULL && !request->accepts_json && status == 200)
      begin_stream (request);
    request->is_answered = true;
    call = g_steal_pointer (&request->call);
    if (call == NULL)
      append_event (request, event);
  }
  if (call != NULL)
    vend_call_reply (call, vend_reply_json (status, json_incref (message)));
}

json_t *
mcp_server_info (void)
{
  return json_pack ("{s:s, s:s}", "name", "vend", "version", VEND_VERSION);
}

void
mcp_answer (McpRequest *request, json_t *result)
{
  if (mcp_is_modern (request))
    {
      if (json_object_get (result, "resultType") == NULL)
        json_object_set_new (result, "resultType", json_string ("complete"));
      if (json_object_get (result, "_meta") == NULL)
        json_object_set_new (result, "_meta", json_object ());
      json_object_set_new (json_object_get (result, "_meta"), VEND_MCP_META_SERVER,
                           mcp_server_info ());
    }
  send_answer (request, 200, vend_rpc_result (request->rpc.id, result));
}

void
mcp_refuse (McpRequest *request, int code, const char *message, json_t *data)
{
  send_answer (request, vend_mcp_status (request->revision, code),
               vend_rpc_error (request->rpc.id, code, message, data));
}

void
mcp_refuse_error (McpRequest *request, const GError *error)
{
  const VendErrorInfo *info = vend_error_info (error);
  g_autofree char *hidden = NULL;
  if (info->http_status >= 500 && error->code != VEND_ERROR_BUSY)
    {
      g_autofree char *id = vend_id_new ();
      vend_log (VEND_LOG_ERROR, "request failed", "id", id, "problem", info->id, "detail",
                error->message, NULL);
      hidden = g_strdup_printf (
          "The request failed in the server; the server's log has the reason under %s.", id);
    }
  mcp_refuse (request, info->http_status >= 500 ? VEND_RPC_INTERNAL : VEND_RPC_INVALID_PARAMS,
              hidden != NULL ? hidden : error->message, NULL);
}

void
mcp_refuse_by (McpRequest *request, VendReply *take, int code, const char *message)
{
  g_autoptr (VendReply) reply = take;
  {
    g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&request->lock);
    if (request->batch == NULL && request->call != NULL)
      {
        request->is_answered = true;
        vend_call_reply (g_steal_pointer (&request->call), g_steal_pointer (&reply));
        return;
      }
  }
  mcp_refuse (request, code, message, NULL);
}

void
mcp_allow_cache (McpRequest *request, json_t *result, int64_t ttl_ms, bool is_public)
{
  if (!mcp_is_modern (request))
    return;
  vend_json_set_int (result, "ttlMs", ttl_ms);
  vend_json_set_string (result, "cacheScope", is_public ? "public" : "private");
}
