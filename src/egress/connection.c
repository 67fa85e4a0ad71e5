/* One connection from inside: reads a request, looks up and checks its server, connects, and moves
 * bytes until both sides have ended. */
#include "egress/connection.h"
#include "base/error.h"
#include "base/fd-source.h"
#include "base/fd.h"
#include "egress/connection-private.h"
#include "egress/filter.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define ROUNDS_PER_TURN 2 /* reads of one connection before the others have their turn */
#define PRIORITY (G_PRIORITY_DEFAULT + 10) /* the process has more important things to do */
#define TRY_US 3000000                     /* for an address that has others behind it */
#define LINGER_US 2000000
#define LINGER_BYTES (1024 * 1024)

typedef struct
{
  GSource base;
  VendProxyConnection *connection;
} Watch;

static void run (VendProxyConnection *connection);

/* ---- What is waited for */

void
vend_proxy_set_deadline (VendProxyConnection *connection, int64_t from_now_us)
{
  connection->deadline_us = g_get_monotonic_time () + from_now_us;
  /* A later deadline is set when the earlier one is reached: that is cheaper than at every byte. */
  const int64_t ready_us = g_source_get_ready_time (connection->source);
  if (ready_us < 0 || connection->deadline_us < ready_us)
    g_source_set_ready_time (connection->source, connection->deadline_us);
}

static bool
reads_client (const VendProxyConnection *connection)
{
  const VendProxyRequest *request = connection->request;
  if (connection->up.has_ended || !vend_flow_has_room (&connection->up))
    return false;
  return request->is_connect || request->body == VEND_BODY_CHUNKED || connection->body_left > 0;
}

static bool
reads_server (const VendProxyConnection *connection)
{
  return !connection->down.has_ended && vend_flow_has_room (&connection->down);
}

/* A descriptor that nothing is wanted of is not polled: poll tells of a hang-up in any case. */
static void
watch_fd (VendProxyConnection *connection, int fd, GIOCondition wanted, void **tag)
{
  if (wanted == 0 && *tag != NULL)
    {
      g_source_remove_unix_fd (connection->source, *tag);
      *tag = NULL;
    }
  else if (wanted != 0 && *tag == NULL)
    *tag = g_source_add_unix_fd (connection->source, fd, wanted);
  else if (wanted != 0)
    g_source_modify_unix_fd (connection->source, *tag, wanted);
}

static void
watch (VendProxyConnection *connection)
{
  GIOCondition client = 0, server = 0;
  switch (connection->state)
    {
    case VEND_PROXY_HEAD_STATE:
    case VEND_PROXY_LINGER_STATE:
      client = G_IO_IN;
      break;
    case VEND_PROXY_CONNECT_STATE:
      server = G_IO_OUT;
      break;
    case VEND_PROXY_REPLY_STATE:
      client = G_IO_OUT;
      break;
    case VEND_PROXY_RELAY_STATE:
      client = (reads_client (connection) ? G_IO_IN : 0)
               | (vend_flow_pending (&connection->down) > 0 ? G_IO_OUT : 0);
      server = (reads_server (connection) ? G_IO_IN : 0)
               | (vend_flow_pending (&connection->up) > 0 ? G_IO_OUT : 0);
      break;
    default:
      break;
    }
  watch_fd (connection, connection->client, client, &connection->client_tag);
  if (connection->server >= 0)
    watch_fd (connection, connection->server, server, &connection->server_tag);
}

static void
close_server (VendProxyConnection *connection)
{
  if (connection->server_tag != NULL)
    g_source_remove_unix_fd (connection->source, connection->server_tag);
  connection->server_tag = NULL;
  vend_fd_clear (&connection->server);
}

/* A close with unread bytes would take the answer away from the client. */
static void
begin_to_linger (VendProxyConnection *connection)
{
  close_server (connection);
  connection->state = VEND_PROXY_LINGER_STATE;
  vend_proxy_set_deadline (connection, LINGER_US);
}

/* ---- The server: address and connection */

