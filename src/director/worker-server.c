/* coglet's worker as a model server: its start, its control channel, its health, its end. Main
 * context. */
#include "director/worker-server.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "json/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SLOTS_FROM_SOURCE "../../slots" /* from DIR/work/src */
#define QUIET_LOG "coglet=warn"         /* what it says of itself */
#define IDLE_POLL_MS 5000
#define ANSWER_MS 12000 /* the worker gives healthcheck() 5 s */
#define MAX_MISSED 2
#define LOST_MS 1000 /* for the process to end, which tells more */
#define HEALTH "health "

/* ---- Start. */

static VendModelServer *
new_server (void)
{
  VendWorkerServer *server = g_new0 (VendWorkerServer, 1);
  server->root_fd = -1;
  server->mounts_fd = -1;
  server->process_fd = -1;
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    server->printed[i].fd = -1;
  g_queue_init (&server->waiting);
  return &server->base;
}

static const char *
predictor_ref (const VendSpec *spec)
{
  return g_environ_getenv (spec->env,
                           spec->train ? "COG_TRAIN_TYPE_STUB" : "COG_PREDICT_TYPE_STUB");
}

static bool
prepare (VendModelServer *base, char ***out_argv, char ***out_env, GError **error)
{
  VendWorkerServer *server = (VendWorkerServer *) base;
  const VendSpec *spec = base->options.spec;
  g_autofree char *slots = g_strdup_printf ("%u", spec->slots);
  g_autofree char *code
      = g_strndup ((const char *) vend_worker_main[0].data, vend_worker_main[0].size);
  const char *const argv[] = { spec->argv[0], "-c", code, NULL };
  if (!vend_worker_slots_listen (server, error))
    return false;
  char **env = g_strdupv (spec->env);
  env = g_environ_setenv (env, "COG_MAX_CONCURRENCY", slots, FALSE);
  env = g_environ_setenv (env, "PYTHONUNBUFFERED", "1", FALSE);
  /* For the little that they do, threads that wake each other cost more than they gain. */
  if (spec->slots == 1)
    env = g_environ_setenv (env, "TOKIO_WORKER_THREADS", "1", FALSE);
  if (g_environ_getenv (env, "COG_LOG_LEVEL") == NULL)
    env = g_environ_setenv (env, "RUST_LOG", QUIET_LOG, FALSE);
  *out_env = env;
  *out_argv = g_strdupv ((char **) argv);
  return true;
}

void
vend_worker_tell (VendWorkerServer *server, json_t *message)
{
  g_autoptr (GError) error = NULL;
  /* A worker that is gone is noticed by who reads. */
  if (server->control == NULL)
    json_decref (message);
  else if (!vend_slot_channel_send (server->control, message, &error))
    vend_log (VEND_LOG_WARN, "the worker was not told", "error", error->message, NULL);
}

/* ---- What goes wrong. */

/* Before the worker had connected nothing of the model has run. */
static bool
is_connected (const VendWorkerServer *server)
{
  bool all = true;
  for (guint i = 0; i < server->n_slots; i++)
    all = all && server->slots[i].channel != NULL;
  return all;
}

static gboolean
on_lost (void *user_data)
{
  VendWorkerServer *server = user_data;
  server->lost_timer = 0;
  if (!is_connected (server))
    {
      vend_worker_problem (server, server->lost_why);
      return G_SOURCE_REMOVE;
    }
  server->is_over = true;
  server->base.options.events->lost (server->lost_why, server->base.options.context);
  return G_SOURCE_REMOVE;
}

void
vend_worker_problem (VendWorkerServer *server, const char *why)
{
  const VendModelServerOptions *options = &server->base.options;
  if (server->is_over)
    return;
  server->is_over = true;
  if (server->is_ready)
    options->events->lost (why, options->context);
  else
    options->events->unfit (why, options->context);
}

void
vend_worker_closed (VendWorkerServer *server, const char *problem)
{
  const char *why = problem != NULL ? problem : "the connection to the model's worker broke";
  if (server->is_over || server->lost_timer != 0)
    return;
  server->lost_why = g_strdup (why);
  server->lost_timer = g_timeout_add (LOST_MS, on_lost, server);
}

