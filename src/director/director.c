/* `vend director`: assembles the parts, keeps the state, stops. One thread, the default context. */
#include "director/director.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process-start.h"
#include "director/director-private.h"
#include "director/http-call.h"
#include "model/failure.h"
#include "runner/frame.h"
#include "runner/process-identity.h"
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TICK_MS 5000
#define REAPED_PER_TICK 100000
#define END_MS 1000 /* for a server that was asked to end, before it is told by a signal */
#define GOODBYE_MS 20
#define GOODBYE_WAITS 25 /* half a second for the last frames and their acknowledgements */

static const char *const state_names[]
    = { "starting", "ready", "unhealthy", "failed", "stopping", "stopped" };

/* Rows: from. Columns: to. */
static const bool legal_moves[6][6] = {
  [VEND_DIRECTOR_STARTING] = { [VEND_DIRECTOR_READY] = true,
                               [VEND_DIRECTOR_FAILED] = true,
                               [VEND_DIRECTOR_STOPPING] = true },
  [VEND_DIRECTOR_READY] = { [VEND_DIRECTOR_UNHEALTHY] = true, [VEND_DIRECTOR_STOPPING] = true },
  [VEND_DIRECTOR_UNHEALTHY] = { [VEND_DIRECTOR_STOPPING] = true },
  [VEND_DIRECTOR_FAILED] = { [VEND_DIRECTOR_STOPPING] = true },
  [VEND_DIRECTOR_STOPPING] = { [VEND_DIRECTOR_STOPPED] = true },
};

const char *
vend_director_state_name (VendDirectorState state)
{
  return state_names[state];
}

gsize
vend_director_frame_limit (const VendDirector *director)
{
  return vend_frame_limit (director->spec->max_output, director->spec->max_logs);
}

void
vend_director_tell_start (const VendDirector *director, json_t *frame)
{
  if (director->start != NULL)
    vend_json_set_string (frame, "start", director->start);
  if (director->plain_reason != NULL)
    vend_json_set_string (frame, "plain_reason", director->plain_reason);
  if (director->snapshot_reason != NULL)
    vend_json_set_string (frame, "snapshot_reason", director->snapshot_reason);
}

void
vend_director_set_state (VendDirector *director, VendDirectorState state, const char *error,
                         const char *error_code)
{
  if (!legal_moves[director->state][state])
    return;
  if (director->state == VEND_DIRECTOR_STARTING)
    vend_director_end_setup_logs (director);
  director->state = state;
  if (error != NULL)
    {
      g_autofree char *shown = vend_redact_text (director->redactor, error);
      g_free (director->error);
      director->error = g_utf8_make_valid (shown, -1);
      director->error_code = error_code;
    }
  vend_log (VEND_LOG_INFO, "state", "state", state_names[state], "error",
            error != NULL ? director->error : NULL, NULL);

  json_t *frame = json_object ();
  vend_json_set_string (frame, "event", "state");
  vend_json_set_string (frame, "state", state_names[state]);
  if (error != NULL)
    vend_json_set_string (frame, "error", director->error);
  if (error_code != NULL)
    vend_json_set_string (frame, "error_code", error_code);
  if (state == VEND_DIRECTOR_UNHEALTHY)
    vend_json_set_bool (frame, "drains", director->drains);
  if (state == VEND_DIRECTOR_READY || state == VEND_DIRECTOR_FAILED)
    json_object_set_new (
        frame, "setup_logs",
        vend_json_string_new (director->setup_logs->str, director->setup_logs->len));
  if (state == VEND_DIRECTOR_READY)
    {
      vend_json_set_int (frame, "setup_us", director->setup_us);
      vend_director_tell_start (director, frame);
    }
  vend_uplink_send (director->uplink, frame);
}

/* ---- Stop. */

static gboolean
on_goodbye (void *user_data)
{
  VendDirector *director = user_data;
  const bool is_done = vend_uplink_is_flushed (director->uplink)
                       && (vend_results_count (director->results) == 0
                           || vend_uplink_alone_since (director->uplink) > 0);
  if (!is_done && ++director->goodbye_waits < GOODBYE_WAITS)
    return G_SOURCE_CONTINUE;
  director->goodbye_timer = 0;
  g_main_loop_quit (director->loop);
  return G_SOURCE_REMOVE;
}

void
vend_director_model_gone (VendDirector *director)
{
  vend_director_clear_model (director);
  vend_director_tell_lost (director);
  if (director->state != VEND_DIRECTOR_STOPPING)
    return;
  vend_director_set_state (director, VEND_DIRECTOR_STOPPED, NULL, NULL);
  director->goodbye_timer = g_timeout_add (GOODBYE_MS, on_goodbye, director);
}

static gboolean
on_kill (void *user_data)
{
  VendDirector *director = user_data;
  director->kill_timer = 0;
  if (director->model != NULL)
    vend_model_process_signal (director->model, SIGKILL);
  return G_SOURCE_REMOVE;
}

