/* The core of the scheduler and its instances, with a runner that does what it is told: boots that
 * fail or are slow, directors that fall silent, instances that nothing needs, releases, budgets,
 * and what an earlier server left. */
#include "base/clock.h"
#include "base/error.h"
#include "core-server.h"
#include "fake-runner.h"
#include <string.h>

#define SOON_US VEND_US_PER_MS
#define LEASE_US (2 * VEND_US_PER_S)

static const CoreEnd never_ran = { VEND_STATUS_CANCELED, NULL, 0, 0, 0 };

/* ---- Boots */

typedef struct
{
  const char *boots;
  int64_t starts;
} Boots;

/* Of no concern to a run that waits: it was on none of these instances. */
static const Boots boots[] = {
  { "ready", 1 },
  { "refused; ready", 2 },
  { "stillborn; ready", 2 },
  { "dies-in-setup; ready", 2 },
  { "setup-fails; ready", 2 },
  { "refused; stillborn; ready", 3 },
  { "setup-fails; refused; ready", 3 },
};

static void
test_boots (gconstpointer data)
{
  const Boots *expected = data;
  Core *core = core_new (&(CoreSettings){ .boots = expected->boots });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed", .waits = true });
  core_assert_end (core, a, &core_succeeded);
  CORE_UNTIL (a->n == 1);
  g_assert_cmpint (core_starts (core), ==, expected->starts);
  g_assert_cmpint (core_count_failed_boots (core), ==, 0);
  core_assert_runs (core, "A1");
  core_end (core);
}

/* The second failure in a row; the third one comes after a while. */
static void
test_backoff (void)
{
  Core *core = core_new (&(CoreSettings){ .boots = SCRIPT_BOOT_FAILS });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed", .waits = true });
  CORE_UNTIL (core_count_failed_boots (core) == 2);
  CORE_UNTIL (core_count_instances (core) == 0);
  g_assert_true (core_has_queued (core, 1));
  g_assert_cmpint (core_starts (core), ==, 2);
  g_assert_cmpuint (a->n, ==, 0);
  core_cancel (core, a);
  core_assert_end (core, a, &never_ran);
  core_assert_runs (core, "");
  core_end (core);
}

static bool
has_setup_logs (Core *core, const Caller *of)
{
  g_autoptr (VendPrediction) row = core_row (core, of);
  return row->logs != NULL && strstr (row->logs, "what setup printed") != NULL;
}

/* Who waits is told what setup printed. */
static void
test_boots_given_up (void)
{
  Core *core = core_new (&(CoreSettings){ .boots = "setup-fails; setup-fails; setup-fails" });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed", .waits = true });
  core_assert_end (core, a, &(CoreEnd){ VEND_STATUS_FAILED, VEND_FAILURE_SETUP_FAILED, 0, 0, 0 });
  CORE_UNTIL (a->n == 1);
  g_assert_true (has_setup_logs (core, a));
  g_assert_cmpint (core_starts (core), ==, 3);
  core_end (core);
}

/* Everything else goes on meanwhile. */
static void
test_slow_boot (gconstpointer slow)
{
  Core *core = core_new (&(CoreSettings){ .boots = slow, .slots = 2 });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed", .waits = true });
  const Caller *b = core_create (core, &(CoreJob){ .name = "B", .script = "start succeed" });
  CORE_UNTIL (core_starts (core) == 1 && b->n == 1);
  g_assert_true (core_has_queued (core, 2));
  g_assert_cmpuint (a->n, ==, 0);
  CORE_UNTIL (fake_runner_count (core_fake (core)) == 1);
  fake_runner_release (core_fake (core));
  core_assert_end (core, a, &core_succeeded);
  core_assert_end (core, b, &core_succeeded);
  core_assert_runs (core, "A1 B1");
  g_assert_cmpint (core_starts (core), ==, 1);
  core_end (core);
}

static void
test_cancel_while_it_boots (gconstpointer slow)
{
  Core *core = core_new (&(CoreSettings){ .boots = slow });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed", .waits = true });
  CORE_UNTIL (core_starts (core) == 1);
  const Caller *cancel = core_cancel (core, a);
  core_assert_end (core, a, &never_ran);
  CORE_UNTIL (a->n == 1 && cancel->n == 1);
  CORE_UNTIL (fake_runner_count (core_fake (core)) == 1);
  fake_runner_release (core_fake (core));
  /* It is there for the next one. */
  const Caller *b = core_create (core, &(CoreJob){ .name = "B", .script = "start succeed" });
  core_assert_end (core, b, &core_succeeded);
  core_assert_runs (core, "B1");
  g_assert_cmpint (core_starts (core), ==, 1);
  core_end (core);
}