static bool
gone (VendModelServer *base, int status)
{
  VendWorkerServer *server = (VendWorkerServer *) base;
  if (server->control != NULL)
    vend_slot_channel_read (server->control);
  for (guint i = 0; i < server->n_slots; i++)
    if (server->slots[i].channel != NULL)
      vend_slot_channel_read (server->slots[i].channel);
  vend_worker_slots_gone (server);
  if (server->is_setup_printed)
    vend_worker_printed_give_up (server);
  if (server->lost_timer != 0)
    g_source_remove (server->lost_timer);
  server->lost_timer = 0;
  /* Who kills it means no other kind of server. */
  if (is_connected (server) || server->is_over || WIFSIGNALED (status))
    return false;
  vend_worker_problem (server, "the worker ended before it had connected");
  return true;
}

/* ---- Health. */

static gboolean ask_health (void *user_data);

static void
ask_later (VendWorkerServer *server)
{
  server->health_timer = g_timeout_add (IDLE_POLL_MS, ask_health, server);
}

static void
tell_sick (VendWorkerServer *server, const char *why)
{
  const VendModelServerOptions *options = &server->base.options;
  if (server->is_over)
    return;
  server->is_over = true;
  if (server->is_ready)
    options->events->sick (why, options->context);
  else
    options->events->setup_failed (why, options->context);
}

static gboolean
on_no_answer (void *user_data)
{
  VendWorkerServer *server = user_data;
  server->health_timer = 0;
  server->is_asked = false;
  if (++server->missed < MAX_MISSED)
    ask_later (server);
  else
    tell_sick (server, "the model server does not answer");
  return G_SOURCE_REMOVE;
}

static gboolean
ask_health (void *user_data)
{
  VendWorkerServer *server = user_data;
  const VendModelServerOptions *options = &server->base.options;
  server->health_timer = 0;
  if (server->is_ready && !options->events->is_idle (options->context))
    {
      ask_later (server);
      return G_SOURCE_REMOVE;
    }
  g_autofree char *id = g_strdup_printf (HEALTH "%u", ++server->health_number);
  server->is_asked = true;
  vend_worker_tell (server, json_pack ("{s:s, s:s}", "type", "healthcheck", "id", id));
  server->health_timer = g_timeout_add (ANSWER_MS, on_no_answer, server);
  return G_SOURCE_REMOVE;
}

static void
take_health (VendWorkerServer *server, const json_t *message)
{
  const VendModelServerOptions *options = &server->base.options;
  const char *id = vend_json_string (message, "id");
  g_autofree char *expected = g_strdup_printf (HEALTH "%u", server->health_number);
  vend_worker_slot_take_answer (server, id);
  if (!server->is_asked || strcmp (id, expected) != 0)
    return;
  server->is_asked = false;
  server->missed = 0;
  if (server->health_timer != 0)
    g_source_remove (server->health_timer);
  server->health_timer = 0;
  if (strcmp (vend_json_string (message, "status"), "healthy") != 0)
    {
      const char *why = vend_json_string (message, "error");
      tell_sick (server, why != NULL ? why : "the model says it is unhealthy");
      return;
    }
  ask_later (server);
  if (server->is_ready || server->is_over)
    return;
  server->is_ready = true;
  options->events->ready (server->openapi, options->context);
}

/* ---- The control channel. */

/* Files that the model makes are opened from there: it may have a /tmp of its own. */
static bool
open_root (VendWorkerServer *server, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/root", (int) server->pid);
  server->root_fd = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return (server->root_fd >= 0 && vend_output_file_can_open (server->root_fd))
         || vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '%s'", path);
}

/* Without them, the path of a file in its /tmp would lead to ours once it has ended. */
static bool
keep_mounts (VendWorkerServer *server, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/ns/mnt", (int) server->pid);
  server->process_fd = (int) syscall (SYS_pidfd_open, server->pid, 0);
  server->mounts_fd = open (path, O_RDONLY | O_CLOEXEC);
  return (server->process_fd >= 0 && server->mounts_fd >= 0)
         || vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "open '%s'", path);
}

