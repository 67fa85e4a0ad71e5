/* The lease of a database: who may take it, and that who lost it stores nothing. All but the first
 * only on a server: VEND_TEST_POSTGRES. */
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "store/predictions.h"
#include "store/store.h"
#include "support/test-database.h"
#include <libpq-fe.h>
#include <pthread.h>
#include <string.h>

#define SHORT_US (600 * 1000)
#define LONG_US (600 * G_GINT64_CONSTANT (1000000))
#define POLL_US 5000

#define COUNT "SELECT COUNT(*) FROM predictions"
#define EPOCH "SELECT epoch FROM control_planes"
#define UNTIL "SELECT until_us FROM control_planes"
#define LOCKS "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"

static bool
is_dead (const char *holder)
{
  return strcmp (holder, "dead") == 0;
}

static bool
wait_on (const VendLeaseSeen *seen, void *data)
{
  g_usleep (POLL_US);
  return true;
}

static void
test_judge (void)
{
  static const struct
  {
    VendLeaseSeen seen;
    bool knows;
    VendLeaseState state;
  } cases[] = {
    { { .is_kept = false }, true, VEND_LEASE_FREE },
    { { .is_kept = true, .holder = (char *) "dead" }, true, VEND_LEASE_FREE },
    { { .is_kept = true, .until_us = 5, .left_us = 1, .holder = (char *) "a" },
      true,
      VEND_LEASE_HELD },
    { { .is_kept = true, .until_us = 5, .left_us = 0, .holder = (char *) "a" },
      true,
      VEND_LEASE_OVER },
    { { .is_kept = true, .until_us = 5, .left_us = -9, .holder = (char *) "a" },
      true,
      VEND_LEASE_OVER },
    { { .is_kept = true, .until_us = 5, .left_us = 1, .holder = (char *) "dead" },
      true,
      VEND_LEASE_GONE },
    { { .is_kept = true, .until_us = 5, .left_us = 1, .holder = (char *) "dead" },
      false,
      VEND_LEASE_HELD },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const VendLease lease = { .is_gone = cases[i].knows ? is_dead : NULL };
      g_assert_cmpint (vend_lease_judge (&cases[i].seen, &lease), ==, cases[i].state);
    }
}

typedef struct
{
  char *dir;
  char *url;
} Fixture;

static VendStore *
open_with (Fixture *f, const VendLease *lease)
{
  g_autoptr (GError) error = NULL;
  VendStore *store = NULL;
  const VendStoreOptions options = { .path = f->url, .readers = 1, .lease = lease };
  if (!vend_store_open (&options, &store, &error))
    g_error ("%s", error->message);
  return store;
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  f->dir = g_dir_make_tmp ("vend-lease-XXXXXX", NULL);
  f->url = test_database (f->dir);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->url);
  g_free (f->dir);
}

static void
test_is_renewed_by_an_idle_server (Fixture *f, gconstpointer unused)
{
  g_autoptr (VendStore) store = open_with (f, &(VendLease){ .length_us = SHORT_US });
  const guint64 first = test_database_number (f->url, UNTIL);
  while (test_database_number (f->url, UNTIL) < first + SHORT_US)
    g_usleep (POLL_US);
  g_assert_true (vend_store_is_idle (store));
  g_assert_cmpuint (vend_store_get_stats (store)->failed, ==, 0);
}

static void
test_refuses_while_it_is_renewed (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendStore) store = open_with (f, &(VendLease){ .length_us = SHORT_US });
  g_autoptr (VendStore) second = NULL;
  const guint64 epoch = test_database_number (f->url, EPOCH);
  const VendStoreOptions options = { .path = f->url, .readers = 1 };
  g_assert_false (vend_store_open (&options, &second, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_BUSY);
  g_assert_cmpuint (test_database_number (f->url, EPOCH), ==, epoch);
  g_assert_false (vend_store_is_taken (store));
}

/* ---- A server that stands still */

typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool stands;
  bool goes_on;
  GError *error;
  bool told;
} Still;

