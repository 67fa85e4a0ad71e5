/* Slots of coglet's worker: each is a socket in the instance's folder that the worker connects to.
 * Main context. */
#include "director/worker-server.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/fd-source.h"
#include "base/log.h"
#include "runner/link.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define SHARED_MARK "[shared] "
#define BARRIER "slot "

/* ---- Connecting. */

static char *
slots_folder (const VendWorkerServer *server)
{
  return g_build_filename (server->base.options.dir, "slots", NULL);
}

static char *
socket_path (const VendWorkerSlot *slot)
{
  g_autofree char *folder = slots_folder (slot->server);
  g_autofree char *name = g_strdup_printf ("slot-%u.sock", slot->number);
  return g_build_filename (folder, name, NULL);
}

static void
stop_listening (VendWorkerSlot *slot)
{
  vend_gsource_clear (&slot->accept_source);
  if (slot->listener < 0)
    return;
  vend_fd_clear (&slot->listener);
  g_autofree char *path = socket_path (slot);
  unlink (path);
}

static void become_free (VendWorkerSlot *slot);

static void
on_text (VendSlotChannel *channel, const char *text, gsize size, void *context)
{
  VendWorkerSlot *slot = context;
  if (slot->call != NULL)
    {
      vend_worker_call_take (slot->call, text, size);
      return;
    }
  json_auto_t *message = NULL;
  if (vend_slot_text_is_log (text, size) || !vend_json_parse (text, size, &message, NULL))
    return;
  const VendSlotKind kind = vend_slot_message_kind (message);
  if (slot->is_stale
      && (kind == VEND_SLOT_DONE || kind == VEND_SLOT_FAILED || kind == VEND_SLOT_CANCELLED))
    {
      slot->is_stale = false;
      if (slot->said_idle)
        become_free (slot);
    }
  if (kind != VEND_SLOT_VERSION)
    return;
  const int64_t version = vend_json_int (message, "version", 0);
  if (version != 1)
    {
      g_autofree char *why = g_strdup_printf (
          "the worker speaks version %" G_GINT64_FORMAT " of its protocol", version);
      vend_worker_problem (slot->server, why);
    }
}

static void
on_closed (VendSlotChannel *channel, const char *problem, void *context)
{
  VendWorkerSlot *slot = context;
  vend_worker_closed (slot->server, problem);
}

static const VendSlotChannelEvents slot_events = { on_text, on_closed };

/* The folder is closed to other users; this is for those that were let in by mistake. */
static bool
check_peer (VendWorkerServer *server, int fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;
  const uid_t model = server->base.options.spec->model_user;
  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0
      || peer.uid != (model != 0 ? model : geteuid ()))
    return false;
  if (server->pid == 0)
    server->pid = peer.pid;
  return server->pid == peer.pid;
}

static gboolean
on_connection (int fd, GIOCondition condition, void *user_data)
{
  VendWorkerSlot *slot = user_data;
  vend_autofd connection = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (connection < 0)
    return G_SOURCE_CONTINUE;
  if (!check_peer (slot->server, connection))
    {
      vend_log (VEND_LOG_WARN, "somebody else connected to a slot", NULL);
      return G_SOURCE_CONTINUE;
    }
  const int own = vend_fd_steal (&connection);
  slot->channel = vend_slot_channel_new (own, own, &slot_events, slot);
  stop_listening (slot);
  return G_SOURCE_REMOVE;
}

static bool
listen_for (VendWorkerSlot *slot, GError **error)
{
  g_autofree char *path = socket_path (slot);
  const VendSpec *spec = slot->server->base.options.spec;
  if (!vend_link_listen (path, &slot->listener, error))
    return false;
  if (spec->model_user != 0 && chown (path, spec->model_user, spec->model_user) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "give '%s' to the model", path);
  slot->accept_source = vend_fd_source_new (slot->listener, G_IO_IN, on_connection, slot,
                                            g_main_context_default ());
  return true;
}

bool
vend_worker_slots_listen (VendWorkerServer *server, GError **error)
{
  g_autofree char *folder = slots_folder (server);
  if (!vend_dir_ensure (folder, error))
    return false;
  server->n_slots = server->base.options.spec->slots;
  server->slots = g_new0 (VendWorkerSlot, server->n_slots);
  for (guint i = 0; i < server->n_slots; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", i);
      server->slots[i] = (VendWorkerSlot){ .server = server, .number = i, .listener = -1 };
      vend_run_folder_init (&server->slots[i].folder,
                            g_build_filename (server->base.options.dir, "runs", number, NULL));
      server->slots[i].folder.stays
          = server->base.options.spec->isolation == VEND_ISOLATION_SANDBOX;
    }
  for (guint i = 0; i < server->n_slots; i++)
    if (!listen_for (&server->slots[i], error))
      return false;
  return true;
}

bool
vend_worker_slots_accept (VendWorkerServer *server)
{
  bool all = true;
  for (guint i = 0; i < server->n_slots; i++)
    {
      VendWorkerSlot *slot = &server->slots[i];
      if (slot->listener >= 0)
        (void) on_connection (slot->listener, G_IO_IN, slot);
      all = all && slot->channel != NULL;
    }
  return all;
}

void
vend_worker_slots_clear (VendWorkerServer *server)
{
  for (guint i = 0; i < server->n_slots; i++)
    {
      VendWorkerSlot *slot = &server->slots[i];
      stop_listening (slot);
      vend_slot_channel_free (slot->channel);
      if (slot->call != NULL)
        slot->call->slot = NULL;
      vend_run_folder_clear (&slot->folder);
      g_free (slot->id);
    }
  server->n_slots = 0;
  g_clear_pointer (&server->slots, g_free);
}

