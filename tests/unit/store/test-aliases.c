/* Aliases and mappings, as the store keeps them. */
#include "store/aliases.h"
#include "base/error.h"

static void
test_names (void)
{
  static const char *const good[] = { "gpt-4o-mini", "a", "claude:latest", "v1.5_x" };
  static const char *const bad[] = { "", "a/b", "a b", "é", "..", "." };
  g_autofree char *longest = g_strnfill (100, 'a');
  g_autofree char *longer = g_strnfill (101, 'a');
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (vend_alias_name_is_good (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (vend_alias_name_is_good (bad[i]));
  g_assert_true (vend_alias_name_is_good (longest));
  g_assert_false (vend_alias_name_is_good (longer));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/aliases/names", test_names);
  return g_test_run ();
}
