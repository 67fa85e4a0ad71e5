/* The outbox: what gets in, in which order it leaves, what is kept how long; and the signing keys.
 */
#include "base/error.h"
#include "base/fd.h"
#include "store/accounts.h"
#include "store/predictions.h"
#include "store/store.h"
#include "store/webhooks.h"
#include "support/test-database.h"
#include <sqlite3.h>
#include <string.h>

#define P1 "prediction-one"
#define P2 "prediction-two"
#define LANE_A "1/a.example"
#define LANE_B "1/b.example"

typedef struct
{
  char *dir;
  char *path;
  VendStore *store;
} Fixture;

static bool
insert_basics (VendDb *db, void *data, GError **error)
{
  static const char *const ids[] = { P1, P2 };
  VendAccount account
      = { .username = (char *) "ada", .name = (char *) "ada", .type = (char *) "user" };
  if (!vend_store_account_insert (db, &account, error))
    return false;
  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autoptr (VendPrediction) p = vend_prediction_new ();
      p->id = g_strdup (ids[i]);
      p->account_id = 1;
      p->model = g_strdup ("a/b");
      p->version = g_strdup ("v");
      p->input = json_object ();
      p->origin = g_strdup ("https://vend.example");
      if (!vend_store_prediction_insert (db, p, error))
        return false;
    }
  return true;
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-store-XXXXXX", NULL);
  f->path = test_database (f->dir);
  g_assert_true (
      vend_store_open (&(VendStoreOptions){ .path = f->path, .readers = 2 }, &f->store, &error));
  g_assert_true (vend_store_write_wait (f->store, insert_basics, NULL, &error));
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_store_free (f->store);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->path);
  g_free (f->dir);
}

/* ---- Short forms of the store functions */

static bool
insert_job (VendDb *db, void *data, GError **error)
{
  return vend_store_delivery_insert (db, data, error);
}

static void
insert (Fixture *f, const char *id, const char *prediction, VendWebhookEvent event,
        const char *lane, int64_t at_us)
{
  g_autoptr (GError) error = NULL;
  VendDelivery delivery = { .id = (char *) id,
                            .account_id = 1,
                            .prediction = (char *) prediction,
                            .event = event,
                            .url = (char *) "https://a.example/",
                            .lane = (char *) lane,
                            .created_us = at_us,
                            .body = (char *) "{\"a\":1}" };
  g_assert_true (vend_store_write_wait (f->store, insert_job, &delivery, &error));
}

static bool
tried_job (VendDb *db, void *data, GError **error)
{
  return vend_store_delivery_tried (db, data, error);
}

static void
tried (Fixture *f, const char *id, VendDeliveryState state, int64_t due_us, int64_t ended_us)
{
  g_autoptr (GError) error = NULL;
  VendDelivery delivery = { .id = (char *) id,
                            .state = state,
                            .tries = 1,
                            .last_status = 500,
                            .last_error = (char *) "no",
                            .due_us = due_us,
                            .ended_us = ended_us };
  g_assert_true (vend_store_write_wait (f->store, tried_job, &delivery, &error));
}

static char *
join_ids (GPtrArray *deliveries)
{
  g_autoptr (GString) ids = g_string_new (NULL);
  for (guint i = 0; i < deliveries->len; i++)
    g_string_append_printf (ids, "%s%s", i > 0 ? " " : "",
                            ((const VendDelivery *) g_ptr_array_index (deliveries, i))->id);
  return g_string_free (g_steal_pointer (&ids), FALSE);
}

static void
assert_due (Fixture *f, const char *lane, int64_t now_us, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) due = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_delivery_due (reader.db, lane, now_us, 10, &due, &error));
  g_autofree char *ids = join_ids (due);
  g_assert_cmpstr (ids, ==, expected);
}

static void
assert_listed (Fixture *f, int state, const char *before, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) page = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_delivery_page (reader.db, 1, state, before, &(VendPage){ .limit = 10 },
                                           &page, &error));
  g_autofree char *ids = join_ids (page);
  g_assert_cmpstr (ids, ==, expected);
}

/* ---- Deliveries */

