/* The stages of an end, each alone: how it is decided, what it costs, what one transaction stores.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "model/failure.h"
#include "sched/run/completion.h"
#include "sched/run/outputs.h"
#include "store/accounts.h"
#include "store/files.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/usage.h"
#include "support/test-database.h"

#define NOW_US (5000 * VEND_US_PER_S)
#define S VEND_US_PER_S

static VendPrediction *
a_prediction (void)
{
  VendPrediction *p = vend_prediction_new ();
  p->id = g_strdup ("abcdefghijklmnopqrstuvwxyz");
  p->status = VEND_STATUS_PROCESSING;
  p->account_id = 1;
  p->model_id = 1;
  p->model = g_strdup ("ada/m");
  p->version = g_strdup ("v");
  p->input = json_object ();
  g_free (p->logs);
  p->logs = g_strdup ("heard");
  p->created_us = 1000 * S;
  p->started_us = 1010 * S;
  p->attempt = 1;
  return p;
}

/* ---- Decide */

typedef struct
{
  const char *name;
  RunResult result;
  int64_t earliest_us;
  bool lacks_outputs;
  VendStatus status;
  const char *error;
  const char *error_code;
  const char *logs;
  int64_t started_us;
  int64_t completed_us;
} Decision;

#define BEGAN .started_us = 1020 * S, .completed_us = 1025 * S

static const Decision decisions[] = {
  { "success",
    { VEND_STATUS_SUCCEEDED, .logs = "all", BEGAN },
    0,
    false,
    VEND_STATUS_SUCCEEDED,
    NULL,
    NULL,
    "all",
    1020 * S,
    1025 * S },
  { "logs so far",
    { VEND_STATUS_SUCCEEDED, BEGAN },
    0,
    false,
    VEND_STATUS_SUCCEEDED,
    NULL,
    NULL,
    "heard",
    1020 * S,
    1025 * S },
  { "failure",
    { VEND_STATUS_FAILED, .error = "no", BEGAN },
    0,
    false,
    VEND_STATUS_FAILED,
    "no",
    NULL,
    "heard",
    1020 * S,
    1025 * S },
  { "failure without a word",
    { VEND_STATUS_FAILED, BEGAN },
    0,
    false,
    VEND_STATUS_FAILED,
    "the model failed without a message",
    NULL,
    "heard",
    1020 * S,
    1025 * S },
  { "error of a cancel is nobody's",
    { VEND_STATUS_CANCELED, .error = "stopped", BEGAN },
    0,
    false,
    VEND_STATUS_CANCELED,
    NULL,
    NULL,
    "heard",
    1020 * S,
    1025 * S },
  { "aborted",
    { VEND_STATUS_ABORTED, .error = "late", .error_code = "DEADLINE" },
    0,
    false,
    VEND_STATUS_ABORTED,
    "late",
    "DEADLINE",
    "heard",
    1010 * S,
    NOW_US },
  { "success without its files",
    { VEND_STATUS_SUCCEEDED, BEGAN },
    0,
    true,
    VEND_STATUS_FAILED,
    "the output files could not be stored",
    VEND_FAILURE_OUTPUT_STORE_FAILED,
    "heard",
    1020 * S,
    1025 * S },
  { "cancel without its files",
    { VEND_STATUS_CANCELED, BEGAN },
    0,
    true,
    VEND_STATUS_CANCELED,
    NULL,
    NULL,
    "heard",
    1020 * S,
    1025 * S },
  { "failure without its files",
    { VEND_STATUS_FAILED, .error = "no", BEGAN },
    0,
    true,
    VEND_STATUS_FAILED,
    "no",
    NULL,
    "heard",
    1020 * S,
    1025 * S },
  /* A clock that is behind moves the run, and keeps its length. */
  { "a clock behind",
    { VEND_STATUS_SUCCEEDED, .started_us = 900 * S, .completed_us = 903 * S },
    1000 * S,
    false,
    VEND_STATUS_SUCCEEDED,
    NULL,
    NULL,
    "heard",
    1000 * S,
    1003 * S },
  { "an end before its begin",
    { VEND_STATUS_SUCCEEDED, .started_us = 1020 * S, .completed_us = 1 },
    0,
    false,
    VEND_STATUS_SUCCEEDED,
    NULL,
    NULL,
    "heard",
    1020 * S,
    1020 * S },
};

