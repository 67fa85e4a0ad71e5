/* What a create meets and leaves in the store: whose version it is, whether that is there still,
 * and the contents of its input files, which are in use until it ends. */
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "store/accounts.h"
#include "store/files.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/store.h"
#include "store/stored-bytes.h"
#include "support/test-database.h"
#include <string.h>

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define MOST 1000 /* bytes of files */
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

typedef struct
{
  char *dir;
  VendStore *store;
} Fixture;

static void
open_store (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = test_database (f->dir);
  g_assert_true (
      vend_store_open (&(VendStoreOptions){ .path = path, .readers = 2 }, &f->store, &error));
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  f->dir = g_dir_make_tmp ("vend-inputs-XXXXXX", NULL);
  open_store (f);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_store_free (f->store);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
}

static VendPrediction *
prediction_new (json_t *take_files)
{
  VendPrediction *p = vend_prediction_new ();
  p->id = vend_id_new ();
  p->account_id = 1;
  p->model_id = 1;
  p->model = g_strdup ("lab/image");
  p->version = g_strdup ("v");
  p->input = json_object ();
  p->files = take_files;
  p->created_us = 1000;
  return p;
}

static bool
insert (VendDb *db, void *data, GError **error)
{
  return vend_store_prediction_insert (db, data, error);
}

static bool
complete (VendDb *db, void *data, GError **error)
{
  bool won = false;
  return vend_store_prediction_complete (db, data, &won, error) && won;
}

static void
end (Fixture *f, VendPrediction *p)
{
  g_autoptr (GError) error = NULL;
  p->status = VEND_STATUS_CANCELED;
  p->completed_us = 2000;
  g_assert_true (vend_store_write_wait (f->store, complete, p, &error));
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

static void
test_until_the_end (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  /* The same content twice, and one that lies elsewhere. */
  g_autoptr (VendPrediction) p
      = prediction_new (json_pack ("[{s:[s], s:s}, {s:[s], s:s}, {s:[s], s:s}, {s:[s], s:s}]", "at",
                                   "a", "sha256", ONE, "at", "b", "sha256", ONE, "at", "c",
                                   "sha256", TWO, "at", "d", "url", "https://elsewhere.example/x"));
  g_autoptr (VendPrediction) other
      = prediction_new (json_pack ("[{s:[s], s:s}]", "at", "a", "sha256", TWO));
  g_assert_false (is_used (f, ONE));
  g_assert_true (vend_store_write_wait (f->store, insert, p, &error));
  g_assert_true (vend_store_write_wait (f->store, insert, other, &error));
  g_assert_true (is_used (f, ONE));
  g_assert_true (is_used (f, TWO));
  end (f, p);
  g_assert_false (is_used (f, ONE));
  g_assert_true (is_used (f, TWO));
  end (f, other);
  g_assert_false (is_used (f, TWO));
}

static bool
forget_migration (VendDb *db, void *data, GError **error)
{
  return vend_db_exec (db, "DROP TABLE prediction_inputs; DELETE FROM migrations WHERE number = 11",
                       error);
}

/* Predictions of the release before wait with paths only. */
static void
test_of_an_older_database (Fixture *f, gconstpointer unused)
{
  if (!test_database_is_file ())
    {
      g_test_skip ("there was no older one of this kind");
      return;
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (VendPrediction) p = prediction_new (json_pack (
      "[{s:[s], s:s}, {s:[s], s:s}, {s:[s], s:s}]", "at", "a", "path", "/data/blobs/11/" ONE, "at",
      "b", "path", "/data/blobs/11/" ONE, "at", "path", "url", "https://elsewhere.example/x"));
  g_autoptr (VendPrediction) ended
      = prediction_new (json_pack ("[{s:[s], s:s}]", "at", "a", "path", "/data/blobs/22/" TWO));
  g_autoptr (VendPrediction) without = prediction_new (NULL);
  g_assert_true (vend_store_write_wait (f->store, insert, p, &error));
  g_assert_true (vend_store_write_wait (f->store, insert, ended, &error));
  g_assert_true (vend_store_write_wait (f->store, insert, without, &error));
  end (f, ended);
  g_assert_true (vend_store_write_wait (f->store, forget_migration, NULL, &error));
  vend_store_free (f->store);
  open_store (f);
  g_assert_true (is_used (f, ONE));
  g_assert_false (is_used (f, TWO));
  end (f, p);
  g_assert_false (is_used (f, ONE));
}

/* ---- What a create meets in its transaction */

static bool
insert_account (VendDb *db, void *data, GError **error)
{
  return vend_store_account_insert (db, data, error);
}

static bool
insert_model (VendDb *db, void *data, GError **error)
{
  return vend_store_model_insert (db, data, error);
}

static int64_t
account_new (Fixture *f, const char *name)
{
  g_autoptr (GError) error = NULL;
  char *text = (char *) name;
  VendAccount account = { .username = text, .name = text, .type = text, .created_us = 1 };
  g_assert_true (vend_store_write_wait (f->store, insert_account, &account, &error));
  return account.id;
}

static int64_t
model_new (Fixture *f, int64_t account_id, const char *name, bool is_private)
{
  g_autoptr (GError) error = NULL;
  char *text = (char *) name;
  VendModel model = { .account_id = account_id,
                      .owner = text,
                      .name = text,
                      .is_private = is_private,
                      .hardware = text,
                      .created_us = 1 };
  g_assert_true (vend_store_write_wait (f->store, insert_model, &model, &error));
  return model.id;
}

static VendVersion
version_of (int64_t model_id, json_t *empty)
{
  return (VendVersion){ .id = (char *) "v",
                        .model_id = model_id,
                        .cog_version = (char *) "",
                        .openapi = empty,
                        .launch = empty,
                        .manifest = empty,
                        .source_sha256 = (char *) ONE,
                        .created_us = 1 };
}

static bool
create (VendDb *db, void *data, GError **error)
{
  return vend_store_prediction_create (db, data, MOST, error);
}

static bool
put_version (VendDb *db, void *data, GError **error)
{
  return vend_store_version_put (db, data, error);
}

static bool
delete_version (VendDb *db, void *data, GError **error)
{
  const VendVersion *version = data;
  return vend_store_version_delete (db, version->model_id, version->id, error);
}

static bool
is_stored (Fixture *f, const VendPrediction *p)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendPrediction) found = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  return vend_store_prediction_get (reader.db, p->id, &found, &error);
}

