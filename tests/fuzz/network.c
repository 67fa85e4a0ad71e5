/* Lists of networks, addresses, and URLs of other servers. One line each: the list, an address; the
 * rest is a URL. */
#include "fuzz.h"
#include "base/error.h"
#include "base/network.h"
#include "net/egress.h"
#include <string.h>

static void
check_address (const VendNetworks *networks, const char *text)
{
  VendAddress address;
  VendAddress again;
  if (!vend_address_parse (text, &address))
    return;
  g_autofree char *shown = vend_address_text (&address);
  g_assert_true (vend_address_parse (shown, &again));
  g_assert_cmpmem (&address, sizeof address, &again, sizeof again);
  g_assert_true (vend_networks_contain (networks, &address)
                 == vend_networks_contain (networks, &again));
  /* A list of the address alone has it. */
  VendNetworks *alone = NULL;
  g_assert_true (vend_networks_parse (shown, "address", &alone, NULL));
  g_assert_true (vend_networks_contain (alone, &address));
  vend_networks_free (alone);
  g_assert_false (vend_networks_contain (NULL, &address));
}

static void
check_url (const VendNetworks *allow, const char *url)
{
  g_autoptr (GError) error = NULL;
  const bool good = vend_egress_check ("webhook", url, allow, "webhook-allow", &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_cmpint (error->code, ==, VEND_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "webhook"));
      return;
    }
  g_assert_cmpuint (strlen (url), <=, VEND_OUTSIDE_URL_MAX);
  g_assert_true (g_ascii_strncasecmp (url, "http:", 5) == 0
                 || g_ascii_strncasecmp (url, "https:", 6) == 0);
  /* An address between the slashes is one that may be called. */
  const char *host = url + strcspn (url, ":") + 1;
  host += strspn (host, "/");
  g_autofree char *name = g_strndup (host, strcspn (host, "/?#:"));
  VendAddress address;
  if (vend_address_parse (name, &address))
    g_assert_true (vend_address_is_public (&address) || vend_networks_contain (allow, &address));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  g_autofree char *list = fuzz_take_line (&input);
  g_autofree char *address = fuzz_take_line (&input);
  g_autofree char *url = fuzz_take_text (&input);
  VendNetworks *const untouched = (VendNetworks *) list;
  VendNetworks *networks = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_networks_parse (list, "trusted proxy", &networks, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (networks == untouched && error->code == VEND_ERROR_INVALID);
      networks = NULL;
    }
  check_address (networks, address);
  check_url (networks, url);
  vend_networks_free (networks);
  return 0;
}
