/* Previews of links: what others wrote stays text, and is short. */
#include "model/page-card.h"
#include <string.h>

static char *
html_of (const char *title, const char *description, const char *image)
{
  const VendPageCard card = { (char *) title, (char *) description, (char *) image };
  return vend_page_card_html (&card, "https://vend.example/lab/echo");
}

static void
test_escapes (void)
{
  g_autofree char *html = html_of ("a\"b'c", "<script>&</script>", "https://x.example/?a=\"><b>");
  g_assert_nonnull (strstr (html, "og:title\" content=\"a&quot;b&apos;c\" />"));
  g_assert_nonnull (strstr (html, "&lt;script&gt;&amp;&lt;/script&gt;"));
  g_assert_null (strstr (html, "<script"));
  g_assert_null (strstr (html, "<b>"));
}

static void
test_leaves_out (void)
{
  g_autofree char *html = html_of ("t", NULL, "javascript:alert(1)");
  g_assert_null (strstr (html, "description"));
  g_assert_null (strstr (html, "og:image"));
  g_assert_nonnull (strstr (html, "og:url\" content=\"https://vend.example/lab/echo\""));
  g_autofree char *empty = html_of ("t", "", NULL);
  g_assert_null (strstr (empty, "description"));
}

static void
test_cuts (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < 1000; i++)
    g_string_append (text, "é");
  g_autofree char *html = html_of ("t", text->str, NULL);
  g_assert_true (g_utf8_validate (html, -1, NULL));
  g_assert_cmpuint (strlen (html), <, 2000);
  g_assert_nonnull (strstr (html, "é…\""));
  g_autofree char *broken = html_of ("t", "a\xff\xfe", NULL);
  g_assert_true (g_utf8_validate (broken, -1, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/page-card/escapes", test_escapes);
  g_test_add_func ("/page-card/leaves-out", test_leaves_out);
  g_test_add_func ("/page-card/cuts", test_cuts);
  return g_test_run ();
}