static VendPrediction *
new_prediction (void)
{
  VendPrediction *p = vend_prediction_new ();
  p->id = vend_id_new ();
  p->account_id = 1;
  p->model_id = 7;
  p->model = g_strdup ("lab/echo");
  p->version = g_strdup ("v");
  p->input = json_object ();
  p->created_us = 1;
  return p;
}

static bool
insert (VendDb *db, void *data, GError **error)
{
  g_autoptr (VendPrediction) p = new_prediction ();
  return vend_store_prediction_insert (db, p, error);
}

/* In the middle of a group, with the rows of it locked, as SIGSTOP finds a server. */
static bool
stand_still (VendDb *db, void *data, GError **error)
{
  Still *still = data;
  if (!insert (db, NULL, error) || !vend_db_settle (db, error))
    return false;
  pthread_mutex_lock (&still->lock);
  still->stands = true;
  pthread_cond_broadcast (&still->changed);
  while (!still->goes_on)
    pthread_cond_wait (&still->changed, &still->lock);
  pthread_mutex_unlock (&still->lock);
  return true;
}

static void
note_end (const GError *error, void *data)
{
  Still *still = data;
  still->error = error != NULL ? g_error_copy (error) : NULL;
  still->told = true;
}

static void
wait_for (Still *still, const bool *flag)
{
  pthread_mutex_lock (&still->lock);
  while (!*flag)
    pthread_cond_wait (&still->changed, &still->lock);
  pthread_mutex_unlock (&still->lock);
}

static void
wake (Still *still)
{
  pthread_mutex_lock (&still->lock);
  still->goes_on = true;
  pthread_cond_broadcast (&still->changed);
  pthread_mutex_unlock (&still->lock);
}