static void
begin_relay (VendProxyConnection *connection)
{
  static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
  VendProxyRequest *request = connection->request;
  connection->has_passed = true;
  vend_proxy_tell (connection, VEND_PROXY_PASSED, 1);
  connection->state = VEND_PROXY_RELAY_STATE;
  vend_proxy_set_deadline (connection, connection->shared->options->idle_us);
  if (request->is_connect)
    {
      vend_flow_replace (&connection->down, 0, established, strlen (established));
      vend_flow_release (&connection->up);
      return;
    }
  /* The bytes behind the head belong to the body, as far as it goes. */
  const gsize behind = connection->up.end;
  vend_flow_replace (&connection->up, 0, request->anew->str, request->anew->len);
  connection->awaits_answer = true;
  if (request->body == VEND_BODY_PLAIN)
    {
      const gsize of_body = (gsize) MIN (behind, request->body_size);
      connection->up.end -= behind - of_body;
      connection->body_left = request->body_size - of_body;
    }
  vend_flow_release (&connection->up);
}

static void
reply_unreachable (VendProxyConnection *connection)
{
  g_autofree char *to = vend_destination_text (&connection->request->to);
  const int problem = connection->connect_errno;
  g_autofree char *sentence
      = g_strdup_printf ("%s cannot be reached: %s", to, g_strerror (problem));
  if (problem == ETIMEDOUT)
    vend_proxy_reply (connection, 504, VEND_PROXY_TIMEOUT, sentence);
  else
    vend_proxy_reply (connection, 502, VEND_PROXY_UNREACHABLE, sentence);
}

