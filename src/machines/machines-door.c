/* The listener for agents and directors of other machines: a thread for each connection, and one
 * that accepts. */
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/network.h"
#include "httpd/listen.h"
#include "machines/machines-private.h"
#include "machines/pipe.h"
#include "machines/transfer.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_CONNECTIONS 4096
#define ACCEPT_POLL_MS 500
#define HANDSHAKE_PATIENCE_MS 10000
/* An agent says something every two seconds. */
#define AGENT_PATIENCE_MS 20000

struct MachinesDoor
{
  VendMachines *machines;
  int fd;
  GThread *thread;
  atomic_bool closing;

  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t left;
  GHashTable *connections; /* set of Connection */
};

typedef struct
{
  MachinesDoor *door;
  int fd; /* of the connection, a second one: only to shut it down */
  int first_fd;
  char *address; /* of the other side */
} Connection;

/* ---- Answers */

static bool
refuse (VendTlsStream *stream, bool for_good, const char *why, GError **error)
{
  json_auto_t *answer = json_pack ("{s:s, s:b}", "refused", why, "for_good", (int) for_good);
  return vend_exchange_send (stream, answer, error);
}

static bool
welcome (VendTlsStream *stream, GError **error)
{
  json_auto_t *answer = json_pack ("{s:b}", "welcome", 1);
  return vend_exchange_send (stream, answer, error);
}

/* ---- Agents */

/* Locked. Instances that its machine has, and does not name. */
static void
hear_lives (VendMachines *machines, const Machine *machine, const json_t *lives)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, machines->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Entry *entry = value;
      if (strcmp (entry->machine, machine->name) != 0 || !entry->is_told
          || entry->life == LIFE_GONE)
        continue;
      const json_t *life = json_object_get (lives, entry->id);
      const char *word = vend_json_string (life, "life");
      entry->life = g_strcmp0 (word, "preparing") == 0 ? LIFE_PREPARING
                    : g_strcmp0 (word, "alive") == 0   ? LIFE_ALIVE
                                                       : LIFE_GONE;
      const char *why = vend_json_string (life, "why");
      if (entry->life == LIFE_GONE && why != NULL)
        vend_log (VEND_LOG_WARN, "a machine cannot start an instance", "machine", machine->name,
                  "instance", entry->id, "error", why, NULL);
      entry->usage = (VendRunnerUsage){ .processes = (guint) vend_json_int (life, "processes", 0),
                                        .cpu_seconds = vend_json_double (life, "cpu_seconds", 0),
                                        .memory = (uint64_t) vend_json_int (life, "memory", 0) };
    }
}

/* Locked. What its agent is to keep, and what of that is to have ended. */
static json_t *
list_kept (VendMachines *machines, const Machine *machine)
{
  json_t *kept = json_object ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, machines->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Entry *entry = value;
      if (strcmp (entry->machine, machine->name) == 0)
        vend_json_set_bool (kept, entry->id, !entry->is_ended);
    }
  return kept;
}

static void
hear_answer (VendMachines *machines, const json_t *frame, bool is_last)
{
  const int64_t number = vend_json_int (frame, is_last ? "answer" : "more", 0);
  pthread_mutex_lock (&machines->lock);
  Question *question = g_hash_table_lookup (machines->questions, &number);
  if (question != NULL && is_last)
    question->answer = json_incref ((json_t *) frame);
  else if (question != NULL && question->more != NULL)
    g_ptr_array_add (question->more, json_incref ((json_t *) frame));
  pthread_cond_broadcast (&machines->changed);
  pthread_mutex_unlock (&machines->lock);
}

/* Its silence is noticed on both sides. */
static bool
beat_back (VendTlsStream *stream, Machine *machine, GError **error)
{
  json_auto_t *beat = json_pack ("{s:b}", "beat", 1);
  pthread_mutex_lock (&machine->writing);
  const bool sent = vend_exchange_send (stream, beat, error);
  pthread_mutex_unlock (&machine->writing);
  return sent;
}

