/* `vend agent`: one connection to the control plane, over which that asks for what it wants of this
 * machine. The main thread reads, a pool of threads works, one thread tells how instances are. */
#include "machines/agent.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "machines/cache.h"
#include "machines/machines-private.h"
#include "machines/transfer.h"
#include "runner/runner-process.h"
#include <poll.h>
#include <string.h>

#define BEAT_US (2 * VEND_US_PER_S)
#define SILENCE_MS 20000
#define FIRST_PAUSE_US (500 * VEND_US_PER_MS)
#define LONGEST_PAUSE_US (5 * VEND_US_PER_S)
#define WORKERS 8
#define STARTERS 4

typedef struct
{
  char *id;
  bool is_preparing;
  bool is_started;
  bool is_ended;
  char *needs; /* what it is prepared from, for the cache */
  char *why;   /* it could not start */
} Hosted;

typedef struct
{
  const VendAgentOptions *options;
  VendRunner *runner;
  VendNodeCache *cache;
  GThreadPool *workers;
  GThreadPool *starters; /* what is fetched may be large, and ends do not wait for it */
  GThread *beating;
  GThread *waiting; /* for the end */

  pthread_mutex_t writing; /* before `lock`: one frame at a time, in the order of what it tells */
  pthread_mutex_t lock;    /* guards all below */
  pthread_cond_t poked;
  GHashTable *hosted;    /* id → Hosted (owned) */
  VendTlsStream *stream; /* NULL: not connected */
  guint64 connection;    /* counts them: an answer goes to who has asked */
  bool news;             /* a beat is due at once */
  bool stopping;
} Agent;

typedef struct
{
  json_t *question;
  guint64 connection;
} Work;

static void
hosted_free (void *data)
{
  Hosted *hosted = data;
  g_free (hosted->id);
  g_free (hosted->needs);
  g_free (hosted->why);
  g_free (hosted);
}

/* Locked. */
static Hosted *
host (Agent *agent, const char *id)
{
  Hosted *hosted = g_hash_table_lookup (agent->hosted, id);
  if (hosted != NULL)
    return hosted;
  hosted = g_new0 (Hosted, 1);
  hosted->id = g_strdup (id);
  g_hash_table_insert (agent->hosted, hosted->id, hosted);
  return hosted;
}

static void
poke (Agent *agent)
{
  pthread_mutex_lock (&agent->lock);
  agent->news = true;
  pthread_cond_broadcast (&agent->poked);
  pthread_mutex_unlock (&agent->lock);
}

/* ---- What it says */

static bool
say (Agent *agent, guint64 connection, const json_t *frame)
{
  g_autoptr (GError) error = NULL;
  bool sent = false;
  pthread_mutex_lock (&agent->writing);
  pthread_mutex_lock (&agent->lock);
  VendTlsStream *stream = agent->connection == connection ? agent->stream : NULL;
  pthread_mutex_unlock (&agent->lock);
  if (stream != NULL)
    {
      sent = vend_exchange_send (stream, frame, &error);
      if (!sent)
        vend_tls_stream_shut (stream);
    }
  pthread_mutex_unlock (&agent->writing);
  return sent;
}

static void
answer (Agent *agent, const Work *work, const char *problem)
{
  json_auto_t *frame
      = json_pack ("{s:I}", "answer", (json_int_t) vend_json_int (work->question, "question", 0));
  if (problem != NULL)
    vend_json_set_string (frame, "error", problem);
  (void) say (agent, work->connection, frame);
}

static json_t *
life_of (Agent *agent, const Hosted *hosted, const VendRunnerUsage *usage)
{
  const bool alive = hosted->is_started && agent->runner->is_alive (agent->runner, hosted->id);
  json_t *life = json_object ();
  vend_json_set_string (life, "life",
                        hosted->is_preparing ? "preparing"
                        : alive              ? "alive"
                                             : "gone");
  if (hosted->why != NULL)
    vend_json_set_string (life, "why", hosted->why);
  if (usage == NULL)
    return life;
  vend_json_set_int (life, "processes", usage->processes);
  json_object_set_new (life, "cpu_seconds", json_real (usage->cpu_seconds));
  vend_json_set_int (life, "memory", (int64_t) usage->memory);
  return life;
}