static gboolean
on_term (void *user_data)
{
  VendDirector *director = user_data;
  director->term_timer = 0;
  if (director->model != NULL)
    vend_model_process_signal (director->model, SIGTERM);
  return G_SOURCE_REMOVE;
}

static gboolean
on_nothing_to_stop (void *user_data)
{
  vend_director_model_gone (user_data);
  return G_SOURCE_REMOVE;
}

void
vend_director_stop (VendDirector *director, int64_t grace_us)
{
  if (director->state >= VEND_DIRECTOR_STOPPING)
    return;
  vend_director_set_state (director, VEND_DIRECTOR_STOPPING, NULL, NULL);
  vend_director_lose_executions (director, "the instance was stopped", VEND_FAILURE_INSTANCE_LOST);
  /* The server waits for ever for open replies, so ours are closed first. */
  g_hash_table_remove_all (director->ended);
  if (director->model == NULL)
    {
      g_idle_add (on_nothing_to_stop, director);
      return;
    }
  if (director->server != NULL && director->kind->stop (director->server))
    director->term_timer = g_timeout_add (END_MS, on_term, director);
  else
    vend_model_process_signal (director->model, SIGTERM);
  const int64_t ms = CLAMP (grace_us / VEND_US_PER_MS, 0, G_MAXINT32);
  director->kill_timer = g_timeout_add ((guint) ms, on_kill, director);
}

static gboolean
on_signal (void *user_data)
{
  VendDirector *director = user_data;
  vend_director_stop (director, director->spec->stop_grace_us);
  return G_SOURCE_CONTINUE;
}

/* ---- Now and then. */

/* Grandchildren whose parents ended come to us, whatever group or session they have made for
 * themselves; the model server itself is waited for elsewhere. */
static void
reap_adopted (const VendDirector *director)
{
  const pid_t model = director->model != NULL ? vend_model_process_pid (director->model) : 0;
  for (guint i = 0; i < REAPED_PER_TICK; i++)
    {
      siginfo_t info = { 0 };
      if (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0
          || info.si_pid == model || waitpid (info.si_pid, NULL, WNOHANG) <= 0)
        return;
    }
}

static gboolean
on_tick (void *user_data)
{
  VendDirector *director = user_data;
  const int64_t alone_since = vend_uplink_alone_since (director->uplink);
  reap_adopted (director);
  if (director->limits != NULL)
    vend_model_limits_tick (director->limits);
  if (director->disk_use != NULL)
    vend_disk_use_look (director->disk_use);
  if (director->home_use != NULL)
    vend_disk_use_look (director->home_use);
  if (alone_since > 0 && g_hash_table_size (director->executions) == 0
      && g_get_monotonic_time () - alone_since > director->spec->orphan_timeout_us)
    {
      vend_log (VEND_LOG_INFO, "no control plane for too long", NULL);
      vend_director_stop (director, director->spec->stop_grace_us);
    }
  return G_SOURCE_CONTINUE;
}

/* ---- Assembly. */

static void
on_connected (void *context)
{
  VendDirector *director = context;
  vend_results_set_connected (director->results, true);
  vend_director_greet (director);
}

static void
on_disconnected (void *context)
{
  VendDirector *director = context;
  vend_director_stop_repeating (director);
  vend_results_set_connected (director->results, false);
}

static void
on_command (json_t *command, void *context)
{
  vend_director_command (context, command);
}

static void
on_hook (const char *cog_id, const char *path, void *data)
{
  const VendDirector *director = data;
  VendExecution *execution = g_hash_table_lookup (director->executions, cog_id);
  if (execution != NULL)
    vend_http_take_hook (execution, path);
}

static const VendUplinkEvents uplink_events = { on_connected, on_disconnected, on_command };

static void
clear_timer (guint *source)
{
  if (*source != 0)
    g_source_remove (*source);
  *source = 0;
}

static void
director_free (VendDirector *director)
{
  clear_timer (&director->setup_timer);
  clear_timer (&director->term_timer);
  clear_timer (&director->kill_timer);
  clear_timer (&director->goodbye_timer);
  clear_timer (&director->tick_timer);
  vend_director_stop_repeating (director);
  clear_timer (&director->signal_sources[0]);
  clear_timer (&director->signal_sources[1]);
  if (director->executions != NULL)
    vend_director_clear_executions (director);
  vend_director_clear_model (director);
  vend_loopback_free (director->loopback);
  vend_director_clear_network (director);
  vend_disk_use_free (director->disk_use);
  vend_disk_use_free (director->home_use);
  vend_home_free (director->home);
  vend_uplink_free (director->uplink);
  vend_dial_free (director->dial);
  json_decref (director->uplink_given);
  vend_results_free (director->results);
  vend_egress_free (director->egress);
  vend_curl_context_free (director->curl);
  g_free (director->setup_problem);
  g_free (director->start);
  g_free (director->plain_reason);
  g_free (director->snapshot_reason);
  if (director->setup_logs != NULL)
    g_string_free (director->setup_logs, TRUE);
  if (director->setup_held != NULL)
    g_string_free (director->setup_held, TRUE);
  if (director->last_lines != NULL)
    g_queue_free_full (director->last_lines, g_free);
  g_clear_pointer (&director->loop, g_main_loop_unref);
  vend_redactor_free (director->redactor);
  vend_spec_free (director->spec);
  g_free (director->error);
  g_free (director->dir);
  g_free (director);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDirector, director_free)

