/* Heads that pass through the egress proxy. A first byte: 'a' for an answer, else a request. */
#include "fuzz.h"
#include "base/error.h"
#include "egress/head.h"
#include <string.h>

/* A head that was written anew is whole, and reads the same once more. */
static void
check_anew (const GString *anew, bool lenient)
{
  g_assert_cmpuint (vend_head_find (anew->str, anew->len, lenient), ==, anew->len);
  g_assert_null (memchr (anew->str, '\0', anew->len));
}

static void
check_request (const char *head, gsize size)
{
  VendProxyRequest *const untouched = (VendProxyRequest *) &size;
  VendProxyRequest *request = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_head_read_request (head, size, &request, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (request == untouched && error->code == VEND_ERROR_INVALID);
      return;
    }
  g_assert_cmpuint (request->to.port, >, 0);
  g_assert_true (g_str_is_ascii (request->to.host));
  g_autofree char *text = vend_destination_text (&request->to);
  g_auto (VendDestination) again = { 0 };
  g_assert_true (vend_destination_parse (text, 0, &again, NULL));
  g_assert_cmpstr (again.host, ==, request->to.host);
  g_assert_true (again.is_address == request->to.is_address && again.port == request->to.port);
  g_assert_true (request->is_connect == (request->anew == NULL));
  if (request->anew != NULL)
    {
      g_autofree char *lower = g_ascii_strdown (request->anew->str, -1);
      check_anew (request->anew, false);
      g_assert_null (strstr (lower, "\nproxy-authorization:"));
      g_assert_null (strstr (lower, "\nupgrade:"));
      /* One Host, before all else. */
      const char *host = strstr (lower, "\nhost: ");
      g_assert_true (host == strchr (lower, '\n'));
      g_assert_null (strstr (host + 1, "\nhost:"));
    }
  vend_proxy_request_free (request);
}

static void
check_answer (const char *head, gsize size)
{
  GString *anew = NULL;
  bool is_interim = false;
  g_autoptr (GError) error = NULL;
  const bool good = vend_head_read_answer (head, size, &anew, &is_interim, &error);
  fuzz_check_error (good, error);
  g_assert_true (good == (anew != NULL));
  if (!good)
    return;
  g_autoptr (GString) whole = anew;
  if (!is_interim)
    check_anew (whole, false);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  const bool is_answer = fuzz_take_byte (&input) == 'a';
  const gsize whole = vend_head_find (input.data, input.size, is_answer);
  g_assert_cmpuint (whole, <=, input.size);
  for (gsize i = 0; i < whole; i += 1 + whole / 16)
    g_assert_cmpuint (vend_head_find (input.data, i, is_answer), ==, 0);
  if (whole == 0)
    return 0;
  if (is_answer)
    check_answer (input.data, whole);
  else
    check_request (input.data, whole);
  return 0;
}
