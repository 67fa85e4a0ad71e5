/* What a director without a model does. Main context of its host. */
#include "script-director.h"
#include "base/clock.h"
#include "model/failure.h"
#include <string.h>

/* What an act can wait for. */
typedef enum
{
  CANCELED, /* by the scheduler that is there */
  ACKNOWLEDGED,
  ALONE,    /* the scheduler has gone */
  TOGETHER, /* it is there again */
} Event;

static const char *const waits[]
    = { "until-canceled", "until-acknowledged", "until-alone", "until-together" };

/* An attempt of a prediction. */
typedef struct
{
  ScriptDirector *director;
  json_t *command;
  const char *prediction;
  int attempt;
  const json_t *acts;
  gsize next;
  bool has_begun;
  bool is_over; /* told, or given back; what follows are repetitions */
  guint happened;
  int64_t started_us;
  int64_t n_chunks;
  json_t *result; /* until it is acknowledged */
} Play;

struct ScriptDirector
{
  const ScriptHost *host;
  void *data;
  guint slots;
  char *boot;
  int64_t ready_us;
  bool was_alone;
  GPtrArray *plays;
};

static void
play_free (void *data)
{
  Play *play = data;
  json_decref (play->command);
  json_decref (play->result);
  g_free (play);
}

static void
note (const ScriptDirector *director, const char *what, const char *prediction, int64_t attempt)
{
  g_autofree char *line
      = g_strdup_printf ("%s %s %" G_GINT64_FORMAT "\n", what, prediction, attempt);
  director->host->note (line, director->data);
}

static json_t *
frame_new (const Play *play, const char *event)
{
  return json_pack ("{s:s, s:s, s:i}", "event", event, "prediction", play->prediction, "attempt",
                    play->attempt);
}

static void
send (const ScriptDirector *director, json_t *take_frame)
{
  director->host->send (take_frame, director->data);
}

static void
tell (const Play *play, json_t *take_frame)
{
  send (play->director, take_frame);
}

/* ---- Ends */

static json_t *
completed_new (const Play *play, const char *status)
{
  const json_t *input = json_object_get (play->command, "input");
  const int64_t run_us = vend_json_int (input, "run_us", SCRIPT_RUN_US);
  json_t *frame = frame_new (play, "completed");
  vend_json_set_string (frame, "status", status);
  if (strcmp (status, "succeeded") == 0)
    json_object_set_new (frame, "output", json_sprintf ("of attempt %d", play->attempt));
  if (strcmp (status, "failed") == 0)
    vend_json_set_string (frame, "error", "the script says so");
  vend_json_set_int (frame, "started_us", play->started_us);
  vend_json_set_int (frame, "completed_us",
                     play->started_us > 0 ? play->started_us + run_us : vend_now_us ());
  return frame;
}

static void
complete (Play *play, const char *status)
{
  play->is_over = true;
  play->result = completed_new (play, status);
  tell (play, json_incref (play->result));
  note (play->director, "end", play->prediction, play->attempt);
}

/* Both are there before anything can come of the first. */
static void
succeed_twice (Play *play)
{
  play->director->host->send_later (completed_new (play, "succeeded"), play->director->data);
  complete (play, "succeeded");
}

static void
lose (Play *play, const char *error_code)
{
  play->is_over = true;
  play->result = completed_new (play, "failed");
  vend_json_set_string (play->result, "error_code", error_code);
  tell (play, json_incref (play->result));
}

/* As one that ends before it can tell. */
static void
leave_in_journal (Play *play)
{
  json_auto_t *completed = completed_new (play, "succeeded");
  play->director->host->keep (completed, play->director->data);
}

/* Of the attempt before this one, as if it had been on the way. */
static void
tell_old_end (Play *play)
{
  json_t *frame = completed_new (play, "succeeded");
  vend_json_set_int (frame, "attempt", play->attempt - 1);
  json_object_set_new (frame, "output", json_string ("old"));
  vend_json_set_int (frame, "started_us", vend_now_us ());
  tell (play, frame);
}

/* ---- Acts */

static void
start (Play *play)
{
  json_t *frame = frame_new (play, "start");
  play->started_us = vend_now_us ();
  vend_json_set_int (frame, "at_us", play->started_us);
  tell (play, frame);
}

static void
tell_chunk (Play *play)
{
  json_t *frame = frame_new (play, "output");
  vend_json_set_int (frame, "index", play->n_chunks++);
  vend_json_set_string (frame, "chunk", "piece");
  tell (play, frame);
}