/* ---- Use. */

bool
vend_worker_slots_are_idle (const VendWorkerServer *server)
{
  for (guint i = 0; i < server->n_slots; i++)
    if (server->slots[i].is_busy)
      return false;
  return true;
}

VendWorkerSlot *
vend_worker_slots_find (const VendWorkerServer *server, const char *id)
{
  for (guint i = 0; i < server->n_slots; i++)
    if (g_strcmp0 (server->slots[i].id, id) == 0)
      return &server->slots[i];
  return NULL;
}

static void
make_free (VendWorkerSlot *slot)
{
  slot->is_busy = slot->was_canceled = slot->said_idle = false;
  vend_worker_call_dispatch (slot->server);
}

/* The mark lies in the pipes before the next run begins, so that what either prints is told apart.
 * Not so with several slots, whose runs print at the same time. */
static bool
waits_for_prints (const VendWorkerSlot *slot)
{
  const VendWorkerCall *call = slot->call;
  return slot->server->n_slots == 1 && slot->server->printing == NULL
         && call->end.kind != VEND_SLOT_UNKNOWN && call->taking == NULL;
}

static VendExecution *
let_go (VendWorkerSlot *slot)
{
  VendWorkerCall *call = g_steal_pointer (&slot->call);
  slot->server->printing = call;
  call->slot = NULL;
  return call->execution;
}

void
vend_worker_slot_take_idle (VendWorkerSlot *slot)
{
  /* Its socket may have more than the control channel was faster than. */
  if (slot->call != NULL && slot->call->end.kind == VEND_SLOT_UNKNOWN && slot->channel != NULL)
    vend_slot_channel_read (slot->channel);
  if (slot->call != NULL)
    vend_worker_call_take_idle (slot->call);
  VendExecution *left = NULL;
  if (slot->call != NULL && waits_for_prints (slot))
    left = let_go (slot);
  if (slot->call != NULL)
    return; /* it comes back when it has ended */
  /* The next run would get what the socket still has of the last one. */
  slot->said_idle = true;
  if (slot->is_stale && slot->channel != NULL)
    vend_slot_channel_read (slot->channel);
  if (slot->said_idle && !slot->is_stale)
    become_free (slot);
  if (left != NULL)
    vend_execution_leave_slot (left);
}

/* The worker is done with the last run, and all that it said of it was read. */
static void
become_free (VendWorkerSlot *slot)
{
  slot->said_idle = false;
  vend_run_folder_close (&slot->folder);
  if (!slot->was_canceled)
    {
      make_free (slot);
      return;
    }
  /* The answer comes after the worker has read the cancel, which must not meet the next run. */
  g_autofree char *id = g_strdup_printf (BARRIER "%u", slot->number);
  vend_worker_tell (slot->server, json_pack ("{s:s, s:s}", "type", "healthcheck", "id", id));
}

void
vend_worker_slot_take_answer (VendWorkerServer *server, const char *id)
{
  if (!g_str_has_prefix (id, BARRIER))
    return;
  const guint64 number = g_ascii_strtoull (id + strlen (BARRIER), NULL, 10);
  if (number < server->n_slots && server->slots[number].is_busy
      && server->slots[number].call == NULL)
    make_free (&server->slots[number]);
}

void
vend_worker_slots_gone (const VendWorkerServer *server)
{
  for (guint i = 0; i < server->n_slots; i++)
    {
      VendWorkerCall *call = server->slots[i].call;
      if (call != NULL && call->end.kind != VEND_SLOT_UNKNOWN)
        vend_worker_call_take_idle (call);
    }
}

void
vend_worker_slots_take_marks (VendWorkerServer *server)
{
  if (server->printing != NULL)
    vend_worker_call_check_end (server->printing);
  for (guint i = 0; i < server->n_slots; i++)
    {
      VendWorkerCall *call = server->slots[i].call;
      if (call != NULL && call->is_idle)
        vend_worker_call_check_end (call);
    }
}

/* ---- What is printed past Python. */

static char *
mark_lines (VendWorkerServer *server, const char *text, gsize size)
{
  g_autoptr (GString) marked = g_string_new (NULL);
  for (gsize i = 0; i < size; i++)
    {
      if (!server->is_shared_line_open)
        g_string_append (marked, SHARED_MARK);
      g_string_append_c (marked, text[i]);
      server->is_shared_line_open = text[i] != '\n';
    }
  return g_string_free (g_steal_pointer (&marked), FALSE);
}

void
vend_worker_slots_print (VendWorkerServer *server, const VendWorkerCall *by, const char *text,
                         gsize size)
{
  if (by != NULL)
    {
      server->has_printed = true;
      vend_execution_add_logs (by->execution, text, size);
      return;
    }
  guint n = 0;
  VendWorkerCall *only = NULL;
  for (guint i = 0; i < server->n_slots; i++)
    if (server->slots[i].call != NULL)
      {
        only = server->slots[i].call;
        n++;
      }
  server->has_printed = server->has_printed || n > 0 || server->is_setup_printed;
  if (n == 0)
    server->base.options.events->printed (text, size, server->base.options.context);
  else if (n == 1)
    vend_execution_add_logs (only->execution, text, size);
  if (n < 2)
    return;
  g_autofree char *marked = mark_lines (server, text, size);
  for (guint i = 0; i < server->n_slots; i++)
    if (server->slots[i].call != NULL)
      vend_execution_add_logs (server->slots[i].call->execution, marked, strlen (marked));
}
