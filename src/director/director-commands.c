/* Commands of the control plane and the runs they start. Main context. */
#include "base/log.h"
#include "director/director-private.h"
#include "runner/journal.h"
#include <string.h>
#include <unistd.h>

#define PROTOCOL 1

/* ---- Runs. */

static void
emit (json_t *frame, void *context)
{
  const VendDirector *director = context;
  vend_uplink_send (director->uplink, frame);
}

static void
emit_later (json_t *frame, void *context)
{
  const VendDirector *director = context;
  vend_uplink_send_later (director->uplink, frame);
}

static char *
find_out_of_memory (void *context)
{
  const VendDirector *director = context;
  return director->limits != NULL ? vend_model_limits_out_of_memory (director->limits) : NULL;
}

static void
begin (VendDirector *director, const json_t *command)
{
  VendRun *run = vend_run_start (&director->env, command);
  g_hash_table_insert (director->runs, (char *) vend_run_cog_id (run), run);
}

static bool
has_slot (const VendDirector *director)
{
  return g_hash_table_size (director->runs) < director->spec->slots;
}

static void
begin_next (VendDirector *director)
{
  while (director->state == VEND_DIRECTOR_READY && director->ahead.length > 0
         && has_slot (director))
    {
      json_auto_t *command = g_queue_pop_head (&director->ahead);
      begin (director, command);
    }
}

void
vend_director_lose_ahead (VendDirector *director, const char *why)
{
  for (json_t *command; (command = g_queue_pop_head (&director->ahead)) != NULL;)
    {
      vend_uplink_send (director->uplink, vend_run_never_begun (command, "failed", why));
      json_decref (command);
    }
}

static void
on_run_ended (VendRun *run, json_t *completed, const char *sick, void *context)
{
  VendDirector *director = context;
  g_hash_table_steal (director->runs, vend_run_cog_id (run));
  g_hash_table_add (director->ended, run);
  vend_uplink_send (director->uplink, json_incref (completed));
  vend_results_add (director->results, vend_run_key (run), completed);
  if (sick == NULL)
    return;
  vend_director_set_state (director, VEND_DIRECTOR_UNHEALTHY, sick, NULL);
  vend_director_lose_ahead (director, sick);
}

static gboolean
free_released (void *user_data)
{
  VendDirector *director = user_data;
  director->release_source = 0;
  g_ptr_array_set_size (director->released, 0);
  return G_SOURCE_REMOVE;
}

static void
on_run_released (VendRun *run, void *context)
{
  VendDirector *director = context;
  g_hash_table_steal (director->ended, run);
  g_ptr_array_add (director->released, run);
  if (director->release_source == 0)
    director->release_source = g_idle_add (free_released, director);
  /* Not at its end already: the server frees the slot a moment after its last event. */
  begin_next (director);
}

void
vend_director_init_runs (VendDirector *director)
{
  director->runs
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) vend_run_free);
  director->ended = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) vend_run_free, NULL);
  director->released = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_run_free);
  director->env = (VendRunEnv){ .spec = director->spec,
                                .dir = director->dir,
                                .curl = director->curl,
                                .outside = director->outside,
                                .loopback = director->loopback,
                                .emit = emit,
                                .emit_later = emit_later,
                                .out_of_memory = find_out_of_memory,
                                .ended = on_run_ended,
                                .released = on_run_released,
                                .context = director };
}

void
vend_director_clear_runs (VendDirector *director)
{
  if (director->release_source != 0)
    g_source_remove (director->release_source);
  director->release_source = 0;
  g_queue_clear_full (&director->ahead, (GDestroyNotify) json_decref);
  g_clear_pointer (&director->runs, g_hash_table_unref);
  g_clear_pointer (&director->ended, g_hash_table_unref);
  g_clear_pointer (&director->released, g_ptr_array_unref);
}

static VendRun *
find_run (const VendDirector *director, const char *key)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, director->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (strcmp (vend_run_key (value), key) == 0)
      return value;
  return NULL;
}

static GList *
find_ahead (VendDirector *director, const char *key)
{
  for (GList *item = director->ahead.head; item != NULL; item = item->next)
    {
      g_autofree char *of = vend_run_command_key (item->data);
      if (strcmp (of, key) == 0)
        return item;
    }
  return NULL;
}

/* NULL when it does not wait here; owned by the caller. */
static json_t *
take_ahead (VendDirector *director, const char *key)
{
  GList *waiting = find_ahead (director, key);
  if (waiting == NULL)
    return NULL;
  json_t *command = waiting->data;
  g_queue_delete_link (&director->ahead, waiting);
  return command;
}

/* ---- Greeting. */

static void
send_again (json_t *frame, void *data)
{
  vend_uplink_send (data, frame);
}

