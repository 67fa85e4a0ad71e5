/* A scheduler over a store in a temporary directory. Core thread. */
#include "core-server.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "model/hardware.h"
#include "runner/process-identity.h"
#include "runner/runner-process.h"
#include "sched/run/waiters.h"
#include "store/accounts.h"
#include "store/models.h"
#include "store/predictions.h"
#include "store/usage.h"
#include <signal.h>
#include <string.h>

#define VERSION "1111111111111111111111111111111111111111111111111111111111111111"
#define TURN_MS 2
#define MAX_TOLD ((gsize) 1 << 20)
#define MAX_LOST 100

struct Core
{
  CoreSettings settings;
  char *dir;
  char *binary;
  VendRunner *runner;
  VendStore *store;
  VendBlobs *blobs;
  VendShelf *shelf;
  VendMeter *meter;
  VendSkus *skus;
  VendPrices *prices;
  VendCgroups *cgroups;
  VendSched *sched;
  VendVersion version;
  int64_t accounts[2];
  GPtrArray *callers;
};

/* ---- The main loop */

static gboolean
stay (void *unused)
{
  return G_SOURCE_CONTINUE;
}

/* What directors write into files wakes nobody. */
void
core_turn (const char *place, const char *condition, int64_t since_us)
{
  if (g_get_monotonic_time () - since_us > CORE_PATIENCE_S * VEND_US_PER_S)
    g_error ("%s: waited in vain for %s", place, condition);
  const guint tick = g_timeout_add (TURN_MS, stay, NULL);
  g_main_context_iteration (NULL, TRUE);
  g_source_remove (tick);
}

/* ---- Start and stop */

static VendSchedLimits
limits_of (const CoreSettings *settings)
{
  return (VendSchedLimits){
    .scaling = { .max_instances = MAX (settings->max_instances, 1),
                 .idle_timeout_us = 600 * VEND_US_PER_S,
                 .on_demand = true,
                 .concurrency = VEND_SCALING_MAX_CONCURRENCY,
                 .target = 100,
                 .retry_safe = !settings->never_again },
    .hardware_units = 8,
    .boot_limit = 8,
    .max_queue = 1000,
    .account_max_queued = 1000,
    .account_max_running = settings->account_max_running,
    .setup_timeout_us = 60 * VEND_US_PER_S,
    .predict_timeout_us = 60 * VEND_US_PER_S,
    .train_timeout_us = 60 * VEND_US_PER_S,
    .cancel_grace_us = VEND_US_PER_S,
    .stop_grace_us = VEND_US_PER_S,
    .lease_us = 60 * VEND_US_PER_S,
    .max_output = 1 << 20,
    .max_output_file = 1 << 20,
    .max_input_file = 1 << 20,
    .input_timeout_us = VEND_US_PER_S,
    .max_logs = 1 << 20,
  };
}

static void
open_store (Core *core)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (core->dir, "vend.db", NULL);
  const VendStoreOptions options = { .path = path, .readers = 4 };
  g_assert_true (vend_store_open (&options, &core->store, &error));
}

static void
open_sched (Core *core)
{
  g_autoptr (GError) error = NULL;
  const VendShelfOptions shelf = { .store = core->store,
                                   .blobs = core->blobs,
                                   .runner = core->runner,
                                   .hub = { .endpoint = VEND_HUB_DEFAULT } };
  g_assert_true (vend_shelf_new (&shelf, &core->shelf, &error));
  core->sched = vend_sched_new (&(VendSchedOptions){ .core = g_main_context_default (),
                                                     .store = core->store,
                                                     .blobs = core->blobs,
                                                     .shelf = core->shelf,
                                                     .runner = core->runner,
                                                     .data_dir = core->dir,
                                                     .input_allow = "",
                                                     .working_copy = "copy",
                                                     .meter = core->meter,
                                                     .skus = core->skus,
                                                     .prices = core->prices,
                                                     .cgroups = core->cgroups,
                                                     .limits = limits_of (&core->settings) });
  g_assert_true (vend_sched_start_disk (core->sched, &error));
  g_assert_true (vend_sched_recover (core->sched, &error));
}

