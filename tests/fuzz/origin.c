/* Who called and under which name they know us; which pages may call. One line for each text: the
 * public URL, the trusted proxies, the list of CORS origins, then what a request says. */
#include "fuzz.h"
#include "httpd/cors-private.h"
#include "httpd/origin-private.h"
#include <arpa/inet.h>
#include <string.h>

#define LOCAL "127.0.0.1:8363"

static bool
is_address (const char *text)
{
  struct in6_addr address;
  return inet_pton (AF_INET, text, &address) == 1 || inet_pton (AF_INET6, text, &address) == 1;
}

static void
check_rules (const VendOriginRules *rules, const char *public_url, FuzzInput *input)
{
  g_autofree char *peer = fuzz_take_line (input);
  g_autofree char *host = fuzz_take_line (input);
  g_autofree char *forwarded = fuzz_take_line (input);
  g_autofree char *forwarded_for = fuzz_take_line (input);
  g_autofree char *proto = fuzz_take_line (input);
  g_autofree char *forwarded_host = fuzz_take_line (input);
  g_autofree char *port = fuzz_take_line (input);
  const VendOriginRequest request = {
    .peer = peer,
    .local = LOCAL,
    .host = host,
    .forwarded = *forwarded != '\0' ? forwarded : NULL,
    .x_forwarded_for = *forwarded_for != '\0' ? forwarded_for : NULL,
    .x_forwarded_proto = *proto != '\0' ? proto : NULL,
    .x_forwarded_host = *forwarded_host != '\0' ? forwarded_host : NULL,
    .x_forwarded_port = *port != '\0' ? port : NULL,
  };
  g_autofree char *url = vend_origin_url (rules, &request);
  g_autofree char *client = vend_origin_client (rules, &request);

  const gsize scheme = g_str_has_prefix (url, "https://") ? 8 : 7;
  g_assert_true (scheme == 8 || g_str_has_prefix (url, "http://"));
  g_assert_true (vend_is_authority (url + scheme));
  if (*public_url != '\0')
    g_assert_true (g_str_has_prefix (public_url, url));
  g_assert_true (strcmp (client, peer) == 0 || is_address (client));
  if (vend_origin_trusts (rules, peer))
    return;
  /* Nobody else is believed. */
  g_assert_cmpstr (client, ==, peer);
  const VendOriginRequest plain = { .peer = peer, .local = LOCAL, .host = host };
  g_autofree char *plain_url = vend_origin_url (rules, &plain);
  g_assert_cmpstr (url, ==, plain_url);
}

static void
check_cors (const char *list, const char *origin)
{
  VendCors *const untouched = (VendCors *) list;
  VendCors *cors = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_cors_new (list, &cors, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (cors == untouched);
      return;
    }
  g_autofree char *allowed = vend_cors_allowed (cors, origin);
  g_autofree char *lower = g_ascii_strdown (list, -1);
  g_autofree char *lower_origin = g_ascii_strdown (origin, -1);
  if (strcmp (g_strstrip (lower), "*") == 0)
    g_assert_cmpstr (allowed, ==, "*");
  else if (allowed != NULL)
    {
      g_assert_cmpstr (allowed, ==, origin);
      g_assert_true (g_str_has_prefix (lower_origin, "http"));
      g_assert_nonnull (strstr (lower, lower_origin));
    }
  g_assert_null (*origin == '\0' && strcmp (lower, "*") != 0 ? allowed : NULL);
  vend_cors_free (cors);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  g_autofree char *public_url = fuzz_take_line (&input);
  g_autofree char *trusted = fuzz_take_line (&input);
  g_autofree char *cors = fuzz_take_line (&input);
  g_autofree char *origin = fuzz_take_line (&input);
  check_cors (cors, origin);

  VendOriginRules *const untouched = (VendOriginRules *) trusted;
  VendOriginRules *rules = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_origin_rules_new (public_url, trusted, &rules, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (rules == untouched);
      return 0;
    }
  check_rules (rules, public_url, &input);
  vend_origin_rules_free (rules);
  return 0;
}
