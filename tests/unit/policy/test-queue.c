/* The queue: accounts take turns, each keeps its order, anything can be taken out. */
#include "policy/queue.h"

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
  vend_queue_take (queue, &entry->place);
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

static guint
room_of (int64_t account_id, const void *data)
{
  const guint *rooms = data;
  return rooms[account_id];
}

static void
test_accounts_without_room (void)
{
  g_autoptr (VendQueue) queue = vend_queue_new ();
  Entry entries[] = { { "a1", 1 }, { "a2", 1 }, { "b1", 2 }, { "b2", 2 }, { "b3", 2 } };
  guint rooms[] = { 0, 0, 2 };
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    push (queue, &entries[i]);
  g_assert_cmpuint (vend_queue_length_with_room (queue, room_of, rooms), ==, 2);
  Entry *entry = vend_queue_peek_with_room (queue, room_of, rooms);
  g_assert_cmpstr (entry->name, ==, "b1");
  vend_queue_take (queue, &entry->place);
  /* The account that was passed over has not lost its turn. */
  rooms[1] = G_MAXUINT;
  g_assert_cmpuint (vend_queue_length_with_room (queue, room_of, rooms), ==, 4);
  expect (queue, "a1");
  expect (queue, "b2");
  rooms[1] = rooms[2] = 0;
  g_assert_null (vend_queue_peek_with_room (queue, room_of, rooms));
}

static void
test_position (void)
{
  g_autoptr (VendQueue) queue = vend_queue_new ();
  Entry entries[]
      = { { "a1", 1 }, { "a2", 1 }, { "a3", 1 }, { "b1", 2 }, { "c1", 3 }, { "b2", 2 } };
  static const guint expected[] = { 1, 4, 6, 2, 3, 5 };
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    push (queue, &entries[i]);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    g_assert_cmpuint (vend_queue_position (queue, &entries[i].place), ==, expected[i]);
  /* All move up by one with each that begins. */
  expect (queue, "a1");
  expect (queue, "b1");
  g_assert_cmpuint (vend_queue_position (queue, &entries[1].place), ==, 2);
  g_assert_cmpuint (vend_queue_position (queue, &entries[4].place), ==, 1);
  Entry retry = { "a0", 1 };
  vend_queue_push_head (queue, 1, &retry, &retry.place);
  g_assert_cmpuint (vend_queue_position (queue, &retry.place), ==, 1);
  g_assert_cmpuint (vend_queue_position (queue, &entries[1].place), ==, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/queue/turns", test_turns);
  g_test_add_func ("/queue/retry-is-next", test_retry_is_next);
  g_test_add_func ("/queue/remove-from-the-middle", test_remove_from_the_middle);
  g_test_add_func ("/queue/accounts-without-room", test_accounts_without_room);
  g_test_add_func ("/queue/position", test_position);
  return g_test_run ();
}