void
core_start (Core *core)
{
  open_store (core);
  open_sched (core);
}

void
core_stop (Core *core)
{
  g_clear_pointer (&core->sched, vend_sched_free);
  g_clear_pointer (&core->shelf, vend_shelf_free);
  g_clear_pointer (&core->store, vend_store_free);
}

void
core_begin_drain (Core *core)
{
  vend_sched_drain (core->sched);
}

bool
core_is_drained (Core *core)
{
  return vend_sched_is_drained (core->sched);
}

void
core_drain (Core *core)
{
  core_begin_drain (core);
  CORE_UNTIL (core_is_drained (core));
}

static bool
insert_rows (VendDb *db, void *data, GError **error)
{
  Core *core = data;
  static const char *const names[] = { "ada", "bob" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      VendAccount account = { .username = (char *) names[i],
                              .name = (char *) names[i],
                              .type = (char *) "user",
                              .created_us = 1 };
      if (!vend_store_account_insert (db, &account, error))
        return false;
      core->accounts[i] = account.id;
    }
  g_autoptr (VendModel) model = vend_model_new ();
  model->account_id = core->accounts[0];
  model->owner = g_strdup ("ada");
  model->name = g_strdup ("script");
  model->hardware = g_strdup ("cpu");
  model->created_us = 1;
  if (!vend_store_model_insert (db, model, error))
    return false;
  core->version.model_id = model->id;
  return vend_store_version_put (db, &core->version, error);
}

Core *
core_new (const CoreSettings *settings)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *hardware = NULL;
  Core *core = g_new0 (Core, 1);
  core->settings = *settings;
  core->dir = g_dir_make_tmp ("vend-core-XXXXXX", NULL);
  core->binary = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *instances = g_build_filename (core->dir, VEND_INSTANCES_FOLDER, NULL);
  core->runner = vend_runner_process_new (instances, core->binary);
  core->callers = g_ptr_array_new ();
  core->version = (VendVersion){
    .id = (char *) VERSION,
    .cog_version = (char *) "",
    .openapi = json_object (),
    .launch = json_pack ("{s:i}", "concurrency", (int) MAX (settings->slots, 1)),
    .manifest = json_object (),
    .source_sha256 = (char *) VERSION,
    .created_us = 1,
  };
  g_autofree char *blobs = g_build_filename (core->dir, "blobs", NULL);
  const VendSkuTexts texts
      = { "cpu=CPU", "", "", "", "", "", .machine_memory = (uint64_t) 1 << 30 };
  g_assert_true (vend_blobs_open (blobs, &core->blobs, &error));
  g_assert_true (vend_skus_parse (&texts, &core->skus, &error));
  g_assert_true (vend_hardware_parse (texts.hardware, &hardware, &error));
  g_assert_true (vend_prices_parse ("", hardware, &core->prices, &error));
  core->meter = vend_meter_new (100);
  core->cgroups = vend_cgroups_none (NULL);
  open_store (core);
  g_assert_true (vend_store_write_wait (core->store, insert_rows, core, &error));
  open_sched (core);
  return core;
}

/* ---- Callers */

/* Of "start die; start succeed". */
static json_t *
read_script (const char *script)
{
  json_t *acts = json_array ();
  g_auto (GStrv) attempts = g_strsplit (script, "; ", -1);
  for (gsize i = 0; attempts[i] != NULL; i++)
    {
      json_t *attempt = json_array ();
      g_auto (GStrv) names = g_strsplit (attempts[i], " ", -1);
      for (gsize k = 0; names[k] != NULL; k++)
        json_array_append_new (attempt, json_string (names[k]));
      json_array_append_new (acts, attempt);
    }
  return acts;
}

