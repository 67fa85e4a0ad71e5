/* The runs of a director: those that go on, wait, have ended, were lost. Main context. */
#include "director/director-private.h"
#include "runner/frame.h"
#include "model/failure.h"
#include <signal.h>
#include <string.h>

/* ---- What a run needs of its director. */

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

static uint64_t
find_server_peak (void *context)
{
  const VendDirector *director = context;
  return director->model != NULL && !director->kind->has_own_model
             ? vend_model_process_peak (director->model)
             : 0;
}

/* ---- The beginning. */

static void
begin (VendDirector *director, const json_t *command)
{
  VendExecution *execution = vend_execution_new (&director->env, command);
  g_hash_table_insert (director->executions, (char *) vend_execution_cog_id (execution), execution);
  vend_execution_begin (execution, json_object_get (command, "files"));
}

static bool
has_slot (const VendDirector *director)
{
  guint taken = 0;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, director->executions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    taken += !vend_execution_has_left_slot (value);
  return taken < director->spec->slots;
}

static void
begin_next (VendDirector *director)
{
  while (director->state == VEND_DIRECTOR_READY && director->prefetched.length > 0
         && has_slot (director))
    {
      json_auto_t *command = g_queue_pop_head (&director->prefetched);
      begin (director, command);
    }
}

/* ---- The end. */

static void
lose_prefetched (VendDirector *director, const char *why)
{
  for (json_t *command; (command = g_queue_pop_head (&director->prefetched)) != NULL;)
    {
      vend_uplink_send (director->uplink, vend_execution_never_begun (command, "failed", why));
      json_decref (command);
    }
}

void
vend_director_end_executions (VendDirector *director, const char *why, const char *code)
{
  g_autoptr (GList) executions = g_hash_table_get_values (director->executions);
  for (GList *item = executions; item != NULL; item = item->next)
    vend_execution_lose (item->data, why, code);
}

void
vend_director_lose_executions (VendDirector *director, const char *why, const char *code)
{
  /* Before the others, whose slots it would take. */
  lose_prefetched (director, why);
  vend_director_end_executions (director, why, code);
}

/* Steals `completed`. */
static void
tell_end (VendDirector *director, json_t *completed)
{
  g_autofree char *key = vend_execution_command_key (completed);
  vend_uplink_send (director->uplink, json_incref (completed));
  vend_results_add (director->results, key, completed);
}