static json_t *
lives_of (Agent *agent)
{
  json_t *lives = json_object ();
  g_autoptr (GHashTable) usage = agent->runner->usage (agent->runner);
  GHashTableIter iter;
  void *value;
  pthread_mutex_lock (&agent->lock);
  g_hash_table_iter_init (&iter, agent->hosted);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Hosted *hosted = value;
      json_object_set_new (lives, hosted->id,
                           life_of (agent, hosted, g_hash_table_lookup (usage, hosted->id)));
    }
  pthread_mutex_unlock (&agent->lock);
  return lives;
}

/* What it tells is so when it is sent: a question that was answered before is in it. */
static void
beat (Agent *agent)
{
  pthread_mutex_lock (&agent->writing);
  pthread_mutex_lock (&agent->lock);
  VendTlsStream *stream = agent->stream;
  pthread_mutex_unlock (&agent->lock);
  if (stream != NULL)
    {
      json_auto_t *frame = json_pack ("{s:o}", "lives", lives_of (agent));
      if (!vend_exchange_send (stream, frame, NULL))
        vend_tls_stream_shut (stream);
    }
  pthread_mutex_unlock (&agent->writing);
}

static void *
beat_on (void *data)
{
  Agent *agent = data;
  for (;;)
    {
      const int64_t until_us = g_get_monotonic_time () + BEAT_US;
      pthread_mutex_lock (&agent->lock);
      while (!agent->stopping && !agent->news
             && vend_cond_wait_until (&agent->poked, &agent->lock, until_us))
        ;
      agent->news = false;
      const bool ends = agent->stopping;
      pthread_mutex_unlock (&agent->lock);
      if (ends)
        return NULL;
      beat (agent);
    }
}

/* ---- Start */

static json_t *
uplink_of (const Agent *agent, const json_t *question)
{
  const VendDialer *dialer = agent->options->dialer;
  return json_pack ("{s:s, s:i, s:s, s:O, s:O}", "host", dialer->host, "port", (int) dialer->port,
                    "authority", agent->options->authority, "certificate",
                    json_object_get (question, "certificate"), "key",
                    json_object_get (question, "key"));
}

static json_t *
local_spec (const Agent *agent, const json_t *question)
{
  const json_t *portable = json_object_get (question, "spec");
  json_t *secrets = json_object_get (portable, "secrets");
  json_t *spec = machines_spec_rebase (portable, MACHINES_DATA, agent->options->data_dir);
  if (secrets != NULL)
    json_object_set (spec, "secrets", secrets);
  json_object_set_new (spec, VEND_RUNNER_UPLINK, uplink_of (agent, question));
  return spec;
}

static bool
make_folders (const Agent *agent, GError **error)
{
  static const char *const names[] = { "home", "versions", "blobs" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (agent->options->data_dir, names[i], NULL);
      if (!vend_dir_ensure (path, error))
        return false;
    }
  return true;
}

static bool
is_unwanted (Agent *agent, const char *id)
{
  pthread_mutex_lock (&agent->lock);
  const Hosted *hosted = g_hash_table_lookup (agent->hosted, id);
  const bool unwanted = hosted == NULL || hosted->is_ended;
  pthread_mutex_unlock (&agent->lock);
  return unwanted;
}

static bool
bring_all (Agent *agent, const char *id, const json_t *trees, GError **error)
{
  size_t i;
  const json_t *tree;
  json_array_foreach (trees, i, tree)
    {
      if (is_unwanted (agent, id))
        return vend_fail (error, VEND_ERROR_CANCELED, "it is not wanted any more");
      const char *path = json_string_value (tree);
      if (path == NULL)
        return vend_fail (error, VEND_ERROR_BAD_REQUEST, "a folder has no name");
      if (!vend_node_cache_bring (agent->cache, agent->options->dialer, path, error))
        return false;
    }
  return make_folders (agent, error);
}