static VendPrediction *
prediction_new (const Core *core, const CoreJob *job)
{
  VendPrediction *p = vend_prediction_new ();
  p->id = vend_id_new ();
  p->account_id = core->accounts[job->account];
  p->model_id = core->version.model_id;
  p->model = g_strdup ("ada/script");
  p->version = g_strdup (VERSION);
  p->billing.account_id = core->accounts[0];
  p->input = json_pack ("{s:o, s:I}", "acts", read_script (job->script), "run_us",
                        (json_int_t) (job->run_us > 0 ? job->run_us : SCRIPT_RUN_US));
  p->created_us = vend_now_us ();
  p->deadline_us = job->left_us > 0 ? p->created_us + job->left_us : 0;
  return p;
}

static Caller *
caller_new (Core *core, const char *id, const char *name, bool waits)
{
  Caller *caller = g_new0 (Caller, 1);
  *caller = (Caller){ core, g_strdup (name), g_strdup (id), waits, 0, VEND_STATUS_STARTING, NULL };
  g_ptr_array_add (core->callers, caller);
  return caller;
}

/* The rule of all replies, whoever is told: what it is told is on disk. */
static void
on_told (const VendPrediction *now, const GError *error, void *data)
{
  Caller *caller = data;
  g_assert_cmpuint (++caller->n, ==, 1);
  g_assert_true ((now == NULL) == (error != NULL));
  if (error != NULL)
    {
      caller->error = g_error_copy (error);
      return;
    }
  caller->status = now->status;
  g_assert_cmpstr (now->id, ==, caller->id);
  g_assert_true (!caller->waits || vend_status_is_terminal (now->status));
  g_autoptr (VendPrediction) row = core_row (caller->core, caller);
  g_assert_nonnull (row);
  if (vend_status_is_terminal (now->status))
    {
      g_assert_cmpint (row->status, ==, now->status);
      g_assert_cmpint (row->completed_us, ==, now->completed_us);
    }
}

Caller *
core_create (Core *core, const CoreJob *job)
{
  VendPrediction *p = prediction_new (core, job);
  Caller *caller = caller_new (core, p->id, job->name, job->waits);
  vend_sched_submit (core->sched, p, &core->version, &(VendSchedPlace){ "cpu", NULL },
                     job->waits ? VEND_WAIT_FOR_END : 0, on_told, caller);
  return caller;
}

void
core_create_in_turn (Core *core, const char *const *names, guint account)
{
  for (gsize i = 0; names[i] != NULL; i++)
    core_create (core,
                 &(CoreJob){ .name = names[i], .script = "start succeed", .account = account });
}

Caller *
core_cancel (Core *core, const Caller *of)
{
  Caller *caller = caller_new (core, of->id, of->name, false);
  vend_sched_cancel (core->sched, of->id, on_told, caller);
  return caller;
}

Caller *
core_join (Core *core, const Caller *of)
{
  Caller *caller = caller_new (core, of->id, of->name, true);
  vend_sched_wait (core->sched, of->id, VEND_WAIT_FOR_END, on_told, caller);
  return caller;
}

/* ---- What there is to see */

VendPrediction *
core_row (Core *core, const Caller *of)
{
  VendPrediction *row = NULL;
  g_auto (VendReader) reader = vend_reader (core->store);
  return vend_store_prediction_get (reader.db, of->id, &row, NULL) ? row : NULL;
}

static char **
told_lines (const Core *core)
{
  g_autofree char *path = g_build_filename (core->dir, "told", NULL);
  g_autofree char *text = NULL;
  if (!vend_file_read (path, MAX_TOLD, &text, NULL, NULL))
    return g_new0 (char *, 1);
  return g_strsplit (text, "\n", -1);
}

guint
core_count (Core *core, const char *what, const Caller *of, int attempt)
{
  g_auto (GStrv) lines = told_lines (core);
  g_autofree char *line = g_strdup_printf ("%s %s %d", what, of->id, attempt);
  guint n = 0;
  for (gsize i = 0; lines[i] != NULL; i++)
    n += strcmp (lines[i], line) == 0;
  return n;
}

