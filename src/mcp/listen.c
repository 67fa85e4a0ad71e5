/* Streams on which a client of VEND_MCP_MODERN listens for changes: of lists, of models, and of
 * predictions as tasks or as resources.
 *
 * The store counts changes of models; a listener looks again when the count has moved, at most once
 * a second, and tells when what it looks at differs. Predictions are waited for, each by itself.
 *
 * A stream ends by its client, by the stop of the server, and after LISTEN_US, since the token is
 * checked at its start alone. */
#include "base/clock.h"
#include "base/error.h"
#include "mcp/mcp-private.h"
#include "store/predictions.h"
#include <string.h>

#define LISTEN_US (30 * 60 * VEND_US_PER_S)
#define TICK_MS 1000
/* Names in each list of a request. */
#define MAX_NAMES 100
/* Between two looks at a run: at one that is a resource, whose output grows, and at one that is a
 * task, whose end is told at once anyway. */
#define RESOURCE_US VEND_US_PER_S
#define TASK_US (5 * VEND_US_PER_S)

typedef struct
{
  char *uri;
  char *digest; /* or NULL */
} WatchedModel;

typedef struct
{
  gatomicrefcount refs;
  McpRequest *request;
  int64_t until_us;
  gint is_looking; /* atomic: a job has what follows */
  uint64_t changes;
  bool wants_tools, wants_resources;
  char *tools, *resources; /* digests */
  GArray *models;          /* of WatchedModel */
} Listener;

typedef struct
{
  Listener *listener;
  char *id;
  char *uri;    /* as a resource, or NULL */
  bool is_task; /* as a task */
  bool is_busy; /* its end is not stored yet */
  VendStatus status;
  gsize size; /* of logs and output */
} WatchedRun;

static void
clear_model (void *data)
{
  WatchedModel *model = data;
  g_free (model->uri);
  g_free (model->digest);
}

static Listener *
listener_ref (Listener *listener)
{
  g_atomic_ref_count_inc (&listener->refs);
  return listener;
}

static void
listener_unref (Listener *listener)
{
  if (!g_atomic_ref_count_dec (&listener->refs))
    return;
  mcp_request_unref (listener->request);
  g_free (listener->tools);
  g_free (listener->resources);
  g_array_unref (listener->models);
  g_free (listener);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Listener, listener_unref)

static void
run_free (WatchedRun *run)
{
  listener_unref (run->listener);
  g_free (run->id);
  g_free (run->uri);
  g_free (run);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WatchedRun, run_free)

/* ---- What is told */

static json_t *
meta_of (const Listener *listener)
{
  return json_pack ("{s:O}", VEND_MCP_META_SUBSCRIPTION, listener->request->rpc.id);
}

static void
tell (const Listener *listener, const char *method, json_t *take_params)
{
  json_object_set_new (take_params, "_meta", meta_of (listener));
  mcp_notify (listener->request, method, take_params);
}

static void
tell_resource (const Listener *listener, const char *uri)
{
  json_t *params = json_object ();
  vend_json_set_string (params, "uri", uri);
  tell (listener, "notifications/resources/updated", params);
}

/* ---- Predictions */

static void
tell_run (const WatchedRun *run, const VendPrediction *now)
{
  if (run->is_task)
    tell (run->listener, "notifications/tasks", mcp_show_task (run->listener->request, now));
  if (run->uri != NULL)
    tell_resource (run->listener, run->uri);
}

static gsize
size_of (const VendPrediction *now)
{
  return strlen (now->logs) + json_array_size (now->output);
}

/* Of a run under way; any thread. */
static void
tell_progress (WatchedRun *run, const VendPrediction *now)
{
  const gsize size = size_of (now);
  if (now->status != run->status)
    tell_run (run, now);
  else if (run->uri != NULL && size != run->size)
    tell_resource (run->listener, run->uri);
  run->status = now->status;
  run->size = size;
}

static bool
is_over (const Listener *listener)
{
  return mcp_is_deserted (listener->request) || !g_atomic_int_get (&listener->request->api->ready);
}

static void told (const VendPrediction *now, const GError *error, void *data);

static void
wait_on (WatchedRun *run)
{
  const int64_t due_us = vend_steady_us () + (run->uri != NULL ? RESOURCE_US : TASK_US);
  vend_sched_wait (run->listener->request->api->parts.sched, run->id, due_us, told, run);
}

/* In the lane for replies: its row has its end. */
static void
tell_end (void *data)
{
  g_autoptr (WatchedRun) run = data;
  g_autoptr (VendPrediction) row = NULL;
  if (is_over (run->listener) || !mcp_load_prediction (run->listener->request, run->id, &row, NULL))
    return;
  if (run->is_busy && !vend_status_is_terminal (row->status))
    wait_on (g_steal_pointer (&run));
  else
    tell_run (run, row);
}