static void
act (Play *play, const char *name)
{
  if (strcmp (name, "start") == 0)
    start (play);
  else if (strcmp (name, "chunk") == 0)
    tell_chunk (play);
  else if (strcmp (name, "succeed") == 0)
    complete (play, "succeeded");
  else if (strcmp (name, "succeed-twice") == 0)
    succeed_twice (play);
  else if (strcmp (name, "fail") == 0)
    complete (play, "failed");
  else if (strcmp (name, "cancel") == 0)
    complete (play, "canceled");
  else if (strcmp (name, "repeat") == 0)
    tell (play, completed_new (play, "succeeded"));
  else if (strcmp (name, "old-end") == 0)
    tell_old_end (play);
  else if (strcmp (name, "out-of-memory") == 0)
    lose (play, VEND_FAILURE_OUT_OF_MEMORY);
  else if (strcmp (name, "journal") == 0)
    leave_in_journal (play);
  else if (strcmp (name, "die") == 0)
    play->director->host->leave (SCRIPT_DIES, play->director->data);
  else if (strcmp (name, "give-back") == 0)
    {
      play->is_over = true;
      tell (play, frame_new (play, "given_back"));
    }
  else
    g_error ("there is no act %s", name);
}

static bool
waits_still (const Play *play, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    if (strcmp (waits[i], name) == 0)
      return (play->happened & (1U << i)) == 0;
  return false;
}

static bool
is_wait (const char *name)
{
  return g_str_has_prefix (name, "until-") || strcmp (name, "ahead") == 0;
}

static void
go_on (Play *play)
{
  for (; play->next < json_array_size (play->acts); play->next++)
    {
      const char *name = json_string_value (json_array_get (play->acts, play->next));
      if (waits_still (play, name))
        return;
      if (!is_wait (name))
        act (play, name);
    }
}

/* One that is ahead by its script begins beside the slots. */
static bool
may_begin (const Play *play)
{
  const ScriptDirector *director = play->director;
  guint taken = 0;
  if (play->has_begun || play->is_over)
    return play->has_begun;
  if (g_strcmp0 (json_string_value (json_array_get (play->acts, 0)), "ahead") == 0)
    return true;
  for (guint i = 0; i < director->plays->len; i++)
    {
      const Play *other = g_ptr_array_index (director->plays, i);
      taken += other->has_begun && !other->is_over;
    }
  return taken < director->slots;
}

static void
go_on_all (ScriptDirector *director)
{
  for (guint i = 0; i < director->plays->len; i++)
    {
      Play *play = g_ptr_array_index (director->plays, i);
      if (!may_begin (play))
        continue;
      play->has_begun = true;
      go_on (play);
    }
}

static void
happens (ScriptDirector *director, Play *only, Event event)
{
  for (guint i = 0; i < director->plays->len; i++)
    {
      Play *play = g_ptr_array_index (director->plays, i);
      if (only == NULL || play == only)
        play->happened |= 1U << event;
    }
  go_on_all (director);
}

/* ---- Commands */

static Play *
find_play (const ScriptDirector *director, const char *prediction, int64_t attempt)
{
  for (guint i = 0; i < director->plays->len; i++)
    {
      Play *play = g_ptr_array_index (director->plays, i);
      if (strcmp (play->prediction, prediction) == 0 && play->attempt == attempt)
        return play;
    }
  return NULL;
}

static void
run (ScriptDirector *director, json_t *command)
{
  const json_t *all = json_object_get (json_object_get (command, "input"), "acts");
  Play *play = g_new0 (Play, 1);
  play->director = director;
  play->command = json_incref (command);
  play->prediction = vend_json_string (command, "prediction");
  play->attempt = (int) vend_json_int (command, "attempt", 0);
  g_assert_cmpint (play->attempt, >, 0);
  play->acts = json_array_get (all, MIN ((gsize) play->attempt, json_array_size (all)) - 1);
  g_ptr_array_add (director->plays, play);
  go_on_all (director);
}

/* It has not begun. */
static void
release (Play *play)
{
  if (play->has_begun || play->is_over)
    return;
  act (play, "give-back");
}

static void
cancel (Play *play)
{
  if (play->has_begun)
    happens (play->director, play, CANCELED);
  else if (!play->is_over)
    complete (play, "canceled");
}

static void
tell_state (const ScriptDirector *director, const char *state)
{
  send (director, json_pack ("{s:s, s:s}", "event", "state", "state", state));
}