bool
vend_worker_has_ended (const VendWorkerServer *server)
{
  struct pollfd process = { .fd = server->process_fd, .events = POLLIN };
  return server->process_fd >= 0 && poll (&process, 1, 0) > 0;
}

static bool
name_slots (VendWorkerServer *server, const json_t *ids)
{
  if (json_array_size (ids) != server->n_slots)
    return false;
  for (guint i = 0; i < server->n_slots; i++)
    {
      g_free (server->slots[i].id);
      server->slots[i].id = g_strdup (json_string_value (json_array_get (ids, i)));
    }
  return true;
}

static void
take_ready (VendWorkerServer *server, const json_t *message)
{
  g_autoptr (GError) error = NULL;
  if (server->is_setup)
    return;
  const bool connected = vend_worker_slots_accept (server);
  server->is_setup = true;
  if (!connected || !name_slots (server, json_object_get (message, "slots")))
    {
      vend_worker_problem (server, "the worker has other slots than it was told");
      return;
    }
  if (!keep_mounts (server, &error) || !open_root (server, &error))
    {
      vend_worker_problem (server, error->message);
      return;
    }
  server->openapi = json_incref (json_object_get (message, "schema"));
  const json_t *output = vend_schema_component (
      server->openapi, server->base.options.spec->train ? "TrainingOutput" : "Output");
  server->output_is_array = g_strcmp0 (vend_json_string (output, "type"), "array") == 0;
  /* Its last words may come after `ready`. */
  vend_worker_printed_open (server);
  server->setup_mark = vend_worker_printed_mark (server);
  vend_worker_marks_met (server);
}

static void
take_failed (VendWorkerServer *server, const json_t *message)
{
  const VendModelServerOptions *options = &server->base.options;
  const char *error = vend_json_string (message, "error");
  if (server->is_setup)
    {
      g_autofree char *why = g_strdup_printf ("the worker gave up a slot: %s", error);
      vend_worker_problem (server, why);
      return;
    }
  server->is_over = true;
  options->events->setup_failed (error, options->context);
}

static void
take_log (VendWorkerServer *server, const json_t *message)
{
  const VendModelServerOptions *options = &server->base.options;
  const json_t *text = json_object_get (message, "data");
  if (server->is_setup)
    vend_worker_printed_take (server,
                              g_strcmp0 (vend_json_string (message, "source"), "stderr") == 0,
                              json_string_value (text), json_string_length (text));
  else
    options->events->printed (json_string_value (text), json_string_length (text),
                              options->context);
}

void
vend_worker_marks_met (VendWorkerServer *server)
{
  if (!server->is_setup_printed && vend_worker_printed_is_met (server, &server->setup_mark))
    {
      server->is_setup_printed = true;
      (void) ask_health (server);
    }
  vend_worker_slots_take_marks (server);
}

static void
take_worker_log (VendWorkerServer *server, const json_t *message)
{
  if (g_strcmp0 (vend_json_string (message, "level"), "error") != 0)
    return;
  g_autofree char *line = g_strconcat (vend_json_string (message, "message"), "\n", NULL);
  server->base.options.events->printed (line, strlen (line), server->base.options.context);
}

static void
take_message (VendWorkerServer *server, VendSlotKind kind, const json_t *message)
{
  VendWorkerSlot *slot;
  switch (kind)
    {
    case VEND_SLOT_LOG:
      take_log (server, message);
      break;
    case VEND_SLOT_WORKER_LOG:
      take_worker_log (server, message);
      break;
    case VEND_SLOT_READY:
      take_ready (server, message);
      break;
    case VEND_SLOT_IDLE:
      slot = vend_worker_slots_find (server, vend_json_string (message, "slot"));
      if (slot != NULL && slot->is_busy)
        vend_worker_slot_take_idle (slot);
      break;
    case VEND_SLOT_FAILED:
      take_failed (server, message);
      break;
    case VEND_SLOT_FATAL:
      vend_worker_problem (server, vend_json_string (message, "reason"));
      break;
    case VEND_SLOT_HEALTH:
      take_health (server, message);
      break;
    default:
      break;
    }
}

