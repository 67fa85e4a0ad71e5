/* Covers, and examples that come with the files of their model, in the store. */
#include "base/error.h"
#include "base/fd.h"
#include "model/file.h"
#include "store/accounts.h"
#include "store/audit.h"
#include "store/covers.h"
#include "store/examples.h"
#include "store/files.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/store.h"
#include "store/stored-bytes.h"
#include "support/test-database.h"

typedef struct
{
  char *dir;
  VendStore *store;
} Fixture;

static bool
add_model (VendDb *db, void *data, GError **error)
{
  VendAccount account = {
    .username = (char *) "lab", .name = (char *) "Lab", .type = (char *) "user", .created_us = 1
  };
  VendModel model = { .account_id = 1,
                      .owner = (char *) "lab",
                      .name = (char *) "echo",
                      .hardware = (char *) "cpu",
                      .description = (char *) "first",
                      .readme = (char *) "first",
                      .created_us = 1 };
  return vend_store_account_insert (db, &account, error)
         && vend_store_model_insert (db, &model, error);
}

static void
commit (Fixture *f, VendStoreJob job, void *data)
{
  g_autoptr (GError) error = NULL;
  bool good = vend_store_write_wait (f->store, job, data, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-store-XXXXXX", NULL);
  g_autofree char *path = test_database (f->dir);
  g_assert_true (
      vend_store_open (&(VendStoreOptions){ .path = path, .readers = 2 }, &f->store, &error));
  commit (f, add_model, NULL);
}

static void
seen_damage (const char *subject, const char *detail, int64_t number, void *data)
{
  g_test_message ("%s: %s", subject, detail);
  (*(int *) data)++;
}

static int
damage (Fixture *f)
{
  static const VendSql rules[]
      = { VEND_SQL_AUDIT_SHOWN,   VEND_SQL_AUDIT_STORED, VEND_SQL_AUDIT_OUTPUTS,
          VEND_SQL_AUDIT_RESULTS, VEND_SQL_AUDIT_USAGE,  VEND_SQL_AUDIT_TIMES };
  int n = 0;
  g_autoptr (GError) error = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      bool good = vend_store_audit_damage (reader.db, rules[i], 10, seen_damage, &n, &error);
      g_assert_no_error (error);
      g_assert_true (good);
    }
  return n;
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (damage (f), ==, 0);
  vend_store_free (f->store);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
}

static int64_t
stored (Fixture *f)
{
  int64_t bytes = -1;
  g_autoptr (GError) error = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_stored_bytes (reader.db, 1, &bytes, &error));
  return bytes;
}

static bool
is_used (Fixture *f, const char *sha256)
{
  bool used = false;
  g_autoptr (GError) error = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_blob_used (reader.db, sha256, &used, &error));
  return used;
}

static VendModel *
model_of (Fixture *f)
{
  VendModel *model = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_model_get (reader.db, 1, &model, &error));
  return model;
}

/* ---- Covers */

static VendCover
cover (const char *token, int64_t size)
{
  return (VendCover){ .model_id = 1,
                      .account_id = 1,
                      .token = (char *) token,
                      .name = (char *) "a b.png",
                      .content_type = (char *) "image/png",
                      .size = size,
                      .sha256 = (char *) token,
                      .created_us = 5 };
}

static bool
put_cover (VendDb *db, void *data, GError **error)
{
  const VendCover *row = data;
  g_autofree char *text = vend_cover_text (row);
  VendModel changes = { .id = 1, .cover_image_url = text };
  return vend_store_cover_put (db, row, 100, error)
         && vend_store_model_present (db, &changes, error);
}

