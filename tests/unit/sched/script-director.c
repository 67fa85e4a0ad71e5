/* A director without a model: one process, the default context. */
#include "script-director.h"
#include "base/clock.h"
#include "base/fd.h"
#include "director/uplink.h"
#include "model/failure.h"
#include "runner/frame.h"
#include "runner/journal.h"
#include "runner/process-identity.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A test that fails leaves it alone. */
#define LIFE_S 60
#define FLUSH_MS 2

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

typedef struct Director Director;

/* An attempt of a prediction. */
typedef struct
{
  Director *director;
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

struct Director
{
  char *dir;
  int told_fd;
  guint slots;
  int64_t ready_us;
  bool was_alone;
  GMainLoop *loop;
  VendUplink *uplink;
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
note (const Director *director, const char *what, const char *prediction, int64_t attempt)
{
  g_autofree char *line
      = g_strdup_printf ("%s %s %" G_GINT64_FORMAT "\n", what, prediction, attempt);
  g_assert_true (vend_fd_write_all (director->told_fd, line, strlen (line), NULL));
}

static json_t *
frame_new (const Play *play, const char *event)
{
  return json_pack ("{s:s, s:s, s:i}", "event", event, "prediction", play->prediction, "attempt",
                    play->attempt);
}

static void
tell (const Play *play, json_t *take_frame)
{
  vend_uplink_send (play->director->uplink, take_frame);
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
  vend_uplink_send_later (play->director->uplink, completed_new (play, "succeeded"));
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
  g_autofree char *key = vend_journal_key (play->prediction, play->attempt);
  VendJournal *journal = NULL;
  json_auto_t *completed = completed_new (play, "succeeded");
  g_assert_true (vend_journal_open (play->director->dir, g_main_context_default (), NULL, NULL,
                                    &journal, NULL));
  vend_journal_write (journal, key, completed);
  vend_journal_free (journal);
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

static gboolean
die_when_told (void *data)
{
  const Director *director = data;
  if (!vend_uplink_is_flushed (director->uplink))
    return G_SOURCE_CONTINUE;
  _exit (1);
}

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
    g_idle_add (die_when_told, play->director);
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
  const Director *director = play->director;
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
go_on_all (Director *director)
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
happens (Director *director, Play *only, Event event)
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
find_play (const Director *director, const char *prediction, int64_t attempt)
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
run (Director *director, json_t *command)
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

static gboolean
leave_when_told (void *data)
{
  const Director *director = data;
  if (!vend_uplink_is_flushed (director->uplink))
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (director->loop);
  return G_SOURCE_REMOVE;
}

static void
stop (Director *director)
{
  note (director, "stop", "all", 0);
  vend_uplink_send (director->uplink,
                    json_pack ("{s:s, s:s}", "event", "state", "state", "stopping"));
  vend_uplink_send (director->uplink,
                    json_pack ("{s:s, s:s}", "event", "state", "state", "stopped"));
  g_timeout_add (FLUSH_MS, leave_when_told, director);
}

static void
on_command (json_t *command, void *context)
{
  Director *director = context;
  const char *name = vend_json_string (command, "command");
  const char *prediction = vend_json_string (command, "prediction");
  if (strcmp (name, "stop") == 0)
    stop (director);
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
list_running (const Director *director)
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
on_connected (void *context)
{
  Director *director = context;
  const bool is_ready = director->ready_us > 0;
  json_t *hello = json_pack ("{s:s, s:i, s:b, s:s, s:i, s:o}", "event", "hello", "protocol", 1,
                             "pings", true, "state", is_ready ? "ready" : "starting", "ahead",
                             (int) director->slots, "running", list_running (director));
  if (is_ready)
    vend_json_set_int (hello, "ready_us", director->ready_us);
  vend_uplink_send (director->uplink, hello);
  for (guint i = 0; i < director->plays->len; i++)
    {
      const Play *play = g_ptr_array_index (director->plays, i);
      if (play->result != NULL)
        tell (play, json_incref (play->result));
    }
  vend_uplink_send (director->uplink, json_pack ("{s:s}", "event", "caught_up"));
  if (!is_ready)
    {
      director->ready_us = vend_now_us ();
      vend_uplink_send (director->uplink,
                        json_pack ("{s:s, s:s}", "event", "state", "state", "ready"));
    }
  if (director->was_alone)
    happens (director, NULL, TOGETHER);
}

static void
on_disconnected (void *context)
{
  Director *director = context;
  director->was_alone = true;
  for (guint i = 0; i < director->plays->len; i++)
    ((Play *) g_ptr_array_index (director->plays, i))->happened &= ~(1U << CANCELED);
  happens (director, NULL, ALONE);
}

static const VendUplinkEvents uplink_events = { on_connected, on_disconnected, on_command };

/* ---- Assembly */

static guint
read_slots (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "spec.json", NULL);
  g_autofree char *text = NULL;
  json_auto_t *spec = NULL;
  gsize size = 0;
  g_assert_true (vend_file_read (path, 1 << 20, &text, &size, NULL));
  g_assert_true (vend_json_parse (text, size, &spec, NULL));
  return (guint) vend_json_int (spec, "slots", 1);
}

static int
open_told (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "..", "..", "told", NULL);
  const int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

bool
script_director_is_meant (int argc, char **argv)
{
  return argc == 4 && strcmp (argv[1], "director") == 0 && strcmp (argv[2], "--dir") == 0;
}

/* Also when it is stopped, in which SIGALRM would wait. */
static void
limit_life (void)
{
  struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
  const struct itimerspec life = { .it_value.tv_sec = LIFE_S };
  timer_t timer;
  g_assert_cmpint (timer_create (CLOCK_MONOTONIC, &event, &timer), ==, 0);
  g_assert_cmpint (timer_settime (timer, 0, &life, NULL), ==, 0);
}

int
script_director_main (int argc, char **argv)
{
  Director director = { .dir = argv[3] };
  g_autofree char *pid_path = g_build_filename (director.dir, "director.pid", NULL);
  limit_life ();
  (void) !setsid ();
  signal (SIGPIPE, SIG_IGN);
  g_assert_true (vend_pid_file_write (pid_path, getpid (), NULL));
  director.slots = read_slots (director.dir);
  director.told_fd = open_told (director.dir);
  director.plays = g_ptr_array_new_with_free_func (play_free);
  director.loop = g_main_loop_new (NULL, FALSE);
  g_assert_true (vend_uplink_open (director.dir, vend_frame_limit (1 << 20, 1 << 20),
                                   &uplink_events, &director, &director.uplink, NULL));
  g_main_loop_run (director.loop);
  vend_uplink_free (director.uplink);
  g_main_loop_unref (director.loop);
  g_ptr_array_unref (director.plays);
  vend_fd_clear (&director.told_fd);
  return 0;
}