/* The create has seen the version; the deletion has seen no open prediction of it. */
static void
test_version_deleted_meanwhile (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *empty = json_object ();
  VendVersion version = version_of (model_new (f, account_new (f, "lab"), "image", true), empty);
  g_assert_true (vend_store_write_wait (f->store, put_version, &version, &error));
  g_autoptr (VendPrediction) first = prediction_new (NULL);
  g_autoptr (VendPrediction) late
      = prediction_new (json_pack ("[{s:[s], s:s}]", "at", "a", "sha256", TWO));
  first->model_id = late->model_id = version.model_id;
  late->idempotency_key = g_new0 (VendIdempotencyKey, 1);
  late->idempotency_key->text = g_strdup ("again");
  late->idempotency_key->digest = g_strdup (ONE);
  g_assert_true (vend_store_write_wait (f->store, create, first, &error));
  end (f, first);
  g_assert_true (vend_store_write_wait (f->store, delete_version, &version, &error));
  g_assert_false (vend_store_write_wait (f->store, create, late, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, "the version v of lab/image was deleted");
  g_clear_error (&error);
  g_assert_false (is_stored (f, late));
  g_assert_false (is_used (f, TWO));

  /* Pushed again, it takes the same create; its key was not spent. */
  {
    g_autoptr (VendPrediction) again = vend_prediction_copy (late);
    g_assert_true (vend_store_write_wait (f->store, put_version, &version, &error));
    g_assert_true (vend_store_write_wait (f->store, create, again, &error));
    g_assert_true (is_stored (f, again));
  }
}

static void
expect_model (Fixture *f, int64_t viewer, int64_t expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendModel) model = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  const bool found = vend_store_model_by_version (reader.db, "v", viewer, &model, &error);
  g_assert_true (found == (expected != 0));
  if (found)
    g_assert_cmpint (model->id, ==, expected);
  else
    g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
}

/* A bare version id is that of a content, which many models may have. */
static void
test_whose_version (Fixture *f, gconstpointer unused)
{
  json_auto_t *empty = json_object ();
  const int64_t other = account_new (f, "other"), me = account_new (f, "me");
  const int64_t models[] = {
    model_new (f, other, "hidden", true),   model_new (f, other, "shown", false),
    model_new (f, me, "first", true),       model_new (f, me, "second", false),
    model_new (f, other, "another", false),
  };
  expect_model (f, me, 0);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    {
      g_autoptr (GError) error = NULL;
      VendVersion version = version_of (models[i], empty);
      g_assert_true (vend_store_write_wait (f->store, put_version, &version, &error));
      expect_model (f, me, i == 0 ? 0 : models[MIN (i, 2)]);
      expect_model (f, other, models[0]);
      expect_model (f, other + 7, i == 0 ? 0 : models[1]);
    }
}

/* ---- What the files of an account take */

