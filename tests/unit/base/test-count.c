/* Numbers of things in sentences. */
#include "base/count.h"

static void
test_words (void)
{
  static const struct
  {
    uint64_t n;
    const char *text;
  } cases[] = {
    { 0, "0 tries" },
    { 1, "1 try" },
    { 2, "2 tries" },
    { 11, "11 tries" },
    { G_MAXUINT64, "18446744073709551615 tries" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = vend_count_text (cases[i].n, "try", "tries");
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/count/words", test_words);
  return g_test_run ();
}