static bool
hear_agent (VendMachines *machines, VendTlsStream *stream, Machine *machine, GError **error)
{
  for (;;)
    {
      json_auto_t *frame = NULL;
      if (!vend_exchange_receive (stream, VEND_EXCHANGE_FRAME_MAX, &frame, error))
        return false;
      machines_seen (machines, machine, NULL, NULL);
      if (json_object_get (frame, "answer") != NULL)
        hear_answer (machines, frame, true);
      else if (json_object_get (frame, "more") != NULL)
        hear_answer (machines, frame, false);
      else if (json_object_get (frame, "lives") != NULL)
        {
          pthread_mutex_lock (&machines->lock);
          hear_lives (machines, machine, json_object_get (frame, "lives"));
          pthread_mutex_unlock (&machines->lock);
          if (!beat_back (stream, machine, error))
            return false;
        }
    }
}

/* The welcome is the first frame, and what it says is so until the agent has heard it: questions
 * wait for `writing`. */
static bool
let_agent_in (VendMachines *machines, VendTlsStream *stream, Machine *machine, const json_t *hello,
              GError **error)
{
  pthread_mutex_lock (&machine->writing);
  pthread_mutex_lock (&machines->lock);
  if (machine->stream != NULL)
    vend_tls_stream_shut (machine->stream);
  machine->stream = stream;
  machine->connection++;
  hear_lives (machines, machine, json_object_get (hello, "lives"));
  json_auto_t *answer
      = json_pack ("{s:b, s:o}", "welcome", 1, "kept", list_kept (machines, machine));
  pthread_cond_broadcast (&machines->changed);
  pthread_mutex_unlock (&machines->lock);
  const bool sent = vend_exchange_send (stream, answer, error);
  pthread_mutex_unlock (&machine->writing);
  return sent;
}

static void
see_agent_out (VendMachines *machines, const VendTlsStream *stream, Machine *machine)
{
  pthread_mutex_lock (&machine->writing);
  pthread_mutex_lock (&machines->lock);
  if (machine->stream == stream)
    machine->stream = NULL;
  pthread_cond_broadcast (&machines->changed);
  pthread_mutex_unlock (&machines->lock);
  pthread_mutex_unlock (&machine->writing);
}

static bool
serve_agent (const Connection *connection, VendTlsStream *stream, const json_t *hello,
             GError **error)
{
  VendMachines *machines = connection->door->machines;
  const char *name = vend_exchange_peer_id (vend_tls_stream_peer (stream), VEND_PEER_MACHINE);
  const json_t *hardware = json_object_get (hello, "hardware");
  if (name == NULL || !json_is_object (hardware))
    return refuse (stream, true, "an agent shows the certificate of its machine, and its hardware",
                   error);
  pthread_mutex_lock (&machines->lock);
  Machine *machine = machines_find (machines, name);
  pthread_mutex_unlock (&machines->lock);
  if (machine == NULL)
    return refuse (stream, true, "this machine was removed; it can join again", error);
  vend_tls_stream_set_patience (stream, AGENT_PATIENCE_MS);
  machines_seen (machines, machine, hardware, connection->address);
  vend_log (VEND_LOG_INFO, "a machine is connected", "machine", name, "address",
            connection->address, NULL);
  const bool good = let_agent_in (machines, stream, machine, hello, error)
                    && hear_agent (machines, stream, machine, error);
  see_agent_out (machines, stream, machine);
  vend_log (VEND_LOG_WARN, "a machine is not connected any more", "machine", name, "error",
            error != NULL && *error != NULL ? (*error)->message : NULL, NULL);
  return good;
}

/* ---- Directors */

/* Locked. Somebody waits for this director. */
static bool
is_wanted (const Entry *entry)
{
  return entry != NULL && entry->life != LIFE_GONE && !entry->is_ended;
}

