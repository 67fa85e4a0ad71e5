/* The director's model server: start, setup, what it prints, its end. Main context. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "director/director-private.h"
#include "director/log-line.h"
#include "model/failure.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Between the news of a failed setup and the end of its server. */
#define SETUP_LINES_MS 300
#define MAX_PORTS_TRIED 3
#define LAST_LINES 20
#define LAST_LINE_MAX ((gsize) 400)
#define MAX_START ((gsize) 16 * 1024)
#define SCHEMA_TIMEOUT_MS 10000L

/* What the server logs by itself about predictions repeats what the model printed, on a pipe. */
#define QUIET_LOG "coglet=info,coglet::prediction=off"

/* ---- What it prints. */

static void
add_setup_text (VendDirector *director, const char *text)
{
  if (director->setup_logs_full)
    return;
  const gsize start = director->setup_logs->len;
  const uint64_t limit = director->spec->max_logs;
  if (start + strlen (text) + 1 > limit)
    {
      g_string_append_printf (director->setup_logs,
                              "[log truncated at %" G_GUINT64_FORMAT " bytes]\n", limit);
      director->setup_logs_full = true;
    }
  else
    g_string_append_printf (director->setup_logs, "%s\n", text);
  json_t *frame = json_object ();
  vend_json_set_string (frame, "event", "setup_log");
  vend_json_set_string (frame, "data", director->setup_logs->str + start);
  vend_uplink_send (director->uplink, frame);
}

static void
remember_line (VendDirector *director, const char *text)
{
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
  if (kind == VEND_LINE_MODEL)
    add_setup_text (director, text);
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
  vend_director_clear_model (director);
  if (!vend_director_start_model (director, &error))
    vend_director_set_state (director, VEND_DIRECTOR_FAILED, error->message,
                             VEND_FAILURE_SETUP_FAILED);
  return G_SOURCE_REMOVE;
}

