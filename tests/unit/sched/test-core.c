/* The core of the scheduler, with a store and directors that play by a script: how runs end, what
 * becomes of lost ones, cancels, deadlines and turns. */
#include "base/clock.h"
#include "base/error.h"
#include "core-server.h"

#define SHORT_US VEND_US_PER_MS
#define SOON_US (50 * VEND_US_PER_MS)

/* ---- Ends of one run */

typedef struct
{
  const char *name;
  const char *script;
  CoreEnd end;
  const char *runs;
  bool never_again;
} Single;

#define OUT_OF_MEMORY(attempt) \
  { VEND_STATUS_FAILED, VEND_FAILURE_OUT_OF_MEMORY, attempt, attempt, 0 }

static const Single singles[] = {
  { "end/succeeds", "start succeed", CORE_SUCCEEDED (1, 0), "A1", false },
  { "end/fails", "start fail", { VEND_STATUS_FAILED, NULL, 1, 0, SCRIPT_RUN_US }, "A1", false },
  { "end/of-an-iterator", "start chunk chunk succeed", CORE_SUCCEEDED (1, 0), "A1", false },
  { "end/left-in-the-journal", "start journal die", CORE_SUCCEEDED (1, 0), "A1", false },
  { "lost/before-it-began-fails-after-3-retries", "die", CORE_LOST (4), "A1 A2 A3 A4", false },
  { "lost/before-it-began-may-succeed-at-the-3rd-retry", "die; die; die; start succeed",
    CORE_SUCCEEDED (4, 3), "A1 A2 A3 A4", false },
  { "lost/running-fails-after-2-retries", "start die", CORE_LOST (3), "A1 A2 A3", false },
  { "lost/running-may-succeed-at-the-2nd-retry", "start die; start die; start succeed",
    CORE_SUCCEEDED (3, 2), "A1 A2 A3", false },
  { "lost/begun-and-not-begun-are-counted-apart", "die; start die; die; start die; start succeed",
    CORE_SUCCEEDED (5, 4), "A1 A2 A3 A4 A5", false },
  { "lost/after-output-is-not-tried-again", "start chunk die", CORE_LOST (1), "A1", false },
  { "lost/after-output-of-a-retry", "start die; start chunk die", CORE_LOST (2), "A1 A2", false },
  { "lost/without-retry-safe-is-not-tried-again", "start die", CORE_LOST (1), "A1", true },
  { "lost/without-retry-safe-before-it-began-is-tried-again", "die; start succeed",
    CORE_SUCCEEDED (2, 1), "A1 A2", true },
  { "lost/out-of-memory-is-tried-again-once", "start out-of-memory", OUT_OF_MEMORY (2), "A1 A2",
    false },
  { "lost/out-of-memory-may-succeed-at-the-retry", "start out-of-memory; start succeed",
    CORE_SUCCEEDED (2, 1), "A1 A2", false },
};

static void
test_single (gconstpointer data)
{
  const Single *expected = data;
  Core *core = core_new (&(CoreSettings){ .never_again = expected->never_again });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = expected->script, .waits = true });
  core_assert_end (core, a, &expected->end);
  CORE_UNTIL (a->n == 1);
  g_assert_cmpint (a->status, ==, expected->end.status);
  g_assert_cmpint (core_usage_rows (core), ==, expected->end.taken_us > 0);
  core_assert_runs (core, expected->runs);
  core_end (core);
}

/* ---- Who is told, and when; core-server.c compares all that is told with the disk. */

static void
test_waiters (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  CORE_UNTIL (a->n == 1);
  g_assert_false (vend_status_is_terminal (a->status));
  const Caller *joined = core_join (core, a);
  const Caller *other = core_join (core, a);
  CORE_UNTIL (core_count (core, "run", a, 1) == 1);
  g_assert_cmpuint (joined->n, ==, 0);
  const Caller *cancel = core_cancel (core, a);
  core_assert_end (core, a, &core_canceled);
  CORE_UNTIL (joined->n == 1 && other->n == 1 && cancel->n == 1);
  g_assert_cmpint (joined->status, ==, VEND_STATUS_CANCELED);
  g_assert_cmpint (other->status, ==, VEND_STATUS_CANCELED);
  core_end (core);
}