/* Core thread. */
static void
told (const VendPrediction *now, const GError *error, void *data)
{
  g_autoptr (WatchedRun) run = data;
  if (is_over (run->listener))
    return;
  if (now == NULL || vend_status_is_terminal (now->status))
    {
      VendLater *later = run->listener->request->api->later;
      run->is_busy = g_error_matches (error, VEND_ERROR, VEND_ERROR_BUSY);
      vend_later_run (later, VEND_LANE_REPLIES, tell_end, g_steal_pointer (&run));
      return;
    }
  tell_progress (run, now);
  wait_on (g_steal_pointer (&run));
}

/* ---- Models */

/* Takes `now`; whether it differs. */
static bool
differs (char **digest, char *now)
{
  const bool is_other = g_strcmp0 (*digest, now) != 0;
  g_free (*digest);
  *digest = now;
  return is_other;
}

/* `tells`: what differs from the last time. */
static void
look (Listener *listener, bool tells)
{
  McpRequest *request = listener->request;
  listener->changes = vend_store_model_changes (request->api->parts.store);
  if (listener->wants_tools && differs (&listener->tools, mcp_tools_digest (request)) && tells)
    tell (listener, "notifications/tools/list_changed", json_object ());
  if (listener->wants_resources && differs (&listener->resources, mcp_resources_digest (request))
      && tells)
    tell (listener, "notifications/resources/list_changed", json_object ());
  for (guint i = 0; i < listener->models->len; i++)
    {
      WatchedModel *model = &g_array_index (listener->models, WatchedModel, i);
      if (differs (&model->digest, mcp_model_digest (request, model->uri)) && tells)
        tell_resource (listener, model->uri);
    }
}

static void
look_again (void *data)
{
  g_autoptr (Listener) listener = data;
  look (listener, true);
  g_atomic_int_set (&listener->is_looking, false);
}

/* ---- All listeners */

static GMutex lock;
static GQueue listeners = G_QUEUE_INIT;
static guint ticking; /* the source of the core thread, while there are listeners */

static void
end (void *data)
{
  g_autoptr (Listener) listener = data;
  mcp_answer (listener->request, json_pack ("{s:o}", "_meta", meta_of (listener)));
}

/* False when it has ended. Core thread. */
static bool
tend (Listener *listener)
{
  McpRequest *request = listener->request;
  VendApi *api = request->api;
  if (mcp_is_deserted (request))
    return false;
  if (is_over (listener) || vend_steady_us () >= listener->until_us)
    {
      vend_later_run (api->later, VEND_LANE_REPLIES, end, listener_ref (listener));
      return false;
    }
  if (!g_atomic_int_compare_and_exchange (&listener->is_looking, false, true))
    return true;
  if (listener->changes == vend_store_model_changes (api->parts.store))
    {
      g_atomic_int_set (&listener->is_looking, false);
      return true;
    }
  if (!vend_later_try (api->later, VEND_LANE_READS, look_again, listener_ref (listener), NULL))
    {
      listener_unref (listener);
      g_atomic_int_set (&listener->is_looking, false);
    }
  return true;
}

static gboolean
tick (void *data)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  for (GList *link = listeners.head, *next; link != NULL; link = next)
    {
      next = link->next;
      if (tend (link->data))
        continue;
      listener_unref (link->data);
      g_queue_delete_link (&listeners, link);
    }
  if (listeners.head != NULL)
    return G_SOURCE_CONTINUE;
  ticking = 0;
  return G_SOURCE_REMOVE;
}

static void
add_listener (Listener *listener)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  g_queue_push_tail (&listeners, listener_ref (listener));
  if (ticking == 0)
    ticking = g_timeout_add (TICK_MS, tick, NULL);
}

/* ---- The request */

static bool
is_list_of_texts (const json_t *value)
{
  size_t i;
  json_t *one;
  json_array_foreach ((json_t *) value, i, one)
    if (!vend_json_is_string (one))
      return false;
  return json_is_array (value) && json_array_size (value) <= MAX_NAMES;
}