static void
test_covers (Fixture *f, gconstpointer unused)
{
  VendCover one = cover ("one", 60), two = cover ("two", 70), large = cover ("large", 101);
  g_autoptr (GError) error = NULL;
  commit (f, put_cover, &one);
  commit (f, put_cover, &one);
  g_assert_cmpint (stored (f), ==, 60);
  g_assert_true (is_used (f, "one"));
  /* In the place of the first, which counts no more. */
  commit (f, put_cover, &two);
  g_assert_cmpint (stored (f), ==, 70);
  g_assert_false (is_used (f, "one"));
  {
    g_autoptr (VendCover) found = NULL;
    g_autoptr (VendCover) gone = NULL;
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_true (vend_store_cover_get (reader.db, "two", &found, &error));
    g_assert_cmpint (found->size, ==, 70);
    g_assert_cmpstr (found->name, ==, "a b.png");
    g_assert_cmpstr (found->content_type, ==, "image/png");
    g_assert_false (vend_store_cover_get (reader.db, "one", &gone, &error));
    g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
    g_clear_error (&error);
  }
  /* What is refused changes nothing. */
  g_assert_false (vend_store_write_wait (f->store, put_cover, &large, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
  g_assert_cmpint (stored (f), ==, 70);

  g_autoptr (VendModel) model = model_of (f);
  json_auto_t *shown = vend_model_to_json (model, NULL, NULL, "https://v");
  g_assert_cmpstr (vend_json_string (shown, "cover_image_url"), ==,
                   "https://v/v1/covers/two/a%20b.png");
  /* What the files do not name stays. */
  g_assert_cmpstr (model->description, ==, "first");
  g_assert_cmpstr (model->readme, ==, "first");
}

/* ---- Examples */

static VendPrediction *
example (const char *id, const char *version)
{
  VendPrediction *p = vend_prediction_new ();
  p->id = g_strdup (id);
  p->kind = VEND_KIND_EXAMPLE;
  p->account_id = 1;
  p->model_id = 1;
  p->model = g_strdup ("lab/echo");
  p->version = g_strdup (version);
  p->status = VEND_STATUS_SUCCEEDED;
  p->input = json_pack ("{s:s}", "text", id);
  p->output = json_string (id);
  p->metrics = json_pack ("{s:f}", "predict_time", 0.5);
  p->created_us = p->started_us = 10;
  p->completed_us = 20;
  p->attempt = 1;
  p->kept = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_output_free);
  VendOutput *file = g_new0 (VendOutput, 1);
  file->token = g_strconcat ("t-", id, NULL);
  file->prediction = g_strdup (id);
  file->name = g_strdup ("f");
  file->content_type = g_strdup ("text/plain");
  file->size = 10;
  file->sha256 = g_strconcat ("s-", id, NULL);
  file->created_us = 10;
  g_ptr_array_add (p->kept, file);
  return p;
}

static bool
push_rows (VendDb *db, void *data, GError **error)
{
  return vend_store_example_push (db, data, error);
}

/* "id id", of a version. */
static bool
push (Fixture *f, const char *ids, const char *version, uint64_t max_stored, GError **error)
{
  g_auto (GStrv) words = g_strsplit (ids, " ", -1);
  g_autoptr (GPtrArray) examples
      = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_prediction_free);
  for (gsize i = 0; words[i] != NULL; i++)
    g_ptr_array_add (examples, example (words[i], version));
  VendPushedExamples pushed
      = { .model_id = 1, .version = version, .examples = examples, .max_stored = max_stored };
  return vend_store_write_wait (f->store, push_rows, &pushed, error);
}

static bool
add_own (VendDb *db, void *data, GError **error)
{
  g_autoptr (VendPrediction) p = example (data, "v0");
  const VendRunUsage run = { .hardware = "cpu", .price = VEND_NO_PRICE, .run_us = 10, .billed = 1 };
  bool won = false;
  p->kind = VEND_KIND_PREDICTION;
  return vend_store_prediction_insert (db, p, error)
         && vend_store_prediction_complete (db, p, &won, error)
         && vend_store_usage_insert (db, p, &run, error)
         && vend_store_example_insert (db, 1, p->id, true, error);
}