/* ---- Directors that fall silent */

static void
test_lease (void)
{
  Core *core = core_new (&(CoreSettings){ .lease_us = LEASE_US });
  const Caller *a = core_create (
      core, &(CoreJob){ .name = "A", .script = "start until-canceled; start succeed" });
  CORE_UNTIL (core_count (core, "run", a, 1) == 1);
  CORE_UNTIL (core_is_processing (core, a));
  core_pause (core, a, true);
  core_assert_end (core, a, &(CoreEnd) CORE_SUCCEEDED (2, 1));
  g_assert_cmpint (core_starts (core), ==, 2);
  core_assert_runs (core, "A1 A2");
  core_end (core);
}

/* It would outlive the server. */
static void
test_deaf_to_the_stop (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed", .waits = true });
  CORE_UNTIL (a->n == 1 && core_count (core, "ack", a, 1) == 1);
  core_pause (core, a, true);
  core_begin_drain (core);
  CORE_UNTIL (vend_sched_has_unresponsive (core_sched (core)));
  g_assert_false (core_is_drained (core));
  vend_sched_kill_unresponsive (core_sched (core));
  CORE_UNTIL (core_is_drained (core));
  g_assert_cmpuint (fake_runner_count (core_fake (core)), ==, 0);
  core_assert_end (core, a, &core_succeeded);
  core_end (core);
}

/* ---- Instances that nothing needs */

static void
test_scale_to_zero (void)
{
  Core *core = core_new (&(CoreSettings){ .idle_us = SOON_US });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed" });
  core_assert_end (core, a, &core_succeeded);
  CORE_UNTIL (core_count_instances (core) == 0 && fake_runner_count (core_fake (core)) == 0);
  const Caller *b = core_create (core, &(CoreJob){ .name = "B", .script = "start succeed" });
  core_assert_end (core, b, &core_succeeded);
  g_assert_cmpint (core_starts (core), ==, 2);
  core_assert_runs (core, "A1 B1");
  core_end (core);
}

/* The old one finishes what it runs, and takes no more. */
static void
test_release (void)
{
  Core *core = core_new (&(CoreSettings){ .max_instances = 2 });
  core_deploy (core, 1);
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD, .release = 1 });
  CORE_UNTIL (core_count (core, "run", a, 1) == 1);
  core_deploy (core, 2);
  CORE_UNTIL (core_serving (core) == 2);
  g_assert_false (core_has_ended (core, a));
  const Caller *b
      = core_create (core, &(CoreJob){ .name = "B", .script = "start succeed", .release = 2 });
  core_assert_end (core, b, &core_succeeded);
  g_assert_false (core_has_ended (core, a));
  core_cancel (core, a);
  core_assert_end (core, a, &core_canceled);
  CORE_UNTIL (core_count_instances (core) == 1);
  core_assert_runs (core, "A1 B1");
  g_assert_cmpint (core_starts (core), ==, 2);
  core_end (core);
}

static void
on_status (char *take_text, void *data)
{
  *(char **) data = take_text;
}

static void
test_usage (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  g_autofree char *text = NULL;
  json_auto_t *status = NULL;
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  CORE_UNTIL (core_count (core, "run", a, 1) == 1);
  vend_sched_status (core_sched (core), json_object (), on_status, &text);
  CORE_UNTIL (text != NULL);
  g_assert_true (vend_json_parse (text, strlen (text), &status, NULL));
  const json_t *instance = json_array_get (json_object_get (status, "instances"), 0);
  g_assert_cmpint (vend_json_int (instance, "processes", -1), ==, 1);
  g_assert_cmpint (vend_json_int (instance, "memory", -1), ==, 4096);
  core_cancel (core, a);
  core_end (core);
}

/* ---- Budgets */

static void
test_budget (void)
{
  Core *core = core_new (&(CoreSettings){ .price = "cpu=1" });
  core_set_budget (core, "0.5");
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed", .waits = true });
  core_assert_end (core, a, &core_succeeded);
  CORE_UNTIL (a->n == 1);
  /* Also after the next start. */
  for (guint i = 0; i < 2; i++)
    {
      const Caller *b = core_create (core, &(CoreJob){ .name = "B", .script = "start succeed" });
      CORE_UNTIL (b->n == 1);
      g_assert_error (b->error, VEND_ERROR, VEND_ERROR_PAYMENT);
      core_stop (core);
      core_start (core);
    }
  core_set_budget (core, "1.5");
  const Caller *c = core_create (core, &(CoreJob){ .name = "C", .script = "start succeed" });
  core_assert_end (core, c, &core_succeeded);
  core_assert_runs (core, "A1 C1");
  core_end (core);
}

