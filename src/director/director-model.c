/* The director's model server: start, setup, what it prints, its end. Main context. */
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "director/director-private.h"
#include "director/sandbox-hint.h"
#include "director/log-line.h"
#include "json/schema.h"
#include "model/failure.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* Between the news of a failed setup and the end of its server. */
#define SETUP_LINES_MS 300
#define MAX_PORTS_TRIED 3
#define LAST_LINES 20
#define LAST_LINE_MAX ((gsize) 400)
#define MAX_START ((gsize) 16 * 1024)

/* ---- What it prints. */

static void
keep_setup_text (VendDirector *director, const char *text, gsize size)
{
  if (director->setup_logs_full)
    return;
  const gsize start = director->setup_logs->len;
  const uint64_t limit = director->spec->max_logs;
  if (start + size > limit)
    {
      g_string_append_printf (director->setup_logs,
                              "[log truncated at %" G_GUINT64_FORMAT " bytes]\n", limit);
      director->setup_logs_full = true;
    }
  else
    g_string_append_len (director->setup_logs, text, (gssize) size);
  json_t *frame = json_object ();
  vend_json_set_string (frame, "event", "setup_log");
  json_object_set_new (
      frame, "data",
      vend_json_string_new (director->setup_logs->str + start, director->setup_logs->len - start));
  vend_uplink_send (director->uplink, frame);
}

static void
take_setup_text (VendDirector *director, const char *text, gsize size, bool is_last)
{
  g_autoptr (GString) shown = g_string_sized_new (size);
  vend_redact_piece (director->redactor, director->setup_held, text, size, is_last, shown);
  if (shown->len > 0)
    keep_setup_text (director, shown->str, shown->len);
}

static void
add_setup_text (VendDirector *director, const char *text, gsize size)
{
  take_setup_text (director, text, size, director->state != VEND_DIRECTOR_STARTING);
}

void
vend_director_end_setup_logs (VendDirector *director)
{
  take_setup_text (director, "", 0, true);
}

static void
remember_line (VendDirector *director, const char *line)
{
  g_autofree char *text = vend_redact_text (director->redactor, line);
  g_queue_push_tail (director->last_lines, g_strndup (text, LAST_LINE_MAX));
  if (director->last_lines->length > LAST_LINES)
    g_free (g_queue_pop_head (director->last_lines));
}

static void
on_line (const char *line, gsize size, void *context)
{
  VendDirector *director = context;
  g_autofree char *text = NULL;
  const VendLineKind kind = vend_log_line_parse (line, size, &text);
  remember_line (director, text);
  if (strstr (text, "Address already in use") != NULL)
    director->port_taken = true;
  /* Lines of setup may come after the server says it is ready. */
  if (kind != VEND_LINE_MODEL)
    return;
  g_autofree char *whole = g_strconcat (text, "\n", NULL);
  add_setup_text (director, whole, strlen (whole));
}

static char *
last_words (const VendDirector *director)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (const GList *item = director->last_lines->head; item != NULL; item = item->next)
    g_string_append_printf (text, "\n%s", (const char *) item->data);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- Its end. */

static char *
describe_exit (int status)
{
  if (WIFSIGNALED (status))
    return g_strdup_printf ("was killed by signal %d (%s)", WTERMSIG (status),
                            g_strsignal (WTERMSIG (status)));
  return g_strdup_printf ("exited with status %d", WEXITSTATUS (status));
}