static void
test_what_gets_in (Fixture *f, gconstpointer unused)
{
  insert (f, "msg_1", "nobody", VEND_WEBHOOK_COMPLETED, LANE_A, 1);
  assert_listed (f, -1, NULL, "");
  insert (f, "msg_2", P1, VEND_WEBHOOK_START, LANE_A, 2);
  insert (f, "msg_3", P1, VEND_WEBHOOK_START, LANE_A, 3);
  insert (f, "msg_4", P2, VEND_WEBHOOK_START, LANE_A, 4);
  assert_listed (f, -1, NULL, "msg_4 msg_2");
  assert_listed (f, -1, "msg_4", "msg_2");
  assert_listed (f, VEND_DELIVERY_PENDING, NULL, "msg_4 msg_2");
  assert_listed (f, VEND_DELIVERY_DEAD, NULL, "");

  g_autoptr (GError) error = NULL;
  g_autoptr (VendDelivery) delivery = NULL;
  g_autofree char *body = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_delivery_get (reader.db, "msg_2", &delivery, &error));
  g_assert_cmpint (delivery->event, ==, VEND_WEBHOOK_START);
  g_assert_cmpint (delivery->size, ==, 7);
  g_assert_cmpint (delivery->due_us, ==, 2);
  g_assert_true (vend_store_delivery_body (reader.db, "msg_2", &body, &error));
  g_assert_cmpstr (body, ==, "{\"a\":1}");
  g_autoptr (VendPrediction) prediction = NULL;
  g_assert_true (vend_store_prediction_get (reader.db, P1, &prediction, &error));
  g_assert_cmpstr (prediction->origin, ==, "https://vend.example");
}

static void
test_order (Fixture *f, gconstpointer unused)
{
  insert (f, "msg_1", P1, VEND_WEBHOOK_START, LANE_A, 1);
  insert (f, "msg_2", P1, VEND_WEBHOOK_COMPLETED, LANE_A, 2);
  insert (f, "msg_3", P2, VEND_WEBHOOK_COMPLETED, LANE_A, 3);
  assert_due (f, LANE_A, 9, "msg_1 msg_3");
  assert_due (f, LANE_A, 2, "msg_1");
  assert_due (f, LANE_B, 9, "");
  tried (f, "msg_1", VEND_DELIVERY_DROPPED, 0, 5);
  assert_due (f, LANE_A, 9, "msg_2 msg_3");
  tried (f, "msg_2", VEND_DELIVERY_PENDING, 20, 0);
  assert_due (f, LANE_A, 9, "msg_3");
  assert_due (f, LANE_A, 20, "msg_3 msg_2");

  g_autoptr (GError) error = NULL;
  int64_t next_us = 0;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_delivery_next_due (reader.db, 9, &next_us, &error));
  g_assert_cmpint (next_us, ==, 20);
  g_assert_true (vend_store_delivery_next_due (reader.db, 20, &next_us, &error));
  g_assert_cmpint (next_us, ==, 0);
}

static void
test_lanes (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL, *second = NULL, *none = NULL;
  insert (f, "msg_1", P1, VEND_WEBHOOK_COMPLETED, LANE_B, 1);
  insert (f, "msg_2", P2, VEND_WEBHOOK_COMPLETED, LANE_A, 2);
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_delivery_next_lane (reader.db, "", &first, &error));
  g_assert_cmpstr (first, ==, LANE_A);
  g_assert_true (vend_store_delivery_next_lane (reader.db, first, &second, &error));
  g_assert_cmpstr (second, ==, LANE_B);
  g_assert_true (vend_store_delivery_next_lane (reader.db, second, &none, &error));
  g_assert_null (none);
}

static bool
supersede_job (VendDb *db, void *data, GError **error)
{
  return vend_store_delivery_supersede (db, data, error);
}

static void
test_supersede (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  insert (f, "msg_1", P1, VEND_WEBHOOK_START, LANE_A, 1);
  insert (f, "msg_2", P1, VEND_WEBHOOK_OUTPUT, LANE_A, 2);
  insert (f, "msg_3", P1, VEND_WEBHOOK_LOGS, LANE_A, 3);
  insert (f, "msg_4", P2, VEND_WEBHOOK_OUTPUT, LANE_A, 4);
  insert (f, "msg_5", P1, VEND_WEBHOOK_OUTPUT, LANE_A, 5);
  tried (f, "msg_2", VEND_DELIVERY_DELIVERED, 0, 9);
  g_assert_true (vend_store_write_wait (f->store, supersede_job, (void *) P1, &error));
  assert_listed (f, -1, NULL, "msg_4 msg_2 msg_1");
}

