/* Identifiers: their form, and that later ones sort behind earlier ones. */
#include "base/id.h"
#include "base/clock.h"
#include <string.h>

static void
test_form (void)
{
  g_autofree char *id = vend_id_new ();
  g_assert_cmpuint (strlen (id), ==, VEND_ID_LENGTH);
  g_assert_cmpuint (strspn (id, "0123456789abcdefghijklmnopqrstuvwxyz"), ==, VEND_ID_LENGTH);
}

static void
test_order (void)
{
  g_autofree char *first = vend_id_new ();
  const int64_t now_us = vend_now_us ();
  while (vend_now_us () / VEND_US_PER_MS == now_us / VEND_US_PER_MS)
    ;
  g_autofree char *second = vend_id_new ();
  g_assert_cmpstr (first, <, second);
}

static void
test_no_repeats (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (int i = 0; i < 10000; i++)
    g_assert_true (g_hash_table_add (seen, vend_id_new ()));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/id/form", test_form);
  g_test_add_func ("/id/order", test_order);
  g_test_add_func ("/id/no-repeats", test_no_repeats);
  return g_test_run ();
}