/* Who asks after the end is told that there is nothing to wait for. */
static void
test_late_callers (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = "start succeed", .waits = true });
  CORE_UNTIL (a->n == 1);
  const Caller *joined = core_join (core, a);
  const Caller *cancel = core_cancel (core, a);
  CORE_UNTIL (joined->n == 1 && cancel->n == 1);
  g_assert_error (joined->error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  g_assert_error (cancel->error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  core_assert_end (core, a, &core_succeeded);
  core_end (core);
}

/* ---- Results that do not count */

static void
test_old_attempt (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (
      core, &(CoreJob){ .name = "A", .script = "die; old-end " CORE_HOLD, .waits = true });
  CORE_UNTIL (core_count (core, "ack", a, 1) == 1);
  g_assert_false (core_has_ended (core, a));
  g_assert_cmpint (core_usage_rows (core), ==, 0);
  core_cancel (core, a);
  core_assert_end (core, a, &(CoreEnd){ VEND_STATUS_CANCELED, NULL, 2, 1, SCRIPT_RUN_US });
  g_assert_cmpint (core_usage_rows (core), ==, 1);
  core_assert_runs (core, "A1 A2");
  core_end (core);
}

static void
test_twice (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A",
                                       .script = "start succeed-twice until-acknowledged repeat",
                                       .waits = true });
  core_assert_end (core, a, &core_succeeded);
  CORE_UNTIL (core_count (core, "ack", a, 1) >= 2);
  core_assert_end (core, a, &core_succeeded);
  g_assert_cmpint (core_usage_rows (core), ==, 1);
  core_drain (core);
  /* One for both that came before the end was on disk, one for the last. */
  g_assert_cmpuint (core_count (core, "ack", a, 1), ==, 2);
  core_end (core);
}

/* ---- Prefetched runs */

/* The first run is so short that the next ones are prefetched. */
static void
make_short (Core *core)
{
  const Caller *w = core_create (
      core,
      &(CoreJob){ .name = "W", .script = "start succeed", .run_us = SHORT_US, .waits = true });
  CORE_UNTIL (w->n == 1);
}

static void
test_release (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  make_short (core);
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  const Caller *b = core_create (core, &(CoreJob){ .name = "B", .script = "start succeed" });
  const Caller *c = core_create (core, &(CoreJob){ .name = "C", .script = "start succeed" });
  /* It is asked for, since the one before it takes long after all. */
  CORE_UNTIL (core_count (core, "give_back", b, 1) > 0);
  CORE_UNTIL (core_has_queued (core, 2));
  core_cancel (core, a);
  core_assert_end (core, b, &(CoreEnd) CORE_SUCCEEDED (2, 0));
  core_assert_end (core, c, &core_succeeded);
  core_assert_runs (core, "W1 A1 B1 B2 C1");
  core_end (core);
}

/* Each of them goes to the head, and they keep their order all the same. */
static void
test_release_of_some (void)
{
  Core *core = core_new (&(CoreSettings){ .slots = 3 });
  make_short (core);
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  const Caller *b = core_create (core, &(CoreJob){ .name = "B", .script = CORE_HOLD });
  const Caller *c = core_create (core, &(CoreJob){ .name = "C", .script = CORE_HOLD });
  core_create_in_turn (core, (const char *const[]){ "D", "E", "F", "G", NULL }, 0);
  CORE_UNTIL (core_has_queued (core, 4));
  core_cancel (core, a);
  core_cancel (core, b);
  core_cancel (core, c);
  CORE_UNTIL (core_usage_rows (core) == 8);
  core_assert_runs (core, "W1 A1 B1 C1 D1 E1 F1 D2 E2 F2 G1");
  core_end (core);
}

/* The same of those that went with their instance. */
static void
test_loss_of_some (void)
{
  Core *core = core_new (&(CoreSettings){ .slots = 3 });
  const char *const scripts[]
      = { "start until-canceled; start succeed", "start until-canceled; start succeed",
          "start die; start succeed" };
  const char *const names[] = { "A", "B", "C" };
  for (guint i = 0; i < 3; i++)
    core_create (core, &(CoreJob){ .name = names[i], .script = scripts[i] });
  CORE_UNTIL (core_usage_rows (core) == 3);
  core_assert_runs (core, "A1 B1 C1 A2 B2 C2");
  core_end (core);
}

