/* The sender against a receiver that holds its answers: shares, order, a stop in between. */
#include "base/clock.h"
#include "base/fd.h"
#include "events/webhooks.h"
#include "store/accounts.h"
#include "store/predictions.h"
#include "store/webhooks.h"
#include "support/test-database.h"
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#define N_PREDICTIONS 12
#define WAIT_US (30 * VEND_US_PER_S)
#define POLL_US 2000
#define UNIT_US 20000

typedef struct
{
  int listener;
  pthread_t thread;
  char *url;
  pthread_mutex_t lock; /* guards all below */
  bool held;
  guint under_way;
  guint most;
  guint taken;
  GString *paths; /* in the order of their arrival */
} Receiver;

typedef struct
{
  char *dir;
  VendStore *store;
  VendWebhooks *webhooks;
  Receiver receiver;
  Receiver other;
} Fixture;

/* ---- The receiver */

static bool
is_held (Receiver *receiver)
{
  pthread_mutex_lock (&receiver->lock);
  bool held = receiver->held;
  pthread_mutex_unlock (&receiver->lock);
  return held;
}

static void
arrive (Receiver *receiver, const char *request)
{
  pthread_mutex_lock (&receiver->lock);
  receiver->under_way++;
  receiver->taken++;
  receiver->most = MAX (receiver->most, receiver->under_way);
  const char *path = strchr (request, '/');
  g_string_append_len (receiver->paths, path, (gssize) strcspn (path, " "));
  pthread_mutex_unlock (&receiver->lock);
}

typedef struct
{
  Receiver *receiver;
  int fd;
} Connection;

static void *
serve (void *data)
{
  static const char said[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  g_autofree Connection *connection = data;
  vend_autofd fd = connection->fd;
  Receiver *receiver = connection->receiver;
  char request[8192] = "";
  gsize size = 0;
  /* All bodies here end with the end of an object. */
  while (strstr (request, "}") == NULL && size < sizeof request - 1)
    {
      ssize_t n = recv (fd, request + size, sizeof request - 1 - size, 0);
      if (n <= 0)
        return NULL;
      size += (gsize) n;
    }
  arrive (receiver, request);
  while (is_held (receiver))
    g_usleep (POLL_US);
  pthread_mutex_lock (&receiver->lock);
  receiver->under_way--;
  pthread_mutex_unlock (&receiver->lock);
  (void) !send (fd, said, strlen (said), MSG_NOSIGNAL);
  return NULL;
}

/* Plain sockets and threads: GLib's own are not built for the thread sanitizer. */
static void *
accept_all (void *data)
{
  Receiver *receiver = data;
  g_autoptr (GArray) threads = g_array_new (FALSE, FALSE, sizeof (pthread_t));
  for (;;)
    {
      int fd = accept (receiver->listener, NULL, NULL);
      if (fd < 0)
        break;
      Connection *connection = g_new0 (Connection, 1);
      *connection = (Connection){ receiver, fd };
      pthread_t thread;
      g_assert_cmpint (pthread_create (&thread, NULL, serve, connection), ==, 0);
      g_array_append_val (threads, thread);
    }
  for (guint i = 0; i < threads->len; i++)
    pthread_join (g_array_index (threads, pthread_t, i), NULL);
  return NULL;
}

static void
receiver_init (Receiver *receiver)
{
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl (INADDR_LOOPBACK) } };
  socklen_t size = sizeof at;
  pthread_mutex_init (&receiver->lock, NULL);
  receiver->paths = g_string_new (NULL);
  receiver->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (receiver->listener, (struct sockaddr *) &at, size), ==, 0);
  g_assert_cmpint (listen (receiver->listener, 64), ==, 0);
  getsockname (receiver->listener, (struct sockaddr *) &at, &size);
  receiver->url = g_strdup_printf ("http://127.0.0.1:%u", ntohs (at.sin_port));
  g_assert_cmpint (pthread_create (&receiver->thread, NULL, accept_all, receiver), ==, 0);
}