/* The socket of a try; -1 with errno. */
static int
open_socket (const VendAddress *address, guint16 port)
{
  const int on = 1;
  static const guint8 v4[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
  struct sockaddr_in to_v4 = { .sin_family = AF_INET, .sin_port = htons (port) };
  struct sockaddr_in6 to_v6 = { .sin6_family = AF_INET6, .sin6_port = htons (port) };
  const bool is_v4 = memcmp (address->bytes, v4, sizeof v4) == 0;
  memcpy (&to_v4.sin_addr, address->bytes + sizeof v4, sizeof to_v4.sin_addr);
  memcpy (&to_v6.sin6_addr, address->bytes, sizeof to_v6.sin6_addr);
  const struct sockaddr *to = is_v4 ? (void *) &to_v4 : (void *) &to_v6;
  const socklen_t size = is_v4 ? sizeof to_v4 : sizeof to_v6;
  vend_autofd fd
      = socket (is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  (void) !setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void) !setsockopt (fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (connect (fd, to, size) < 0 && errno != EINPROGRESS)
    {
      const int problem = errno;
      vend_fd_clear (&fd);
      errno = problem;
      return -1;
    }
  return vend_fd_steal (&fd);
}

/* Tries the next address that is left, or says that there is none. */
static void
connect_next (VendProxyConnection *connection)
{
  close_server (connection);
  while (connection->server < 0 && connection->next_address < connection->n_addresses)
    {
      const VendAddress *address = &connection->addresses[connection->next_address++];
      connection->server = open_socket (address, connection->request->to.port);
      if (connection->server < 0)
        connection->connect_errno = errno;
    }
  if (connection->server < 0)
    {
      reply_unreachable (connection);
      return;
    }
  const int64_t most_us = connection->shared->options->connect_us;
  const bool is_last = connection->next_address == connection->n_addresses;
  connection->state = VEND_PROXY_CONNECT_STATE;
  vend_proxy_set_deadline (connection, is_last ? most_us : MIN (most_us, TRY_US));
}

static void
on_connected (VendProxyConnection *connection)
{
  int problem = 0;
  socklen_t size = sizeof problem;
  if (getsockopt (connection->server, SOL_SOCKET, SO_ERROR, &problem, &size) < 0)
    problem = errno;
  if (problem == 0)
    {
      begin_relay (connection);
      return;
    }
  connection->connect_errno = problem;
  connect_next (connection);
}

/* Of those in `found`, the addresses that may be reached. */
static void
take_addresses (VendProxyConnection *connection, const VendAddress *found, guint n)
{
  const VendProxyOptions *options = connection->shared->options;
  for (guint i = 0; i < n && connection->n_addresses < VEND_PROXY_ADDRESSES; i++)
    if (vend_proxy_may_reach (&found[i], options->allow, options->deny))
      connection->addresses[connection->n_addresses++] = found[i];
  if (connection->n_addresses > 0)
    {
      connect_next (connection);
      return;
    }
  g_autofree char *sentence = g_strdup_printf (
      "%s is no address on the internet that a model may reach%s%s", connection->request->to.host,
      options->setting != NULL ? "; the operator may allow it with --" : "",
      options->setting != NULL ? options->setting : "");
  vend_proxy_reply (connection, 403, VEND_PROXY_REFUSED, sentence);
}

static void
on_looked_up (GObject *resolver, GAsyncResult *result, void *user_data)
{
  g_autofree VendProxyLookup *lookup = user_data;
  g_autoptr (GError) error = NULL;
  GList *list = g_resolver_lookup_by_name_finish (G_RESOLVER (resolver), result, &error);
  VendProxyConnection *connection = lookup->connection;
  VendAddress found[VEND_PROXY_ADDRESSES];
  guint n = 0;
  for (GList *at = list; at != NULL && n < G_N_ELEMENTS (found); at = at->next)
    {
      g_autofree char *text = g_inet_address_to_string (at->data);
      n += vend_address_parse (text, &found[n]) ? 1 : 0;
    }
  g_resolver_free_addresses (list);
  if (connection == NULL)
    return;
  connection->lookup = NULL;
  if (error == NULL)
    take_addresses (connection, found, n);
  else
    {
      g_autofree char *sentence = g_strdup_printf (
          "%s: %s", connection->request->to.host,
          g_error_matches (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE)
              ? "the name servers do not answer"
              : "there is no such host");
      vend_proxy_reply (connection, 502, VEND_PROXY_UNKNOWN_HOST, sentence);
    }
  run (connection);
}

static void
resolve (VendProxyConnection *connection)
{
  const VendDestination *to = &connection->request->to;
  if (to->is_address)
    {
      take_addresses (connection, &to->address, 1);
      return;
    }
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  connection->state = VEND_PROXY_RESOLVE_STATE;
  vend_proxy_set_deadline (connection, connection->shared->options->connect_us);
  connection->lookup = g_new0 (VendProxyLookup, 1);
  connection->lookup->connection = connection;
  connection->cancellable = g_cancellable_new ();
  GMainContext *context = connection->shared->options->context;
  g_main_context_push_thread_default (context);
  g_resolver_lookup_by_name_async (resolver, to->host, connection->cancellable, on_looked_up,
                                   connection->lookup);
  g_main_context_pop_thread_default (context);
}

/* ---- The head of the request */

static void
read_head (VendProxyConnection *connection)
{
  VendFlow *up = &connection->up;
  const gsize most = connection->shared->options->max_head;
  const VendFlowResult result = vend_flow_read (up, connection->client, most + 1 - up->end);
  g_autoptr (GError) error = NULL;
  if (result == VEND_FLOW_WAIT)
    return;
  if (result != VEND_FLOW_MOVED)
    {
      connection->state = VEND_PROXY_ENDED_STATE;
      return;
    }
  const gsize size = vend_head_find (up->bytes, up->end, false);
  if (size == 0 && up->end <= most)
    return;
  if (size == 0 || size > most)
    {
      g_autofree char *sentence
          = g_strdup_printf ("the head of the request is larger than %zu bytes", most);
      vend_proxy_reply (connection, 431, VEND_PROXY_INVALID, sentence);
      return;
    }
  if (!vend_head_read_request (up->bytes, size, &connection->request, &error))
    {
      vend_proxy_reply (connection, 400, VEND_PROXY_INVALID, error->message);
      return;
    }
  vend_flow_replace (up, size, NULL, 0);
  resolve (connection);
}

/* ---- Bytes */

static void
take_answer_heads (VendProxyConnection *connection)
{
  VendFlow *down = &connection->down;
  while (connection->awaits_answer)
    {
      g_autoptr (GError) error = NULL;
      GString *anew = NULL;
      bool is_interim = false;
      const gsize size = vend_head_find (down->bytes + down->ready, down->end - down->ready, true);
      if (size == 0 && vend_flow_has_room (down) && !down->has_ended)
        return;
      if (size == 0
          || !vend_head_read_answer (down->bytes + down->ready, size, &anew, &is_interim, &error))
        {
          vend_proxy_reply (connection, 502, VEND_PROXY_UNREACHABLE,
                            size == 0 ? "the server sent no whole head of an answer"
                                      : "the server's answer is not HTTP/1.1");
          return;
        }
      vend_flow_replace (down, size, anew->str, anew->len);
      g_string_free (anew, TRUE);
      connection->awaits_answer = is_interim;
    }
  vend_flow_release (down);
}

/* Both return whether something moved; the state says whether the connection goes on. */

static bool
move_up (VendProxyConnection *connection)
{
  VendFlow *up = &connection->up;
  VendFlowResult result = VEND_FLOW_WAIT;
  bool moved = false;
  if (reads_client (connection))
    {
      const bool is_plain
          = !connection->request->is_connect && connection->request->body == VEND_BODY_PLAIN;
      const gsize before = up->end;
      result = vend_flow_read (up, connection->client,
                               is_plain ? (gsize) MIN (connection->body_left, G_MAXSSIZE)
                                        : VEND_FLOW_BUFFER);
      /* A body that breaks off is not passed on as a whole one. */
      if (result == VEND_FLOW_BROKEN || (result == VEND_FLOW_END && is_plain))
        connection->state = VEND_PROXY_ENDED_STATE;
      up->has_ended = result == VEND_FLOW_END;
      connection->body_left -= is_plain ? up->end - before : 0;
      vend_flow_release (up);
      moved = result == VEND_FLOW_MOVED;
    }
  if (vend_flow_pending (up) > 0)
    {
      result = vend_flow_write (up, connection->server);
      /* A server may answer and end before it has read a whole body: its answer is still read. */
      if (result == VEND_FLOW_BROKEN && connection->request->is_connect)
        connection->state = VEND_PROXY_ENDED_STATE;
      else if (result == VEND_FLOW_BROKEN)
        {
          vend_flow_drop (up);
          up->has_ended = true;
          connection->up_is_shut = true;
        }
      moved = moved || result == VEND_FLOW_MOVED;
    }
  if (up->has_ended && vend_flow_pending (up) == 0 && !connection->up_is_shut)
    {
      connection->up_is_shut = true;
      (void) !shutdown (connection->server, SHUT_WR);
    }
  return moved;
}

static bool
move_down (VendProxyConnection *connection)
{
  VendFlow *down = &connection->down;
  bool moved = false;
  if (reads_server (connection))
    {
      const VendFlowResult result = vend_flow_read (down, connection->server, VEND_FLOW_BUFFER);
      moved = result == VEND_FLOW_MOVED;
      down->has_ended = result == VEND_FLOW_END || result == VEND_FLOW_BROKEN;
      if (result == VEND_FLOW_BROKEN && !connection->awaits_answer)
        connection->state = VEND_PROXY_ENDED_STATE;
      if (connection->request->is_connect)
        vend_flow_release (down);
      else if (result != VEND_FLOW_WAIT)
        take_answer_heads (connection);
    }
  if (connection->state == VEND_PROXY_RELAY_STATE && vend_flow_pending (down) > 0)
    {
      const VendFlowResult result = vend_flow_write (down, connection->client);
      if (result == VEND_FLOW_BROKEN)
        connection->state = VEND_PROXY_ENDED_STATE;
      moved = moved || result == VEND_FLOW_MOVED;
    }
  if (connection->state == VEND_PROXY_RELAY_STATE && down->has_ended
      && vend_flow_pending (down) == 0 && !connection->down_is_shut)
    {
      connection->down_is_shut = true;
      (void) !shutdown (connection->client, SHUT_WR);
    }
  return moved;
}

static void
relay (VendProxyConnection *connection)
{
  bool moved = true;
  for (guint i = 0; i < ROUNDS_PER_TURN && moved; i++)
    {
      moved = move_up (connection);
      if (connection->state == VEND_PROXY_RELAY_STATE)
        moved = move_down (connection) || moved;
      if (connection->state != VEND_PROXY_RELAY_STATE)
        return;
      if (moved)
        vend_proxy_set_deadline (connection, connection->shared->options->idle_us);
    }
  /* An answer ends its connection; a tunnel has two ends. */
  if (connection->down_is_shut && !connection->request->is_connect)
    begin_to_linger (connection);
  else if (connection->down_is_shut && connection->up_is_shut)
    connection->state = VEND_PROXY_ENDED_STATE;
}

/* ---- An answer of our own */

static void
write_reply (VendProxyConnection *connection)
{
  const VendFlowResult result = vend_flow_write (&connection->down, connection->client);
  if (result == VEND_FLOW_BROKEN)
    connection->state = VEND_PROXY_ENDED_STATE;
  if (result != VEND_FLOW_MOVED || vend_flow_pending (&connection->down) > 0)
    return;
  (void) !shutdown (connection->client, SHUT_WR);
  begin_to_linger (connection);
}

static void
linger (VendProxyConnection *connection)
{
  VendFlow *up = &connection->up;
  vend_flow_drop (up);
  const VendFlowResult result = vend_flow_read (up, connection->client, VEND_FLOW_BUFFER);
  connection->lingered += up->end;
  if ((result != VEND_FLOW_MOVED && result != VEND_FLOW_WAIT)
      || connection->lingered > LINGER_BYTES)
    connection->state = VEND_PROXY_ENDED_STATE;
}

/* ---- Turns */

static void
on_deadline (VendProxyConnection *connection)
{
  g_autofree char *to
      = connection->request != NULL ? vend_destination_text (&connection->request->to) : NULL;
  g_autofree char *sentence = NULL;
  switch (connection->state)
    {
    case VEND_PROXY_HEAD_STATE:
      if (connection->up.end > 0)
        vend_proxy_reply (connection, 408, VEND_PROXY_TIMEOUT, "the request did not come in time");
      else
        connection->state = VEND_PROXY_ENDED_STATE;
      break;
    case VEND_PROXY_RESOLVE_STATE:
      g_cancellable_cancel (connection->cancellable);
      connection->lookup->connection = NULL;
      connection->lookup = NULL;
      sentence = g_strdup_printf ("%s: the name servers did not answer in time", to);
      vend_proxy_reply (connection, 504, VEND_PROXY_TIMEOUT, sentence);
      break;
    case VEND_PROXY_CONNECT_STATE:
      connection->connect_errno = ETIMEDOUT;
      connect_next (connection);
      break;
    case VEND_PROXY_RELAY_STATE:
      if (connection->awaits_answer && connection->down.moved == 0)
        {
          sentence = g_strdup_printf ("%s did not answer in time", to);
          vend_proxy_reply (connection, 504, VEND_PROXY_TIMEOUT, sentence);
        }
      else
        connection->state = VEND_PROXY_ENDED_STATE;
      break;
    default:
      connection->state = VEND_PROXY_ENDED_STATE;
      break;
    }
}

/* After every change: the connection waits for what its state needs, or is gone. */
static void
run (VendProxyConnection *connection)
{
  if (connection->state == VEND_PROXY_ENDED_STATE)
    connection->shared->ended (connection, connection->shared->data);
  else
    watch (connection);
}

static gboolean
on_ready (GSource *source, GSourceFunc callback, void *data)
{
  VendProxyConnection *connection = ((Watch *) source)->connection;
  const int64_t now_us = g_get_monotonic_time ();
  const int64_t ready_us = g_source_get_ready_time (source);
  switch (connection->state)
    {
    case VEND_PROXY_HEAD_STATE:
      read_head (connection);
      break;
    case VEND_PROXY_CONNECT_STATE:
      if (g_source_query_unix_fd (source, connection->server_tag) != 0)
        on_connected (connection);
      break;
    case VEND_PROXY_RELAY_STATE:
      relay (connection);
      break;
    case VEND_PROXY_REPLY_STATE:
      write_reply (connection);
      break;
    case VEND_PROXY_LINGER_STATE:
      linger (connection);
      break;
    default:
      break;
    }
  if (now_us >= connection->deadline_us && connection->state != VEND_PROXY_ENDED_STATE)
    on_deadline (connection);
  else if (now_us >= ready_us)
    g_source_set_ready_time (source, connection->deadline_us);
  run (connection);
  return G_SOURCE_CONTINUE;
}

/* ---- Life */

VendProxyConnection *
vend_proxy_connection_new (int client, const VendProxyShared *shared)
{
  static GSourceFuncs functions = { .dispatch = on_ready };
  VendProxyConnection *connection = g_new0 (VendProxyConnection, 1);
  connection->shared = shared;
  connection->client = client;
  connection->server = -1;
  connection->source = g_source_new (&functions, sizeof (Watch));
  ((Watch *) connection->source)->connection = connection;
  g_source_set_can_recurse (connection->source, TRUE);
  g_source_set_priority (connection->source, PRIORITY);
  g_source_set_static_name (connection->source, "egress");
  vend_proxy_set_deadline (connection, shared->options->head_us);
  watch (connection);
  g_source_attach (connection->source, shared->options->context);
  return connection;
}

void
vend_proxy_connection_free (VendProxyConnection *connection)
{
  if (connection->has_passed && (connection->up.moved > 0 || connection->down.moved > 0))
    vend_proxy_tell (connection, VEND_PROXY_PASSED, 0);
  if (connection->lookup != NULL)
    {
      connection->lookup->connection = NULL;
      g_cancellable_cancel (connection->cancellable);
    }
  g_clear_object (&connection->cancellable);
  vend_gsource_clear (&connection->source);
  vend_fd_clear (&connection->client);
  vend_fd_clear (&connection->server);
  vend_proxy_request_free (connection->request);
  vend_flow_clear (&connection->up);
  vend_flow_clear (&connection->down);
  g_free (connection);
}
