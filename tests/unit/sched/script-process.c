/* A scripted director as a process: one thread, the default context. */
#include "script-process.h"
#include "base/fd.h"
#include "director/uplink.h"
#include "runner/frame.h"
#include "runner/journal.h"
#include "runner/process-identity.h"
#include "script-director.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A test that fails leaves it alone. */
#define LIFE_S 60
#define FLUSH_MS 2

typedef struct
{
  const char *dir;
  int told_fd;
  GMainLoop *loop;
  VendUplink *uplink;
  ScriptDirector *director;
} Process;

/* ---- What the script does */

static void
send (json_t *take_frame, void *data)
{
  vend_uplink_send (((Process *) data)->uplink, take_frame);
}

static void
send_later (json_t *take_frame, void *data)
{
  vend_uplink_send_later (((Process *) data)->uplink, take_frame);
}

static void
note (const char *line, void *data)
{
  g_assert_true (vend_fd_write_all (((Process *) data)->told_fd, line, strlen (line), NULL));
}

static void
keep (const json_t *completed, void *data)
{
  const Process *process = data;
  g_autofree char *key = vend_journal_key (vend_json_string (completed, "prediction"),
                                           vend_json_int (completed, "attempt", 0));
  VendJournal *journal = NULL;
  g_assert_true (
      vend_journal_open (process->dir, g_main_context_default (), NULL, NULL, &journal, NULL));
  vend_journal_write (journal, key, completed);
  vend_journal_free (journal);
}

static gboolean
die_when_told (void *data)
{
  if (vend_uplink_is_flushed (((const Process *) data)->uplink))
    _exit (1);
  return G_SOURCE_CONTINUE;
}

static gboolean
stop_when_told (void *data)
{
  const Process *process = data;
  if (!vend_uplink_is_flushed (process->uplink))
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (process->loop);
  return G_SOURCE_REMOVE;
}

static void
leave (ScriptEnd end, void *data)
{
  if (end == SCRIPT_DIES)
    g_idle_add (die_when_told, data);
  else
    g_timeout_add (FLUSH_MS, stop_when_told, data);
}

static const ScriptHost host = { send, send_later, note, keep, leave };

/* ---- The socket */

static void
on_connected (void *context)
{
  script_director_connected (((Process *) context)->director);
}

static void
on_disconnected (void *context)
{
  script_director_disconnected (((Process *) context)->director);
}

static void
on_command (json_t *command, void *context)
{
  script_director_command (((Process *) context)->director, command);
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
script_process_is_meant (int argc, char **argv)
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
script_process_main (int argc, char **argv)
{
  Process process = { .dir = argv[3] };
  g_autofree char *pid_path = g_build_filename (process.dir, "director.pid", NULL);
  limit_life ();
  (void) !setsid ();
  signal (SIGPIPE, SIG_IGN);
  g_assert_true (vend_pid_file_write (pid_path, getpid (), NULL));
  process.told_fd = open_told (process.dir);
  process.director = script_director_new (read_slots (process.dir), SCRIPT_BOOT, &host, &process);
  process.loop = g_main_loop_new (NULL, FALSE);
  g_assert_true (vend_uplink_open (process.dir, SCRIPT_FRAME_LIMIT, &uplink_events, &process,
                                   &process.uplink, NULL));
  g_main_loop_run (process.loop);
  vend_uplink_free (process.uplink);
  g_main_loop_unref (process.loop);
  script_director_free (process.director);
  vend_fd_clear (&process.told_fd);
  return 0;
}