static bool
make_folders (const char *dir, GError **error)
{
  const char *const names[] = { "tmp", "inputs", "outputs", "runs", "spool", "journal", "record" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (dir, names[i], NULL);
      if (!vend_dir_ensure (path, error))
        return false;
    }
  return true;
}

static bool
assemble (VendDirector *director, GError **error)
{
  const VendSpec *spec = director->spec;
  director->loop = g_main_loop_new (NULL, FALSE);
  director->setup_logs = g_string_new (NULL);
  director->setup_held = g_string_new (NULL);
  director->last_lines = g_queue_new ();
  director->curl = vend_curl_context_new (g_main_context_default ());
  vend_curl_context_set_quick_acks (director->curl, true);
  director->egress = vend_egress_new (g_main_context_default (), spec->input_allow, "input-allow");
  if (!make_folders (director->dir, error)
      || !vend_results_open (director->dir, &director->results, error)
      || !vend_uplink_open (director->dir, vend_director_frame_limit (director), &uplink_events,
                            director, &director->uplink, error)
      || !vend_loopback_new (director->dir, spec->max_output_file, on_hook, director,
                             &director->loopback, error))
    return false;
  vend_uplink_set_redactor (director->uplink, director->redactor);
  if (director->uplink_given != NULL
      && !vend_dial_start (director->dir, spec->instance, director->uplink_given, &director->dial,
                           error))
    return false;
  vend_director_plan_network (director);
  vend_director_init_executions (director);
  director->tick_timer = g_timeout_add (TICK_MS, on_tick, director);
  director->signal_sources[0] = g_unix_signal_add (SIGTERM, on_signal, director);
  director->signal_sources[1] = g_unix_signal_add (SIGINT, on_signal, director);
  return true;
}

static bool
direct (const char *dir, GError **error)
{
  g_autoptr (VendDirector) director = g_new0 (VendDirector, 1);
  director->dir = g_strdup (dir);
  director->fork_fd = -1;
  if (!vend_spec_load (dir, &director->spec, error) || !vend_director_take_secrets (director, error)
      || !assemble (director, error))
    return false;

  g_autoptr (GError) problem = NULL;
  if (!vend_director_start_model (director, &problem))
    vend_director_set_state (director, VEND_DIRECTOR_FAILED, problem->message,
                             VEND_FAILURE_SETUP_FAILED);
  g_main_loop_run (director->loop);
  return true;
}

static bool
run_in (const char *given, GError **error)
{
  g_autofree char *dir = realpath (given, NULL);
  if (dir == NULL)
    return vend_fail_errno (error, VEND_ERROR_NOT_FOUND, errno, "directory '%s'", given);
  g_autofree char *lock_path = g_build_filename (dir, "lock", NULL);
  g_autofree char *pid_path = g_build_filename (dir, "director.pid", NULL);
  vend_autofd lock = -1;
  if (!vend_lock_file (lock_path, &lock, error)
      || !vend_pid_file_write (pid_path, getpid (), error))
    return false;
  const bool done = direct (dir, error);
  unlink (pid_path);
  return done;
}

/* Somebody waits for a file that is being copied. An ignored signal would be so in the model. */
static void
on_lease_wanted (int number)
{
}

int
vend_director_main (int argc, char **argv)
{
  g_autofree char *dir = NULL;
  const GOptionEntry entries[] = {
    { "dir", 0, 0, G_OPTION_ARG_FILENAME, &dir, "instance directory", "DIR" },
    { NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_option_context_add_main_entries (options, entries, NULL);
  vend_log_setup (VEND_LOG_INFO, VEND_LOG_FORMAT_AUTO);
  if (!g_option_context_parse (options, &argc, &argv, &error) || dir == NULL)
    {
      vend_log (VEND_LOG_ERROR, "usage: vend director --dir DIR", "error",
                error != NULL ? error->message : NULL, NULL);
      return 2;
    }

  /* A session of its own (it may have one already), and the orphans of the model come to it. */
  (void) !setsid ();
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGIO, on_lease_wanted);
  vend_process_survive_signals ();
  umask (0077);
  if (run_in (dir, &error))
    return 0;
  vend_log (VEND_LOG_ERROR, "director ends", "error", error->message, NULL);
  return 1;
}