/* ---- What an earlier server left */

static void
test_restart_removes_the_useless (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  core_stop (core);
  fake_runner_add (core_fake (core), "cut-off", NULL);
  fake_runner_add (core_fake (core), "damaged", "{");
  fake_runner_add (core_fake (core), "unknown",
                   "{\"version\": \"0\", \"target\": {\"model\": \"a/b\", \"model_id\": 7, "
                   "\"hardware\": \"cpu\"}}");
  core_start (core);
  g_assert_cmpuint (fake_runner_count (core_fake (core)), ==, 0);
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed" });
  core_assert_end (core, a, &core_succeeded);
  core_end (core);
}

/* A dead instance that could not be removed, and a result in its journal that was taken before. */
static void
test_restart_removes_the_rest (gconstpointer script)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  fake_runner_let_remove (core_fake (core), false);
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = script, .waits = true });
  core_assert_end (core, a, &core_succeeded);
  CORE_UNTIL (a->n == 1);
  core_drain (core);
  g_assert_cmpuint (fake_runner_count (core_fake (core)), ==, 1);
  core_stop (core);
  fake_runner_let_remove (core_fake (core), true);
  core_start (core);
  CORE_UNTIL (fake_runner_count (core_fake (core)) == 0);
  core_assert_end (core, a, &core_succeeded);
  g_assert_cmpint (core_usage_rows (core), ==, 1);
  core_assert_runs (core, "A1");
  core_end (core);
}

static bool
is_recovering (Core *core)
{
  json_auto_t *described = core_describe (core);
  return vend_json_bool (described, "recovering", true);
}

/* One that lives and one that has died, each with a run; what waits is given out once both are
 * heard. */
static void
test_restart_with_living_and_dead (void)
{
  Core *core = core_new (&(CoreSettings){ .max_instances = 2 });
  const Caller *a = core_create (
      core, &(CoreJob){ .name = "A", .script = "start until-alone until-together succeed" });
  CORE_UNTIL (core_is_processing (core, a));
  const Caller *b = core_create (
      core, &(CoreJob){ .name = "B", .script = "start until-alone die; start succeed" });
  CORE_UNTIL (core_is_processing (core, b));
  core_stop (core);
  core_start (core);
  core_assert_end (core, a, &core_succeeded);
  core_assert_end (core, b, &(CoreEnd) CORE_SUCCEEDED (2, 1));
  CORE_UNTIL (!is_recovering (core));
  g_assert_cmpint (core_usage_rows (core), ==, 2);
  core_end (core);
}

/* ---- */

static void
add_tests (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (boots); i++)
    {
      g_autofree char *path = g_strdup_printf ("/instances/boots/%s", boots[i].boots);
      g_test_add_data_func (path, &boots[i], test_boots);
    }
  g_test_add_func ("/instances/boots/backs-off", test_backoff);
  g_test_add_func ("/instances/boots/given-up", test_boots_given_up);
  g_test_add_data_func ("/instances/slow/start", FAKE_BOOT_STUCK, test_slow_boot);
  g_test_add_data_func ("/instances/slow/connection", FAKE_BOOT_SILENT, test_slow_boot);
  g_test_add_data_func ("/instances/cancel/in-start", FAKE_BOOT_STUCK, test_cancel_while_it_boots);
  g_test_add_data_func ("/instances/cancel/unconnected", FAKE_BOOT_SILENT,
                        test_cancel_while_it_boots);
  g_test_add_func ("/instances/silent/given-up-after-the-lease", test_lease);
  g_test_add_func ("/instances/silent/killed-at-the-stop", test_deaf_to_the_stop);
  g_test_add_func ("/instances/scale-to-zero", test_scale_to_zero);
  g_test_add_func ("/instances/release-drains-the-old-one", test_release);
  g_test_add_func ("/instances/usage", test_usage);
  g_test_add_func ("/instances/budget", test_budget);
  g_test_add_func ("/instances/restart/useless-are-removed", test_restart_removes_the_useless);
  g_test_add_data_func ("/instances/restart/rest-is-removed", "start succeed",
                        test_restart_removes_the_rest);
  g_test_add_data_func ("/instances/restart/journal-is-read-again", "start journal die",
                        test_restart_removes_the_rest);
  g_test_add_func ("/instances/restart/living-and-dead", test_restart_with_living_and_dead);
}

int
main (int argc, char **argv)
{
  return core_main (argc, argv, add_tests);
}
