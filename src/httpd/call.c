/* One request and its coming reply: getters, sleep and wake-up, and the reply from any thread.
 *
 * `state` decides which thread sends. A reply while the handler runs is only stored; the connection
 * thread finds it when the handler returns. Otherwise the connection sleeps, and the answering
 * thread wakes it. The thread that exchanges FRESH for ANSWERED must not touch the call any more.
 * While the state is ASLEEP the connection cannot go on before it is resumed, and its worker does
 * not stop before `held` is given back. */
#include "httpd/httpd-private.h"
#include "base/turns.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>

static void
header_free (void *data)
{
  HeaderPair *header = data;
  g_free (header->name);
  g_free (header->value);
  g_free (header);
}

VendCall *
vend_call_new (VendWorker *worker, struct MHD_Connection *connection, const char *method)
{
  VendCall *call = g_malloc (sizeof *call);
  memset (call, 0, offsetof (VendCall, match));
  memset ((char *) call + offsetof (VendCall, state), 0, sizeof *call - offsetof (VendCall, state));
  call->httpd = worker->httpd;
  call->worker = worker;
  call->connection = connection;
  call->method = method;
  call->match.route = NULL;
  call->match.text = NULL;
  call->match.n_params = 0;
  call->began_us = g_get_monotonic_time ();
  atomic_init (&call->state, CALL_FRESH);
  atomic_fetch_add (&call->httpd->active, 1);
  return call;
}

static void
make_reply (VendCall *call)
{
  const VendReplyMaker make = g_steal_pointer (&call->make);
  if (make != NULL)
    call->reply = make (call->make_data);
}

void
vend_call_free (VendCall *call)
{
  VendHttpd *httpd = call->httpd;
  make_reply (call);
  if (call->destroy != NULL)
    call->destroy (call->data);
  if (call->left_destroy != NULL)
    call->left_destroy (call->left_data);
  vend_reply_free (call->reply);
  vend_body_free (call->body);
  vend_match_clear (&call->match);
  g_clear_pointer (&call->query, g_array_unref);
  g_slist_free_full (call->strings, g_free);
  g_slist_free_full (call->headers, header_free);
  g_free (call->origin);
  g_free (call->remote);
  g_free (call);
  atomic_fetch_sub (&httpd->active, 1);
}

static void
count_held (VendWorker *worker, int change)
{
  pthread_mutex_lock (&worker->lock);
  worker->held += (guint) change;
  /* Under the lock: a worker that waits for the last answer may end right after it. */
  if (change < 0 && worker->held == 0 && atomic_load (&worker->httpd->stopping))
    eventfd_write (worker->wake_fd, 1);
  pthread_mutex_unlock (&worker->lock);
}

static enum MHD_Result
send_reply (VendCall *call)
{
  make_reply (call);
  VendReply *reply = vend_reply_restated (g_steal_pointer (&call->reply), call);
  enum MHD_Result result = vend_reply_send (reply, call);
  vend_reply_free (reply);
  return result;
}

enum MHD_Result
vend_call_advance (VendCall *call)
{
  /* A connection that is suspended inside the turn that has read its request is read again when it
   * is resumed, and the library closes it then if the client has closed its writing half
   * (call_handlers in its daemon.c). So the handler comes a turn later. */
  if (!call->asked && !call->is_due)
    {
      call->is_due = true;
      return MHD_YES;
    }
  if (!call->asked)
    {
      call->asked = true;
      vend_turn_does (call->match.route->pattern);
      call->match.route->handler (call, call->match.route->context);
      vend_turn_does ("other");
    }
  if (atomic_load (&call->state) == CALL_ANSWERED)
    return send_reply (call);

  /* Suspended before the state says so, since a resume must not come first. */
  count_held (call->worker, 1);
  MHD_suspend_connection (call->connection);
  int expected = CALL_FRESH;
  if (!atomic_compare_exchange_strong (&call->state, &expected, CALL_ASLEEP))
    {
      vend_worker_resume (call->worker, call->connection);
      count_held (call->worker, -1);
    }
  return MHD_YES;
}

void
vend_call_reply_header (VendCall *call, const char *name, const char *value)
{
  HeaderPair *header = g_new0 (HeaderPair, 1);
  *header = (HeaderPair){ g_strdup (name), g_strdup (value) };
  call->headers = g_slist_prepend (call->headers, header);
}

static void
wake (VendCall *call)
{
  VendWorker *worker = call->worker;
  struct MHD_Connection *connection = call->connection;
  int before = atomic_exchange (&call->state, CALL_ANSWERED);
  g_assert (before != CALL_ANSWERED);
  if (before != CALL_ASLEEP)
    return;
  vend_worker_resume (worker, connection);
  count_held (worker, -1);
}

void
vend_call_reply (VendCall *call, VendReply *reply)
{
  g_assert (reply != NULL);
  g_assert (call->reply == NULL && call->make == NULL);
  call->reply = reply;
  wake (call);
}

void
vend_call_reply_made (VendCall *call, VendReplyMaker make, void *data)
{
  g_assert (call->reply == NULL && call->make == NULL);
  call->make = make;
  call->make_data = data;
  wake (call);
}

void
vend_call_watch_client (VendCall *call, VendCallLeft left, void *data, GDestroyNotify destroy)
{
  g_assert (call->left == NULL);
  call->left = left;
  call->left_data = data;
  call->left_destroy = destroy;
  atomic_store (&call->watches, true);
}

bool
vend_call_watches_client (const VendCall *call)
{
  return atomic_load (&call->watches) && atomic_load (&call->state) == CALL_ASLEEP;
}