static int64_t
stored (Fixture *f, int64_t account_id)
{
  int64_t bytes = -1;
  g_autoptr (GError) error = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_stored_bytes (reader.db, account_id, &bytes, &error));
  return bytes;
}

static VendOutput *
kept_new (const VendPrediction *p, const char *token, int64_t size)
{
  VendOutput *row = g_new0 (VendOutput, 1);
  row->token = g_strdup (token);
  row->prediction = g_strdup (p->id);
  row->name = g_strdup ("file.png");
  row->content_type = g_strdup ("image/png");
  row->size = size;
  row->sha256 = g_strdup (ONE);
  row->is_input = true;
  return row;
}

static bool
insert_output (VendDb *db, void *data, GError **error)
{
  return vend_store_output_insert (db, data, error);
}

static bool
delete_outputs (VendDb *db, void *data, GError **error)
{
  return vend_store_output_delete_of (db, data, error);
}

static VendPrediction *
prediction_of (const VendVersion *version, int64_t account_id)
{
  VendPrediction *p = prediction_new (NULL);
  p->model_id = version->model_id;
  p->account_id = account_id;
  p->kept = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_output_free);
  return p;
}

static void
expect_full (Fixture *f, VendPrediction *p)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_store_write_wait (f->store, create, p, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, "account-max-stored"));
  g_assert_false (is_stored (f, p));
}

static bool
forget_counts (VendDb *db, void *data, GError **error)
{
  static const char *const texts[] = {
    [VEND_DIALECT_SQLITE]
    = "DROP TABLE stored_bytes; DROP TRIGGER files_come; DROP TRIGGER files_go;"
      " DROP TRIGGER outputs_come; DROP TRIGGER outputs_go;"
      " DELETE FROM migrations WHERE number = 13",
    [VEND_DIALECT_POSTGRES] = "DROP TABLE stored_bytes; DROP FUNCTION files_come CASCADE;"
                              " DROP FUNCTION files_go CASCADE; DROP FUNCTION outputs_come CASCADE;"
                              " DROP FUNCTION outputs_go CASCADE;"
                              " DELETE FROM migrations WHERE number = 13",
  };
  return vend_db_exec (db, texts[vend_db_dialect (db)], error);
}

static void
test_stored_bytes (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *empty = json_object ();
  const int64_t me = account_new (f, "me"), other = account_new (f, "other");
  VendVersion version = version_of (model_new (f, me, "image", true), empty);
  g_assert_true (vend_store_write_wait (f->store, put_version, &version, &error));
  g_autoptr (VendPrediction) first = prediction_of (&version, me);
  g_ptr_array_add (first->kept, kept_new (first, "a", 300));
  g_ptr_array_add (first->kept, kept_new (first, "b", 300));
  g_assert_true (vend_store_write_wait (f->store, create, first, &error));
  g_assert_cmpint (stored (f, me), ==, 600);

  g_autoptr (VendPrediction) second = prediction_of (&version, me);
  g_ptr_array_add (second->kept, kept_new (second, "c", 401));
  expect_full (f, second);
  g_assert_cmpint (stored (f, me), ==, 600);

  /* A result is kept whatever it takes; the same file is counted once. */
  VendOutput *output = kept_new (first, "d", 5000);
  g_assert_true (vend_store_write_wait (f->store, insert_output, output, &error));
  g_assert_true (vend_store_write_wait (f->store, insert_output, output, &error));
  vend_output_free (output);
  g_assert_cmpint (stored (f, me), ==, 5600);
  g_autoptr (VendPrediction) third = prediction_of (&version, me);
  expect_full (f, third);
  g_autoptr (VendPrediction) of_other = prediction_of (&version, other);
  g_assert_true (vend_store_write_wait (f->store, create, of_other, &error));
  g_assert_cmpint (stored (f, other), ==, 0);

  g_assert_true (vend_store_write_wait (f->store, forget_counts, NULL, &error));
  vend_store_free (f->store);
  open_store (f);
  g_assert_cmpint (stored (f, me), ==, 5600);
  g_assert_true (vend_store_write_wait (f->store, delete_outputs, first->id, &error));
  g_assert_cmpint (stored (f, me), ==, 0);
  g_assert_true (vend_store_write_wait (f->store, create, third, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/inputs/until-the-end", test_until_the_end);
  ADD ("/inputs/of-an-older-database", test_of_an_older_database);
  ADD ("/inputs/version-deleted-meanwhile", test_version_deleted_meanwhile);
  ADD ("/inputs/whose-version", test_whose_version);
  ADD ("/inputs/stored-bytes", test_stored_bytes);
  return g_test_run ();
}