/* The scheduler gets one end of a socket pair. False: nobody waits for this director. */
static bool
take_in (VendMachines *machines, VendTlsStream *stream, const char *id, int *plain_fd)
{
  pthread_mutex_lock (&machines->lock);
  Entry *entry = g_hash_table_lookup (machines->entries, id);
  const bool wanted = is_wanted (entry);
  if (wanted)
    {
      if (entry->stream != NULL)
        vend_tls_stream_shut (entry->stream);
      vend_fd_clear (&entry->plain_fd);
      entry->stream = stream;
      entry->plain_fd = vend_fd_steal (plain_fd);
    }
  pthread_mutex_unlock (&machines->lock);
  return wanted;
}

static void
see_director_out (VendMachines *machines, const VendTlsStream *stream, const char *id)
{
  pthread_mutex_lock (&machines->lock);
  Entry *entry = g_hash_table_lookup (machines->entries, id);
  if (entry != NULL && entry->stream == stream)
    {
      entry->stream = NULL;
      vend_fd_clear (&entry->plain_fd);
    }
  pthread_mutex_unlock (&machines->lock);
}

static bool
is_known (VendMachines *machines, const char *id)
{
  pthread_mutex_lock (&machines->lock);
  const Entry *entry = g_hash_table_lookup (machines->entries, id);
  const bool known = is_wanted (entry);
  pthread_mutex_unlock (&machines->lock);
  return known;
}

static bool
serve_director (VendMachines *machines, VendTlsStream *stream, GError **error)
{
  const char *id = vend_exchange_peer_id (vend_tls_stream_peer (stream), VEND_PEER_INSTANCE);
  int pair[2];
  if (id == NULL || !is_known (machines, id))
    return refuse (stream, true, "this control plane has no such instance any more", error);
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return vend_fail_errno (error, VEND_ERROR_UNAVAILABLE, errno, "socketpair");
  vend_autofd plain_fd = pair[0];
  vend_autofd own_fd = pair[1];
  vend_tls_stream_set_patience (stream, 0);
  if (!welcome (stream, error))
    return false;
  if (take_in (machines, stream, id, &plain_fd))
    vend_pipe_run (stream, own_fd);
  see_director_out (machines, stream, id);
  return true;
}

/* ---- Contents */

/* An instance that is here, or a machine. */
static bool
may_read_contents (VendMachines *machines, const char *peer)
{
  const char *id = vend_exchange_peer_id (peer, VEND_PEER_INSTANCE);
  return id != NULL && is_known (machines, id);
}

static bool
serve_content (VendMachines *machines, VendTlsStream *stream, const json_t *hello, GError **error)
{
  const char *sha256 = vend_json_string (hello, "sha256");
  g_autoptr (GError) problem = NULL;
  uint64_t size = 0;
  vend_autofd fd = -1;
  if (sha256 == NULL || !vend_is_sha256_hex (sha256)
      || !may_read_contents (machines, vend_tls_stream_peer (stream)))
    return refuse (stream, true, "there is no such content for this instance", error);
  if (!vend_blobs_open_fd (machines->blobs, sha256, &fd, &size, &problem))
    return refuse (stream, g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND),
                   problem->message, error);
  json_auto_t *answer = json_pack ("{s:b, s:I}", "welcome", 1, "size", (json_int_t) size);
  return vend_exchange_send (stream, answer, error)
         && vend_transfer_send_file (stream, fd, size, NULL, NULL, error);
}

/* What an instance on that machine needs. */
static bool
may_have_tree (VendMachines *machines, const char *peer, const char *tree)
{
  const char *machine = vend_exchange_peer_id (peer, VEND_PEER_MACHINE);
  bool may = false;
  GHashTableIter iter;
  void *value;
  if (machine == NULL)
    return false;
  pthread_mutex_lock (&machines->lock);
  g_hash_table_iter_init (&iter, machines->entries);
  while (!may && g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Entry *entry = value;
      may = strcmp (entry->machine, machine) == 0 && !entry->is_ended
            && g_ptr_array_find_with_equal_func (entry->trees, tree, g_str_equal, NULL);
    }
  pthread_mutex_unlock (&machines->lock);
  return may;
}

