/* Tests of the ids of open predictions. */
#include "sched/run/open-ids.h"

static void
test_ids (void)
{
  g_autoptr (VendOpenIds) ids = vend_open_ids_new ();
  g_assert_false (vend_open_ids_has (ids, "a"));
  vend_open_ids_add (ids, "a");
  vend_open_ids_add (ids, "a");
  vend_open_ids_add (ids, "b");
  g_assert_true (vend_open_ids_has (ids, "a"));
  vend_open_ids_remove (ids, "a");
  g_assert_false (vend_open_ids_has (ids, "a"));
  g_assert_true (vend_open_ids_has (ids, "b"));
  vend_open_ids_remove (ids, "unknown");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/open-ids", test_ids);
  return g_test_run ();
}