/* The director has no room for it after all. */
static void
test_release_at_once (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  make_short (core);
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  const Caller *b
      = core_create (core, &(CoreJob){ .name = "B", .script = "ahead give-back; start succeed" });
  const Caller *c = core_create (core, &(CoreJob){ .name = "C", .script = "start succeed" });
  CORE_UNTIL (core_count (core, "run", b, 2) == 1);
  core_cancel (core, a);
  core_assert_end (core, b, &(CoreEnd) CORE_SUCCEEDED (2, 0));
  core_assert_end (core, c, &core_succeeded);
  core_assert_runs (core, "W1 A1 B1 B2 C1");
  core_end (core);
}

static void
test_release_canceled (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  make_short (core);
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  const Caller *b = core_create (
      core, &(CoreJob){ .name = "B", .script = "ahead until-canceled give-back", .waits = true });
  CORE_UNTIL (core_count (core, "run", b, 1) == 1);
  core_cancel (core, b);
  core_assert_end (core, b, &(CoreEnd){ VEND_STATUS_CANCELED, NULL, 1, 0, 0 });
  g_assert_false (core_has_ended (core, a));
  core_cancel (core, a);
  core_assert_runs (core, "W1 A1 B1");
  core_end (core);
}

/* ---- Cancels and deadlines */

static void
test_cancel_queued (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  CORE_UNTIL (core_count (core, "run", a, 1) == 1);
  const Caller *b
      = core_create (core, &(CoreJob){ .name = "B", .script = "start succeed", .waits = true });
  const Caller *cancel = core_cancel (core, b);
  core_assert_end (core, b, &(CoreEnd){ VEND_STATUS_CANCELED, NULL, 0, 0, 0 });
  CORE_UNTIL (b->n == 1 && cancel->n == 1);
  g_assert_cmpint (cancel->status, ==, VEND_STATUS_CANCELED);
  g_assert_false (core_has_ended (core, a));
  g_assert_cmpint (core_starts (core), ==, 1);
  core_cancel (core, a);
  core_assert_end (core, a, &core_canceled);
  core_assert_runs (core, "A1");
  core_end (core);
}

static void
test_cancel_running (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a
      = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD, .waits = true });
  CORE_UNTIL (core_count (core, "run", a, 1) == 1);
  core_cancel (core, a);
  core_assert_end (core, a, &core_canceled);
  CORE_UNTIL (core_count (core, "ack", a, 1) == 1);
  g_assert_cmpuint (core_count (core, "cancel", a, 1), ==, 1);
  core_end (core);
}

static void
test_cancel_prefetched (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  make_short (core);
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  const Caller *b
      = core_create (core, &(CoreJob){ .name = "B", .script = "start succeed", .waits = true });
  CORE_UNTIL (core_count (core, "run", b, 1) == 1);
  core_cancel (core, b);
  core_assert_end (core, b, &(CoreEnd){ VEND_STATUS_CANCELED, NULL, 1, 0, 0 });
  g_assert_false (core_has_ended (core, a));
  core_cancel (core, a);
  core_end (core);
}

/* The model was quicker: what it returned counts. */
static void
test_cancel_too_late (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (
      core, &(CoreJob){ .name = "A", .script = "start until-canceled succeed", .waits = true });
  CORE_UNTIL (core_count (core, "run", a, 1) == 1);
  core_cancel (core, a);
  core_assert_end (core, a, &core_succeeded);
  core_end (core);
}

static void
test_cancel_lost (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (
      core, &(CoreJob){ .name = "A", .script = "start until-canceled die", .waits = true });
  CORE_UNTIL (core_count (core, "run", a, 1) == 1);
  core_cancel (core, a);
  core_assert_end (core, a, &(CoreEnd){ VEND_STATUS_CANCELED, NULL, 1, 1, 0 });
  core_assert_runs (core, "A1");
  core_end (core);
}

static void
test_deadline_queued (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  CORE_UNTIL (core_count (core, "run", a, 1) == 1);
  const Caller *b = core_create (
      core,
      &(CoreJob){ .name = "B", .script = "start succeed", .left_us = SOON_US, .waits = true });
  core_assert_end (core, b, &(CoreEnd){ VEND_STATUS_ABORTED, NULL, 0, 0, 0 });
  g_assert_false (core_has_ended (core, a));
  core_cancel (core, a);
  core_assert_runs (core, "A1");
  core_end (core);
}

static void
test_deadline_running (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  /* It has to find an instance that is ready. */
  make_short (core);
  const Caller *a = core_create (
      core, &(CoreJob){ .name = "A", .script = CORE_HOLD, .left_us = SOON_US, .waits = true });
  core_assert_end (core, a, &core_canceled);
  CORE_UNTIL (core_count (core, "ack", a, 1) == 1);
  g_assert_cmpuint (core_count (core, "cancel", a, 1), ==, 1);
  core_end (core);
}