/* NULL when all is well. */
static char *
problem_of (const json_t *filter)
{
  static const char *const flags[]
      = { "toolsListChanged", "promptsListChanged", "resourcesListChanged" };
  static const char *const lists[] = { "resourceSubscriptions", "taskIds" };
  if (!json_is_object (filter))
    return g_strdup ("notifications: expected an object");
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      const json_t *value = json_object_get (filter, flags[i]);
      if (value != NULL && !json_is_boolean (value))
        return g_strdup_printf ("notifications.%s: expected true or false", flags[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      const json_t *value = json_object_get (filter, lists[i]);
      if (value != NULL && !is_list_of_texts (value))
        return g_strdup_printf ("notifications.%s: expected a list of at most %d strings", lists[i],
                                MAX_NAMES);
    }
  return NULL;
}

/* NULL for a prediction that is not there for the caller. */
static WatchedRun *
run_new (Listener *listener, const char *id)
{
  g_autoptr (VendPrediction) row = NULL;
  if (!mcp_load_prediction (listener->request, id, &row, NULL))
    return NULL;
  WatchedRun *run = g_new0 (WatchedRun, 1);
  run->listener = listener_ref (listener);
  run->id = g_strdup (id);
  run->status = row->status;
  return run;
}

static bool
add_task (Listener *listener, GPtrArray *runs, const char *id)
{
  WatchedRun *run = run_new (listener, id);
  if (run == NULL)
    return false;
  run->is_task = true;
  g_ptr_array_add (runs, run);
  return true;
}

/* Files do not change. */
static bool
add_resource (Listener *listener, GPtrArray *runs, const char *uri)
{
  if (g_str_has_prefix (uri, MCP_PREDICTION_URI))
    {
      WatchedRun *run = run_new (listener, uri + strlen (MCP_PREDICTION_URI));
      if (run == NULL)
        return false;
      run->uri = g_strdup (uri);
      g_ptr_array_add (runs, run);
      return true;
    }
  WatchedModel model = { .digest = mcp_model_digest (listener->request, uri) };
  if (model.digest == NULL)
    return false;
  model.uri = g_strdup (uri);
  g_array_append_val (listener->models, model);
  return true;
}

typedef bool (*Add) (Listener *listener, GPtrArray *runs, const char *name);

/* Those that are honored go into `honored`. */
static void
add_all (Listener *listener, GPtrArray *runs, json_t *honored, const char *member, Add add)
{
  const json_t *filter = json_object_get (listener->request->rpc.params, "notifications");
  const json_t *names = json_object_get (filter, member);
  json_auto_t *taken = json_array ();
  size_t i;
  json_t *name;
  json_array_foreach ((json_t *) names, i, name)
    if (add (listener, runs, json_string_value (name)))
      json_array_append (taken, name);
  if (names != NULL)
    json_object_set (honored, member, taken);
}

static bool
wants (const Listener *listener, const char *member)
{
  const json_t *filter = json_object_get (listener->request->rpc.params, "notifications");
  return json_is_true (json_object_get (filter, member));
}

/* The tools of /mcp are always the same. */
static json_t *
honor (Listener *listener, GPtrArray *runs)
{
  json_t *honored = json_object ();
  listener->wants_tools = listener->request->models != NULL && wants (listener, "toolsListChanged");
  listener->wants_resources = wants (listener, "resourcesListChanged");
  if (listener->wants_tools)
    vend_json_set_bool (honored, "toolsListChanged", true);
  if (listener->wants_resources)
    vend_json_set_bool (honored, "resourcesListChanged", true);
  add_all (listener, runs, honored, "resourceSubscriptions", add_resource);
  add_all (listener, runs, honored, "taskIds", add_task);
  return honored;
}

/* The acknowledgment is the first message. What has ended already is told at once: the client may
 * have been away. */
static void
begin (Listener *listener, json_t *take_honored, const GPtrArray *runs)
{
  mcp_start_stream (listener->request);
  tell (listener, "notifications/subscriptions/acknowledged",
        json_pack ("{s:o}", "notifications", take_honored));
  add_listener (listener);
  for (guint i = 0; i < runs->len; i++)
    {
      WatchedRun *run = g_ptr_array_index (runs, i);
      if (vend_status_is_terminal (run->status))
        tell_end (run);
      else
        wait_on (run);
    }
}

void
mcp_listen (McpRequest *request)
{
  const json_t *filter = json_object_get (request->rpc.params, "notifications");
  g_autofree char *problem = problem_of (filter);
  if (problem != NULL)
    {
      mcp_refuse (request, VEND_RPC_INVALID_PARAMS, problem, NULL);
      return;
    }
  if (json_object_get (filter, "taskIds") != NULL && !mcp_needs_tasks (request))
    return;
  if (!request->accepts_stream)
    {
      mcp_refuse (request, VEND_RPC_INVALID_REQUEST, "Accept: expected text/event-stream", NULL);
      return;
    }
  g_autoptr (GPtrArray) runs = g_ptr_array_new ();
  g_autoptr (Listener) listener = g_new0 (Listener, 1);
  g_atomic_ref_count_init (&listener->refs);
  listener->request = mcp_request_ref (request);
  listener->until_us = vend_steady_us () + LISTEN_US;
  listener->models = g_array_new (FALSE, FALSE, sizeof (WatchedModel));
  g_array_set_clear_func (listener->models, clear_model);
  json_t *honored = honor (listener, runs);
  look (listener, false);
  begin (listener, honored, runs);
}
