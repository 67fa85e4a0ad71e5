/* data: URIs of inputs, as clients send them. */
#include "fuzz.h"
#include "cog/data-uri.h"
#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (VendDataUri) uri = { 0 };
  g_auto (VendDataUri) same = { 0 };
  const char *problem = NULL;
  if (!vend_data_uri_parse (text, strlen (text), &uri, &problem))
    {
      g_assert_true (problem != NULL && uri.type == NULL && uri.bytes == NULL);
      return 0;
    }
  g_assert_null (problem);
  g_assert_true (g_str_is_ascii (uri.type) && strpbrk (uri.type, "\r\n ,") == NULL);
  g_assert_cmpuint (g_bytes_get_size (uri.bytes), <=, strlen (text));
  g_autofree char *again = vend_data_uri_text (&uri);
  g_assert_true (vend_data_uri_parse (again, strlen (again), &same, &problem));
  g_assert_true (same.is_usual && g_bytes_equal (same.bytes, uri.bytes));
  g_assert_cmpstr (same.type, ==, uri.type);
  return 0;
}