static bool
replay_job (VendDb *db, void *data, GError **error)
{
  return vend_store_delivery_replay (db, data, 77, error);
}

static void
test_bodies_go_and_dead_ones_come_back (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  insert (f, "msg_1", P1, VEND_WEBHOOK_COMPLETED, LANE_A, 1);
  insert (f, "msg_2", P2, VEND_WEBHOOK_COMPLETED, LANE_A, 2);
  tried (f, "msg_1", VEND_DELIVERY_DELIVERED, 0, 5);
  tried (f, "msg_2", VEND_DELIVERY_DEAD, 0, 5);
  /* An answer that comes late changes nothing. */
  tried (f, "msg_1", VEND_DELIVERY_DEAD, 0, 6);
  assert_listed (f, VEND_DELIVERY_DEAD, NULL, "msg_2");
  assert_due (f, LANE_A, 99, "");

  g_assert_false (vend_store_write_wait (f->store, replay_job, (void *) "msg_1", &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (vend_store_write_wait (f->store, replay_job, (void *) "msg_2", &error));
  assert_due (f, LANE_A, 76, "");
  assert_due (f, LANE_A, 77, "msg_2");
  g_autofree char *body = NULL, *gone = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_delivery_body (reader.db, "msg_2", &body, &error));
  g_assert_cmpstr (body, ==, "{\"a\":1}");
  g_assert_false (vend_store_delivery_body (reader.db, "msg_1", &gone, &error));

  if (!test_database_is_file ())
    return;
  sqlite3 *raw = NULL;
  sqlite3_stmt *stmt = NULL;
  g_assert_cmpint (sqlite3_open (f->path, &raw), ==, SQLITE_OK);
  sqlite3_prepare_v2 (raw, "SELECT body FROM webhook_deliveries WHERE id = 'msg_1'", -1, &stmt,
                      NULL);
  g_assert_cmpint (sqlite3_step (stmt), ==, SQLITE_ROW);
  g_assert_cmpstr ((const char *) sqlite3_column_text (stmt, 0), ==, "");
  sqlite3_finalize (stmt);
  sqlite3_close (raw);
}

typedef struct
{
  VendDeliveryState state;
  int64_t before_us;
  int64_t n;
} Expiry;

static bool
expire_job (VendDb *db, void *data, GError **error)
{
  Expiry *expiry = data;
  return vend_store_delivery_expire (db, expiry->state, expiry->before_us, 10, &expiry->n, error);
}

static bool
trim_job (VendDb *db, void *data, GError **error)
{
  return vend_store_delivery_trim_dead (db, 1, 2, 10, error);
}

static void
test_what_is_kept (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  Expiry expiry = { VEND_DELIVERY_DELIVERED, 6, 0 };
  for (guint i = 1; i <= 6; i++)
    {
      g_autofree char *id = g_strdup_printf ("msg_%u", i);
      insert (f, id, P1, VEND_WEBHOOK_COMPLETED, LANE_A, i);
      tried (f, id, i <= 2 ? VEND_DELIVERY_DELIVERED : VEND_DELIVERY_DEAD, 0, 4 + i);
    }
  g_assert_true (vend_store_write_wait (f->store, expire_job, &expiry, &error));
  g_assert_cmpint (expiry.n, ==, 1);
  assert_listed (f, -1, NULL, "msg_6 msg_5 msg_4 msg_3 msg_2");
  g_assert_true (vend_store_write_wait (f->store, trim_job, NULL, &error));
  assert_listed (f, -1, NULL, "msg_6 msg_5 msg_2");
  expiry = (Expiry){ VEND_DELIVERY_DEAD, 10, 0 };
  g_assert_true (vend_store_write_wait (f->store, expire_job, &expiry, &error));
  assert_listed (f, -1, NULL, "msg_6 msg_2");
}

/* ---- Signing keys */

typedef struct
{
  const char *secret;
  int64_t now_us;
} Put;

static bool
put_job (VendDb *db, void *data, GError **error)
{
  const Put *put = data;
  return vend_store_webhook_secret_put (db, 1, put->secret, put->now_us, put->now_us + 100, error);
}

static void
assert_secrets (Fixture *f, int64_t now_us, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) secrets = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_webhook_secrets (reader.db, 1, now_us, &secrets, &error));
  for (guint i = 0; i < secrets->len; i++)
    g_string_append (text, ((const VendWebhookSecret *) g_ptr_array_index (secrets, i))->secret);
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_secrets (Fixture *f, gconstpointer unused)
{
  static const Put puts[] = { { "a", 10 }, { "b", 20 }, { "c", 30 }, { "d", 40 }, { "e", 50 } };
  g_autoptr (GError) error = NULL;
  assert_secrets (f, 5, "");
  for (gsize i = 0; i < G_N_ELEMENTS (puts); i++)
    g_assert_true (vend_store_write_wait (f->store, put_job, (void *) &puts[i], &error));
  /* The oldest ended early: there is a limit. */
  assert_secrets (f, 51, "edcb");
  assert_secrets (f, 131, "edc");
  assert_secrets (f, 10000, "e");
}