static void
on_control_text (VendSlotChannel *channel, const char *text, gsize size, void *context)
{
  VendWorkerServer *server = context;
  g_autoptr (GError) error = NULL;
  json_auto_t *message = NULL;
  const bool parsed = vend_output_parse (text, size, &message, &error);
  const VendSlotKind kind = parsed ? vend_slot_message_kind (message) : VEND_SLOT_UNKNOWN;
  if (!parsed || !vend_slot_message_check (message, kind, &error))
    vend_worker_problem (server, error->message);
  else if (kind == VEND_SLOT_UNKNOWN && !server->is_ready)
    vend_worker_problem (server, "the worker says what is not known of it");
  else
    take_message (server, kind, message);
}

static void
on_control_closed (VendSlotChannel *channel, const char *problem, void *context)
{
  vend_worker_closed (context, problem);
}

static const VendSlotChannelEvents control_events = { on_control_text, on_control_closed };

static void
started (VendModelServer *base, VendModelProcess *process)
{
  VendWorkerServer *server = (VendWorkerServer *) base;
  const VendSpec *spec = base->options.spec;
  const char *ref = predictor_ref (spec);
  int to = -1;
  int from = -1;
  vend_model_process_take_channel (process, &to, &from);
  struct stat st;
  server->control_inode = fstat (from, &st) == 0 ? st.st_ino : 0;
  server->control = vend_slot_channel_new (from, to, &control_events, server);
  vend_worker_tell (server, json_pack ("{s:s, s:s, s:i, s:{s:{s:s, s:i}}, s:b, s:b}", "type",
                                       "init", "predictor_ref", ref != NULL ? ref : "", "num_slots",
                                       (int) spec->slots, "transport_info", "NamedSockets", "dir",
                                       SLOTS_FROM_SOURCE, "num_slots", (int) spec->slots,
                                       "is_train", (int) spec->train, "is_async", 0));
}

/* ---- Its end. */

static void
clear_timer (guint *source)
{
  if (*source != 0)
    g_source_remove (*source);
  *source = 0;
}

static bool
stop (VendModelServer *base)
{
  VendWorkerServer *server = (VendWorkerServer *) base;
  const bool is_idle = server->is_ready && vend_worker_slots_are_idle (server);
  clear_timer (&server->health_timer);
  server->is_over = true;
  if (is_idle)
    vend_worker_tell (server, json_pack ("{s:s}", "type", "shutdown"));
  return is_idle;
}

static void
free_server (VendModelServer *base)
{
  VendWorkerServer *server = (VendWorkerServer *) base;
  clear_timer (&server->health_timer);
  clear_timer (&server->wait_timer);
  clear_timer (&server->lost_timer);
  vend_slot_channel_free (server->control);
  vend_worker_slots_clear (server);
  vend_worker_printed_clear (server);
  g_queue_clear (&server->waiting);
  json_decref (server->openapi);
  vend_fd_clear (&server->root_fd);
  vend_fd_clear (&server->mounts_fd);
  vend_fd_clear (&server->process_fd);
  g_free (server->lost_why);
  g_free (server);
}

const VendModelServerKind vend_worker_server = { .name = "worker",
                                                 .takes_channel = true,
                                                 .has_own_model = true,
                                                 .new = new_server,
                                                 .prepare = prepare,
                                                 .started = started,
                                                 .gone = gone,
                                                 .stop = stop,
                                                 .free = free_server,
                                                 .execute = vend_worker_execute,
                                                 .is_asked = vend_worker_is_asked,
                                                 .cancel = vend_worker_cancel,
                                                 .is_told = vend_worker_is_told,
                                                 .settle = vend_worker_settle,
                                                 .ended = vend_worker_ended,
                                                 .release = vend_worker_release };
