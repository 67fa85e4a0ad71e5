/* Lanes: what waits is bounded, one does not hold up another, and all that was taken is run. */
#include "api/later.h"
#include "base/error.h"
#include <pthread.h>

typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool is_open;
  guint n_entered;
  guint n_ended;
} Gate;

static void
pass (void *data)
{
  Gate *gate = data;
  pthread_mutex_lock (&gate->lock);
  gate->n_entered++;
  pthread_cond_broadcast (&gate->changed);
  while (!gate->is_open)
    pthread_cond_wait (&gate->changed, &gate->lock);
  gate->n_ended++;
  pthread_cond_broadcast (&gate->changed);
  pthread_mutex_unlock (&gate->lock);
}

static void
wait_for (Gate *gate, const guint *count, guint least)
{
  pthread_mutex_lock (&gate->lock);
  while (*count < least)
    pthread_cond_wait (&gate->changed, &gate->lock);
  pthread_mutex_unlock (&gate->lock);
}

static void
open_gate (Gate *gate)
{
  pthread_mutex_lock (&gate->lock);
  gate->is_open = true;
  pthread_cond_broadcast (&gate->changed);
  pthread_mutex_unlock (&gate->lock);
}

/* Every thread of a lane stands still, and as many wait as may. */
static guint
fill (VendLater *later, VendLane lane, Gate *gate)
{
  g_autoptr (GError) error = NULL;
  guint n = 0;
  while (vend_later_try (later, lane, pass, gate, &error))
    g_assert_cmpuint (++n, <=, VEND_LATER_MAX_WAITING + VEND_LATER_THREADS);
  g_assert_error (error, VEND_ERROR, VEND_ERROR_BUSY);
  g_assert_cmpuint (n, >=, VEND_LATER_MAX_WAITING);
  return n;
}

static void
test_lanes (void)
{
  Gate shut = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, 0 };
  Gate open = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, true, 0, 0 };
  g_autoptr (VendLater) later = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_later_new (&later, &error));
  guint n = fill (later, VEND_LANE_WRITES, &shut);
  g_assert_true (vend_later_try (later, VEND_LANE_BYTES, pass, &open, &error));
  wait_for (&open, &open.n_ended, 1);
  /* What is held already is not refused. */
  vend_later_run (later, VEND_LANE_WRITES, pass, &shut);
  n++;
  open_gate (&shut);
  vend_later_free (g_steal_pointer (&later));
  g_assert_cmpuint (shut.n_ended, ==, n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/later/lanes", test_lanes);
  return g_test_run ();
}
