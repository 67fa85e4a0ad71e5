/* Text of others as a terminal gets it. */
#include "base/plain-text.h"
#include <string.h>

static const struct
{
  const char *text;
  const char *plain;
} texts[] = {
  { "", "" },
  { "plain\ttext\r\n", "plain\ttext\r\n" },
  { "\033[31mred\033[0m", "^[[31mred^[[0m" },
  { "\a\b\177", "^G^H^?" },
  { "\302\23331m", "\\u009b31m" },
  { "\23331m", "\357\277\27531m" },
  { "\342\200\256abc", "\\u202eabc" },
  { "\342\200\217\327\220", "\342\200\217\327\220" },
  { "\303\251 \360\237\230\200", "\303\251 \360\237\230\200" },
};

static void
test_texts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *plain = vend_plain_text (texts[i].text);
      g_assert_cmpstr (plain, ==, texts[i].plain);
    }
}

static void
test_pieces (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      const char *text = texts[i].text;
      g_autoptr (GString) plain = g_string_new (NULL);
      g_autoptr (GString) left = g_string_new (NULL);
      for (gsize at = 0; text[at] != '\0'; at++)
        {
          g_string_append_c (left, text[at]);
          const gsize used = vend_plain_append (plain, left->str, left->len);
          g_string_erase (left, 0, (gssize) used);
          g_assert_cmpuint (left->len, <, 4);
        }
      g_assert_cmpuint (left->len, ==, 0);
      g_assert_cmpstr (plain->str, ==, texts[i].plain);
    }
}

static void
test_nul (void)
{
  g_autoptr (GString) plain = g_string_new (NULL);
  g_assert_cmpuint (vend_plain_append (plain, "a\0b", 3), ==, 3);
  g_assert_cmpstr (plain->str, ==, "a^@b");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plain-text/texts", test_texts);
  g_test_add_func ("/plain-text/pieces", test_pieces);
  g_test_add_func ("/plain-text/nul", test_nul);
  return g_test_run ();
}