static const char *
name_of (const Core *core, const char *id)
{
  for (guint i = 0; i < core->callers->len; i++)
    {
      const Caller *caller = g_ptr_array_index (core->callers, i);
      if (strcmp (caller->id, id) == 0)
        return caller->name;
    }
  return NULL;
}

void
core_assert_runs (Core *core, const char *expected)
{
  g_auto (GStrv) lines = told_lines (core);
  g_autoptr (GString) runs = g_string_new (NULL);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", 3);
      if (g_strcmp0 (words[0], "run") == 0)
        g_string_append_printf (runs, "%s%s%s", runs->len > 0 ? " " : "", name_of (core, words[1]),
                                words[2]);
    }
  g_assert_cmpstr (runs->str, ==, expected);
}

void
core_signal (Core *core, const Caller *of, int signal_number)
{
  g_autoptr (VendPrediction) row = core_row (core, of);
  g_autofree char *path
      = g_build_filename (core->dir, "instances", row->instance, "director.pid", NULL);
  g_assert_true (vend_pid_file_signal (path, signal_number));
}

static void
on_described (json_t *take, void *data)
{
  *(json_t **) data = take;
}

json_t *
core_describe (Core *core)
{
  json_t *described = NULL;
  vend_sched_describe (core->sched, true, on_described, &described);
  CORE_UNTIL (described != NULL);
  return described;
}

bool
core_has_queued (Core *core, int64_t n)
{
  json_auto_t *described = core_describe (core);
  return vend_json_int (described, "queued", -1) == n;
}

int64_t
core_starts (Core *core)
{
  json_auto_t *described = core_describe (core);
  return vend_json_int (described, "instance_starts", -1);
}

/* ---- Ends */

const CoreEnd core_succeeded = CORE_SUCCEEDED (1, 0);
const CoreEnd core_canceled = { VEND_STATUS_CANCELED, NULL, 1, 0, SCRIPT_RUN_US };

bool
core_has_ended (Core *core, const Caller *of)
{
  g_autoptr (VendPrediction) row = core_row (core, of);
  return row != NULL && row->completed_us > 0;
}

static int64_t
taken_us (Core *core, const VendPrediction *row)
{
  g_autoptr (VendUsage) usage = NULL;
  g_auto (VendReader) reader = vend_reader (core->store);
  g_assert_true (
      vend_store_usage_of (reader.db, row->account_id, row->completed_us, row->id, &usage, NULL));
  return usage != NULL ? usage->run_us : 0;
}

static guint
count_lost (Core *core, const Caller *of)
{
  g_autoptr (GPtrArray) attempts = NULL;
  g_auto (VendReader) reader = vend_reader (core->store);
  g_assert_true (vend_store_attempt_list (reader.db, of->id, MAX_LOST, &attempts, NULL));
  return attempts->len;
}

static bool
all_are_told (const Core *core)
{
  for (guint i = 0; i < core->callers->len; i++)
    if (((const Caller *) g_ptr_array_index (core->callers, i))->n == 0)
      return false;
  return true;
}

void
core_assert_end (Core *core, const Caller *of, const CoreEnd *expected)
{
  CORE_UNTIL (core_has_ended (core, of));
  g_autoptr (VendPrediction) row = core_row (core, of);
  g_autofree char *output = g_strdup_printf ("of attempt %d", expected->attempt);
  g_assert_cmpstr (vend_status_name (row->status), ==, vend_status_name (expected->status));
  g_assert_cmpstr (row->error_code, ==, expected->error_code);
  g_assert_cmpint (row->attempt, ==, expected->attempt);
  if (expected->status == VEND_STATUS_SUCCEEDED)
    g_assert_cmpstr (json_string_value (row->output), ==, output);
  g_assert_cmpuint (count_lost (core, of), ==, expected->n_lost);
  g_assert_cmpint (taken_us (core, row), ==, expected->taken_us);
}

