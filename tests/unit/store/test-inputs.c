/* Contents of input files: in use while their prediction has not ended, and not longer. */
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "store/files.h"
#include "store/predictions.h"
#include "store/store.h"
#include <string.h>

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
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
  g_autofree char *path = g_build_filename (f->dir, "vend.db", NULL);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/inputs/until-the-end", test_until_the_end);
  ADD ("/inputs/of-an-older-database", test_of_an_older_database);
  return g_test_run ();
}