static bool
serve_tree (VendMachines *machines, VendTlsStream *stream, const json_t *hello, GError **error)
{
  const char *tree = vend_json_string (hello, "tree");
  if (tree == NULL || !may_have_tree (machines, vend_tls_stream_peer (stream), tree))
    return refuse (stream, true, "there is no such folder for this machine", error);
  g_autofree char *path = g_build_filename (machines->data_dir, tree, NULL);
  json_auto_t *answer = json_pack ("{s:b, s:s}", "welcome", 1, "root", machines->data_dir);
  return vend_exchange_send (stream, answer, error)
         && vend_transfer_send_tree (stream, path, error);
}

/* Of an instance: by itself, or by the agent of its machine. */
static bool
may_bring_output (VendMachines *machines, const char *peer, const char *id)
{
  const char *instance = vend_exchange_peer_id (peer, VEND_PEER_INSTANCE);
  const char *machine = vend_exchange_peer_id (peer, VEND_PEER_MACHINE);
  pthread_mutex_lock (&machines->lock);
  const Entry *entry = g_hash_table_lookup (machines->entries, id);
  const bool may = entry != NULL
                   && (g_strcmp0 (instance, id) == 0 || g_strcmp0 (machine, entry->machine) == 0);
  pthread_mutex_unlock (&machines->lock);
  return may;
}

char *
machines_outputs_dir (const VendMachines *machines, const char *id)
{
  g_autofree char *folder = machines_folder (machines, id);
  return g_build_filename (folder, "outputs", NULL);
}

static bool
serve_output (VendMachines *machines, VendTlsStream *stream, const json_t *hello, GError **error)
{
  const char *id = vend_json_string (hello, "instance");
  if (id == NULL || !may_bring_output (machines, vend_tls_stream_peer (stream), id))
    return refuse (stream, true, "this control plane has no such instance any more", error);
  g_autofree char *folder = machines_outputs_dir (machines, id);
  return vend_transfer_take_output (stream, hello, folder, machines->max_output_file, error);
}

/* ---- Connections */

static bool
serve_hello (const Connection *connection, VendTlsStream *stream, const json_t *hello,
             GError **error)
{
  VendMachines *machines = connection->door->machines;
  const char *kind = vend_json_string (hello, "hello");
  const int64_t protocol = vend_json_int (hello, "protocol", 0);
  if (protocol != VEND_EXCHANGE_PROTOCOL)
    {
      g_autofree char *why
          = g_strdup_printf ("this control plane speaks protocol %d, not %" G_GINT64_FORMAT
                             "; run the same version of Vend on both machines",
                             VEND_EXCHANGE_PROTOCOL, protocol);
      return refuse (stream, false, why, error);
    }
  vend_tls_stream_set_patience (stream, VEND_TRANSFER_PATIENCE_MS);
  if (g_strcmp0 (kind, "agent") == 0)
    return serve_agent (connection, stream, hello, error);
  if (g_strcmp0 (kind, "director") == 0)
    return serve_director (machines, stream, error);
  if (g_strcmp0 (kind, VEND_HELLO_CONTENT) == 0)
    return serve_content (machines, stream, hello, error);
  if (g_strcmp0 (kind, VEND_HELLO_TREE) == 0)
    return serve_tree (machines, stream, hello, error);
  if (g_strcmp0 (kind, VEND_HELLO_OUTPUT) == 0)
    return serve_output (machines, stream, hello, error);
  return refuse (stream, false, "this control plane does not know what is wanted", error);
}

static bool
serve (const Connection *connection, GError **error)
{
  g_autoptr (VendTlsStream) stream = NULL;
  json_auto_t *hello = NULL;
  return vend_tls_stream_accept (connection->door->machines->identity, connection->first_fd,
                                 HANDSHAKE_PATIENCE_MS, &stream, error)
         && vend_exchange_receive (stream, VEND_EXCHANGE_HELLO_MAX, &hello, error)
         && serve_hello (connection, stream, hello, error);
}