static void
test_decide (gconstpointer data)
{
  const Decision *expected = data;
  g_autoptr (VendPrediction) p = a_prediction ();
  g_autoptr (Completion) completion = vend_completion_new (NULL, p);
  completion->earliest_us = expected->earliest_us;
  vend_completion_decide (completion, &expected->result, NOW_US);
  g_assert_cmpint (p->status, ==, VEND_STATUS_PROCESSING);
  if (expected->lacks_outputs)
    vend_completion_lack_outputs (completion);
  vend_completion_settle (completion);
  g_assert_cmpint (p->status, ==, expected->status);
  g_assert_cmpstr (p->error, ==, expected->error);
  g_assert_cmpstr (p->error_code, ==, expected->error_code);
  g_assert_cmpstr (p->logs, ==, expected->logs);
  g_assert_cmpint (p->started_us, ==, expected->started_us);
  g_assert_cmpint (p->completed_us, ==, expected->completed_us);
}

/* ---- Account */

static void
test_account (void)
{
  const struct
  {
    bool began;
    bool is_lost;
    int64_t run_us;
    bool is_metered;
  } cases[] = {
    { true, false, 5 * S, true },
    { true, true, 5 * S, false },
    { false, false, 0, false },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VendPrediction) p = a_prediction ();
      g_autoptr (Completion) completion = vend_completion_new (NULL, p);
      p->started_us = cases[i].began ? 1020 * S : 0;
      p->completed_us = 1025 * S;
      completion->is_lost = cases[i].is_lost;
      vend_completion_account (completion, &(RunTerms){ "cpu", 7, true });
      g_assert_cmpint (completion->usage.run_us, ==, cases[i].run_us);
      g_assert_cmpint (completion->is_metered, ==, cases[i].is_metered);
      g_assert_cmpint (completion->usage.price, ==, 7);
      g_assert_true (completion->usage.billed);
    }
}

/* ---- Store */

typedef struct
{
  char *dir;
  VendStore *store;
  VendPrediction *p;
  Completion *completion;
} Fixture;

static bool
insert_rows (VendDb *db, void *data, GError **error)
{
  VendAccount account = {
    .username = (char *) "ada", .name = (char *) "ada", .type = (char *) "user", .created_us = 1
  };
  return vend_store_account_insert (db, &account, error)
         && vend_store_prediction_insert (db, data, error);
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-completion-XXXXXX", NULL);
  g_autofree char *path = test_database (f->dir);
  const VendStoreOptions options = { .path = path, .readers = 1 };
  g_assert_true (vend_store_open (&options, &f->store, &error));
  f->p = a_prediction ();
  const bool good = vend_store_write_wait (f->store, insert_rows, f->p, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  f->completion = vend_completion_new (NULL, f->p);
  const RunResult result = { VEND_STATUS_SUCCEEDED, BEGAN };
  vend_completion_decide (f->completion, &result, NOW_US);
  vend_completion_settle (f->completion);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_completion_free (f->completion);
  vend_store_free (f->store);
  vend_prediction_free (f->p);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
}

static void
account_and_store (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  vend_completion_account (f->completion, &(RunTerms){ "cpu", 7, true });
  const bool good = vend_store_write_wait (f->store, vend_completion_store, f->completion, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

static int64_t
metered_us (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendUsage) usage = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_usage_of (reader.db, 1, f->p->completed_us, f->p->id, &usage, &error));
  return usage != NULL ? usage->run_us : 0;
}

static guint
lost_attempts (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) attempts = NULL;
  g_auto (VendReader) reader = vend_reader (f->store);
  g_assert_true (vend_store_attempt_list (reader.db, f->p->id, 10, &attempts, &error));
  return attempts->len;
}

static void
test_store_accepts_once (Fixture *f, gconstpointer unused)
{
  account_and_store (f);
  g_assert_true (f->completion->was_accepted);
  g_assert_cmpint (metered_us (f), ==, 5 * S);
  account_and_store (f);
  g_assert_false (f->completion->was_accepted);
  g_assert_cmpint (metered_us (f), ==, 5 * S);
}

static void
test_store_of_a_lost_attempt (Fixture *f, gconstpointer unused)
{
  f->completion->is_lost = true;
  account_and_store (f);
  g_assert_true (f->completion->was_accepted);
  g_assert_cmpint (metered_us (f), ==, 0);
  g_assert_cmpuint (lost_attempts (f), ==, 1);
}

static VendOutput *
an_output (const char *token)
{
  VendOutput *output = g_new0 (VendOutput, 1);
  output->token = g_strdup (token);
  output->prediction = g_strdup ("abcdefghijklmnopqrstuvwxyz");
  output->name = g_strdup ("out.png");
  output->content_type = g_strdup ("image/png");
  output->sha256 = g_strdup ("00");
  return output;
}