static void
test_is_taken_from_one_that_stands_still (Fixture *f, gconstpointer unused)
{
  Still still = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
  g_autoptr (GError) error = NULL;
  g_autoptr (VendStore) first
      = open_with (f, &(VendLease){ .length_us = SHORT_US, .holder = "one" });
  const guint64 epoch = test_database_number (f->url, EPOCH);
  vend_store_write (first, stand_still, note_end, &still);
  wait_for (&still, &still.stands);

  const VendLease lease = { .length_us = SHORT_US, .holder = "two", .waits = wait_on };
  g_autoptr (VendStore) second = open_with (f, &lease);
  g_assert_cmpuint (test_database_number (f->url, EPOCH), >, epoch);
  g_assert_true (vend_store_write_wait (second, insert, NULL, &error));
  wake (&still);
  while (!still.told)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (still.error, VEND_ERROR, VEND_ERROR_CONFLICT);
  g_clear_error (&still.error);
  g_assert_true (vend_store_is_taken (first));
  g_assert_false (vend_store_write_wait (first, insert, NULL, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_true (vend_store_write_wait (second, insert, NULL, &error));
  g_assert_cmpuint (test_database_number (f->url, COUNT), ==, 2);
}

/* ---- Given back, or left behind */

static void
test_is_given_back (Fixture *f, gconstpointer unused)
{
  g_autofree char *former = NULL;
  VendDb *db = NULL;
  g_autoptr (GError) error = NULL;
  const VendLease lease = { .length_us = LONG_US, .holder = "two", .waits = wait_on };
  vend_store_free (open_with (f, &(VendLease){ .length_us = LONG_US, .holder = "one" }));
  g_assert_true (vend_store_take (f->url, &lease, &db, &former, &error));
  g_assert_cmpstr (former, ==, "one");
  g_assert_cmpuint (test_database_number (f->url, UNTIL), >, 0);
  /* Whoever has it may give it back without a store. */
  g_assert_true (vend_db_release (db, &error));
  vend_db_close (db);
  g_assert_cmpuint (test_database_number (f->url, UNTIL), ==, 0);
}

static void
leave_behind (Fixture *f, const char *holder)
{
  vend_store_free (open_with (f, &(VendLease){ .length_us = LONG_US, .holder = holder }));
  test_database_number (f->url,
                        "UPDATE control_planes SET until_us = 9000000000000000 RETURNING 1");
}

static void
test_of_a_process_that_is_gone (Fixture *f, gconstpointer unused)
{
  leave_behind (f, "dead");
  const guint64 epoch = test_database_number (f->url, EPOCH);
  vend_store_free (open_with (f, &(VendLease){ .is_gone = is_dead }));
  g_assert_cmpuint (test_database_number (f->url, EPOCH), >, epoch);
}

static bool
give_up (const VendLeaseSeen *seen, void *data)
{
  g_assert_cmpstr (seen->holder, ==, "alive");
  return ++*(guint *) data < 3;
}

static void
test_waiting_can_be_stopped (Fixture *f, gconstpointer unused)
{
  guint looks = 0;
  g_autofree char *former = NULL;
  VendDb *db = NULL;
  g_autoptr (GError) error = NULL;
  leave_behind (f, "alive");
  const VendLease lease = { .is_gone = is_dead, .waits = give_up, .data = &looks };
  g_assert_false (vend_store_take (f->url, &lease, &db, &former, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CANCELED);
  g_assert_cmpuint (looks, ==, 3);
}

/* ---- Several that wait */

typedef struct
{
  Fixture *f;
  gint *looks;
  gint stops;
  VendDb *db;
} Waiter;

static bool
look_again (const VendLeaseSeen *seen, void *data)
{
  Waiter *waiter = data;
  g_atomic_int_inc (waiter->looks);
  g_usleep (POLL_US);
  return !g_atomic_int_get (&waiter->stops);
}

static void *
take_on_thread (void *data)
{
  Waiter *waiter = data;
  g_autofree char *former = NULL;
  g_autoptr (GError) error = NULL;
  const VendLease lease
      = { .length_us = LONG_US, .holder = "waiter", .waits = look_again, .data = waiter };
  if (!vend_store_take (waiter->f->url, &lease, &waiter->db, &former, &error))
    g_assert_error (error, VEND_ERROR, VEND_ERROR_CANCELED);
  return NULL;
}

static void
wait_for_looks (gint *looks, gint n)
{
  const gint until = g_atomic_int_get (looks) + n;
  while (g_atomic_int_get (looks) < until)
    g_usleep (POLL_US);
}

static void
test_one_of_several_gets_it (Fixture *f, gconstpointer unused)
{
  gint looks = 0;
  Waiter waiters[3];
  GThread *threads[3];
  guint n = 0;
  VendStore *store = open_with (f, &(VendLease){ .length_us = LONG_US });
  for (gsize i = 0; i < G_N_ELEMENTS (waiters); i++)
    {
      waiters[i] = (Waiter){ .f = f, .looks = &looks };
      threads[i] = g_thread_new ("waiter", take_on_thread, &waiters[i]);
    }
  wait_for_looks (&looks, 6);
  vend_store_free (store);
  /* Those that did not get it go on to look. */
  wait_for_looks (&looks, 20);
  for (gsize i = 0; i < G_N_ELEMENTS (waiters); i++)
    g_atomic_int_set (&waiters[i].stops, true);
  for (gsize i = 0; i < G_N_ELEMENTS (waiters); i++)
    {
      g_thread_join (threads[i]);
      n += waiters[i].db != NULL;
      vend_db_close (waiters[i].db);
    }
  g_assert_cmpuint (n, ==, 1);
}

/* ---- A database that goes away */

/* When all connections are lost, who has the lease keeps it, though its time is over. */
static void
test_outlasts_lost_connections (Fixture *f, gconstpointer unused)
{
  gint looks = 0;
  Waiter waiter = { .f = f, .looks = &looks };
  g_autoptr (GError) error = NULL;
  g_autoptr (VendStore) store = open_with (f, &(VendLease){ .length_us = LONG_US });
  const guint64 epoch = test_database_number (f->url, EPOCH);
  GThread *thread = g_thread_new ("waiter", take_on_thread, &waiter);
  wait_for_looks (&looks, 3);
  test_database_number (f->url,
                        "UPDATE control_planes SET until_us = 1 RETURNING "
                        "(SELECT COUNT(pg_terminate_backend (pid)) FROM pg_stat_activity "
                        "WHERE datname = current_database () AND pid <> pg_backend_pid ())");
  wait_for_looks (&looks, 5);
  g_assert_true (vend_store_write_wait (store, insert, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (test_database_number (f->url, EPOCH), ==, epoch);
  g_atomic_int_set (&waiter.stops, true);
  g_thread_join (thread);
  g_assert_null (waiter.db);
}

/* ---- Beside an older Vend */

#define OLDER \
  "ALTER TABLE control_planes DROP COLUMN until_us; " \
  "ALTER TABLE control_planes DROP COLUMN holder; " \
  "ALTER TABLE control_planes DROP COLUMN address; " \
  "ALTER TABLE control_planes DROP COLUMN writer_pid; " \
  "DROP TABLE moved_tables; DROP TABLE machines; " /* of later migrations */ \
  "DELETE FROM migrations WHERE number >= 27; " \
  "SELECT pg_advisory_lock (7311149093)"

/* One that keeps no lease has a lock; the tables are changed when it has ended. */
static void
test_follows_an_older_vend (Fixture *f, gconstpointer unused)
{
  gint looks = 0;
  Waiter waiter = { .f = f, .looks = &looks };
  vend_store_free (open_with (f, &(VendLease){ .length_us = LONG_US }));
  const guint64 epoch = test_database_number (f->url, EPOCH);
  PGconn *older = PQconnectdb (f->url);
  PGresult *result = PQexec (older, OLDER);
  g_assert_cmpint (PQresultStatus (result), ==, PGRES_TUPLES_OK);
  PQclear (result);
  GThread *thread = g_thread_new ("waiter", take_on_thread, &waiter);
  wait_for_looks (&looks, 5);
  g_assert_cmpuint (test_database_number (f->url, "SELECT MAX(number) FROM migrations"), <, 27);
  PQfinish (older);
  g_thread_join (thread);
  g_assert_nonnull (waiter.db);
  const VendStoreOptions options = { .path = f->url, .readers = 1, .taken = waiter.db };
  g_autoptr (VendStore) store = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_store_open (&options, &store, &error));
  g_assert_cmpuint (test_database_number (f->url, EPOCH), >, epoch);
  g_assert_cmpuint (test_database_number (f->url, UNTIL), >, 0);
  g_assert_cmpuint (test_database_number (f->url, LOCKS), >=, 1);
}

static void
test_refuses_a_newer_database (Fixture *f, gconstpointer unused)
{
  gint looks = 0;
  g_autofree char *former = NULL;
  VendDb *db = NULL;
  g_autoptr (GError) error = NULL;
  Waiter waiter = { .f = f, .looks = &looks };
  const VendLease lease = { .waits = look_again, .data = &waiter };
  leave_behind (f, "alive");
  test_database_number (f->url, "INSERT INTO migrations (number, applied_us) VALUES (9999, 1) "
                                "RETURNING 1");
  g_assert_false (vend_store_take (f->url, &lease, &db, &former, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CONFLICT);
  g_assert_nonnull (strstr (error->message, "use a newer vend"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lease/judge", test_judge);
  if (test_database_is_file ())
    return g_test_run ();
#define ADD(name, test) g_test_add ("/lease/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("idle", test_is_renewed_by_an_idle_server);
  ADD ("renewed", test_refuses_while_it_is_renewed);
  ADD ("stands-still", test_is_taken_from_one_that_stands_still);
  ADD ("given-back", test_is_given_back);
  ADD ("gone", test_of_a_process_that_is_gone);
  ADD ("stopped", test_waiting_can_be_stopped);
  ADD ("several", test_one_of_several_gets_it);
  ADD ("lost-connections", test_outlasts_lost_connections);
  ADD ("older", test_follows_an_older_vend);
  ADD ("newer", test_refuses_a_newer_database);
  return g_test_run ();
}