static void *
serve_connection (void *data)
{
  Connection *connection = data;
  MachinesDoor *door = connection->door;
  g_autoptr (GError) error = NULL;
  if (!serve (connection, &error))
    vend_log (VEND_LOG_DEBUG, "a connection of another machine has ended", "address",
              connection->address, "error", error->message, NULL);
  pthread_mutex_lock (&door->lock);
  g_hash_table_remove (door->connections, connection);
  vend_fd_clear (&connection->fd);
  g_free (connection->address);
  g_free (connection);
  pthread_cond_broadcast (&door->left);
  pthread_mutex_unlock (&door->lock);
  return NULL;
}

static char *
address_of (int fd)
{
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  VendAddress address;
  return getpeername (fd, (struct sockaddr *) &from, &size) == 0
                 && vend_address_of_sockaddr ((const struct sockaddr *) &from, &address)
             ? vend_address_text (&address)
             : g_strdup ("");
}

/* Takes `fd`. */
static void
begin_connection (MachinesDoor *door, int fd)
{
  vend_autofd first = fd;
  vend_autofd second = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  pthread_mutex_lock (&door->lock);
  const bool has_room = g_hash_table_size (door->connections) < MAX_CONNECTIONS;
  Connection *connection = NULL;
  if (has_room && second >= 0)
    {
      connection = g_new0 (Connection, 1);
      *connection = (Connection){ door, vend_fd_steal (&second), first, address_of (first) };
      g_hash_table_add (door->connections, connection);
    }
  pthread_mutex_unlock (&door->lock);
  if (connection == NULL)
    return;
  GThread *thread = g_thread_try_new ("machine", serve_connection, connection, NULL);
  if (thread != NULL)
    {
      (void) vend_fd_steal (&first);
      g_thread_unref (thread);
      return;
    }
  pthread_mutex_lock (&door->lock);
  g_hash_table_remove (door->connections, connection);
  pthread_mutex_unlock (&door->lock);
  vend_fd_clear (&connection->fd);
  g_free (connection->address);
  g_free (connection);
}

static void *
accept_all (void *data)
{
  MachinesDoor *door = data;
  while (!atomic_load (&door->closing))
    {
      struct pollfd waited = { .fd = door->fd, .events = POLLIN };
      if (poll (&waited, 1, ACCEPT_POLL_MS) <= 0)
        continue;
      const int fd = accept4 (door->fd, NULL, NULL, SOCK_CLOEXEC);
      if (fd >= 0)
        begin_connection (door, fd);
      else if (errno != EAGAIN && errno != EINTR)
        g_usleep (ACCEPT_POLL_MS * 1000);
    }
  return NULL;
}

bool
machines_door_open (VendMachines *machines, const char *listen, GError **error)
{
  vend_autofd fd = -1;
  if (!vend_listen_open (listen, "directors", &fd, error)
      || !vend_listen_port (fd, &machines->port, error))
    return false;
  MachinesDoor *door = g_new0 (MachinesDoor, 1);
  door->machines = machines;
  door->fd = vend_fd_steal (&fd);
  door->connections = g_hash_table_new (NULL, NULL);
  pthread_mutex_init (&door->lock, NULL);
  pthread_cond_init (&door->left, NULL);
  machines->door = door;
  door->thread = g_thread_try_new ("machines", accept_all, door, error);
  return door->thread != NULL;
}

static void
shut_all (MachinesDoor *door)
{
  GHashTableIter iter;
  void *connection;
  pthread_mutex_lock (&door->lock);
  g_hash_table_iter_init (&iter, door->connections);
  while (g_hash_table_iter_next (&iter, &connection, NULL))
    (void) shutdown (((const Connection *) connection)->fd, SHUT_RDWR);
  while (g_hash_table_size (door->connections) > 0)
    pthread_cond_wait (&door->left, &door->lock);
  pthread_mutex_unlock (&door->lock);
}

void
machines_door_free (MachinesDoor *door)
{
  if (door == NULL)
    return;
  atomic_store (&door->closing, true);
  if (door->thread != NULL)
    g_thread_join (door->thread);
  shut_all (door);
  vend_fd_clear (&door->fd);
  g_hash_table_unref (door->connections);
  pthread_cond_destroy (&door->left);
  pthread_mutex_destroy (&door->lock);
  g_free (door);
}