static void
stop (const ScriptDirector *director)
{
  note (director, "stop", "all", 0);
  tell_state (director, "stopping");
  tell_state (director, "stopped");
  director->host->leave (SCRIPT_STOPS, director->data);
}

void
script_director_command (ScriptDirector *director, json_t *command)
{
  const char *name = vend_json_string (command, "command");
  const char *prediction = vend_json_string (command, "prediction");
  if (strcmp (name, "stop") == 0)
    stop (director);
  else if (strcmp (name, "ping") == 0)
    send (director, json_pack ("{s:s}", "event", "pong"));
  if (prediction == NULL)
    return;
  const int64_t attempt = vend_json_int (command, "attempt", 0);
  Play *play = find_play (director, prediction, attempt);
  const bool is_run = strcmp (name, "run") == 0;
  /* A repeated run is harmless. */
  if (!is_run || play == NULL)
    note (director, name, prediction, attempt);
  if (is_run && play == NULL)
    run (director, command);
  else if (play == NULL)
    return;
  else if (strcmp (name, "cancel") == 0)
    cancel (play);
  else if (strcmp (name, "give_back") == 0)
    release (play);
  else if (strcmp (name, "ack") == 0)
    {
      json_decref (g_steal_pointer (&play->result));
      happens (director, play, ACKNOWLEDGED);
    }
}

/* ---- The connection */

static json_t *
list_running (const ScriptDirector *director)
{
  json_t *running = json_array ();
  for (guint i = 0; i < director->plays->len; i++)
    {
      const Play *play = g_ptr_array_index (director->plays, i);
      if (play->is_over)
        continue;
      json_t *entry = json_pack ("{s:s, s:i, s:I}", "prediction", play->prediction, "attempt",
                                 play->attempt, "chunks", (json_int_t) play->n_chunks);
      if (play->started_us > 0)
        vend_json_set_int (entry, "started_us", play->started_us);
      json_array_append_new (running, entry);
    }
  return running;
}

static void
greet (const ScriptDirector *director)
{
  const bool is_ready = director->ready_us > 0;
  json_t *hello = json_pack ("{s:s, s:i, s:b, s:s, s:i, s:o}", "event", "hello", "protocol", 1,
                             "pings", true, "state", is_ready ? "ready" : "starting", "ahead",
                             (int) director->slots, "running", list_running (director));
  if (is_ready)
    vend_json_set_int (hello, "ready_us", director->ready_us);
  send (director, hello);
  for (guint i = 0; i < director->plays->len; i++)
    {
      const Play *play = g_ptr_array_index (director->plays, i);
      if (play->result != NULL)
        tell (play, json_incref (play->result));
    }
  send (director, json_pack ("{s:s}", "event", "caught_up"));
}

static void
boot (ScriptDirector *director)
{
  if (strcmp (director->boot, SCRIPT_BOOT_FAILS) == 0)
    send (director, json_pack ("{s:s, s:s, s:s, s:s}", "event", "state", "state", "failed", "error",
                               "the script says so", "setup_logs", "what setup printed\n"));
  else if (strcmp (director->boot, SCRIPT_BOOT_DIES) == 0)
    director->host->leave (SCRIPT_DIES, director->data);
  else
    {
      director->ready_us = vend_now_us ();
      tell_state (director, "ready");
    }
}

void
script_director_connected (ScriptDirector *director)
{
  greet (director);
  if (director->ready_us == 0)
    boot (director);
  if (director->was_alone)
    happens (director, NULL, TOGETHER);
}

void
script_director_disconnected (ScriptDirector *director)
{
  director->was_alone = true;
  for (guint i = 0; i < director->plays->len; i++)
    ((Play *) g_ptr_array_index (director->plays, i))->happened &= ~(1U << CANCELED);
  happens (director, NULL, ALONE);
}

/* ---- Life */

ScriptDirector *
script_director_new (guint slots, const char *boot_act, const ScriptHost *host, void *data)
{
  ScriptDirector *director = g_new0 (ScriptDirector, 1);
  director->host = host;
  director->data = data;
  director->slots = slots;
  director->boot = g_strdup (boot_act);
  director->plays = g_ptr_array_new_with_free_func (play_free);
  return director;
}

void
script_director_free (ScriptDirector *director)
{
  if (director == NULL)
    return;
  g_ptr_array_unref (director->plays);
  g_free (director->boot);
  g_free (director);
}
