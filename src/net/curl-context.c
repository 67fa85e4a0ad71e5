/* libcurl's multi interface on a GMainContext. Runs on the thread of that context. */
#include "net/curl-context.h"
#include "base/fd-source.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define MAX_IDLE_CONNECTIONS 64L

struct VendCurlContext
{
  GMainContext *context;
  CURLM *multi;
  GSource *timer;
  GHashTable *transfers; /* CURL* -> Transfer* */
  GHashTable *watches;   /* Watch* set; each belongs to an open socket of libcurl */
  GPtrArray *added;      /* Transfer*, started while inside libcurl */
  GPtrArray *canceled;   /* CURL*, canceled while inside libcurl */
  guint inside;          /* libcurl refuses changes from its own callbacks */
  bool quick_acks;
  bool closing;          /* no new sources: the teardown calls back */
  VendCurlOpener opener; /* NULL: libcurl's own */
  void *opener_data;
};

typedef struct
{
  CURL *easy;
  VendCurlDone done;
  void *data;
} Transfer;

typedef struct
{
  VendCurlContext *curl;
  curl_socket_t socket;
  GSource *source;
} Watch;

static void run_sockets (VendCurlContext *curl, curl_socket_t socket, int events);

static void
watch_free (void *data)
{
  Watch *watch = data;
  vend_gsource_clear (&watch->source);
  g_free (watch);
}

static gboolean
on_timeout (void *user_data)
{
  VendCurlContext *curl = user_data;
  vend_gsource_clear (&curl->timer);
  run_sockets (curl, CURL_SOCKET_TIMEOUT, 0);
  return G_SOURCE_REMOVE;
}

static int
timer_changed (CURLM *multi, long timeout_ms, void *user_data)
{
  VendCurlContext *curl = user_data;
  vend_gsource_clear (&curl->timer);
  if (timeout_ms < 0 || curl->closing)
    return 0;
  curl->timer = timeout_ms == 0 ? g_idle_source_new () : g_timeout_source_new ((guint) timeout_ms);
  g_source_set_priority (curl->timer, G_PRIORITY_DEFAULT);
  g_source_set_callback (curl->timer, on_timeout, curl, NULL);
  g_source_attach (curl->timer, curl->context);
  return 0;
}

/* A peer that writes small pieces without TCP_NODELAY waits for an ACK before each, and a delayed
 * ACK takes 40 ms. The kernel soon forgets the option, so it is set again after every read. */
