/* Which addresses are public, and which networks hold which addresses. */
#include "base/error.h"
#include "base/network.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const char *const public_ones[] = {
  "1.1.1.1",         "8.8.8.8",        "9.255.255.255",    "11.0.0.0",
  "100.63.255.255",  "100.128.0.0",    "126.255.255.255",  "128.0.0.0",
  "169.253.255.255", "172.15.255.255", "172.32.0.0",       "192.167.255.255",
  "198.17.255.255",  "198.20.0.0",     "223.255.255.255",  "2001:4860:4860::8888",
  "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
  "fbff::1",
};

static const char *const closed_ones[] = {
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.0",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.255",
  "169.254.169.254",
  "172.16.0.0",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.7",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1", /* IPv4-compatible */
  "::ffff:127.0.0.1",
  "::ffff:10.0.0.1",
  "::ffff:7f00:1",
  "::ffff:0:10.0.0.1", /* SIIT */
  "64:ff9b::10.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b:1::1",
  "2002:7f00:1::",                /* 6to4 of 127.0.0.1 */
  "2002:a00:1::5",                /* of 10.0.0.1 */
  "2002:c0a8:101::1",             /* of 192.168.1.1 */
  "2001:0:a00:1::f7f7",           /* Teredo with a private server */
  "2001:0:808:808:0:0:80ff:fffe", /* Teredo of 127.0.0.1 */
  "2001:db8::1",
  "2001:2::1",
  "2001:10::1",
  "3fff::1",
  "100::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "febf::1",
  "fec0::1",
  "ff02::1",
};

static void
test_public (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (public_ones); i++)
    {
      VendAddress address;
      g_assert_true (vend_address_parse (public_ones[i], &address));
      if (!vend_address_is_public (&address))
        g_error ("%s is public", public_ones[i]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (closed_ones); i++)
    {
      VendAddress address;
      g_assert_true (vend_address_parse (closed_ones[i], &address));
      if (vend_address_is_public (&address))
        g_error ("%s is not public", closed_ones[i]);
    }
}

static void
test_texts (void)
{
  static const char *const bad[] = { "",          "localhost",  "1.2.3", "1.2.3.4.5", "0x7f.1",
                                     "256.1.1.1", "1.2.3.4:80", "[::1]", ":" };
  static const struct
  {
    const char *text, *shown;
  } good[] = {
    { "1.2.3.4", "1.2.3.4" },
    { "::ffff:1.2.3.4", "1.2.3.4" },
    { "2001:DB8:0:0::1", "2001:db8::1" },
    { "::1", "::1" },
  };
  VendAddress address;
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (vend_address_parse (bad[i], &address));
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_true (vend_address_parse (good[i].text, &address));
      g_autofree char *shown = vend_address_text (&address);
      g_assert_cmpstr (shown, ==, good[i].shown);
    }
}

static void
test_sockaddr (void)
{
  struct sockaddr_in v4 = { .sin_family = AF_INET };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
  struct sockaddr other = { .sa_family = AF_UNIX };
  VendAddress address;
  inet_pton (AF_INET, "10.1.2.3", &v4.sin_addr);
  inet_pton (AF_INET6, "::ffff:10.1.2.3", &v6.sin6_addr);
  g_assert_true (vend_address_of_sockaddr ((struct sockaddr *) &v4, &address));
  g_assert_false (vend_address_is_public (&address));
  g_assert_true (vend_address_of_sockaddr ((struct sockaddr *) &v6, &address));
  g_autofree char *shown = vend_address_text (&address);
  g_assert_cmpstr (shown, ==, "10.1.2.3");
  g_assert_false (vend_address_of_sockaddr (&other, &address));
}

static void
test_networks (void)
{
  static const struct
  {
    const char *list, *address;
    bool inside;
  } cases[] = {
    { "", "1.2.3.4", false },
    { " , ", "1.2.3.4", false },
    { "1.2.3.4", "1.2.3.4", true },
    { "1.2.3.4", "1.2.3.5", false },
    { "1.2.3.4/31", "1.2.3.5", true },
    { "10.0.0.0/8,127.0.0.0/8", "127.9.9.9", true },
    { "10.0.0.0/8, ::1/128", "::1", true },
    { "10.0.0.0/8", "::ffff:10.1.1.1", true },
    { "::ffff:10.0.0.0/104", "10.1.1.1", true },
    { "0.0.0.0/0", "9.9.9.9", true },
    { "0.0.0.0/0", "::1", false },
    { "::/0", "9.9.9.9", true },
    { "fd00::/9", "fd7f::1", true },
    { "fd00::/9", "fdff::1", false },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VendNetworks) networks = NULL;
      g_autoptr (GError) error = NULL;
      VendAddress address;
      g_assert_true (vend_networks_parse (cases[i].list, "network", &networks, &error));
      g_assert_true (vend_address_parse (cases[i].address, &address));
      if (vend_networks_contain (networks, &address) != cases[i].inside)
        g_error ("'%s' and %s", cases[i].list, cases[i].address);
    }
  VendAddress address;
  g_assert_true (vend_address_parse ("::1", &address));
  g_assert_false (vend_networks_contain (NULL, &address));
}

static void
test_bad_networks (void)
{
  static const char *const bad[]
      = { "x", "1.2.3.4/33", "::1/129", "1.2.3.4/-1", "10.0.0.0/8,y", "1.2.3.4/", "/8" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VendNetworks) networks = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_networks_parse (bad[i], "webhook-allow", &networks, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "webhook-allow '"));
    }
  g_autoptr (GString) many = g_string_new (NULL);
  for (guint i = 0; i <= VEND_NETWORKS_MAX; i++)
    g_string_append (many, "10.0.0.0/8,");
  g_autoptr (VendNetworks) networks = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_networks_parse (many->str, "x", &networks, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network/public", test_public);
  g_test_add_func ("/network/texts", test_texts);
  g_test_add_func ("/network/sockaddr", test_sockaddr);
  g_test_add_func ("/network/networks", test_networks);
  g_test_add_func ("/network/bad-networks", test_bad_networks);
  return g_test_run ();
}
