/* Deployments, examples, collections and search in the store. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "store/accounts.h"
#include "store/collections.h"
#include "store/deployments.h"
#include "store/examples.h"
#include "store/files.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/search.h"
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
  f->dir = g_dir_make_tmp ("vend-store-XXXXXX", NULL);
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

static void
commit (Fixture *f, VendStoreJob job, void *data)
{
  g_autoptr (GError) error = NULL;
  bool good = vend_store_write_wait (f->store, job, data, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

static bool
add_account (VendDb *db, void *data, GError **error)
{
  VendAccount account = {
    .username = (char *) "lab", .name = (char *) "Lab", .type = (char *) "user", .created_us = 1
  };
  return vend_store_account_insert (db, &account, error);
}

/* "name|description|readme"; a name that starts with "-" is private. */
static bool
add_model (VendDb *db, void *data, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (data, "|", 3);
  VendModel model = { .account_id = 1,
                      .owner = (char *) "lab",
                      .name = parts[0] + (*parts[0] == '-'),
                      .is_private = *parts[0] == '-',
                      .hardware = (char *) "cpu",
                      .description = parts[1],
                      .readme = parts[2],
                      .created_us = 1 };
  return vend_store_model_insert (db, &model, error);
}

/* ---- Deployments */

static VendRelease
release (int64_t number, const char *version, int64_t min)
{
  return (VendRelease){ .number = number,
                        .model_id = 1,
                        .model = (char *) "lab/echo",
                        .version = (char *) version,
                        .hardware = (char *) "cpu",
                        .min_instances = min,
                        .max_instances = 5,
                        .scaling = VEND_SCALING_NONE,
                        .created_us = number * 1000 };
}

static bool
deploy (VendDb *db, void *data, GError **error)
{
  VendRelease first = release (1, "a", 0);
  VendDeployment deployment = { .account_id = 1,
                                .owner = (char *) "lab",
                                .name = (char *) "d",
                                .current = &first,
                                .created_us = 1000 };
  return vend_store_deployment_insert (db, &deployment, error);
}

static bool
add_release (VendDb *db, void *data, GError **error)
{
  g_autoptr (VendDeployment) now = NULL;
  if (!vend_store_deployment_by_name (db, "lab", "d", &now, error))
    return false;
  VendDeployment next = *now;
  next.current = data;
  return vend_store_deployment_release (db, &next, error);
}

static bool
serve (VendDb *db, void *data, GError **error)
{
  return vend_store_deployment_serve (db, 1, *(int64_t *) data, error);
}

static void
assert_numbers (Fixture *f, int64_t current, int64_t serving)
{
  g_autoptr (VendDeployment) now = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_deployment_by_name (reader.db, "lab", "d", &now, &error));
  g_assert_cmpint (now->current->number, ==, current);
  g_assert_cmpint (now->serving->number, ==, serving);
}

static void
test_releases (Fixture *f, gconstpointer unused)
{
  VendRelease more = release (2, "a", 1), other = release (3, "b", 0), back = release (4, "a", 0);
  int64_t three = 3;
  bool found = false, runs = false;
  int64_t since_us = -1;
  VendScaling scaling;
  g_autofree char *hardware = NULL;
  g_autoptr (VendDeployment) now = NULL;
  g_autoptr (GError) error = NULL;
  other.scaling.idle_timeout_us = 2500000;
  commit (f, add_account, NULL);
  commit (f, deploy, NULL);
  assert_numbers (f, 1, 1);
  /* The same version on the same hardware serves at once, another one when it is told to. */
  commit (f, add_release, &more);
  assert_numbers (f, 2, 2);
  commit (f, add_release, &other);
  assert_numbers (f, 3, 2);
  {
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_true (vend_store_deployment_of_version (reader.db, 1, "a", &found, &error) && found);
    g_assert_true (vend_store_deployment_of_version (reader.db, 1, "b", &found, &error) && found);
    g_assert_true (vend_store_deployment_of_version (reader.db, 2, "a", &found, &error) && !found);
    g_assert_true (
        vend_store_release_of_version (reader.db, "lab/d", 1, "b", &hardware, &scaling, &error));
    g_assert_cmpstr (hardware, ==, "cpu");
    g_assert_cmpint (scaling.idle_timeout_us, ==, 2500000);
    g_assert_cmpint (scaling.concurrency, ==, VEND_SCALING_UNSET);
  }
  commit (f, serve, &three);
  assert_numbers (f, 3, 3);
  commit (f, add_release, &back);
  assert_numbers (f, 4, 3);
  /* A late order does not go back. */
  commit (f, serve, &three);
  assert_numbers (f, 4, 3);

  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_deployment_by_name (reader.db, "lab", "d", &now, &error));
  g_assert_true (vend_store_deployment_use (reader.db, now, &runs, &since_us, &error));
  g_assert_false (runs);
  /* When the minimum fell to 0. */
  g_assert_cmpint (since_us, ==, 3000);
  g_assert_true (vend_store_deployment_of_version (reader.db, 1, "c", &found, &error) && !found);
}