static void
on_exit_status (int status, void *context)
{
  VendDirector *director = context;
  g_autofree char *how = describe_exit (status);
  g_autofree char *words = last_words (director);
  g_autofree char *memory = vend_model_limits_out_of_memory (director->limits);
  g_autofree char *text
      = memory != NULL ? g_strdup (memory) : g_strdup_printf ("the model server %s", how);
  vend_log (VEND_LOG_INFO, "model server ended", "how", how, NULL);

  if (director->state == VEND_DIRECTOR_STARTING && director->port_taken
      && director->ports_tried < MAX_PORTS_TRIED)
    {
      g_idle_add (start_again, director);
      return;
    }
  if (director->state == VEND_DIRECTOR_STARTING)
    {
      g_autofree char *full = g_strdup_printf ("%s before it was ready:%s", text, words);
      vend_director_set_state (director, VEND_DIRECTOR_FAILED, full,
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

static const VendModelEvents model_events = { on_line, on_exit_status };

/* ---- Setup. */

/* A value that the schema of this member refuses, or NULL when there may be none. */
static json_t *
wrong_value (const json_t *member)
{
  const char *type = vend_json_string (member, "type");
  if (g_strcmp0 (type, "object") == 0)
    return json_integer (0);
  return type != NULL ? json_object () : NULL;
}

static char *
build_probe (const json_t *schemas)
{
  json_t *members = json_object_get (json_object_get (schemas, "Input"), "properties");
  json_auto_t *input = json_object ();
  const char *name;
  json_t *member;
  json_object_foreach (members, name, member)
    {
      json_t *value = wrong_value (member);
      if (value != NULL)
        json_object_set_new (input, name, value);
    }
  if (json_object_size (input) == 0)
    return NULL;
  json_auto_t *body = json_object ();
  json_object_set (body, "input", input);
  return vend_json_text (body);
}

static bool
is_iterator (const json_t *schemas)
{
  const json_t *output = json_object_get (schemas, "Output");
  return g_strcmp0 (vend_json_string (output, "x-cog-array-type"), "iterator") == 0;
}

/* One line of each launcher. Its first word is "fast" or "plain"; one plain start makes the whole
 * one plain. */
static void
read_start (VendDirector *director)
{
  g_autofree char *path = g_build_filename (director->dir, "start", NULL);
  g_autofree char *text = NULL;
  if (director->start != NULL || !vend_file_read (path, MAX_START, &text, NULL, NULL))
    return;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  const char *plain = NULL;
  for (gsize i = 0; lines[i] != NULL && plain == NULL; i++)
    if (g_str_has_prefix (lines[i], "plain "))
      plain = lines[i] + strlen ("plain ");
  director->start = g_strdup (plain != NULL ? "plain" : "fast");
  director->plain_reason = plain != NULL ? g_utf8_make_valid (plain, -1) : NULL;
}

static void
on_schema (long status, const char *body, gsize size, const char *problem, void *user_data)
{
  VendDirector *director = user_data;
  director->schema_call = NULL;
  json_auto_t *document = NULL;
  if (status == 200 && vend_json_parse (body, size, &document, NULL))
    {
      const json_t *schemas = json_object_get (json_object_get (document, "components"), "schemas");
      director->env.iterates = is_iterator (schemas);
      director->env.probe = build_probe (schemas);
    }
  director->setup_us = g_get_monotonic_time () - director->boot_us;
  read_start (director);
  director->ready_us = vend_now_us ();
  vend_director_set_state (director, VEND_DIRECTOR_READY, NULL, NULL);
}

static void
on_ready (void *context)
{
  VendDirector *director = context;
  g_autofree char *url = g_strconcat (director->base_url, "/openapi.json", NULL);
  if (director->state == VEND_DIRECTOR_STARTING)
    director->schema_call = vend_cog_call_start (director->curl, "GET", url, NULL,
                                                 SCHEMA_TIMEOUT_MS, on_schema, director);
}

static gboolean
on_setup_lines_read (void *user_data)
{
  VendDirector *director = user_data;
  director->setup_timer = 0;
  if (director->state != VEND_DIRECTOR_STARTING)
    return G_SOURCE_REMOVE;
  g_autofree char *memory = vend_model_limits_out_of_memory (director->limits);
  vend_director_set_state (director, VEND_DIRECTOR_FAILED,
                           memory != NULL ? memory : director->setup_problem,
                           memory != NULL ? VEND_FAILURE_OUT_OF_MEMORY : VEND_FAILURE_SETUP_FAILED);
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

static const VendHealthEvents health_events = { on_ready, on_setup_failed, on_sick, is_idle };

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

/* Somebody else may take the port before the server does; it says so, and another is tried. */
static bool
free_port (guint *out_port, GError **error)
{
  vend_autofd fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = { .sin_family = AF_INET };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (fd < 0 || bind (fd, (const struct sockaddr *) &address, sizeof address) < 0
      || getsockname (fd, (struct sockaddr *) &address, &length) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "find a free port");
  *out_port = ntohs (address.sin_port);
  return true;
}

/* Uploads of one list arrive in any order, and the server lists them as they arrive; data URIs keep
 * their places. So only a model that returns one string, perhaps a file, uploads it. */
static bool
uploads_output (const VendSpec *spec)
{
  g_autofree char *path = g_build_filename (spec->source, ".cog", "openapi_schema.json", NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *document = NULL;
  if (!vend_file_read (path, VEND_COG_REPLY_MAX, &text, &size, NULL)
      || !vend_json_parse (text, size, &document, NULL))
    return false;
  const json_t *schemas = json_object_get (json_object_get (document, "components"), "schemas");
  const json_t *output = json_object_get (schemas, "Output");
  return g_strcmp0 (vend_json_string (output, "type"), "string") == 0;
}

static char **
model_argv (const VendDirector *director)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  for (gsize i = 0; director->spec->argv[i] != NULL; i++)
    g_ptr_array_add (argv, g_strdup (director->spec->argv[i]));
  g_ptr_array_add (argv, g_strdup ("--host"));
  g_ptr_array_add (argv, g_strdup ("127.0.0.1"));
  if (uploads_output (director->spec))
    {
      g_ptr_array_add (argv, g_strdup ("--upload-url"));
      g_ptr_array_add (argv, g_strconcat (vend_loopback_url (director->loopback), "/up", NULL));
    }
  if (director->spec->train)
    {
      g_ptr_array_add (argv, g_strdup ("--x-mode"));
      g_ptr_array_add (argv, g_strdup ("train"));
    }
  g_ptr_array_add (argv, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&argv), FALSE);
}

static char **
model_env (const VendDirector *director, guint port)
{
  char **env = g_strdupv (director->spec->env);
  g_autofree char *port_text = g_strdup_printf ("%u", port);
  g_autofree char *slots = g_strdup_printf ("%u", director->spec->slots);
  env = g_environ_setenv (env, "PORT", port_text, TRUE);
  env = g_environ_setenv (env, "COG_MAX_CONCURRENCY", slots, FALSE);
  env = g_environ_setenv (env, "PYTHONUNBUFFERED", "1", FALSE);
  /* A second reader must not be refused for what it missed (vend_execution_hold). */
  env = g_environ_setenv (env, "COG_STREAM_HISTORY_CAPACITY", "0", TRUE);
  if (g_environ_getenv (env, "COG_LOG_LEVEL") == NULL)
    env = g_environ_setenv (env, "RUST_LOG", QUIET_LOG, FALSE);
  return env;
}

bool
vend_director_start_model (VendDirector *director, GError **error)
{
  director->ports_tried++;
  director->port_taken = false;
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
  guint port = 0;
  if (!free_port (&port, error))
    return false;
  g_auto (GStrv) argv = model_argv (director);
  g_auto (GStrv) env = model_env (director, port);
  if (!vend_model_limits_new (director->spec, &director->limits, error))
    return false;
  const VendModelOptions options = { .dir = director->dir,
                                     .argv = argv,
                                     .env = env,
                                     .limits = director->limits,
                                     .workspace = director->workspace,
                                     .main_context = g_main_context_default (),
                                     .events = &model_events,
                                     .context = director };
  if (!vend_model_process_start (&options, &director->model, error))
    return false;
  director->base_url = g_strdup_printf ("http://127.0.0.1:%u", port);
  director->env.base_url = director->base_url;
  director->health
      = vend_health_start (director->curl, director->base_url, &health_events, director);
  return true;
}

void
vend_director_clear_model (VendDirector *director)
{
  if (director->schema_call != NULL)
    vend_cog_call_cancel (g_steal_pointer (&director->schema_call));
  g_clear_pointer (&director->health, vend_health_free);
  g_clear_pointer (&director->model, vend_model_process_free);
  vend_director_clear_workspace (director);
  g_clear_pointer (&director->limits, vend_model_limits_free);
  g_clear_pointer (&director->base_url, g_free);
  director->env.base_url = NULL;
  g_clear_pointer (&director->env.probe, g_free);
}
