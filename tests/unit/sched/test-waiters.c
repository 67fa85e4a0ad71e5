/* Who waits for a prediction is notified once: at the end, or at its own time, and never of an end
 * that is not on disk. */
#include "sched/run/waiters.h"
#include "base/clock.h"
#include "base/error.h"

typedef struct
{
  GMainContext *context;
  VendTimers *timers;
  VendWaiters *waiters;
  VendPrediction prediction;
  bool is_storing_end;
} World;

typedef struct
{
  guint n;
  VendStatus status;
} Heard;

static const VendPrediction *
view (void *data)
{
  const World *world = data;
  return world->is_storing_end ? NULL : &world->prediction;
}

static void
show (void *data, const VendPrediction *state, VendSchedNotify notify, void *notify_data)
{
  notify (state, NULL, notify_data);
}

static void
world_init (World *world)
{
  *world = (World){ .context = g_main_context_new () };
  world->prediction.status = VEND_STATUS_STARTING;
  world->timers = vend_timers_new (world->context);
  world->waiters = vend_waiters_new (world->timers, view, show, world);
}

static void
world_clear (World *world)
{
  vend_waiters_free (world->waiters);
  vend_timers_free (world->timers);
  g_main_context_unref (world->context);
}

static void
hear (const VendPrediction *now, const GError *error, void *data)
{
  Heard *heard = data;
  g_assert_no_error (error);
  heard->n++;
  heard->status = now->status;
}

/* Runs the timers until `due_us` is over. */
static void
pass (World *world, int64_t due_us)
{
  bool is_over = false;
  while (!is_over)
    {
      is_over = vend_steady_us () > due_us + 2 * VEND_US_PER_MS;
      g_main_context_iteration (world->context, FALSE);
    }
}

static void
test_without_a_wait (void)
{
  World world;
  Heard heard = { 0 };
  world_init (&world);
  vend_waiters_add (world.waiters, 0, hear, &heard);
  g_assert_cmpuint (heard.n, ==, 1);
  g_assert_cmpint (heard.status, ==, VEND_STATUS_STARTING);
  vend_waiters_notify (world.waiters, &world.prediction);
  g_assert_cmpuint (heard.n, ==, 1);
  world_clear (&world);
}

static void
test_until_its_time (void)
{
  World world;
  Heard early = { 0 }, late = { 0 };
  world_init (&world);
  const int64_t due_us = vend_steady_us () + 20 * VEND_US_PER_MS;
  vend_waiters_add (world.waiters, due_us, hear, &early);
  vend_waiters_add (world.waiters, VEND_WAIT_FOR_END, hear, &late);
  g_assert_cmpuint (early.n, ==, 0);
  pass (&world, due_us);
  g_assert_cmpuint (early.n, ==, 1);
  g_assert_cmpint (early.status, ==, VEND_STATUS_STARTING);
  g_assert_cmpuint (late.n, ==, 0);
  world.prediction.status = VEND_STATUS_SUCCEEDED;
  vend_waiters_notify (world.waiters, &world.prediction);
  g_assert_cmpuint (early.n, ==, 1);
  g_assert_cmpuint (late.n, ==, 1);
  g_assert_cmpint (late.status, ==, VEND_STATUS_SUCCEEDED);
  world_clear (&world);
}

/* However a caller asks while the end is being stored, it hears the end and nothing before. */
static void
test_an_end_that_is_being_stored (void)
{
  World world;
  Heard asked_before = { 0 }, asks_now = { 0 }, joins_now = { 0 };
  world_init (&world);
  const int64_t due_us = vend_steady_us () + 20 * VEND_US_PER_MS;
  vend_waiters_add (world.waiters, due_us, hear, &asked_before);
  world.is_storing_end = true;
  vend_waiters_add (world.waiters, 0, hear, &asks_now);
  vend_waiters_add (world.waiters, due_us, hear, &joins_now);
  pass (&world, due_us);
  g_assert_cmpuint (asked_before.n + asks_now.n + joins_now.n, ==, 0);
  world.prediction.status = VEND_STATUS_FAILED;
  vend_waiters_notify (world.waiters, &world.prediction);
  g_assert_cmpuint (asked_before.n, ==, 1);
  g_assert_cmpuint (asks_now.n, ==, 1);
  g_assert_cmpuint (joins_now.n, ==, 1);
  g_assert_cmpint (asks_now.status, ==, VEND_STATUS_FAILED);
  world_clear (&world);
}

static void
hear_delay (const VendPrediction *now, const GError *error, void *data)
{
  g_assert_null (now);
  g_assert_error (error, VEND_ERROR, VEND_ERROR_BUSY);
  ((Heard *) data)->n++;
}

/* The disk refuses the end for long: all callers are answered in bounded time, and not with it. */
static void
test_an_end_that_cannot_be_stored (void)
{
  World world;
  Heard asked_before = { 0 }, asks_now = { 0 }, for_the_end = { 0 };
  world_init (&world);
  const int64_t due_us = vend_steady_us () + 20 * VEND_US_PER_MS;
  vend_waiters_add (world.waiters, due_us, hear_delay, &asked_before);
  vend_waiters_add (world.waiters, VEND_WAIT_FOR_END, hear, &for_the_end);
  world.is_storing_end = true;
  vend_waiters_add (world.waiters, 0, hear_delay, &asks_now);
  /* Each waits for the store from the moment that it was found due, which may be late. */
  while (asked_before.n == 0 || asks_now.n == 0)
    g_main_context_iteration (world.context, TRUE);
  g_assert_cmpint (vend_steady_us (), >=, due_us + VEND_WAIT_FOR_STORE_US);
  g_assert_cmpuint (asked_before.n, ==, 1);
  g_assert_cmpuint (asks_now.n, ==, 1);
  world.prediction.status = VEND_STATUS_SUCCEEDED;
  vend_waiters_notify (world.waiters, &world.prediction);
  g_assert_cmpuint (asked_before.n + asks_now.n, ==, 2);
  g_assert_cmpuint (for_the_end.n, ==, 1);
  world_clear (&world);
}

static void
test_nobody_is_left (void)
{
  World world;
  Heard heard = { 0 };
  world_init (&world);
  const int64_t due_us = vend_steady_us () + 10 * VEND_US_PER_MS;
  vend_waiters_add (world.waiters, due_us, hear, &heard);
  g_clear_pointer (&world.waiters, vend_waiters_free);
  pass (&world, due_us);
  g_assert_cmpuint (heard.n, ==, 0);
  world_clear (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/waiters/without-a-wait", test_without_a_wait);
  g_test_add_func ("/waiters/until-its-time", test_until_its_time);
  g_test_add_func ("/waiters/an-end-that-is-being-stored", test_an_end_that_is_being_stored);
  g_test_add_func ("/waiters/an-end-that-cannot-be-stored", test_an_end_that_cannot_be_stored);
  g_test_add_func ("/waiters/nobody-is-left", test_nobody_is_left);
  return g_test_run ();
}