static gboolean
on_gone (void *user_data)
{
  vend_director_model_gone (user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
start_again (void *user_data)
{
  VendDirector *director = user_data;
  g_autoptr (GError) error = NULL;
  director->starts_again = false;
  if (director->state != VEND_DIRECTOR_STARTING)
    {
      /* Its end was not told, since it was to start again. */
      if (director->model != NULL && vend_model_process_pid (director->model) == 0)
        vend_director_model_gone (director);
      return G_SOURCE_REMOVE;
    }
  vend_director_clear_model (director);
  if (!vend_director_start_model (director, &error))
    vend_director_set_state (director, VEND_DIRECTOR_FAILED, error->message,
                             VEND_FAILURE_SETUP_FAILED);
  return G_SOURCE_REMOVE;
}

static void
tell_setup_failed (VendDirector *director)
{
  g_autofree char *memory = vend_model_limits_out_of_memory (director->limits);
  g_autofree char *explained = vend_sandbox_explain (director->spec, director->setup_problem);
  vend_director_set_state (director, VEND_DIRECTOR_FAILED,
                           memory != NULL      ? memory
                           : explained != NULL ? explained
                                               : director->setup_problem,
                           memory != NULL ? VEND_FAILURE_OUT_OF_MEMORY : VEND_FAILURE_SETUP_FAILED);
}

static void
on_exit_status (int status, void *context)
{
  VendDirector *director = context;
  if (vend_director_blames_room (director))
    {
      director->starts_again = true;
      g_idle_add (start_again, director);
      return;
    }
  if (director->kind->gone (director->server, status) || director->starts_again)
    return;
  const bool crashed = director->kind->has_own_model && director->state != VEND_DIRECTOR_STARTING;
  g_autofree char *how = describe_exit (status);
  g_autofree char *words = last_words (director);
  g_autofree char *memory = vend_model_limits_out_of_memory (director->limits);
  g_autofree char *text
      = memory != NULL
            ? g_strdup (memory)
            : g_strdup_printf (
                  crashed ? "the model's process crashed: it %s" : "the model server %s", how);
  vend_log (VEND_LOG_INFO, "model server ended", "how", how, NULL);

  if (director->state == VEND_DIRECTOR_STARTING && director->port_taken
      && director->ports_tried < MAX_PORTS_TRIED)
    {
      g_idle_add (start_again, director);
      return;
    }
  if (director->state == VEND_DIRECTOR_STARTING && director->setup_problem != NULL)
    tell_setup_failed (director);
  else if (director->state == VEND_DIRECTOR_STARTING)
    {
      g_autofree char *full = g_strdup_printf ("%s before it was ready:%s", text, words);
      g_autofree char *explained = vend_sandbox_explain (director->spec, full);
      vend_director_set_state (director, VEND_DIRECTOR_FAILED, explained != NULL ? explained : full,
                               memory != NULL ? VEND_FAILURE_OUT_OF_MEMORY
                                              : VEND_FAILURE_SETUP_FAILED);
    }
  else
    vend_director_set_state (director, VEND_DIRECTOR_UNHEALTHY, text, NULL);
  vend_director_lose_executions (
      director, text, memory != NULL ? VEND_FAILURE_OUT_OF_MEMORY : VEND_FAILURE_INSTANCE_LOST);
  /* The process object is still on the stack. */
  g_idle_add (on_gone, director);
}

static bool
on_sandbox (pid_t first, void *context)
{
  VendDirector *director = context;
  director->first = first;
  return vend_director_enter_network (director, first);
}

static const VendModelEvents model_events
    = { .on_line = on_line, .on_sandbox = on_sandbox, .on_exit = on_exit_status };

/* ---- Setup. */

static bool
is_iterator (const json_t *output)
{
  return g_strcmp0 (vend_json_string (output, "x-cog-array-type"), "iterator") == 0;
}

/* One line of each launcher. Its first word is "fast", "snapshot", or "plain", which makes the
 * whole start a plain one; or "missed", of a snapshot that did not fork. */
static void
read_start (VendDirector *director)
{
  g_autofree char *path = g_build_filename (director->dir, "start", NULL);
  g_autofree char *text = NULL;
  if (director->start != NULL || !vend_file_read (path, MAX_START, &text, NULL, NULL))
    return;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  const char *plain = NULL;
  const char *missed = NULL;
  bool is_snapshot = false;
  for (gsize i = 0; lines[i] != NULL && plain == NULL; i++)
    if (g_str_has_prefix (lines[i], "plain "))
      plain = lines[i] + strlen ("plain ");
    else if (g_str_has_prefix (lines[i], "missed "))
      missed = lines[i] + strlen ("missed ");
    else
      is_snapshot = is_snapshot || strcmp (lines[i], "snapshot") == 0;
  director->start = g_strdup (plain != NULL ? "plain" : is_snapshot ? "snapshot" : "fast");
  director->plain_reason = plain != NULL ? g_utf8_make_valid (plain, -1) : NULL;
  director->snapshot_reason = missed != NULL ? g_utf8_make_valid (missed, -1) : NULL;
}

static bool
forbids_null (const json_t *output)
{
  return vend_json_string (output, "type") != NULL && !vend_json_bool (output, "nullable", false);
}

static void
on_ready (const json_t *openapi, void *context)
{
  VendDirector *director = context;
  if (director->state != VEND_DIRECTOR_STARTING)
    return;
  const json_t *output
      = vend_schema_component (openapi, director->spec->train ? "TrainingOutput" : "Output");
  director->env.iterates = is_iterator (output);
  director->env.must_return = forbids_null (output);
  director->setup_us = g_get_monotonic_time () - director->boot_us;
  read_start (director);
  director->ready_us = vend_now_us ();
  vend_director_set_state (director, VEND_DIRECTOR_READY, NULL, NULL);
}

static gboolean
on_setup_lines_read (void *user_data)
{
  VendDirector *director = user_data;
  director->setup_timer = 0;
  if (director->state != VEND_DIRECTOR_STARTING)
    return G_SOURCE_REMOVE;
  tell_setup_failed (director);
  if (director->model != NULL)
    vend_model_process_signal (director->model, SIGKILL);
  return G_SOURCE_REMOVE;
}

/* The server says so before it has passed on the last lines of setup, which tell why. */
static void
on_setup_failed (const char *error, void *context)
{
  VendDirector *director = context;
  g_free (director->setup_problem);
  director->setup_problem = g_strdup (error);
  if (director->setup_timer != 0)
    g_source_remove (director->setup_timer);
  director->setup_timer = g_timeout_add (SETUP_LINES_MS, on_setup_lines_read, director);
}

static void
on_sick (const char *why, void *context)
{
  VendDirector *director = context;
  g_autofree char *memory = vend_model_limits_out_of_memory (director->limits);
  vend_director_set_state (director, VEND_DIRECTOR_UNHEALTHY, memory != NULL ? memory : why, NULL);
}

static bool
is_idle (void *context)
{
  const VendDirector *director = context;
  return g_hash_table_size (director->executions) == 0;
}

static void
on_printed (const char *text, gsize size, void *context)
{
  VendDirector *director = context;
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) size);
  g_auto (GStrv) lines = g_strsplit (valid, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      remember_line (director, lines[i]);
  add_setup_text (director, valid, strlen (valid));
}

static void
on_lost (const char *why, void *context)
{
  VendDirector *director = context;
  g_autofree char *memory = vend_model_limits_out_of_memory (director->limits);
  const char *text = memory != NULL ? memory : why;
  vend_director_set_state (director, VEND_DIRECTOR_UNHEALTHY, text, NULL);
  vend_director_lose_executions (
      director, text, memory != NULL ? VEND_FAILURE_OUT_OF_MEMORY : VEND_FAILURE_INSTANCE_LOST);
  if (director->model != NULL)
    vend_model_process_signal (director->model, SIGKILL);
}

void
vend_director_disk_over (VendDirector *director, const char *why)
{
  const bool starts = director->state == VEND_DIRECTOR_STARTING;
  vend_director_set_state (director, starts ? VEND_DIRECTOR_FAILED : VEND_DIRECTOR_UNHEALTHY, why,
                           starts ? VEND_FAILURE_SETUP_FAILED : NULL);
  vend_director_end_executions (director, why, VEND_FAILURE_DISK_LIMIT);
  on_lost (why, director);
}

static void
on_disk_over (void *context)
{
  VendDirector *director = context;
  g_autofree char *why
      = g_strdup_printf ("the files that the model keeps take more than %.6g MiB (instance-disk)",
                         (double) director->spec->max_disk / (double) (1 << 20));
  vend_director_disk_over (director, why);
}

static void
watch_disk (VendDirector *director)
{
  if (director->spec->max_disk == 0 || director->disk_use != NULL)
    return;
  g_autofree char *tmp = g_build_filename (director->dir, "tmp", NULL);
  g_autofree char *work = g_build_filename (director->dir, "work", NULL);
  g_autofree char *overlay = g_build_filename (director->dir, "overlay", "upper", NULL);
  g_autofree char *runs = g_build_filename (director->dir, "runs", NULL);
  g_autofree char *record = g_build_filename (director->dir, "record", NULL);
  const char *const folders[] = { tmp, work, overlay, runs, record, NULL };
  director->disk_use
      = vend_disk_use_new (folders, director->spec->max_disk, on_disk_over, director);
  vend_disk_use_look (director->disk_use);
}

/* Nothing of the model has run: the other kind may do better. */
static void
on_unfit (const char *why, void *context)
{
  VendDirector *director = context;
  if (director->state != VEND_DIRECTOR_STARTING)
    return;
  g_autofree char *words = last_words (director);
  vend_log (VEND_LOG_WARN, "the model server is started again", "model_server",
            vend_http_server.name, "reason", why, "said", words, NULL);
  director->kind = &vend_http_server;
  director->starts_again = true;
  g_idle_add (start_again, director);
}

static const VendModelServerEvents server_events = {
  .ready = on_ready,
  .setup_failed = on_setup_failed,
  .unfit = on_unfit,
  .printed = on_printed,
  .sick = on_sick,
  .lost = on_lost,
  .is_idle = is_idle,
};

static gboolean
on_setup_timeout (void *user_data)
{
  VendDirector *director = user_data;
  director->setup_timer = 0;
  if (director->state != VEND_DIRECTOR_STARTING)
    return G_SOURCE_REMOVE;
  g_autofree char *text
      = g_strdup_printf ("setup did not end within %.6g s",
                         (double) director->spec->setup_timeout_us / (double) VEND_US_PER_S);
  vend_director_set_state (director, VEND_DIRECTOR_FAILED, text, VEND_FAILURE_SETUP_TIMEOUT);
  if (director->model != NULL)
    vend_model_process_signal (director->model, SIGKILL);
  return G_SOURCE_REMOVE;
}

/* ---- Start. */

static void
choose_kind (VendDirector *director)
{
  g_autofree char *why = NULL;
  director->kind = vend_model_server_choose (director->spec, &why);
  vend_log (VEND_LOG_INFO, "way to the model", "model_server", director->kind->name, "reason", why,
            NULL);
}

bool
vend_director_start_model (VendDirector *director, GError **error)
{
  director->ports_tried++;
  director->port_taken = false;
  if (director->kind == NULL)
    choose_kind (director);
  if (director->setup_timer == 0)
    {
      director->boot_us = g_get_monotonic_time ();
      const int64_t ms = director->spec->setup_timeout_us / VEND_US_PER_MS;
      director->setup_timer
          = g_timeout_add ((guint) MIN (ms, G_MAXINT32), on_setup_timeout, director);
    }
  return vend_director_prepare (director, error);
}

bool
vend_director_spawn_model (VendDirector *director, GError **error)
{
  const VendModelServerOptions server_options = { .spec = director->spec,
                                                  .dir = director->dir,
                                                  .curl = director->curl,
                                                  .loopback = director->loopback,
                                                  .events = &server_events,
                                                  .context = director };
  g_auto (GStrv) argv = NULL;
  g_auto (GStrv) env = NULL;
  director->server = vend_model_server_new (director->kind, &server_options);
  if (!director->kind->prepare (director->server, &argv, &env, error)
      || !vend_model_limits_new (director->spec, &director->limits, error))
    return false;
  g_auto (GStrv) start = vend_director_choose_start (director, env);
  g_auto (GStrv) whole = vend_director_environment (director, start);
  g_autoptr (VendSandbox) sandbox = NULL;
  int launcher = -1;
  if (!vend_director_hear_launcher (director, whole, &launcher, error))
    return false;
  vend_autofd launcher_end = launcher;
  if (!vend_director_make_sandbox (director, argv, whole, launcher_end, &sandbox, error))
    return false;
  const VendModelOptions options = { .dir = director->dir,
                                     .argv = argv,
                                     .env = whole,
                                     .sandbox = sandbox,
                                     .room = director->room,
                                     .takes_channel = director->kind->takes_channel,
                                     .limits = director->limits,
                                     .workspace = director->workspace,
                                     .main_context = g_main_context_default (),
                                     .events = &model_events,
                                     .context = director };
  watch_disk (director);
  vend_director_watch_home (director);
  if (!vend_model_process_start (&options, &director->model, error))
    return false;
  director->env.server = director->server;
  director->kind->started (director->server, director->model);
  return true;
}

void
vend_director_clear_model (VendDirector *director)
{
  vend_director_release_calls (director);
  director->env.server = NULL;
  g_clear_pointer (&director->server, vend_model_server_free);
  g_clear_pointer (&director->model, vend_model_process_free);
  vend_director_clear_fork (director);
  vend_director_clear_workspace (director);
  g_clear_pointer (&director->limits, vend_model_limits_free);
}