/* Who ends it either comes before, or finds a director. */
static bool
start_locked (Agent *agent, Hosted *hosted, const json_t *spec, GError **error)
{
  if (hosted == NULL || hosted->is_ended)
    return true;
  if (!agent->runner->start (agent->runner, hosted->id, spec, error))
    return false;
  hosted->is_started = true;
  return true;
}

static void
prepare (Agent *agent, const json_t *question)
{
  const char *id = vend_json_string (question, "instance");
  json_auto_t *spec = local_spec (agent, question);
  g_autoptr (GError) error = NULL;
  bool good = bring_all (agent, id, json_object_get (question, "trees"), &error);
  pthread_mutex_lock (&agent->lock);
  Hosted *hosted = g_hash_table_lookup (agent->hosted, id);
  good = good && start_locked (agent, hosted, spec, &error);
  if (hosted != NULL)
    {
      hosted->is_preparing = false;
      g_clear_pointer (&hosted->needs, g_free);
      hosted->why = good ? NULL : g_strdup (error->message);
    }
  pthread_mutex_unlock (&agent->lock);
  if (!good)
    vend_log (VEND_LOG_ERROR, "cannot start an instance", "instance", id, "error", error->message,
              NULL);
  poke (agent);
}

/* Locked; appends. */
static void
add_needs (const Agent *agent, GString *specs)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, agent->hosted);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((const Hosted *) value)->needs != NULL)
      g_string_append (specs, ((const Hosted *) value)->needs);
}

static void
trim (Agent *agent)
{
  g_autoptr (GString) specs = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) needs = g_string_new (NULL);
  pthread_mutex_lock (&agent->lock);
  add_needs (agent, needs);
  pthread_mutex_unlock (&agent->lock);
  /* What has begun meanwhile is in a spec by now. */
  if (!vend_runner_read_specs (agent->runner, &specs, &error))
    {
      vend_log (VEND_LOG_WARN, "cannot look what is in use", "error", error->message, NULL);
      return;
    }
  g_string_append (specs, needs->str);
  vend_node_cache_trim (agent->cache, specs->str);
}

/* Answered at once: the control plane hears how it goes on. False: it has begun before. */
static bool
accept_start (Agent *agent, const Work *work, const char *id)
{
  pthread_mutex_lock (&agent->lock);
  const bool is_new = g_hash_table_lookup (agent->hosted, id) == NULL;
  Hosted *hosted = host (agent, id);
  if (is_new)
    {
      hosted->is_preparing = true;
      hosted->needs = vend_json_text (json_object_get (work->question, "trees"));
    }
  pthread_mutex_unlock (&agent->lock);
  answer (agent, work, NULL);
  return is_new;
}

/* ---- The end */

static void
end_instance (Agent *agent, const char *id)
{
  pthread_mutex_lock (&agent->lock);
  Hosted *hosted = g_hash_table_lookup (agent->hosted, id);
  if (hosted != NULL)
    hosted->is_ended = true;
  pthread_mutex_unlock (&agent->lock);
  agent->runner->end (agent->runner, id);
}

static bool
remove_instance (Agent *agent, const char *id, GError **error)
{
  if (!agent->runner->remove (agent->runner, id, error))
    return false;
  pthread_mutex_lock (&agent->lock);
  g_hash_table_remove (agent->hosted, id);
  pthread_mutex_unlock (&agent->lock);
  return true;
}

static void
found_result (json_t *completed, void *data)
{
  g_ptr_array_add (data, json_deep_copy (completed));
}

/* With their files, which are here. */
static bool
tell_results (Agent *agent, const Work *work, const char *id, GError **error)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func ((GDestroyNotify) json_decref);
  if (!agent->runner->read_results (agent->runner, id, found_result, results, error))
    return false;
  for (guint i = 0; i < results->len; i++)
    {
      json_t *completed = g_ptr_array_index (results, i);
      if (!vend_transfer_bring_outputs (agent->options->dialer, id, completed, NULL, NULL, NULL,
                                        error))
        return false;
      json_auto_t *frame = json_pack ("{s:I, s:O}", "more",
                                      (json_int_t) vend_json_int (work->question, "question", 0),
                                      "completed", completed);
      if (!say (agent, work->connection, frame))
        return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the connection has ended");
    }
  return true;
}