static void
acknowledge_quickly (const VendCurlContext *curl, curl_socket_t socket)
{
  const int on = 1;
  if (curl->quick_acks)
    (void) !setsockopt (socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static gboolean
on_socket (int fd, GIOCondition condition, void *user_data)
{
  Watch *watch = user_data;
  VendCurlContext *curl = watch->curl;
  const curl_socket_t socket = watch->socket;
  int events = 0;
  if (condition & (G_IO_IN | G_IO_HUP))
    events |= CURL_CSELECT_IN;
  if (condition & G_IO_OUT)
    events |= CURL_CSELECT_OUT;
  if (condition & G_IO_ERR)
    events |= CURL_CSELECT_ERR;
  run_sockets (curl, socket, events);
  if (g_hash_table_contains (curl->watches, watch))
    acknowledge_quickly (curl, socket);
  return G_SOURCE_CONTINUE;
}

static int
socket_changed (CURL *easy, curl_socket_t socket, int what, void *user_data, void *socket_data)
{
  VendCurlContext *curl = user_data;
  Watch *watch = socket_data;

  if (what == CURL_POLL_REMOVE || curl->closing)
    {
      if (watch != NULL)
        {
          curl_multi_assign (curl->multi, socket, NULL);
          g_hash_table_remove (curl->watches, watch);
        }
      return 0;
    }
  if (watch == NULL)
    {
      watch = g_new0 (Watch, 1);
      watch->curl = curl;
      watch->socket = socket;
      g_hash_table_add (curl->watches, watch);
      curl_multi_assign (curl->multi, socket, watch);
    }
  acknowledge_quickly (curl, socket);
  vend_gsource_clear (&watch->source);
  GIOCondition condition = G_IO_HUP | G_IO_ERR;
  if (what & CURL_POLL_IN)
    condition |= G_IO_IN;
  if (what & CURL_POLL_OUT)
    condition |= G_IO_OUT;
  watch->source = vend_fd_source_new (socket, condition, on_socket, watch, curl->context);
  return 0;
}

void
vend_curl_context_set_quick_acks (VendCurlContext *curl, bool on)
{
  curl->quick_acks = on;
}

VendCurlContext *
vend_curl_context_new (GMainContext *context)
{
  VendCurlContext *curl = g_new0 (VendCurlContext, 1);
  curl->context = g_main_context_ref (context);
  curl->transfers = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  curl->watches = g_hash_table_new_full (NULL, NULL, watch_free, NULL);
  curl->added = g_ptr_array_new ();
  curl->canceled = g_ptr_array_new ();
  curl->multi = curl_multi_init ();
  g_assert (curl->multi != NULL);
  curl_multi_setopt (curl->multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
  curl_multi_setopt (curl->multi, CURLMOPT_SOCKETDATA, curl);
  curl_multi_setopt (curl->multi, CURLMOPT_TIMERFUNCTION, timer_changed);
  curl_multi_setopt (curl->multi, CURLMOPT_TIMERDATA, curl);
  curl_multi_setopt (curl->multi, CURLMOPT_MAXCONNECTS, MAX_IDLE_CONNECTIONS);
  return curl;
}

void
vend_curl_context_free (VendCurlContext *curl)
{
  if (curl == NULL)
    return;
  g_assert (curl->inside == 0);
  g_assert (g_hash_table_size (curl->transfers) == 0);
  curl->closing = true;
  curl_multi_cleanup (curl->multi);
  vend_gsource_clear (&curl->timer);
  g_hash_table_unref (curl->watches);
  g_hash_table_unref (curl->transfers);
  g_ptr_array_unref (curl->added);
  g_ptr_array_unref (curl->canceled);
  g_main_context_unref (curl->context);
  g_free (curl);
}

/* The handle leaves the table before its `done`, so the owner may start it again. */
static void
tell_finished (VendCurlContext *curl)
{
  int left;
  for (CURLMsg *message; (message = curl_multi_info_read (curl->multi, &left)) != NULL;)
    {
      if (message->msg != CURLMSG_DONE)
        continue;
      CURL *easy = message->easy_handle;
      CURLcode result = message->data.result;
      curl_multi_remove_handle (curl->multi, easy);
      Transfer *transfer = g_hash_table_lookup (curl->transfers, easy);
      if (transfer == NULL)
        continue;
      Transfer taken = *transfer;
      g_hash_table_remove (curl->transfers, easy);
      taken.done (easy, result, taken.data);
    }
}

static void
apply_changes (VendCurlContext *curl)
{
  while (curl->canceled->len > 0)
    {
      CURL *easy = g_ptr_array_steal_index_fast (curl->canceled, curl->canceled->len - 1);
      curl_multi_remove_handle (curl->multi, easy);
      curl_easy_cleanup (easy);
    }
  while (curl->added->len > 0)
    curl_multi_add_handle (curl->multi, g_ptr_array_steal_index (curl->added, 0));
}

static void
run_sockets (VendCurlContext *curl, curl_socket_t socket, int events)
{
  int running;
  curl->inside++;
  curl_multi_socket_action (curl->multi, socket, events, &running);
  curl->inside--;
  apply_changes (curl);
  tell_finished (curl);
}

void
vend_curl_context_set_opener (VendCurlContext *curl, VendCurlOpener opener, void *data)
{
  curl->opener = opener;
  curl->opener_data = data;
}

static curl_socket_t
open_socket (void *user_data, curlsocktype purpose, struct curl_sockaddr *address)
{
  const VendCurlContext *curl = user_data;
  const int fd = address->family == AF_INET ? curl->opener (curl->opener_data) : -1;
  return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

void
vend_curl_context_start (VendCurlContext *curl, CURL *easy, VendCurlDone done, void *data)
{
  Transfer *transfer = g_new0 (Transfer, 1);
  transfer->easy = easy;
  transfer->done = done;
  transfer->data = data;
  g_assert (g_hash_table_insert (curl->transfers, easy, transfer));
  if (curl->opener != NULL)
    {
      curl_easy_setopt (easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
      curl_easy_setopt (easy, CURLOPT_OPENSOCKETDATA, curl);
    }
  if (curl->inside > 0)
    g_ptr_array_add (curl->added, easy);
  else
    curl_multi_add_handle (curl->multi, easy);
}

void
vend_curl_context_cancel (VendCurlContext *curl, CURL *easy)
{
  g_hash_table_remove (curl->transfers, easy);
  g_ptr_array_remove (curl->added, easy);
  if (curl->inside > 0)
    {
      g_ptr_array_add (curl->canceled, easy);
      return;
    }
  curl_multi_remove_handle (curl->multi, easy);
  curl_easy_cleanup (easy);
}