static void
assert_examples (Fixture *f, const char *expected)
{
  g_autoptr (GPtrArray) examples = NULL;
  g_autoptr (GString) ids = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  int64_t place = 0;
  VendPage page = { .limit = VEND_MODEL_MAX_EXAMPLES };
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (
      vend_store_example_page (reader.db, 1, G_MININT64, &page, &examples, &place, &error));
  for (guint i = 0; i < examples->len; i++)
    {
      const VendPrediction *p = g_ptr_array_index (examples, i);
      g_string_append_printf (ids, "%s%s", i > 0 ? " " : "", p->id);
      g_assert_cmpstr (json_string_value (p->output), ==, p->id);
      g_assert_cmpfloat (vend_json_double (p->metrics, "predict_time", 0), ==, 0.5);
    }
  g_assert_cmpstr (ids->str, ==, expected);
  g_autoptr (VendModel) model = NULL;
  g_assert_true (vend_store_model_get (reader.db, 1, &model, &error));
  g_auto (GStrv) words = g_strsplit (expected, " ", 2);
  g_assert_cmpstr (model->default_example, ==, words[0]);
}

static bool
drop (VendDb *db, void *data, GError **error)
{
  return vend_store_example_delete (db, 1, data, error);
}

static bool
drop_model (VendDb *db, void *data, GError **error)
{
  return vend_store_model_delete (db, 1, error);
}

static void
test_examples (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (push (f, "a b", "v1", 0, &error));
  assert_examples (f, "a b");
  g_assert_cmpint (stored (f), ==, 20);
  commit (f, add_own, (void *) "own");
  assert_examples (f, "own a b");
  /* The same version: they stay, and come first again. */
  g_assert_true (push (f, "c d", "v1", 0, &error));
  assert_examples (f, "a b own");
  /* One that was deleted comes back with the others of its version. */
  commit (f, drop, (void *) "a");
  g_assert_cmpint (stored (f), ==, 20);
  g_assert_false (is_used (f, "s-a"));
  g_assert_true (push (f, "e f", "v1", 0, &error));
  assert_examples (f, "e f own");
  /* Another version: its examples replace the earlier ones, which are gone with all they had. */
  g_assert_true (push (f, "g", "v2", 25, &error));
  assert_examples (f, "g own");
  g_assert_cmpint (stored (f), ==, 20);
  g_assert_false (is_used (f, "s-e"));
  g_assert_true (is_used (f, "s-g"));
  g_assert_true (is_used (f, "s-own"));
  {
    g_autoptr (VendPrediction) gone = NULL;
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_false (vend_store_prediction_get (reader.db, "e", &gone, &error));
    g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
    g_clear_error (&error);
  }
  /* What is refused changes nothing. */
  g_assert_false (push (f, "h i", "v3", 25, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
  g_clear_error (&error);
  assert_examples (f, "g own");
  g_assert_cmpint (stored (f), ==, 20);

  commit (f, drop_model, NULL);
  g_assert_false (is_used (f, "s-g"));
  /* The other one ran, and is the account's as long as its data are. */
  g_assert_cmpint (stored (f), ==, 10);
}

static void
test_most (Fixture *f, gconstpointer unused)
{
  g_autoptr (GString) ids = g_string_new ("p0");
  g_autoptr (GError) error = NULL;
  for (int i = 1; i < VEND_MODEL_MAX_EXAMPLES - 1; i++)
    g_string_append_printf (ids, " p%d", i);
  commit (f, add_own, (void *) "own");
  g_assert_true (push (f, ids->str, "v1", 0, &error));
  g_autofree char *expected = g_strconcat (ids->str, " own", NULL);
  assert_examples (f, expected);
  g_string_append (ids, " more");
  g_assert_false (push (f, ids->str, "v2", 0, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  assert_examples (f, expected);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/store/covers", Fixture, NULL, set_up, test_covers, tear_down);
  g_test_add ("/store/pushed-examples", Fixture, NULL, set_up, test_examples, tear_down);
  g_test_add ("/store/most-examples", Fixture, NULL, set_up, test_most, tear_down);
  return g_test_run ();
}