/* A row that is refused undoes the end: it is not on disk without its files. */
static void
test_store_is_all_or_nothing (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  Outputs outputs = { .rows = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_output_free) };
  VendOutput *broken = an_output ("two");
  g_clear_pointer (&broken->name, g_free);
  g_ptr_array_add (outputs.rows, an_output ("one"));
  g_ptr_array_add (outputs.rows, broken);
  vend_completion_account (f->completion, &(RunTerms){ "cpu", 7, true });
  f->completion->outputs = &outputs;
  g_assert_false (vend_store_write_wait (f->store, vend_completion_store, f->completion, &error));
  f->completion->outputs = NULL;
  g_ptr_array_unref (outputs.rows);

  g_autoptr (VendPrediction) stored = NULL;
  g_clear_error (&error);
  {
    g_auto (VendReader) reader = vend_reader (f->store);
    g_assert_true (vend_store_prediction_get (reader.db, f->p->id, &stored, &error));
  }
  g_assert_cmpint (stored->completed_us, ==, 0);
  g_assert_cmpint (metered_us (f), ==, 0);
  account_and_store (f);
  g_assert_true (f->completion->was_accepted);
}

/* ---- Version */

#define BASE "1111111111111111111111111111111111111111111111111111111111111111"
#define WEIGHTS "3333333333333333333333333333333333333333333333333333333333333333"

typedef struct
{
  Fixture rows;
  Outputs outputs;
  int64_t destination;
} Training;

static bool
insert_training (VendDb *db, void *data, GError **error)
{
  Training *t = data;
  VendAccount account = {
    .username = (char *) "ada", .name = (char *) "ada", .type = (char *) "user", .created_us = 1
  };
  VendModel base = { .account_id = 1,
                     .owner = (char *) "ada",
                     .name = (char *) "m",
                     .hardware = (char *) "cpu",
                     .created_us = 1 };
  VendModel tuned = base;
  tuned.name = (char *) "tuned";
  json_auto_t *empty = json_object ();
  const VendVersion version = { .id = (char *) BASE,
                                .model_id = 1,
                                .cog_version = (char *) "0",
                                .openapi = empty,
                                .launch = empty,
                                .manifest = empty,
                                .source_sha256 = (char *) "aa",
                                .created_us = 1 };
  if (!vend_store_account_insert (db, &account, error)
      || !vend_store_model_insert (db, &base, error) || !vend_store_model_insert (db, &tuned, error)
      || !vend_store_version_put (db, &version, error))
    return false;
  t->destination = tuned.id;
  t->rows.p->destination = tuned.id;
  return vend_store_prediction_insert (db, t->rows.p, error);
}

/* A training that has returned `output`, with one file. */
static void
train (Training *t, json_t *output)
{
  g_autoptr (GError) error = NULL;
  Fixture *f = &t->rows;
  f->dir = g_dir_make_tmp ("vend-completion-XXXXXX", NULL);
  g_autofree char *path = test_database (f->dir);
  const VendStoreOptions options = { .path = path, .readers = 1 };
  g_assert_true (vend_store_open (&options, &f->store, &error));
  f->p = a_prediction ();
  f->p->kind = VEND_KIND_TRAINING;
  g_free (f->p->version);
  f->p->version = g_strdup (BASE);
  const bool good = vend_store_write_wait (f->store, insert_training, t, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  f->completion = vend_completion_new (NULL, f->p);
  const RunResult result = { VEND_STATUS_SUCCEEDED, BEGAN };
  vend_completion_decide (f->completion, &result, NOW_US);
  f->p->output = output;
  VendOutput *file = an_output ("token");
  g_free (file->sha256);
  file->sha256 = g_strdup (WEIGHTS);
  file->size = 9;
  t->outputs.rows = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_output_free);
  g_ptr_array_add (t->outputs.rows, file);
  f->completion->outputs = &t->outputs;
  vend_completion_find_weights (f->completion);
}

static void
training_clear (Training *t)
{
  t->rows.completion->outputs = NULL;
  g_ptr_array_unref (t->outputs.rows);
  tear_down (&t->rows, NULL);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Training, training_clear)

static guint
count_versions (Training *t)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) versions = NULL;
  VendPage page = { .limit = 10 };
  g_auto (VendReader) reader = vend_reader (t->rows.store);
  g_assert_true (
      vend_store_version_page (reader.db, t->destination, 0, NULL, &page, &versions, &error));
  return versions->len;
}

