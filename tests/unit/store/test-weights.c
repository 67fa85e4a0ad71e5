/* Versions of trainings in the store: what they hold, share and leave. */
#include "base/error.h"
#include "base/fd.h"
#include "store/accounts.h"
#include "store/files.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/store.h"
#include "store/stored-bytes.h"
#include "store/weights.h"
#include "support/test-database.h"

#define BASE "1111111111111111111111111111111111111111111111111111111111111111"
#define SHA "3333333333333333333333333333333333333333333333333333333333333333"

typedef struct
{
  char *dir;
  VendStore *store;
} Fixture;

static VendVersion *
a_version (const char *id, int64_t model_id)
{
  VendVersion *version = g_new0 (VendVersion, 1);
  version->id = g_strdup (id);
  version->model_id = model_id;
  version->cog_version = g_strdup ("0");
  version->openapi = json_object ();
  version->launch = json_pack ("{s:s}", "venv", "k");
  version->manifest = json_object ();
  version->source_sha256 = g_strdup ("aa");
  version->created_us = 10;
  return version;
}

static const VendWeights weights = { (char *) "w.bin", 7, (char *) SHA };

/* Models 1 (trained, with BASE) and 2 (the destination). */
static bool
add_rows (VendDb *db, void *data, GError **error)
{
  VendAccount account = {
    .username = (char *) "lab", .name = (char *) "Lab", .type = (char *) "user", .created_us = 1
  };
  VendModel model = { .account_id = 1,
                      .owner = (char *) "lab",
                      .name = (char *) "base",
                      .is_private = true,
                      .hardware = (char *) "cpu",
                      .created_us = 1 };
  VendModel tuned = model;
  tuned.name = (char *) "tuned";
  g_autoptr (VendVersion) base = a_version (BASE, 1);
  return vend_store_account_insert (db, &account, error)
         && vend_store_model_insert (db, &model, error)
         && vend_store_model_insert (db, &tuned, error) && vend_store_version_put (db, base, error);
}

static VendVersion *
trained (int64_t created_us)
{
  g_autoptr (VendVersion) base = a_version (BASE, 1);
  VendVersion *version = vend_version_trained (base, &weights);
  version->model_id = 2;
  version->training = g_strdup ("t");
  version->created_us = created_us;
  return version;
}

static bool
put_trained (VendDb *db, void *data, GError **error)
{
  return vend_store_version_put_trained (db, data, &weights, error);
}

static void
commit (Fixture *f, VendStoreJob job, void *data)
{
  g_autoptr (GError) error = NULL;
  const bool good = vend_store_write_wait (f->store, job, data, &error);
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
  commit (f, add_rows, NULL);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_store_free (f->store);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
}

typedef struct
{
  int64_t stored;
  bool is_content_used;
  bool is_folder_used;
  char *latest;
} State;

static void
look (Fixture *f, State *state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendModel) model = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_stored_bytes (reader.db, 1, &state->stored, &error));
  g_assert_true (vend_store_blob_used (reader.db, SHA, &state->is_content_used, &error));
  g_assert_true (vend_store_version_id_used (reader.db, BASE, &state->is_folder_used, &error));
  g_assert_true (vend_store_model_get (reader.db, 2, &model, &error));
  g_free (state->latest);
  state->latest = g_strdup (model->latest_version);
}

static bool
delete_version (VendDb *db, void *data, GError **error)
{
  const VendVersion *version = data;
  return vend_store_version_delete (db, version->model_id, version->id, error);
}

static void
test_life (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendVersion) version = trained (20), again = trained (40);
  g_autoptr (VendVersion) pushed = a_version ("p", 2), base = a_version (BASE, 1);
  g_autoptr (VendVersion) read = NULL;
  g_autoptr (GPtrArray) held = NULL;
  State state = { 0 };
  commit (f, put_trained, version);
  look (f, &state);
  g_assert_cmpint (state.stored, ==, 7);
  g_assert_true (state.is_content_used);
  g_assert_cmpstr (state.latest, ==, version->id);
  {
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_true (vend_store_version_get (reader.db, 2, version->id, &read, &error));
    g_assert_true (vend_store_weights_of (reader.db, 2, version->id, &held, &error));
  }
  g_assert_cmpstr (read->base, ==, BASE);
  g_assert_cmpstr (read->source, ==, BASE);
  g_assert_cmpstr (read->training, ==, "t");
  g_assert_cmpuint (held->len, ==, 1);
  g_assert_cmpstr (((const VendWeights *) g_ptr_array_index (held, 0))->name, ==, "w.bin");

  /* The same once more: nothing is counted twice, and it is the latest again. */
  pushed->created_us = 30;
  {
    bool good = vend_store_write_wait (f->store, put_trained, pushed, &error);
    g_assert_true (good);
  }
  look (f, &state);
  g_assert_cmpint (state.stored, ==, 14);
  g_assert_cmpstr (state.latest, ==, "p");
  commit (f, delete_version, pushed);
  commit (f, put_trained, again);
  look (f, &state);
  g_assert_cmpint (state.stored, ==, 7);
  g_assert_cmpstr (state.latest, ==, version->id);

  /* The base goes, and its folder stays as long as it is used. */
  commit (f, delete_version, base);
  look (f, &state);
  g_assert_true (state.is_folder_used);
  commit (f, delete_version, version);
  look (f, &state);
  g_assert_false (state.is_folder_used);
  g_assert_false (state.is_content_used);
  g_assert_cmpint (state.stored, ==, 0);
  g_assert_null (state.latest);
  g_free (state.latest);
}

/* A push of the source must find the version that was pushed. */
static void
test_not_found_by_source (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendVersion) version = trained (20), found = NULL;
  commit (f, put_trained, version);
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_false (vend_store_version_by_source (reader.db, 2, "aa", &found, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
}

static bool
add_training (VendDb *db, void *data, GError **error)
{
  g_autoptr (VendPrediction) p = vend_prediction_new ();
  p->id = g_strdup ("t");
  p->kind = VEND_KIND_TRAINING;
  p->account_id = 1;
  p->model_id = 1;
  p->model = g_strdup ("lab/base");
  p->version = g_strdup (BASE);
  p->input = json_object ();
  p->destination = 2;
  return vend_store_prediction_insert (db, p, error);
}

static bool
delete_destination (VendDb *db, void *data, GError **error)
{
  return vend_store_model_delete (db, 2, error);
}

static int64_t
destination_of (Fixture *f, const char *training)
{
  g_autoptr (GError) error = NULL;
  int64_t destination = -1;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_training_destination (reader.db, training, &destination, &error));
  return destination;
}

static void
test_destination (Fixture *f, gconstpointer unused)
{
  commit (f, add_training, NULL);
  g_assert_cmpint (destination_of (f, "t"), ==, 2);
  g_assert_cmpint (destination_of (f, "unknown"), ==, 0);
  commit (f, delete_destination, NULL);
  g_assert_cmpint (destination_of (f, "t"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/store/weights/life", Fixture, NULL, set_up, test_life, tear_down);
  g_test_add ("/store/weights/not-found-by-source", Fixture, NULL, set_up, test_not_found_by_source,
              tear_down);
  g_test_add ("/store/weights/destination", Fixture, NULL, set_up, test_destination, tear_down);
  return g_test_run ();
}