/* ---- Examples */

#define N_RUNS 3

static bool
add_runs (VendDb *db, void *data, GError **error)
{
  json_auto_t *input = json_pack ("{s:s}", "text", "in");
  for (int i = 0; i < N_RUNS; i++)
    {
      g_autofree char *id = g_strdup_printf ("p%d", i);
      g_autofree char *token = g_strdup_printf ("t%d", i);
      bool won = false;
      json_auto_t *output = json_string ("out");
      VendPrediction p = { .id = id,
                           .account_id = 1,
                           .model_id = 1,
                           .model = (char *) "lab/echo",
                           .version = (char *) "v",
                           .input = input,
                           .output = output,
                           .logs = (char *) "logs",
                           .status = VEND_STATUS_SUCCEEDED,
                           .webhook = (char *) "https://example.com",
                           .created_us = 1,
                           .started_us = 2,
                           .completed_us = 3,
                           .attempt = 1 };
      VendOutput file = { .token = token,
                          .prediction = id,
                          .name = (char *) "f",
                          .content_type = (char *) "text/plain",
                          .sha256 = (char *) "x",
                          .created_us = 1 };
      if (!vend_store_prediction_insert (db, &p, error)
          || !vend_store_prediction_complete (db, &p, &won, error)
          || !vend_store_output_insert (db, &file, error))
        return false;
    }
  return vend_store_example_insert (db, 1, "p0", false, error)
         && vend_store_example_insert (db, 1, "p1", false, error)
         && vend_store_example_insert (db, 1, "p2", true, error);
}

static bool
remove_data (VendDb *db, void *data, GError **error)
{
  return vend_store_prediction_remove_data (db, "p0", 5, error)
         && vend_store_prediction_remove_data (db, "p2", 5, error);
}

static bool
drop_example (VendDb *db, void *data, GError **error)
{
  return vend_store_example_delete (db, 1, data, error);
}

static void
assert_output (VendDb *db, const char *token, bool there)
{
  g_autoptr (VendOutput) output = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_store_output_get (db, token, &output, &error) == there);
}

static void
test_examples (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  commit (f, add_account, NULL);
  commit (f, add_model, (void *) "echo||");
  commit (f, add_runs, NULL);
  commit (f, remove_data, NULL);
  {
    g_autoptr (GPtrArray) examples = NULL;
    g_autoptr (VendModel) model = NULL;
    int64_t place = 0;
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_true (vend_store_example_page (reader.db, 1, G_MININT64, &(VendPage){ .limit = 10 },
                                            &examples, &place, &error));
    g_assert_cmpuint (examples->len, ==, N_RUNS);
    const VendPrediction *first = g_ptr_array_index (examples, 0);
    g_assert_cmpstr (first->id, ==, "p2");
    g_assert_cmpstr (json_string_value (first->output), ==, "out");
    g_assert_cmpstr (vend_json_string (first->input, "text"), ==, "in");
    g_assert_cmpstr (first->logs, ==, "logs");
    g_assert_false (first->data_removed);
    g_assert_null (first->webhook);
    g_assert_true (vend_store_model_get (reader.db, 1, &model, &error));
    g_assert_cmpstr (model->default_example, ==, "p2");
  }
  commit (f, drop_example, (void *) "p2");
  commit (f, drop_example, (void *) "p1");
  g_autoptr (VendModel) model = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_model_get (reader.db, 1, &model, &error));
  g_assert_cmpstr (model->default_example, ==, "p0");
  /* Files go with the last that needs them: p2's data were removed, p1's are still its own. */
  assert_output (reader.db, "t2", false);
  assert_output (reader.db, "t1", true);
  assert_output (reader.db, "t0", true);
}

/* ---- Search */