/* ---- Questions */

static void
work_free (Work *work)
{
  json_decref (work->question);
  g_free (work);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Work, work_free)

static void
do_start (void *data, void *user_data)
{
  g_autoptr (Work) work = data;
  prepare (user_data, work->question);
  trim (user_data);
}

static void
do_work (void *data, void *user_data)
{
  g_autoptr (Work) work = data;
  Agent *agent = user_data;
  const char *what = vend_json_string (work->question, "do");
  const char *id = vend_json_string (work->question, "instance");
  g_autoptr (GError) error = NULL;
  bool good = true;
  if (g_strcmp0 (what, "end") == 0)
    end_instance (agent, id);
  else if (g_strcmp0 (what, "results") == 0)
    good = tell_results (agent, work, id, &error);
  else if (g_strcmp0 (what, "remove") == 0)
    good = remove_instance (agent, id, &error);
  else
    good = vend_fail (&error, VEND_ERROR_BAD_REQUEST, "this agent does not know what is wanted");
  answer (agent, work, good ? NULL : error->message);
}

/* An id becomes the name of a folder. */
static bool
is_id (const char *id)
{
  return id != NULL && *id != '\0'
         && strspn (id, "0123456789abcdefghijklmnopqrstuvwxyz") == strlen (id);
}

static void
hear (Agent *agent, json_t *frame, guint64 connection)
{
  if (vend_json_string (frame, "do") == NULL || !is_id (vend_json_string (frame, "instance")))
    return;
  const bool is_start = strcmp (vend_json_string (frame, "do"), "start") == 0;
  g_autoptr (Work) work = g_new0 (Work, 1);
  *work = (Work){ json_incref (frame), connection };
  if (!is_start || accept_start (agent, work, vend_json_string (frame, "instance")))
    g_thread_pool_push (is_start ? agent->starters : agent->workers, g_steal_pointer (&work), NULL);
}

/* ---- The connection */

/* What the control plane has given up meanwhile. */
static void
let_go (Agent *agent, const json_t *kept)
{
  g_autoptr (GPtrArray) unwanted = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  void *id;
  pthread_mutex_lock (&agent->lock);
  g_hash_table_iter_init (&iter, agent->hosted);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if (!vend_json_bool (kept, id, false))
      g_ptr_array_add (unwanted, g_strdup (id));
  pthread_mutex_unlock (&agent->lock);
  for (guint i = 0; i < unwanted->len; i++)
    {
      g_autoptr (GError) error = NULL;
      const char *name = g_ptr_array_index (unwanted, i);
      end_instance (agent, name);
      if (json_object_get (kept, name) == NULL && !remove_instance (agent, name, &error))
        vend_log (VEND_LOG_WARN, "cannot remove an instance", "instance", name, "error",
                  error->message, NULL);
    }
}

static void
set_stream (Agent *agent, VendTlsStream *stream)
{
  pthread_mutex_lock (&agent->writing);
  pthread_mutex_lock (&agent->lock);
  agent->stream = stream;
  agent->connection++;
  if (agent->stopping && stream != NULL)
    vend_tls_stream_shut (stream);
  pthread_mutex_unlock (&agent->lock);
  pthread_mutex_unlock (&agent->writing);
}

static bool
listen_on (Agent *agent, VendTlsStream *stream, GError **error)
{
  const guint64 connection = agent->connection;
  for (;;)
    {
      json_auto_t *frame = NULL;
      if (!vend_exchange_receive (stream, VEND_EXCHANGE_FRAME_MAX, &frame, error))
        return false;
      hear (agent, frame, connection);
    }
}