/* ---- Indexes */

static void
test_no_scans (Fixture *f, gconstpointer unused)
{
  static const VendSql queries[] = {
    VEND_SQL_DELIVERY_INSERT,       VEND_SQL_DELIVERY_SUPERSEDE,     VEND_SQL_DELIVERY_GET,
    VEND_SQL_DELIVERY_BODY,         VEND_SQL_DELIVERY_NEXT_LANE,     VEND_SQL_DELIVERY_DUE,
    VEND_SQL_DELIVERY_NEXT_DUE,     VEND_SQL_DELIVERY_TRIED,         VEND_SQL_DELIVERY_REPLAY,
    VEND_SQL_DELIVERY_PAGE,         VEND_SQL_DELIVERY_PAGE_OF_STATE, VEND_SQL_DELIVERY_EXPIRE,
    VEND_SQL_DELIVERY_TRIM_DEAD,    VEND_SQL_WEBHOOK_SECRET_LIST,    VEND_SQL_WEBHOOK_SECRET_RETIRE,
    VEND_SQL_WEBHOOK_SECRET_FORGET,
  };
  if (!test_database_is_file ())
    {
      g_test_skip ("the plans of SQLite");
      return;
    }
  sqlite3 *raw = NULL;
  g_assert_cmpint (sqlite3_open (f->path, &raw), ==, SQLITE_OK);
  for (gsize i = 0; i < G_N_ELEMENTS (queries); i++)
    {
      g_autofree char *text = g_strconcat ("EXPLAIN QUERY PLAN ",
                                           vend_sql_text (VEND_DIALECT_SQLITE, queries[i]), NULL);
      sqlite3_stmt *stmt = NULL;
      g_assert_cmpint (sqlite3_prepare_v2 (raw, text, -1, &stmt, NULL), ==, SQLITE_OK);
      while (sqlite3_step (stmt) == SQLITE_ROW)
        {
          const char *step = (const char *) sqlite3_column_text (stmt, 3);
          g_test_message ("%s: %s", vend_sql_name (queries[i]), step);
          /* An account has a handful of keys; those may be sorted. */
          bool is_small = queries[i] >= VEND_SQL_WEBHOOK_SECRET_LIST;
          if ((strstr (step, "TEMP B-TREE") != NULL && !is_small)
              || (strstr (step, "SCAN ") != NULL && strstr (step, "CONSTANT ROW") == NULL))
            g_error ("%s: %s", vend_sql_name (queries[i]), step);
        }
      sqlite3_finalize (stmt);
    }
  sqlite3_close (raw);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add ("/webhooks/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("what-gets-in", test_what_gets_in);
  ADD ("order", test_order);
  ADD ("lanes", test_lanes);
  ADD ("supersede", test_supersede);
  ADD ("bodies-and-replay", test_bodies_go_and_dead_ones_come_back);
  ADD ("what-is-kept", test_what_is_kept);
  ADD ("secrets", test_secrets);
  ADD ("no-scans", test_no_scans);
  return g_test_run ();
}