static char *
found (Fixture *f, const char *text, int64_t viewer)
{
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) names = g_string_new (NULL);
  g_auto (VendReader) reader = vend_reader (f->store);
  bool good = vend_store_search_models (reader.db, text, viewer, 100, &hits, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  for (guint i = 0; i < hits->len; i++)
    {
      g_autoptr (VendModel) model = NULL;
      g_assert_true (
          vend_store_model_get (reader.db, ((VendHit *) hits->pdata[i])->id, &model, &error));
      g_string_append_printf (names, "%s%s", i > 0 ? " " : "", model->name);
    }
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static bool
ran (VendDb *db, void *data, GError **error)
{
  vend_db_count_run (db, 6);
  return true;
}

static bool
change_model (VendDb *db, void *data, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  if (!vend_store_model_by_name (db, "lab", "echo", &model, error))
    return false;
  g_free (model->description);
  model->description = g_strdup ("parrot");
  return vend_store_model_update (db, model, error);
}

static bool
delete_model (VendDb *db, void *data, GError **error)
{
  return vend_store_model_delete (db, 1, error);
}

static void
test_search (Fixture *f, gconstpointer unused)
{
  static const char *const models[] = { "echo|Says it again|",
                                        "nano-banana-pro|Edits|",
                                        "nano-banana|Edits|",
                                        "-hidden|A banana|",
                                        "other|About|A banana in the nano readme",
                                        "painter|Has a nano and a banana|" };
  static const struct
  {
    const char *text;
    const char *names;
    const char *on_server; /* where another engine ranks in another order */
  } cases[] = {
    { "nano banana", "nano-banana nano-banana-pro painter other" },
    { "nano-b", "nano-banana-pro nano-banana painter other",
      "nano-banana nano-banana-pro painter other" },
    { "lab/nano-banana-pro", "nano-banana-pro" },
    { "says", "echo" },
    { "saying", "echo" },
    { "", "" },
    { "\"*^(", "" },
    { "NOT", "" },
    { "echo painter", "echo painter" },
  };
  commit (f, add_account, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    commit (f, add_model, (void *) models[i]);
  commit (f, ran, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *names = found (f, cases[i].text, 2);
      const bool is_other = !test_database_is_file () && cases[i].on_server != NULL;
      g_assert_cmpstr (names, ==, is_other ? cases[i].on_server : cases[i].names);
    }
  g_autofree char *own = found (f, "hidden", 1);
  g_autofree char *others = found (f, "hidden", 2);
  g_assert_cmpstr (own, ==, "hidden");
  g_assert_cmpstr (others, ==, "");

  commit (f, change_model, NULL);
  g_autofree char *changed = found (f, "parrot", 2);
  g_autofree char *before = found (f, "says", 2);
  g_assert_cmpstr (changed, ==, "echo");
  g_assert_cmpstr (before, ==, "");
  commit (f, delete_model, NULL);
  g_autofree char *gone = found (f, "parrot", 2);
  g_assert_cmpstr (gone, ==, "");
}

/* ---- Collections */

static bool
add_collection (VendDb *db, void *data, GError **error)
{
  VendCollection collection = {
    .slug = data, .name = (char *) "Fruit", .description = (char *) "Things to eat", .created_us = 1
  };
  g_autoptr (GArray) models = g_array_new (FALSE, FALSE, sizeof (int64_t));
  for (int64_t id = 2; id > 0; id--)
    g_array_append_val (models, id);
  return vend_store_collection_insert (db, &collection, error)
         && vend_store_collection_set_models (db, collection.id, models, error);
}

static void
test_collections (Fixture *f, gconstpointer unused)
{
  g_autoptr (GArray) models = NULL;
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (GError) error = NULL;
  commit (f, add_account, NULL);
  commit (f, add_model, (void *) "one||");
  commit (f, add_model, (void *) "two||");
  commit (f, add_collection, (void *) "fruit");
  g_assert_false (vend_store_write_wait (f->store, add_collection, (void *) "fruit", &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_EXISTS);
  g_clear_error (&error);
  commit (f, delete_model, NULL);
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_collection_models (reader.db, 1, &models, &error));
  g_assert_cmpuint (models->len, ==, 1);
  g_assert_cmpint (g_array_index (models, int64_t, 0), ==, 2);
  g_assert_true (vend_store_search_collections (reader.db, "eating", 10, &hits, &error));
  g_assert_cmpuint (hits->len, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/store/releases", Fixture, NULL, set_up, test_releases, tear_down);
  g_test_add ("/store/examples", Fixture, NULL, set_up, test_examples, tear_down);
  g_test_add ("/store/search", Fixture, NULL, set_up, test_search, tear_down);
  g_test_add ("/store/collections", Fixture, NULL, set_up, test_collections, tear_down);
  return g_test_run ();
}