static bool
serve (Agent *agent, bool *out_was_in, GError **error)
{
  g_autoptr (VendTlsStream) stream = NULL;
  json_auto_t *welcome = NULL;
  json_t *hello
      = json_pack ("{s:O, s:o}", "hardware", agent->options->hardware, "lives", lives_of (agent));
  if (!vend_dialer_open (agent->options->dialer, "agent", hello, &stream, &welcome, error))
    return false;
  *out_was_in = true;
  vend_tls_stream_set_patience (stream, SILENCE_MS);
  let_go (agent, json_object_get (welcome, "kept"));
  vend_log (VEND_LOG_INFO, "connected to the control plane", "host", agent->options->dialer->host,
            "machine", agent->options->name, NULL);
  set_stream (agent, stream);
  poke (agent);
  const bool good = listen_on (agent, stream, error);
  set_stream (agent, NULL);
  return good;
}

/* False once it is to end. */
static bool
pause_for (Agent *agent, int64_t pause_us)
{
  const int64_t until_us = g_get_monotonic_time () + pause_us;
  pthread_mutex_lock (&agent->lock);
  while (!agent->stopping && vend_cond_wait_until (&agent->poked, &agent->lock, until_us))
    ;
  const bool goes_on = !agent->stopping;
  pthread_mutex_unlock (&agent->lock);
  return goes_on;
}

static bool
serve_on (Agent *agent, GError **error)
{
  for (int64_t pause_us = FIRST_PAUSE_US;;)
    {
      g_autoptr (GError) problem = NULL;
      bool was_in = false;
      (void) serve (agent, &was_in, &problem);
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_CONFLICT))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      pause_us = was_in ? FIRST_PAUSE_US : MIN (2 * pause_us, LONGEST_PAUSE_US);
      if (!pause_for (agent, pause_us))
        return true;
      vend_log (VEND_LOG_WARN, "not connected to the control plane; trying again", "error",
                problem->message, NULL);
    }
}

/* ---- Life */

static void *
wait_for_end (void *data)
{
  Agent *agent = data;
  struct pollfd waited = { .fd = agent->options->stop_fd, .events = POLLIN };
  while (poll (&waited, 1, -1) < 0)
    ;
  pthread_mutex_lock (&agent->lock);
  agent->stopping = true;
  if (agent->stream != NULL)
    vend_tls_stream_shut (agent->stream);
  pthread_cond_broadcast (&agent->poked);
  pthread_mutex_unlock (&agent->lock);
  return NULL;
}

/* What the last agent has left; half of a start is nothing. */
static bool
take_up (const char *id, const char *spec, const GError *error, void *data)
{
  Agent *agent = data;
  Hosted *hosted = host (agent, id);
  hosted->is_started = spec != NULL;
  return true;
}

static bool
begin (Agent *agent, GError **error)
{
  agent->workers = g_thread_pool_new (do_work, agent, WORKERS, FALSE, error);
  if (agent->workers == NULL)
    return false;
  agent->starters = g_thread_pool_new (do_start, agent, STARTERS, FALSE, error);
  if (agent->starters == NULL)
    return false;
  agent->beating = g_thread_try_new ("beat", beat_on, agent, error);
  if (agent->beating == NULL)
    return false;
  agent->waiting = g_thread_try_new ("stop", wait_for_end, agent, error);
  return agent->waiting != NULL;
}

/* Work that is under way ends with the process. */
static void
finish (Agent *agent)
{
  pthread_mutex_lock (&agent->lock);
  agent->stopping = true;
  pthread_cond_broadcast (&agent->poked);
  pthread_mutex_unlock (&agent->lock);
  if (agent->beating != NULL)
    g_thread_join (agent->beating);
}

bool
vend_agent_run (const VendAgentOptions *options, GError **error)
{
  static Agent agent;
  g_autofree char *instances = g_build_filename (options->data_dir, VEND_INSTANCES_FOLDER, NULL);
  agent = (Agent){ .options = options };
  agent.runner = vend_runner_process_new (instances, options->vend_binary);
  agent.hosted = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, hosted_free);
  pthread_mutex_init (&agent.writing, NULL);
  pthread_mutex_init (&agent.lock, NULL);
  vend_cond_init (&agent.poked);
  const bool good
      = vend_node_cache_open (options->data_dir, options->cache_max, &agent.cache, error)
        && agent.runner->list (agent.runner, take_up, &agent, error) && begin (&agent, error)
        && serve_on (&agent, error);
  finish (&agent);
  return good;
}
