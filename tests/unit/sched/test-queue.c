/* The queue: accounts take turns, each keeps its order, anything can be taken out. */
#include "sched/queue.h"

typedef struct
{
  const char *name;
  int64_t account;
  VendQueuePlace place;
} Entry;

static void
push (VendQueue *queue, Entry *entry)
{
  vend_queue_push (queue, entry->account, entry, &entry->place);
}

static void
expect (VendQueue *queue, const char *name)
{
  Entry *entry = vend_queue_peek (queue);
  g_assert_nonnull (entry);
  g_assert_cmpstr (entry->name, ==, name);
  vend_queue_remove (queue, &entry->place);
}

static void
test_turns (void)
{
  g_autoptr (VendQueue) queue = vend_queue_new ();
  Entry entries[]
      = { { "a1", 1 }, { "a2", 1 }, { "a3", 1 }, { "b1", 2 }, { "c1", 3 }, { "b2", 2 } };
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    push (queue, &entries[i]);
  static const char *const order[] = { "a1", "b1", "c1", "a2", "b2", "a3" };
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    expect (queue, order[i]);
  g_assert_null (vend_queue_peek (queue));
  g_assert_cmpuint (vend_queue_length (queue), ==, 0);
}

static void
test_retry_is_next (void)
{
  g_autoptr (VendQueue) queue = vend_queue_new ();
  Entry entries[] = { { "a1", 1 }, { "a2", 1 }, { "b1", 2 } };
  Entry retry = { "b0", 2 };
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    push (queue, &entries[i]);
  vend_queue_push_head (queue, 2, &retry, &retry.place);
  expect (queue, "b0");
  expect (queue, "a1");
  expect (queue, "b1");
  expect (queue, "a2");
}

static void
test_remove_from_the_middle (void)
{
  g_autoptr (VendQueue) queue = vend_queue_new ();
  Entry entries[] = { { "a1", 1 }, { "a2", 1 }, { "b1", 2 } };
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    push (queue, &entries[i]);
  vend_queue_remove (queue, &entries[1].place);
  vend_queue_remove (queue, &entries[2].place);
  g_assert_null (entries[2].place.link);
  expect (queue, "a1");
  g_assert_null (vend_queue_peek (queue));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/queue/turns", test_turns);
  g_test_add_func ("/queue/retry-is-next", test_retry_is_next);
  g_test_add_func ("/queue/remove-from-the-middle", test_remove_from_the_middle);
  return g_test_run ();
}
