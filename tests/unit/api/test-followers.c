/* Who waits for runs: the last one that leaves, and one that comes back in time. */
#include "api/openai/followers.h"

static guint
deserted (VendOpenaiFollowers *followers, int64_t now_us)
{
  g_autoptr (GPtrArray) ids = vend_openai_followers_take_deserted (followers, now_us);
  return ids->len;
}

static void
test_the_last_one_leaves (void)
{
  g_autoptr (VendOpenaiFollowers) followers = vend_openai_followers_new ();
  vend_openai_followers_join (followers, "a");
  vend_openai_followers_join (followers, "a");
  vend_openai_followers_join (followers, "b");
  g_assert_false (vend_openai_followers_leave (followers, "a"));
  g_assert_true (vend_openai_followers_leave (followers, "a"));
  g_assert_false (vend_openai_followers_leave (followers, "a"));
  g_assert_true (vend_openai_followers_leave (followers, "b"));
  g_assert_cmpuint (deserted (followers, G_MAXINT64), ==, 0);
}

static void
test_one_comes_back (void)
{
  g_autoptr (VendOpenaiFollowers) followers = vend_openai_followers_new ();
  vend_openai_followers_join (followers, "a");
  vend_openai_followers_leave_until (followers, "a", 10);
  vend_openai_followers_join (followers, "a");
  g_assert_cmpuint (deserted (followers, 20), ==, 0);
  vend_openai_followers_leave_until (followers, "a", 30);
  g_assert_cmpuint (deserted (followers, 29), ==, 0);
  g_assert_cmpuint (deserted (followers, 30), ==, 1);
  g_assert_cmpuint (deserted (followers, 31), ==, 0);
}

static void
test_one_of_two_goes (void)
{
  g_autoptr (VendOpenaiFollowers) followers = vend_openai_followers_new ();
  vend_openai_followers_join (followers, "a");
  vend_openai_followers_join (followers, "a");
  vend_openai_followers_leave_until (followers, "a", 10);
  g_assert_cmpuint (deserted (followers, 20), ==, 0);
  g_assert_true (vend_openai_followers_leave (followers, "a"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/followers/the-last-one-leaves", test_the_last_one_leaves);
  g_test_add_func ("/followers/one-comes-back", test_one_comes_back);
  g_test_add_func ("/followers/one-of-two-goes", test_one_of_two_goes);
  return g_test_run ();
}