static void
hold (Receiver *receiver, bool held)
{
  pthread_mutex_lock (&receiver->lock);
  receiver->held = held;
  pthread_mutex_unlock (&receiver->lock);
}

/* Waits until so many have arrived. */
static void
wait_for (Receiver *receiver, guint n)
{
  int64_t until_us = g_get_monotonic_time () + WAIT_US;
  guint taken = 0;
  while (taken < n)
    {
      pthread_mutex_lock (&receiver->lock);
      taken = receiver->taken;
      pthread_mutex_unlock (&receiver->lock);
      g_assert_cmpint (g_get_monotonic_time (), <, until_us);
      g_usleep (POLL_US);
    }
}

static void
receiver_clear (Receiver *receiver)
{
  hold (receiver, false);
  shutdown (receiver->listener, SHUT_RDWR);
  pthread_join (receiver->thread, NULL);
  vend_fd_clear (&receiver->listener);
  g_string_free (receiver->paths, TRUE);
  g_free (receiver->url);
}

/* ---- The store */

static bool
insert_basics (VendDb *db, void *data, GError **error)
{
  VendAccount account
      = { .username = (char *) "ada", .name = (char *) "ada", .type = (char *) "user" };
  if (!vend_store_account_insert (db, &account, error))
    return false;
  for (guint i = 0; i < N_PREDICTIONS; i++)
    {
      g_autoptr (VendPrediction) p = vend_prediction_new ();
      p->id = g_strdup_printf ("p%u", i);
      p->account_id = 1;
      p->model = g_strdup ("a/b");
      p->version = g_strdup ("v");
      p->input = json_object ();
      if (!vend_store_prediction_insert (db, p, error))
        return false;
    }
  return true;
}

static bool
insert_job (VendDb *db, void *data, GError **error)
{
  return vend_store_delivery_insert (db, data, error);
}

static void
put (Fixture *f, guint id, guint prediction, const Receiver *receiver, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *url = g_strconcat (receiver->url, path, NULL);
  VendDelivery delivery = { .id = g_strdup_printf ("msg_%04u", id),
                            .account_id = 1,
                            .prediction = g_strdup_printf ("p%u", prediction),
                            .event = VEND_WEBHOOK_COMPLETED,
                            .url = url,
                            .lane = vend_webhook_lane (1, url),
                            .created_us = vend_now_us (),
                            .body = (char *) "{\"a\":1}" };
  g_assert_true (vend_store_write_wait (f->store, insert_job, &delivery, &error));
  g_free (delivery.id);
  g_free (delivery.prediction);
  g_free (delivery.lane);
}

static guint
count_in (Fixture *f, VendDeliveryState state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) page = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_delivery_page (reader.db, 1, (int) state, NULL,
                                           &(VendPage){ .limit = 100 }, &page, &error));
  return page->len;
}

static void
wait_delivered (Fixture *f, guint n)
{
  int64_t until_us = g_get_monotonic_time () + WAIT_US;
  while (count_in (f, VEND_DELIVERY_DELIVERED) < n)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until_us);
      g_usleep (POLL_US);
    }
}

static void
start (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_webhooks_start (&(VendWebhooksOptions){ .store = f->store,
                                                              .allow = "127.0.0.0/8",
                                                              .keep_us = WAIT_US,
                                                              .dead_keep_us = WAIT_US,
                                                              .dead_max = 10,
                                                              .unit_us = UNIT_US },
                                      &f->webhooks, &error));
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-webhooks-XXXXXX", NULL);
  g_autofree char *path = test_database (f->dir);
  g_assert_true (
      vend_store_open (&(VendStoreOptions){ .path = path, .readers = 4 }, &f->store, &error));
  g_assert_true (vend_store_write_wait (f->store, insert_basics, NULL, &error));
  receiver_init (&f->receiver);
  receiver_init (&f->other);
  start (f);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  hold (&f->receiver, false);
  vend_webhooks_stop (f->webhooks);
  vend_store_free (f->store);
  vend_webhooks_free (f->webhooks);
  receiver_clear (&f->receiver);
  receiver_clear (&f->other);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
}