static void
test_weights_are_found (void)
{
  const struct
  {
    const char *output;
    bool has_weights;
  } cases[] = {
    { "\"vend-output:token/out.png\"", true },
    { "{\"weights\": \"vend-output:token/out.png\", \"note\": 1}", true },
    { "{\"weights\": \"vend-output:another/out.png\"}", false },
    { "{\"weights\": [\"vend-output:token/out.png\"]}", false },
    { "{\"file\": \"vend-output:token/out.png\"}", false },
    { "[\"vend-output:token/out.png\"]", false },
    { "\"done\"", false },
    { "null", false },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Training) t = { 0 };
      train (&t, json_loads (cases[i].output, JSON_DECODE_ANY, NULL));
      g_assert_cmpint (t.rows.completion->weights != NULL, ==, cases[i].has_weights);
      if (!cases[i].has_weights)
        {
          vend_completion_settle (t.rows.completion);
          g_assert_cmpint (t.rows.p->status, ==, VEND_STATUS_FAILED);
          g_assert_nonnull (strstr (t.rows.p->error, "'weights' is a file"));
          g_assert_true (t.rows.p->output == NULL || json_is_object (t.rows.p->output));
          const json_t *weights = json_object_get (t.rows.p->output, "weights");
          g_assert_true (weights == NULL || json_is_string (weights));
        }
    }
}

static void
test_version_with_the_end (void)
{
  g_auto (Training) t = { 0 };
  train (&t, json_pack ("{s:s, s:i}", "weights", "vend-output:token/out.png", "note", 1));
  Completion *completion = t.rows.completion;
  /* A refused row undoes all, and the next try begins anew. */
  {
    g_autoptr (GError) error = NULL;
    VendOutput *broken = an_output ("two");
    g_clear_pointer (&broken->name, g_free);
    g_ptr_array_add (t.outputs.rows, broken);
    vend_completion_account (completion, &(RunTerms){ "cpu", 7, true });
    g_assert_false (
        vend_store_write_wait (t.rows.store, vend_completion_store, completion, &error));
    g_ptr_array_remove_index (t.outputs.rows, 1);
    g_assert_cmpuint (count_versions (&t), ==, 0);
  }
  account_and_store (&t.rows);
  g_assert_true (completion->was_accepted);
  g_assert_cmpint (completion->destination, ==, t.destination);
  g_assert_cmpint (t.rows.p->status, ==, VEND_STATUS_PROCESSING);
  account_and_store (&t.rows);
  g_assert_false (completion->was_accepted);
  vend_completion_take_ended (completion);
  g_assert_cmpint (t.rows.p->status, ==, VEND_STATUS_SUCCEEDED);
  g_assert_cmpuint (json_object_size (t.rows.p->output), ==, 2);
  g_assert_true (g_str_has_prefix (vend_json_string (t.rows.p->output, "version"), "ada/tuned:"));
  g_assert_cmpuint (count_versions (&t), ==, 1);
}

static bool
delete_model (VendDb *db, void *data, GError **error)
{
  return vend_store_model_delete (db, *(const int64_t *) data, error);
}

static void
test_destination_is_gone (void)
{
  g_auto (Training) t = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VendPrediction) stored = NULL;
  train (&t, json_string ("vend-output:token/out.png"));
  g_assert_true (vend_store_write_wait (t.rows.store, delete_model, &t.destination, &error));
  account_and_store (&t.rows);
  vend_completion_take_ended (t.rows.completion);
  g_assert_cmpint (t.rows.p->status, ==, VEND_STATUS_FAILED);
  g_assert_cmpint (t.rows.completion->destination, ==, 0);
  g_assert_cmpint (metered_us (&t.rows), ==, 5 * S);
  g_auto (VendReader) reader = vend_reader (t.rows.store);
  g_assert_true (vend_store_prediction_get (reader.db, t.rows.p->id, &stored, &error));
  g_assert_cmpint (stored->status, ==, VEND_STATUS_FAILED);
  g_assert_nonnull (strstr (stored->error, "destination"));
  g_assert_cmpstr (stored->error, ==, t.rows.p->error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (decisions); i++)
    {
      g_autofree char *path = g_strconcat ("/completion/decide/", decisions[i].name, NULL);
      g_test_add_data_func (path, &decisions[i], test_decide);
    }
  g_test_add_func ("/completion/account", test_account);
  g_test_add ("/completion/store/accepts-once", Fixture, NULL, set_up, test_store_accepts_once,
              tear_down);
  g_test_add ("/completion/store/lost-attempt", Fixture, NULL, set_up, test_store_of_a_lost_attempt,
              tear_down);
  g_test_add ("/completion/store/all-or-nothing", Fixture, NULL, set_up,
              test_store_is_all_or_nothing, tear_down);
  g_test_add_func ("/completion/version/weights", test_weights_are_found);
  g_test_add_func ("/completion/version/with-the-end", test_version_with_the_end);
  g_test_add_func ("/completion/version/destination-gone", test_destination_is_gone);
  return g_test_run ();
}
