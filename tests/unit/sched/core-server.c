/* A scheduler over a store in a temporary directory. Core thread. */
#include "core-private.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "fake-runner.h"
#include "model/hardware.h"
#include "runner/runner-process.h"
#include "script-process.h"
#include "store/accounts.h"
#include "store/models.h"
#include "support/test-database.h"
#include <signal.h>

#define TURN_MS 2
/* "processes": directors are processes of the real runner; else those of the fake one. */
#define RUNNER_VARIABLE "VEND_TEST_RUNNER"

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
                 .idle_timeout_us = settings->idle_us > 0 ? settings->idle_us : 600 * VEND_US_PER_S,
                 .on_demand = settings->idle_us == 0,
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
    .lease_us = settings->lease_us > 0 ? settings->lease_us : 60 * VEND_US_PER_S,
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
  g_autofree char *path = test_database (core->dir);
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
  const VendImagesOptions images = {
    .store = core->store, .blobs = core->blobs, .runner = core->runner, .data_dir = core->dir
  };
  g_assert_true (vend_images_new (&images, &core->images, &error));
  core->sched = vend_sched_new (&(VendSchedOptions){ .core = g_main_context_default (),
                                                     .store = core->store,
                                                     .blobs = core->blobs,
                                                     .shelf = core->shelf,
                                                     .images = core->images,
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
  g_clear_pointer (&core->images, vend_images_free);
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
  VendVersion next = core->version;
  next.id = (char *) CORE_NEXT_VERSION;
  return vend_store_version_put (db, &next, error)
         && vend_store_version_put (db, &core->version, error);
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
  core->is_fake = g_strcmp0 (g_getenv (RUNNER_VARIABLE), "processes") != 0;
  g_autofree char *instances = g_build_filename (core->dir, VEND_INSTANCES_FOLDER, NULL);
  core->runner = core->is_fake ? fake_runner_new (instances, settings->boots)
                               : vend_runner_process_new (instances, core->binary);
  core->callers = g_ptr_array_new ();
  core->version = (VendVersion){
    .id = (char *) CORE_VERSION,
    .cog_version = (char *) "",
    .openapi = json_object (),
    .launch = json_pack ("{s:i}", "concurrency", (int) MAX (settings->slots, 1)),
    .manifest = json_object (),
    .source_sha256 = (char *) CORE_VERSION,
    .created_us = 1,
  };
  g_autofree char *blobs = g_build_filename (core->dir, "blobs", NULL);
  const VendSkuTexts texts
      = { "cpu=CPU", "", "", "", "", "", .machine_memory = (uint64_t) 1 << 30 };
  g_assert_true (vend_blobs_open (blobs, &core->blobs, &error));
  g_assert_true (vend_skus_parse (&texts, &core->skus, &error));
  g_assert_true (vend_hardware_parse (texts.hardware, &hardware, &error));
  g_assert_true (vend_prices_parse (settings->price != NULL ? settings->price : "", hardware,
                                    &core->prices, &error));
  core->meter = vend_meter_new (100);
  core->cgroups = vend_cgroups_none (NULL);
  open_store (core);
  g_assert_true (vend_store_write_wait (core->store, insert_rows, core, &error));
  open_sched (core);
  return core;
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

static bool
note_instance (const char *id, const char *spec, const GError *error, void *data)
{
  g_string_append_printf (data, "%s\n", id);
  return true;
}

static void
assert_nothing_is_left (const Core *core)
{
  g_autoptr (GString) left = g_string_new (NULL);
  g_assert_true (core->runner->list (core->runner, note_instance, left, NULL));
  g_assert_cmpstr (left->str, ==, "");
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
  CORE_UNTIL (core_all_are_told (core));
  assert_nothing_waits (core);
  core_drain (core);
  json_auto_t *described = core_describe (core);
  g_assert_cmpuint (json_array_size (json_object_get (described, "instances")), ==, 0);
  assert_nothing_is_left (core);
  core_free (core);
}

int
core_main (int argc, char **argv, void (*add) (void))
{
  if (script_process_is_meant (argc, argv))
    return script_process_main (argc, argv);
  g_test_init (&argc, &argv, NULL);
  /* Before there are threads. */
  json_object_seed (0);
  signal (SIGPIPE, SIG_IGN);
  vend_log_setup (VEND_LOG_ERROR, VEND_LOG_FORMAT_TEXT);
  add ();
  return g_test_run ();
}
