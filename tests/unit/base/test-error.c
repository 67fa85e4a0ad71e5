/* Error texts can be shown, whatever they quote. */
#include "base/error.h"
#include <string.h>

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

static void
test_long_text (void)
{
  for (guint extra = 0; extra < 4; extra++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GString) long_text = g_string_new (&"abc"[extra % 4]);
      while (long_text->len < 2 * VEND_ERROR_TEXT_BYTES)
        g_string_append (long_text, "\xe2\x82\xac");
      g_assert_false (vend_fail (&error, VEND_ERROR_INVALID, "%s", long_text->str));
      g_assert_cmpuint (strlen (error->message), <=, VEND_ERROR_TEXT_BYTES);
      g_assert_cmpuint (strlen (error->message), >=, VEND_ERROR_TEXT_BYTES - 3);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_true (g_str_has_suffix (error->message, "\xe2\x82\xac..."));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/utf8", test_text_is_utf8);
  g_test_add_func ("/error/cut-character", test_cut_character);
  g_test_add_func ("/error/long-text", test_long_text);
  return g_test_run ();
}
