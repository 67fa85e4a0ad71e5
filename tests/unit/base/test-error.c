/* Error texts can be shown, whatever they quote. */
#include "base/error.h"

static void
test_text_is_utf8 (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_fail (&error, VEND_ERROR_INVALID, "'%s' is wrong", "a\xff\xc3"));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, "'a\xef\xbf\xbd\xef\xbf\xbd' is wrong");
}

static void
test_cut_character (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_fail (&error, VEND_ERROR_INVALID, "'%.3s'", "ab\xe2\x82\xac"));
  g_assert_cmpstr (error->message, ==, "'ab\xef\xbf\xbd'");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/utf8", test_text_is_utf8);
  g_test_add_func ("/error/cut-character", test_cut_character);
  return g_test_run ();
}