void
vend_call_client_left (VendCall *call)
{
  atomic_store (&call->watches, false);
  call->left (call->left_data);
}

const char *
vend_call_method (VendCall *call)
{
  return call->method;
}

const char *
vend_call_path (VendCall *call)
{
  return call->match.path;
}

const char *
vend_call_param (VendCall *call, const char *name)
{
  const char *value = vend_match_param (&call->match, name);
  if (value == NULL)
    g_error ("route '%s' has no parameter '%s'", call->match.route->pattern, name);
  return value;
}

const char *
vend_call_query_at (VendCall *call, const char *name, guint i)
{
  for (guint j = 0; call->query != NULL && j < call->query->len; j++)
    {
      const QueryPair *pair = &g_array_index (call->query, QueryPair, j);
      if (strcmp (pair->name, name) == 0 && i-- == 0)
        return pair->value;
    }
  return NULL;
}

const char *
vend_call_query (VendCall *call, const char *name)
{
  return vend_call_query_at (call, name, 0);
}

typedef struct
{
  const char *name;
  const char *first;
  GString *joined;
} HeaderSearch;

static enum MHD_Result
join_header (void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
  HeaderSearch *search = data;
  if (strcasecmp (name, search->name) != 0 || value == NULL)
    return MHD_YES;
  if (search->first == NULL)
    search->first = value;
  else
    {
      if (search->joined == NULL)
        search->joined = g_string_new (search->first);
      g_string_append_printf (search->joined, ", %s", value);
    }
  return MHD_YES;
}

const char *
vend_call_header (VendCall *call, const char *name)
{
  HeaderSearch search = { .name = name };
  MHD_get_connection_values (call->connection, MHD_HEADER_KIND, join_header, &search);
  if (search.joined == NULL)
    return search.first;
  char *joined = g_string_free (search.joined, FALSE);
  call->strings = g_slist_prepend (call->strings, joined);
  return joined;
}

const char *
vend_call_body (VendCall *call, gsize *out_size)
{
  return vend_body_bytes (call->body, out_size);
}

void *
vend_call_sink (VendCall *call)
{
  return vend_body_sink (call->body);
}

uint64_t
vend_call_length (VendCall *call)
{
  return call->length;
}

gsize
vend_call_n_parts (VendCall *call)
{
  GPtrArray *parts = vend_body_parts (call->body);
  return parts != NULL ? parts->len : 0;
}

const VendPart *
vend_call_part_at (VendCall *call, gsize i)
{
  g_assert (i < vend_call_n_parts (call));
  return vend_body_parts (call->body)->pdata[i];
}

const VendPart *
vend_call_part (VendCall *call, const char *name)
{
  for (gsize i = 0; i < vend_call_n_parts (call); i++)
    if (strcmp (vend_call_part_at (call, i)->name, name) == 0)
      return vend_call_part_at (call, i);
  return NULL;
}

char *
vend_part_take_path (VendCall *call, const VendPart *part)
{
  for (gsize i = 0; i < vend_call_n_parts (call); i++)
    {
      VendPart *own = vend_body_parts (call->body)->pdata[i];
      if (own == part)
        return g_steal_pointer (&own->path);
    }
  return NULL;
}

static char *
peer_address (VendCall *call)
{
  const union MHD_ConnectionInfo *info
      = MHD_get_connection_info (call->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  char text[INET6_ADDRSTRLEN] = "";
  if (info == NULL || info->client_addr == NULL)
    return g_strdup (text);
  if (info->client_addr->sa_family == AF_INET)
    inet_ntop (AF_INET, &((struct sockaddr_in *) info->client_addr)->sin_addr, text, sizeof text);
  if (info->client_addr->sa_family == AF_INET6)
    inet_ntop (AF_INET6, &((struct sockaddr_in6 *) info->client_addr)->sin6_addr, text,
               sizeof text);
  const bool mapped = g_str_has_prefix (text, "::ffff:") && strchr (text, '.') != NULL;
  return g_strdup (mapped ? text + strlen ("::ffff:") : text);
}

static void
find_caller (VendCall *call)
{
  g_autofree char *peer = peer_address (call);
  VendOriginRequest request = { .peer = peer,
                                .tls = call->httpd->tls,
                                .local = call->httpd->local,
                                .host = vend_call_header (call, MHD_HTTP_HEADER_HOST) };
  if (vend_origin_trusts (call->httpd->origin_rules, peer))
    {
      request.forwarded = vend_call_header (call, MHD_HTTP_HEADER_FORWARDED);
      request.x_forwarded_for = vend_call_header (call, "X-Forwarded-For");
      request.x_forwarded_proto = vend_call_header (call, "X-Forwarded-Proto");
      request.x_forwarded_host = vend_call_header (call, "X-Forwarded-Host");
      request.x_forwarded_port = vend_call_header (call, "X-Forwarded-Port");
    }
  call->origin = vend_origin_url (call->httpd->origin_rules, &request);
  call->remote = vend_origin_client (call->httpd->origin_rules, &request);
}

const char *
vend_call_remote (VendCall *call)
{
  if (call->remote == NULL)
    find_caller (call);
  return call->remote;
}

const char *
vend_call_origin (VendCall *call)
{
  if (call->origin == NULL)
    find_caller (call);
  return call->origin;
}

void
vend_call_set_data (VendCall *call, void *data, GDestroyNotify destroy)
{
  if (call->destroy != NULL)
    call->destroy (call->data);
  call->data = data;
  call->destroy = destroy;
}

void *
vend_call_get_data (VendCall *call)
{
  return call->data;
}