int64_t
core_usage_rows (Core *core)
{
  int64_t n = 0;
  g_auto (VendReader) reader = vend_reader (core->store);
  for (guint i = 0; i < G_N_ELEMENTS (core->accounts); i++)
    {
      g_autoptr (GPtrArray) sums = NULL;
      const VendUsageQuery query = {
        .account_id = core->accounts[i], .to_us = G_MAXINT64, .group = VEND_USAGE_TOTAL, .limit = 10
      };
      g_assert_true (vend_store_usage_sum (reader.db, &query, &sums, NULL));
      for (guint k = 0; k < sums->len; k++)
        n += ((const VendUsage *) g_ptr_array_index (sums, k))->predictions;
    }
  return n;
}

/* ---- The end of a test */

static bool
is_idle (Core *core)
{
  json_auto_t *described = core_describe (core);
  return vend_json_int (described, "live", -1) == 0;
}

static void
assert_nothing_waits (Core *core)
{
  json_auto_t *described = core_describe (core);
  const json_t *accounts = json_object_get (described, "accounts");
  g_assert_cmpint (vend_json_int (described, "queued", -1), ==, 0);
  g_assert_cmpint (vend_json_int (accounts, "open", -1), ==, 0);
  g_assert_cmpint (vend_json_int (accounts, "running", -1), ==, 0);
  g_assert_cmpuint (json_array_size (json_object_get (described, "open")), ==, 0);
  size_t i;
  json_t *target;
  json_array_foreach (json_object_get (described, "targets"), i, target)
    {
      g_assert_cmpint (vend_json_int (target, "waiting", -1), ==, 0);
      g_assert_cmpint (vend_json_int (target, "running", -1), ==, 0);
    }
  json_t *instance;
  json_array_foreach (json_object_get (described, "instances"), i, instance)
    g_assert_cmpint (vend_json_int (instance, "running", -1), ==, 0);
}

static void
assert_no_directory (const Core *core)
{
  g_autofree char *path = g_build_filename (core->dir, VEND_INSTANCES_FOLDER, NULL);
  g_autoptr (GDir) listing = g_dir_open (path, 0, NULL);
  g_assert_nonnull (listing);
  g_assert_cmpstr (g_dir_read_name (listing), ==, NULL);
}

static void
caller_free (Caller *caller)
{
  g_free (caller->name);
  g_free (caller->id);
  g_clear_error (&caller->error);
  g_free (caller);
}

static void
core_free (Core *core)
{
  g_autoptr (GError) error = NULL;
  core_stop (core);
  for (guint i = 0; i < core->callers->len; i++)
    caller_free (g_ptr_array_index (core->callers, i));
  g_ptr_array_unref (core->callers);
  vend_runner_free (core->runner);
  vend_cgroups_free (core->cgroups);
  vend_meter_free (core->meter);
  vend_prices_free (core->prices);
  vend_skus_free (core->skus);
  vend_blobs_free (core->blobs);
  json_decref (core->version.openapi);
  json_decref (core->version.launch);
  json_decref (core->version.manifest);
  g_assert_true (vend_tree_remove (core->dir, &error));
  g_free (core->binary);
  g_free (core->dir);
  g_free (core);
}

void
core_end (Core *core)
{
  CORE_UNTIL (is_idle (core));
  CORE_UNTIL (all_are_told (core));
  assert_nothing_waits (core);
  core_drain (core);
  json_auto_t *described = core_describe (core);
  g_assert_cmpuint (json_array_size (json_object_get (described, "instances")), ==, 0);
  assert_no_directory (core);
  core_free (core);
}

int
core_main (int argc, char **argv, void (*add) (void))
{
  if (script_director_is_meant (argc, argv))
    return script_director_main (argc, argv);
  g_test_init (&argc, &argv, NULL);
  /* Before there are threads. */
  json_object_seed (0);
  signal (SIGPIPE, SIG_IGN);
  vend_log_setup (VEND_LOG_ERROR, VEND_LOG_FORMAT_TEXT);
  add ();
  return g_test_run ();
}