/* ---- Tests */

static void
test_shares (Fixture *f, gconstpointer unused)
{
  hold (&f->receiver, true);
  for (guint i = 0; i < 10; i++)
    put (f, i, i, &f->receiver, "/slow");
  vend_webhooks_wake (f->webhooks);
  wait_for (&f->receiver, VEND_WEBHOOKS_MAX_LANE);
  put (f, 10, 10, &f->other, "/quick");
  vend_webhooks_wake (f->webhooks);
  wait_for (&f->other, 1);
  wait_delivered (f, 1);
  hold (&f->receiver, false);
  wait_for (&f->receiver, 10);
  wait_delivered (f, 11);
  g_assert_cmpuint (f->receiver.most, ==, VEND_WEBHOOKS_MAX_LANE);
}

static void
test_order (Fixture *f, gconstpointer unused)
{
  hold (&f->receiver, true);
  put (f, 0, 0, &f->receiver, "/1");
  put (f, 1, 0, &f->receiver, "/2");
  put (f, 2, 0, &f->receiver, "/3");
  vend_webhooks_wake (f->webhooks);
  wait_for (&f->receiver, 1);
  hold (&f->receiver, false);
  wait_for (&f->receiver, 3);
  wait_delivered (f, 3);
  g_assert_cmpuint (f->receiver.most, ==, 1);
  g_assert_cmpstr (f->receiver.paths->str, ==, "/1/2/3");
}

static void
test_a_stop_in_between (Fixture *f, gconstpointer unused)
{
  hold (&f->receiver, true);
  put (f, 0, 0, &f->receiver, "/again");
  vend_webhooks_wake (f->webhooks);
  wait_for (&f->receiver, 1);
  vend_webhooks_free (f->webhooks);
  g_assert_cmpuint (count_in (f, VEND_DELIVERY_PENDING), ==, 1);
  hold (&f->receiver, false);
  start (f);
  wait_for (&f->receiver, 2);
  wait_delivered (f, 1);
  g_assert_cmpstr (f->receiver.paths->str, ==, "/again/again");
  /* After the stop a wake does nothing. */
  vend_webhooks_stop (f->webhooks);
  vend_webhooks_wake (f->webhooks);
}

static void
test_tried_again (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  Receiver nobody = { .url = (char *) "http://127.0.0.1:1" };
  g_autoptr (VendDelivery) now = NULL;
  int64_t until_us = g_get_monotonic_time () + WAIT_US;
  put (f, 0, 0, &nobody, "/");
  vend_webhooks_wake (f->webhooks);
  while (now == NULL || now->tries < 3)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until_us);
      g_usleep (POLL_US);
      g_clear_pointer (&now, vend_delivery_free);
      g_auto (VendReader) reader = vend_reader (f->store);
      g_assert_true (vend_store_delivery_get (reader.db, "msg_0000", &now, &error));
    }
  g_assert_cmpint (now->state, ==, VEND_DELIVERY_PENDING);
  g_assert_nonnull (now->last_error);
  g_assert_cmpint (now->last_status, ==, 0);
  g_assert_cmpint (now->due_us, >, now->created_us + 3 * UNIT_US);
}

static void
test_bad_networks (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  VendWebhooks *none = NULL;
  g_assert_false (vend_webhooks_start (
      &(VendWebhooksOptions){ .store = f->store, .allow = "nonsense" }, &none, &error));
  g_assert_null (none);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  curl_global_init (CURL_GLOBAL_DEFAULT);
#define ADD(name, test) g_test_add ("/webhooks/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("shares", test_shares);
  ADD ("order", test_order);
  ADD ("a-stop-in-between", test_a_stop_in_between);
  ADD ("tried-again", test_tried_again);
  ADD ("bad-networks", test_bad_networks);
  return g_test_run ();
}
