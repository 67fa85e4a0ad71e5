/* Passwords in URLs are not for people. */
#include "base/shown-url.h"
#include <glib.h>

static void
test_shown (void)
{
  static const struct
  {
    const char *url, *shown;
  } cases[] = {
    { "", "" },
    { "postgres://db/vend", "postgres://db/vend" },
    { "postgres://ada@db:5432/vend", "postgres://ada@db:5432/vend" },
    { "postgres://ada:pass@db:5432/vend", "postgres://ada:***@db:5432/vend" },
    { "postgres://ada:p@ss:w/o?rd@db/vend", "postgres://ada:***@db/vend" },
    { "postgres://ada:@db/vend", "postgres://ada:***@db/vend" },
    { "postgres://db/vend?password=pass&user=ada", "postgres://db/vend?password=***&user=ada" },
    { "postgres://db/vend?user=ada&sslpassword=x", "postgres://db/vend?user=ada&sslpassword=***" },
    { "postgres://a:b@db/vend?password=c", "postgres://a:***@db/vend?password=***" },
    { "ada:pass@db", "ada:***@db" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *shown = vend_shown_url (cases[i].url);
      g_assert_cmpstr (shown, ==, cases[i].shown);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shown-url/passwords", test_shown);
  return g_test_run ();
}