void
vend_director_release_calls (VendDirector *director)
{
  GHashTableIter iter;
  void *value;
  if (director->executions == NULL || director->server == NULL)
    return;
  g_hash_table_iter_init (&iter, director->executions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    director->kind->release (value);
  g_hash_table_iter_init (&iter, director->ended);
  while (g_hash_table_iter_next (&iter, &value, NULL))
    director->kind->release (value);
  for (guint i = 0; i < director->released->len; i++)
    director->kind->release (g_ptr_array_index (director->released, i));
}

void
vend_director_tell_lost (VendDirector *director)
{
  for (json_t *completed; (completed = g_queue_pop_head (&director->lost)) != NULL;)
    tell_end (director, completed);
}

static void
on_execution_ended (VendExecution *execution, json_t *completed, const char *sick, void *context)
{
  VendDirector *director = context;
  json_auto_t *end = completed;
  const char *code = vend_json_string (end, "error_code");
  const bool is_lost = vend_failure_is_loss (code);
  g_hash_table_steal (director->executions, vend_execution_cog_id (execution));
  g_hash_table_add (director->ended, execution);
  /* It begins again as soon as it is told, and the model may still be at it. */
  if (is_lost && director->model != NULL)
    g_queue_push_tail (&director->lost, json_incref (end));
  else
    tell_end (director, json_incref (end));
  if (sick == NULL)
    return;
  /* The model itself goes on, with the others that it runs. */
  director->drains = !is_lost;
  vend_director_set_state (director, VEND_DIRECTOR_UNHEALTHY, sick, NULL);
  if (!is_lost)
    {
      lose_prefetched (director, sick);
      return;
    }
  vend_director_lose_executions (director, sick, code);
  if (director->model != NULL)
    vend_model_process_signal (director->model, SIGKILL);
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
on_execution_left_slot (VendExecution *execution, void *context)
{
  begin_next (context);
}

static void
on_execution_released (VendExecution *execution, void *context)
{
  VendDirector *director = context;
  g_hash_table_steal (director->ended, execution);
  g_ptr_array_add (director->released, execution);
  if (director->release_source == 0)
    director->release_source = g_idle_add (free_released, director);
  /* Not at its end already: the server frees the slot a moment after its last event. */
  begin_next (director);
}

/* ---- Commands. */

static VendExecution *
find_execution (const VendDirector *director, const char *key)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, director->executions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (strcmp (vend_execution_key (value), key) == 0)
      return value;
  return NULL;
}

/* Of `run` commands, or of frames that end runs. */
static GList *
find_in (const GQueue *frames, const char *key)
{
  for (GList *item = frames->head; item != NULL; item = item->next)
    {
      g_autofree char *of = vend_execution_command_key (item->data);
      if (strcmp (of, key) == 0)
        return item;
    }
  return NULL;
}

/* NULL when it does not wait here; owned by the caller. */
static json_t *
take_prefetched (VendDirector *director, const char *key)
{
  GList *waiting = find_in (&director->prefetched, key);
  if (waiting == NULL)
    return NULL;
  json_t *command = waiting->data;
  g_queue_delete_link (&director->prefetched, waiting);
  return command;
}

static bool
is_known (const VendDirector *director, const char *key)
{
  return find_execution (director, key) != NULL || find_in (&director->prefetched, key) != NULL
         || find_in (&director->lost, key) != NULL || vend_results_has (director->results, key);
}

guint
vend_director_prefetch (const VendDirector *director)
{
  return MAX (director->spec->slots, VEND_PREFETCH_MAX);
}

static const char *
refusal (const VendDirector *director)
{
  if (director->state != VEND_DIRECTOR_READY)
    return "the instance is not ready";
  if (g_hash_table_size (director->executions) + director->prefetched.length
      >= director->spec->slots + vend_director_prefetch (director))
    return "the instance has no free slot";
  if (vend_results_count (director->results) >= VEND_RESULTS_MAX)
    return "too many results wait for an acknowledgement";
  return NULL;
}

void
vend_director_run (VendDirector *director, json_t *command, const char *key)
{
  if (is_known (director, key))
    return;
  const char *why = refusal (director);
  if (why != NULL)
    {
      /* Not kept: whoever missed it asks again, and nothing was begun. */
      vend_uplink_send (director->uplink, vend_execution_never_begun (command, "failed", why));
      return;
    }
  if (director->prefetched.length == 0 && has_slot (director))
    begin (director, command);
  else
    g_queue_push_tail (&director->prefetched, json_incref (command));
}

void
vend_director_cancel (VendDirector *director, const char *key)
{
  VendExecution *running = find_execution (director, key);
  json_auto_t *waiting = take_prefetched (director, key);
  if (running != NULL)
    vend_execution_cancel (running);
  else if (waiting != NULL)
    vend_uplink_send (director->uplink, vend_execution_never_begun (waiting, "canceled", NULL));
}

/* Which run a command or frame is about. */
static json_t *
reference (const json_t *frame)
{
  return json_pack ("{s:O, s:O}", "prediction", json_object_get (frame, "prediction"), "attempt",
                    json_object_get (frame, "attempt"));
}

void
vend_director_release (VendDirector *director, const char *key)
{
  json_auto_t *waiting = take_prefetched (director, key);
  if (waiting == NULL)
    return;
  json_t *given = reference (waiting);
  vend_json_set_string (given, "event", "given_back");
  vend_uplink_send (director->uplink, given);
}

json_t *
vend_director_list_executions (const VendDirector *director, gsize budget)
{
  json_t *running = json_array ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, director->executions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    json_array_append_new (running, vend_execution_snapshot (value, &budget));
  for (const GList *item = director->prefetched.head; item != NULL; item = item->next)
    json_array_append_new (running, reference (item->data));
  for (const GList *item = director->lost.head; item != NULL; item = item->next)
    {
      json_t *lost = reference (item->data);
      const int64_t started_us = vend_json_int (item->data, "started_us", 0);
      if (started_us > 0)
        vend_json_set_int (lost, "started_us", started_us);
      json_array_append_new (running, lost);
    }
  return running;
}

/* ---- Assembly. */

void
vend_director_init_executions (VendDirector *director)
{
  director->executions
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) vend_execution_free);
  director->ended = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) vend_execution_free, NULL);
  director->released = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_execution_free);
  director->env
      = (VendExecutionEnv){ .spec = director->spec,
                            .redactor = director->redactor,
                            .dir = director->dir,
                            .frame_limit = vend_director_frame_limit (director),
                            .egress = director->egress,
                            .dialer
                            = director->dial != NULL ? vend_dial_dialer (director->dial) : NULL,
                            .loopback = director->loopback,
                            .emit = emit,
                            .emit_later = emit_later,
                            .out_of_memory = find_out_of_memory,
                            .server_peak = find_server_peak,
                            .ended = on_execution_ended,
                            .left_slot = on_execution_left_slot,
                            .released = on_execution_released,
                            .context = director };
}

void
vend_director_clear_executions (VendDirector *director)
{
  if (director->release_source != 0)
    g_source_remove (director->release_source);
  director->release_source = 0;
  g_queue_clear_full (&director->prefetched, (GDestroyNotify) json_decref);
  g_queue_clear_full (&director->lost, (GDestroyNotify) json_decref);
  g_clear_pointer (&director->executions, g_hash_table_unref);
  g_clear_pointer (&director->ended, g_hash_table_unref);
  g_clear_pointer (&director->released, g_ptr_array_unref);
}