void
vend_director_greet (VendDirector *director)
{
  json_t *hello = json_object ();
  json_t *running = json_array ();
  gsize budget = (gsize) director->spec->max_output;
  vend_json_set_string (hello, "event", "hello");
  vend_json_set_int (hello, "protocol", PROTOCOL);
  vend_json_set_bool (hello, "pings", true);
  vend_json_set_string (hello, "instance", director->spec->instance);
  vend_json_set_string (hello, "version", director->spec->version);
  vend_json_set_int (hello, "pid", getpid ());
  vend_json_set_string (hello, "state", vend_director_state_name (director->state));
  json_object_set_new (hello, "setup_logs",
                       vend_json_string_new (director->setup_logs->str, director->setup_logs->len));
  if (director->error != NULL)
    vend_json_set_string (hello, "error", director->error);
  if (director->error_code != NULL)
    vend_json_set_string (hello, "error_code", director->error_code);
  if (director->setup_us > 0)
    vend_json_set_int (hello, "setup_us", director->setup_us);
  vend_director_tell_start (director, hello);
  if (director->ready_us > 0)
    vend_json_set_int (hello, "ready_us", director->ready_us);
  vend_json_set_int (hello, "slots", director->spec->slots);
  vend_json_set_int (hello, "ahead", director->spec->slots);

  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, director->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    json_array_append_new (running, vend_run_snapshot (value, &budget));
  for (const GList *item = director->ahead.head; item != NULL; item = item->next)
    json_array_append_new (running, json_pack ("{s:O, s:O}", "prediction",
                                               json_object_get (item->data, "prediction"),
                                               "attempt", json_object_get (item->data, "attempt")));
  json_object_set_new (hello, "running", running);
  vend_uplink_send (director->uplink, hello);
  vend_results_repeat (director->results, send_again, director->uplink);
  vend_uplink_send (director->uplink, json_pack ("{s:s}", "event", "caught_up"));
}

/* ---- Commands. */

static const char *
refusal (const VendDirector *director)
{
  if (director->state != VEND_DIRECTOR_READY)
    return "the instance is not ready";
  if (g_hash_table_size (director->runs) + director->ahead.length >= 2 * director->spec->slots)
    return "the instance has no free slot";
  if (vend_results_count (director->results) >= VEND_RESULTS_MAX)
    return "too many results wait for an acknowledgement";
  return NULL;
}

static void
run (VendDirector *director, json_t *command, const char *key)
{
  if (find_run (director, key) != NULL || find_ahead (director, key) != NULL
      || vend_results_has (director->results, key))
    return;
  const char *why = refusal (director);
  if (why != NULL)
    {
      /* Not kept: whoever missed it asks again, and nothing was begun. */
      vend_uplink_send (director->uplink, vend_run_never_begun (command, "failed", why));
      return;
    }
  if (director->ahead.length == 0 && has_slot (director))
    begin (director, command);
  else
    g_queue_push_tail (&director->ahead, json_incref (command));
}

static void
cancel (VendDirector *director, const char *key)
{
  VendRun *running = find_run (director, key);
  json_auto_t *waiting = take_ahead (director, key);
  if (running != NULL)
    vend_run_cancel (running);
  else if (waiting != NULL)
    vend_uplink_send (director->uplink, vend_run_never_begun (waiting, "canceled", NULL));
}

/* One that has begun stays. */
static void
give_back (VendDirector *director, const char *key)
{
  json_auto_t *waiting = take_ahead (director, key);
  if (waiting != NULL)
    vend_uplink_send (director->uplink,
                      json_pack ("{s:s, s:O, s:O}", "event", "given_back", "prediction",
                                 json_object_get (waiting, "prediction"), "attempt",
                                 json_object_get (waiting, "attempt")));
}

void
vend_director_command (VendDirector *director, json_t *command)
{
  const char *name = vend_json_string (command, "command");
  if (g_strcmp0 (name, "stop") == 0)
    {
      vend_director_stop (director,
                          vend_json_int (command, "grace_us", director->spec->stop_grace_us));
      return;
    }

  if (g_strcmp0 (name, "ping") == 0)
    {
      vend_uplink_send (director->uplink, json_pack ("{s:s}", "event", "pong"));
      return;
    }
  g_autoptr (GError) error = NULL;
  if (!vend_run_command_check (command, &error))
    {
      vend_log (VEND_LOG_WARN, "command not understood", "command", name, "error", error->message,
                NULL);
      return;
    }
  g_autofree char *key = vend_run_command_key (command);
  if (g_strcmp0 (name, "run") == 0)
    run (director, command, key);
  else if (g_strcmp0 (name, "ack") == 0)
    vend_results_acknowledge (director->results, key);
  else if (g_strcmp0 (name, "cancel") == 0)
    cancel (director, key);
  else if (g_strcmp0 (name, "give_back") == 0)
    give_back (director, key);
}
