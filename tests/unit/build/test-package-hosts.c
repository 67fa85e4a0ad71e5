/* Where packages may come from. Only numeric addresses and names that no name server is asked for.
 */
#include "base/error.h"
#include "build/package-hosts.h"
#include <string.h>

static bool
check (const char *url, const char *allow, GError **error)
{
  g_autoptr (GPtrArray) addresses = g_ptr_array_new ();
  g_autoptr (VendNetworks) networks = NULL;
  g_assert_true (vend_networks_parse (allow, "test", &networks, NULL));
  g_ptr_array_add (addresses, (char *) url);
  return vend_package_hosts_check (addresses, networks, error);
}

static void
test_allowed (void)
{
  static const struct
  {
    const char *url;
    const char *allow;
  } good[] = {
    { "https://8.8.8.8/simple", "" },
    { "git+https://git@8.8.8.8/a.git@main#egg=a", "" },
    { "https://user:word@8.8.8.8/x.whl ; python_version > '3'", "" },
    { "https://[2606:4700::1111]/x", "" },
    { "http://10.1.2.3:8080/simple", "10.0.0.0/8" },
    { "http://localhost/simple", "127.0.0.0/8, ::1/128" },
    /* A proxy may know what no name server does. */
    { "https://no-such-host.invalid/simple", "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", good[i].url);
      const bool passed = check (good[i].url, good[i].allow, &error);
      g_assert_no_error (error);
      g_assert_true (passed);
    }
}

static void
test_refused (void)
{
  static const struct
  {
    const char *url;
    VendError code;
  } bad[] = {
    { "http://10.0.0.5/simple", VEND_ERROR_FORBIDDEN },
    { "git+http://192.168.1.1/a.git", VEND_ERROR_FORBIDDEN },
    { "git+ssh://git@127.0.0.1/a.git", VEND_ERROR_FORBIDDEN },
    { "http://localhost:3141/", VEND_ERROR_FORBIDDEN },
    { "http://169.254.169.254/latest", VEND_ERROR_FORBIDDEN },
    { "http://2130706433/", VEND_ERROR_FORBIDDEN },
    { "http://0x7f.1/", VEND_ERROR_FORBIDDEN },
    { "http://[::ffff:10.0.0.1]/", VEND_ERROR_FORBIDDEN },
    { "http://%31%30.0.0.1/", VEND_ERROR_INVALID },
    { "http:///10.0.0.1/", VEND_ERROR_INVALID },
    { "http:10.0.0.1/", VEND_ERROR_INVALID },
    { "http://8.8.8.8\\@10.0.0.1/", VEND_ERROR_INVALID },
    { "http://a@8.8.8.8@10.0.0.1/", VEND_ERROR_INVALID },
    { "http://１０.0.0.1/", VEND_ERROR_FORBIDDEN },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", bad[i].url);
      g_assert_false (check (bad[i].url, "", &error));
      g_assert_error (error, VEND_ERROR, (int) bad[i].code);
      if (bad[i].code == VEND_ERROR_FORBIDDEN)
        g_assert_nonnull (strstr (error->message, "--package-allow"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/package-hosts/allowed", test_allowed);
  g_test_add_func ("/build/package-hosts/refused", test_refused);
  return g_test_run ();
}
