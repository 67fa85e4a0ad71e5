/* What the control plane is told first, and what it commands. Main context. */
#include "base/log.h"
#include "director/director-private.h"
#include "runner/frame.h"
#include <string.h>
#include <unistd.h>

#define PROTOCOL 1
#define REPEAT_MS 5

/* ---- Greeting. */

void
vend_director_stop_repeating (VendDirector *director)
{
  if (director->repeat_timer != 0)
    g_source_remove (director->repeat_timer);
  director->repeat_timer = 0;
  g_clear_pointer (&director->repeated, g_ptr_array_unref);
}

/* One after the other, as they are read: all at once may be more than a connection holds. */
static gboolean
repeat_some (void *user_data)
{
  VendDirector *director = user_data;
  while (director->repeated->len > 0)
    {
      if (!vend_uplink_is_flushed (director->uplink))
        return G_SOURCE_CONTINUE;
      g_autofree char *key
          = g_ptr_array_steal_index_fast (director->repeated, director->repeated->len - 1);
      json_t *frame = vend_results_dup_frame (director->results, key);
      if (frame == NULL)
        continue;
      vend_execution_fit_end (frame, vend_director_frame_limit (director));
      vend_uplink_send (director->uplink, frame);
    }
  director->repeat_timer = 0;
  g_clear_pointer (&director->repeated, g_ptr_array_unref);
  vend_uplink_send (director->uplink, json_pack ("{s:s}", "event", "caught_up"));
  return G_SOURCE_REMOVE;
}

static void
repeat_results (VendDirector *director)
{
  vend_director_stop_repeating (director);
  director->repeated = vend_results_list (director->results);
  if (repeat_some (director) == G_SOURCE_CONTINUE)
    director->repeat_timer = g_timeout_add (REPEAT_MS, repeat_some, director);
}

void
vend_director_greet (VendDirector *director)
{
  json_t *hello = json_object ();
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
  if (director->state == VEND_DIRECTOR_UNHEALTHY)
    vend_json_set_bool (hello, "drains", director->drains);
  if (director->setup_us > 0)
    vend_json_set_int (hello, "setup_us", director->setup_us);
  vend_director_tell_start (director, hello);
  if (director->ready_us > 0)
    vend_json_set_int (hello, "ready_us", director->ready_us);
  vend_json_set_int (hello, "slots", director->spec->slots);
  vend_json_set_int (hello, "ahead", vend_director_prefetch (director));
  const gsize budget = (gsize) director->spec->max_output;
  json_object_set_new (hello, "running", vend_director_list_executions (director, budget));
  /* What is counted as it came may be longer as JSON. */
  if (vend_frame_size (hello) > vend_director_frame_limit (director))
    json_object_set_new (hello, "running", vend_director_list_executions (director, 0));
  vend_uplink_send (director->uplink, hello);
  repeat_results (director);
}

/* ---- Commands. */

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
  if (!vend_execution_command_check (command, &error))
    {
      vend_log (VEND_LOG_WARN, "command not understood", "command", name, "error", error->message,
                NULL);
      return;
    }
  g_autofree char *key = vend_execution_command_key (command);
  if (g_strcmp0 (name, "run") == 0)
    vend_director_run (director, command, key);
  else if (g_strcmp0 (name, "ack") == 0)
    vend_results_acknowledge (director->results, key);
  else if (g_strcmp0 (name, "cancel") == 0)
    vend_director_cancel (director, key);
  else if (g_strcmp0 (name, "give_back") == 0)
    vend_director_release (director, key);
}