/* ---- Turns */

static void
test_order_of_creates (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  core_create_in_turn (core, (const char *const[]){ "B", "C", "D", NULL }, 0);
  CORE_UNTIL (core_has_queued (core, 3));
  core_cancel (core, a);
  CORE_UNTIL (core_usage_rows (core) == 4);
  core_assert_runs (core, "A1 B1 C1 D1");
  core_end (core);
}

/* The first run is the first account's turn. */
static void
test_turns_of_accounts (void)
{
  Core *core = core_new (&(CoreSettings){ 0 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  core_create_in_turn (core, (const char *const[]){ "B", "C", "D", NULL }, 0);
  core_create_in_turn (core, (const char *const[]){ "X", "Y", "Z", NULL }, 1);
  CORE_UNTIL (core_has_queued (core, 6));
  core_cancel (core, a);
  CORE_UNTIL (core_usage_rows (core) == 7);
  core_assert_runs (core, "A1 X1 B1 Y1 C1 Z1 D1");
  core_end (core);
}

static int64_t
count_running (Core *core)
{
  json_auto_t *described = core_describe (core);
  return vend_json_int (json_object_get (described, "accounts"), "running", -1);
}

/* With a third slot free. */
static void
test_account_max_running (void)
{
  Core *core = core_new (&(CoreSettings){ .slots = 3, .account_max_running = 1 });
  const Caller *a = core_create (core, &(CoreJob){ .name = "A", .script = CORE_HOLD });
  const Caller *b = core_create (core, &(CoreJob){ .name = "B", .script = CORE_HOLD });
  const Caller *x
      = core_create (core, &(CoreJob){ .name = "X", .script = CORE_HOLD, .account = 1 });
  CORE_UNTIL (core_count (core, "run", x, 1) == 1);
  g_assert_cmpint (count_running (core), ==, 2);
  g_assert_true (core_has_queued (core, 1));
  core_cancel (core, a);
  CORE_UNTIL (core_count (core, "run", b, 1) == 1);
  g_assert_cmpint (count_running (core), ==, 2);
  core_cancel (core, b);
  core_cancel (core, x);
  CORE_UNTIL (core_usage_rows (core) == 3);
  core_assert_runs (core, "A1 X1 B1");
  core_end (core);
}

static void
add_tests (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (singles); i++)
    {
      g_autofree char *path = g_strconcat ("/core/", singles[i].name, NULL);
      g_test_add_data_func (path, &singles[i], test_single);
    }
  g_test_add_func ("/core/waiters/each-is-told-once", test_waiters);
  g_test_add_func ("/core/waiters/none-after-the-end", test_late_callers);
  g_test_add_func ("/core/result/of-an-old-attempt-changes-nothing", test_old_attempt);
  g_test_add_func ("/core/result/told-twice-counts-once", test_twice);
  g_test_add_func ("/core/release/goes-to-the-head", test_release);
  g_test_add_func ("/core/release/some-keep-their-order", test_release_of_some);
  g_test_add_func ("/core/lost/some-keep-their-order", test_loss_of_some);
  g_test_add_func ("/core/release/by-the-director", test_release_at_once);
  g_test_add_func ("/core/release/canceled-meanwhile", test_release_canceled);
  g_test_add_func ("/core/cancel/queued-ends-at-once", test_cancel_queued);
  g_test_add_func ("/core/cancel/running-is-told-once", test_cancel_running);
  g_test_add_func ("/core/cancel/prefetched-ends-before-its-turn", test_cancel_prefetched);
  g_test_add_func ("/core/cancel/too-late", test_cancel_too_late);
  g_test_add_func ("/core/cancel/lost-is-canceled", test_cancel_lost);
  g_test_add_func ("/core/deadline/queued-is-aborted", test_deadline_queued);
  g_test_add_func ("/core/deadline/running-is-canceled", test_deadline_running);
  g_test_add_func ("/core/order/of-creates", test_order_of_creates);
  g_test_add_func ("/core/order/accounts-take-turns", test_turns_of_accounts);
  g_test_add_func ("/core/order/account-max-running", test_account_max_running);
}

int
main (int argc, char **argv)
{
  return core_main (argc, argv, add_tests);
}
