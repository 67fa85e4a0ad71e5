/* Starts of the server while its directors live on, or have died: what the core of the scheduler
 * takes up, with a store and directors that play by a script. */
#include "base/error.h"
#include "core-server.h"

typedef struct
{
  const char *name;
  const char *script;
  int attempt; /* that the server stops in */
  bool began;
  bool has_output;
  CoreEnd end;
  const char *runs;
} Restart;

static const Restart restarts[] = {
  { "result-of-meanwhile-is-taken-once", "start until-alone succeed", 1, true, false,
    CORE_SUCCEEDED (1, 0), "A1" },
  { "run-goes-on", "start until-alone until-together succeed", 1, true, false,
    CORE_SUCCEEDED (1, 0), "A1" },
  { "run-begins-later", "until-alone until-together start succeed", 1, false, false,
    CORE_SUCCEEDED (1, 0), "A1" },
  { "director-left-a-result", "start until-alone journal die", 1, true, false,
    CORE_SUCCEEDED (1, 0), "A1" },
  { "director-died-before-it-began", "until-alone die; start succeed", 1, false, false,
    CORE_SUCCEEDED (2, 1), "A1 A2" },
  { "director-died-running", "start until-alone die; start succeed", 1, true, false,
    CORE_SUCCEEDED (2, 1), "A1 A2" },
  { "losses-before-count", "start die; start die; start until-alone die", 3, true, false,
    CORE_LOST (3), "A1 A2 A3" },
  { "losses-of-memory-before-count",
    "start out-of-memory; start until-alone until-together out-of-memory; start succeed",
    2,
    true,
    false,
    { VEND_STATUS_FAILED, VEND_FAILURE_OUT_OF_MEMORY, 2, 2, 0 },
    "A1 A2" },
  { "output-before-counts", "start chunk until-alone die", 1, true, true, CORE_LOST (1), "A1" },
};

static bool
is_leased (Core *core, const Caller *a, const Restart *restart)
{
  g_autoptr (VendPrediction) row = core_row (core, a);
  return row != NULL && row->attempt == restart->attempt && row->instance != NULL
         && (row->status == VEND_STATUS_PROCESSING) == restart->began
         && (row->output != NULL) == restart->has_output;
}

static void
test_restart (gconstpointer data)
{
  const Restart *restart = data;
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = restart->script });
  CORE_UNTIL (a->n == 1 && is_leased (core, a, restart));
  core_stop (core);
  core_start (core);
  const Caller *joined = core_join (core, a);
  core_assert_end (core, a, &restart->end);
  CORE_UNTIL (joined->n == 1);
  g_assert_cmpint (joined->status, ==, restart->end.status);
  g_assert_cmpint (core_usage_rows (core), ==, restart->end.taken_us > 0);
  core_assert_runs (core, restart->runs);
  core_drain (core);
  g_assert_cmpuint (core_count (core, "cancel", a, restart->attempt), ==, 0);
  core_end (core);
}

/* It is there before the next start, so nothing but the greeting tells of it. */
static void
test_restart_after_the_end (void)
{
  const Restart restart = { .attempt = 1, .began = true };
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start until-alone succeed" });
  CORE_UNTIL (a->n == 1 && is_leased (core, a, &restart));
  core_stop (core);
  CORE_UNTIL (core_count (core, "end", a, 1) == 1);
  core_start (core);
  core_assert_end (core, a, &core_succeeded);
  CORE_UNTIL (core_count (core, "ack", a, 1) == 1);
  g_assert_cmpint (core_usage_rows (core), ==, 1);
  g_assert_cmpint (core_starts (core), ==, 0);
  core_assert_runs (core, "A1");
  core_end (core);
}

/* The request is on disk, and the next start goes on with it. */
static void
test_restart_after_a_cancel (gconstpointer script)
{
  const Restart restart = { .attempt = 1, .began = true };
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = script });
  CORE_UNTIL (a->n == 1 && is_leased (core, a, &restart));
  const Caller *cancel = core_cancel (core, a);
  CORE_UNTIL (cancel->n == 1);
  g_assert_cmpint (cancel->status, ==, VEND_STATUS_PROCESSING);
  core_stop (core);
  core_start (core);
  CORE_UNTIL (core_has_ended (core, a));
  g_autoptr (VendPrediction) row = core_row (core, a);
  g_assert_cmpint (row->status, ==, VEND_STATUS_CANCELED);
  core_assert_runs (core, "A1");
  core_end (core);
}

