/* Decisions in the store: order, filters, pages, and that the oldest leave first. */
#include "base/error.h"
#include "base/fd.h"
#include "store/decisions.h"
#include "store/store.h"
#include "support/test-database.h"

typedef struct
{
  char *dir;
  VendStore *store;
} Fixture;

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-decisions-XXXXXX", NULL);
  g_autofree char *path = test_database (f->dir);
  g_assert_true (
      vend_store_open (&(VendStoreOptions){ .path = path, .readers = 2 }, &f->store, &error));
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_store_free (f->store);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
}

static bool
insert (VendDb *db, void *data, GError **error)
{
  return vend_store_decision_insert (db, data, error);
}

/* At second `at`: of lab/a and lab/b in turn; every third is about a prediction. */
static void
add (Fixture *f, guint at)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *inputs = json_pack ("{s:i}", "at", (int) at);
  VendDecision decision = { .at_us = at * 1000000,
                            .kind = VEND_DECISION_STOP,
                            .model = (char *) (at % 2 == 0 ? "lab/a" : "lab/b"),
                            .version = (char *) "v",
                            .instance = (char *) "i",
                            .prediction = (char *) (at % 3 == 0 ? "p" : NULL),
                            .sentence = (char *) "a sentence",
                            .inputs = inputs };
  g_assert_true (vend_store_write_wait (f->store, insert, &decision, &error));
}

static GPtrArray *
page (Fixture *f, const VendDecisionPage *wanted, guint limit)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *found = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (
      vend_store_decision_page (reader.db, wanted, &(VendPage){ .limit = limit }, &found, &error));
  return found;
}

static int64_t
id_at (const GPtrArray *list, guint i)
{
  return ((const VendDecision *) g_ptr_array_index (list, i))->id;
}

static void
test_pages (Fixture *f, gconstpointer unused)
{
  for (guint at = 1; at <= 10; at++)
    add (f, at);
  g_autoptr (GPtrArray) all
      = page (f, &(VendDecisionPage){ .before_us = G_MAXINT64, .before_id = 0 }, 4);
  g_assert_cmpuint (all->len, ==, 4);
  g_assert_cmpint (id_at (all, 0), ==, 10);
  const VendDecision *first = g_ptr_array_index (all, 0);
  g_assert_cmpint (first->kind, ==, VEND_DECISION_STOP);
  g_assert_cmpstr (first->sentence, ==, "a sentence");
  g_assert_cmpint (vend_json_int (first->inputs, "at", 0), ==, 10);
  g_assert_null (first->deployment);
  g_autoptr (GPtrArray) next
      = page (f, &(VendDecisionPage){ .before_us = 7000000, .before_id = 7 }, 4);
  g_assert_cmpint (id_at (next, 0), ==, 6);
  g_autoptr (GPtrArray) some = page (
      f, &(VendDecisionPage){ .model = "lab/a", .before_us = G_MAXINT64, .since_us = 6000000 }, 10);
  g_assert_cmpuint (some->len, ==, 3);
  g_assert_cmpint (id_at (some, 2), ==, 6);
}

static void
test_of_one (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) own = NULL;
  g_autoptr (GPtrArray) instance = NULL;
  g_autoptr (GPtrArray) during = NULL;
  for (guint at = 1; at <= 10; at++)
    add (f, at);
  g_auto (VendReader) reader = vend_reader (f->store);
  const VendDecisionSpan span
      = { .model = "lab/a", .version = "v", .from_us = 2000000, .to_us = 8000000, .limit = 10 };
  g_assert_true (vend_store_decision_of_prediction (reader.db, "p", 10, &own, &error));
  g_assert_true (vend_store_decision_of_instance (reader.db, "i", 10, &instance, &error));
  g_assert_true (vend_store_decision_during (reader.db, &span, &during, &error));
  g_assert_cmpuint (own->len, ==, 3);
  g_assert_cmpint (id_at (own, 0), ==, 3);
  g_assert_cmpuint (instance->len, ==, 7);
  /* 2, 4, 8; 6 is about a prediction. */
  g_assert_cmpuint (during->len, ==, 3);
}

static guint removed;

static bool
expire (VendDb *db, void *data, GError **error)
{
  return vend_store_decision_expire (db, 4000000, 2, &removed, error);
}

static bool
trim (VendDb *db, void *data, GError **error)
{
  return vend_store_decision_trim (db, 3, 100, &removed, error);
}

static void
test_bounds (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  for (guint at = 1; at <= 10; at++)
    add (f, at);
  g_assert_true (vend_store_write_wait (f->store, expire, NULL, &error));
  g_assert_cmpuint (removed, ==, 2);
  g_assert_true (vend_store_write_wait (f->store, expire, NULL, &error));
  g_assert_cmpuint (removed, ==, 1);
  g_assert_true (vend_store_write_wait (f->store, trim, NULL, &error));
  g_assert_cmpuint (removed, ==, 4);
  g_autoptr (GPtrArray) left = page (f, &(VendDecisionPage){ .before_us = G_MAXINT64 }, 100);
  g_assert_cmpuint (left->len, ==, 3);
  g_assert_cmpint (id_at (left, 2), ==, 8);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/decisions/pages", Fixture, NULL, set_up, test_pages, tear_down);
  g_test_add ("/decisions/of-one", Fixture, NULL, set_up, test_of_one, tear_down);
  g_test_add ("/decisions/bounds", Fixture, NULL, set_up, test_bounds, tear_down);
  return g_test_run ();
}