/* What runs is waited for, what is queued runs after the next start. */
static void
test_drain (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  const Caller *b = core_create (core, &(CoreJob){ .name = "B", .script = "start succeed" });
  CORE_UNTIL (core_count (core, "run", a, 1) == 1 && b->n == 1);
  core_begin_drain (core);
  const Caller *late = core_create (core, &(CoreJob){ .name = "C", .script = "start succeed" });
  CORE_UNTIL (late->n == 1);
  g_assert_error (late->error, VEND_ERROR, VEND_ERROR_BUSY);
  g_assert_false (core_is_drained (core));
  core_cancel (core, a);
  CORE_UNTIL (core_is_drained (core));
  core_assert_end (core, a, &core_canceled);
  g_assert_false (core_has_ended (core, b));
  core_stop (core);
  core_start (core);
  core_assert_end (core, b, &core_succeeded);
  core_assert_runs (core, "A1 B1");
  core_end (core);
}

static bool
is_recovering (Core *core)
{
  json_auto_t *described = core_describe (core);
  return vend_json_bool (described, "recovering", true);
}

static void
test_restart_with_a_queue (void)
{
  const Restart restart = { .attempt = 1, .began = true };
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  core_create_in_turn (core, (const char *const[]){ "B", "C", "D", "E", "F", NULL }, 0);
  const Caller *last = core_create (core, &(CoreJob){ .name = "G", .script = "start succeed" });
  CORE_UNTIL (last->n == 1 && is_leased (core, a, &restart));
  core_stop (core);
  core_start (core);
  CORE_UNTIL (!is_recovering (core));
  g_assert_true (core_has_queued (core, 6));
  core_cancel (core, a);
  core_assert_end (core, a, &core_canceled);
  core_assert_end (core, last, &core_succeeded);
  g_assert_cmpint (core_starts (core), ==, 0);
  core_assert_runs (core, "A1 B1 C1 D1 E1 F1 G1");
  core_end (core);
}

/* The disk does not know yet who runs it, but its director does. */
static void
test_restart_before_the_lease (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (
      core, &(CoreJob){ .name = "A", .script = "start until-alone until-together succeed" });
  CORE_UNTIL (a->n == 1 && core_count (core, "run", a, 1) == 1);
  core_stop (core);
  core_start (core);
  core_assert_end (core, a, &core_succeeded);
  core_assert_runs (core, "A1");
  core_drain (core);
  g_assert_cmpuint (core_count (core, "cancel", a, 1), ==, 0);
  core_end (core);
}

/* One of two directors stands still. */
static void
test_restart_gives_nothing_out (void)
{
  Core *core = core_new (&(CoreSettings){ .slots = 2, .max_instances = 2 });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start until-alone succeed" });
  const Caller *b = core_create (core, &(CoreJob){ .name = "B", .script = CORE_HOLD });
  const Caller *c = core_create (core, &(CoreJob){ .name = "C", .script = CORE_HOLD });
  const Restart restart = { .attempt = 1, .began = true };
  CORE_UNTIL (is_leased (core, a, &restart) && is_leased (core, b, &restart)
              && is_leased (core, c, &restart));
  core_pause (core, c, true);
  core_stop (core);
  CORE_UNTIL (core_count (core, "end", a, 1) == 1);
  core_start (core);
  /* Where A ran there is room. */
  const Caller *d = core_create (core, &(CoreJob){ .name = "D", .script = "start succeed" });
  CORE_UNTIL (core_has_ended (core, a) && d->n == 1);
  g_assert_true (is_recovering (core));
  g_assert_true (core_has_queued (core, 1));
  core_pause (core, c, false);
  core_assert_end (core, d, &core_succeeded);
  core_cancel (core, b);
  core_cancel (core, c);
  core_assert_end (core, b, &core_canceled);
  core_assert_end (core, c, &core_canceled);
  g_assert_cmpint (core_usage_rows (core), ==, 4);
  core_end (core);
}

static void
add_tests (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (restarts); i++)
    {
      g_autofree char *path = g_strconcat ("/core/restart/", restarts[i].name, NULL);
      g_test_add_data_func (path, &restarts[i], test_restart);
    }
  g_test_add_func ("/core/restart/result-was-there-before", test_restart_after_the_end);
  g_test_add_func ("/core/restart/queue-keeps-its-order", test_restart_with_a_queue);
  g_test_add_data_func ("/core/restart/cancel-is-told-again",
                        "start until-alone until-together until-canceled cancel",
                        test_restart_after_a_cancel);
  g_test_add_data_func ("/core/restart/lost-after-a-cancel", "start until-alone die",
                        test_restart_after_a_cancel);
  g_test_add_func ("/core/restart/drained-before", test_drain);
  g_test_add_func ("/core/restart/before-the-lease", test_restart_before_the_lease);
  g_test_add_func ("/core/restart/nothing-is-given-out-meanwhile", test_restart_gives_nothing_out);
}

int
main (int argc, char **argv)
{
  return core_main (argc, argv, add_tests);
}
