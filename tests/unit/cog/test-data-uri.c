/* data: URIs: what they are, and what is wrong with others. */
#include "cog/data-uri.h"
#include <string.h>

static const struct
{
  const char *text;
  const char *type;
  const char *bytes;
  bool is_usual;
} good[] = {
  { "data:,", "text/plain", "", true },
  { "data:,a", "text/plain", "a", true },
  { "data:;base64,aGVsbG8=", "text/plain", "hello", true },
  { "data:text/plain;base64,aGVsbG8=", "text/plain", "hello", true },
  { "data:image/svg+xml;base64,aGVsbG8h", "image/svg+xml", "hello!", true },
  { "data:image/png;base64,aA==", "image/png", "h", true },
  { "data:image/png;base64,", "image/png", "", true },
  { "data:text/plain,hello%20you", "text/plain", "hello you", true },
  { "data:text/plain,a,b;c=d", "text/plain", "a,b;c=d", true },
  { "data:text/plain,%41%e2%82%aC", "text/plain", "A\xe2\x82\xac", true },
  { "data:text/plain,\xe2\x82\xac", "text/plain", "\xe2\x82\xac", true },
  { "data:;charset=utf-8,x", "text/plain;charset=utf-8", "x", true },
  { "data:text/html;charset=UTF-8;x=%22y%22;base64,aA==", "text/html;charset=UTF-8;x=%22y%22", "h",
    true },
  /* As models do not all read it. */
  { "DATA:text/plain,a", "text/plain", "a", false },
  { "Data:text/plain;BASE64,aA==", "text/plain", "h", false },
  { "data:text/plain;Base64,aA==", "text/plain", "h", false },
  { "data:text/plain;base64,aGVs\r\nbG8=\n", "text/plain", "hello", false },
  { "data:text/plain;base64, aG Vs\tbG8%3d", "text/plain", "hello", false },
  { "data:text/plain;base64,aGVs%0abG8=", "text/plain", "hello", false },
};

static const struct
{
  const char *text;
  const char *problem;
} bad[] = {
  { "", "scheme" },
  { "data", "scheme" },
  { "http://x/", "scheme" },
  { " data:,a", "scheme" },
  { "data:", "comma" },
  { "data:text/plain;base64", "comma" },
  { "data:text/plain;base64;aGVsbG8=", "comma" },
  { "data: text/plain,a", "media type" },
  { "data:text/plain ,a", "media type" },
  { "data:text /plain,a", "media type" },
  { "data:text,a", "media type" },
  { "data:text/,a", "media type" },
  { "data:/plain,a", "media type" },
  { "data:base64,aGVsbG8=", "media type" },
  { "data:text/plain;base64;charset=utf-8,aA==", "media type" },
  { "data:text/plain;,a", "media type" },
  { "data:text/plain;charset,a", "media type" },
  { "data:text/plain;charset=,a", "media type" },
  { "data:text/plain\r\nX: y,a", "media type" },
  { "data:text/pl\xc3\xa4in,a", "media type" },
  { "data:text/plain,a b", "blank" },
  { "data:text/plain,a ", "blank" },
  { "data:text/plain,a\n", "blank" },
  { "data:text/plain,a\x7f", "blank" },
  { "data:text/plain;base64,aA==\x01", "blank" },
  { "data:text/plain,%", "'%'" },
  { "data:text/plain,%4", "'%'" },
  { "data:text/plain,%4g", "'%'" },
  { "data:text/plain;base64,%4", "'%'" },
  { "data:text/plain;base64,aGVsbG8", "padding" },
  { "data:text/plain;base64,aGVsb", "cut off" },
  { "data:text/plain;base64,aA=", "padding" },
  { "data:text/plain;base64,aA===", "padding" },
  { "data:text/plain;base64,====", "padding" },
  { "data:text/plain;base64,=", "padding" },
  { "data:text/plain;base64,aA==aA==", "not base64" },
  { "data:text/plain;base64,a-_b", "not base64" },
  { "data:text/plain;base64,hell!", "not base64" },
};

static void
test_good (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto (VendDataUri) uri = { 0 };
      const char *problem = NULL;
      gsize size = 0;
      /* What a test says goes into an XML report. */
      g_autofree char *shown = g_strescape (good[i].text, NULL);
      g_test_message ("%s", shown);
      g_assert_true (vend_data_uri_parse (good[i].text, strlen (good[i].text), &uri, &problem));
      g_assert_null (problem);
      g_assert_cmpstr (uri.type, ==, good[i].type);
      g_assert_true (uri.is_usual == good[i].is_usual);
      const char *bytes = g_bytes_get_data (uri.bytes, &size);
      g_assert_cmpmem (bytes, size, good[i].bytes, strlen (good[i].bytes));
    }
}

static void
test_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      VendDataUri uri = { 0 };
      const char *problem = NULL;
      /* What a test says goes into an XML report. */
      g_autofree char *shown = g_strescape (bad[i].text, NULL);
      g_test_message ("%s", shown);
      g_assert_false (vend_data_uri_parse (bad[i].text, strlen (bad[i].text), &uri, &problem));
      g_assert_nonnull (strstr (problem, bad[i].problem));
      g_assert_null (uri.type);
      g_assert_null (uri.bytes);
    }
}

static void
test_every_byte (void)
{
  guint8 bytes[256];
  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8) i;
  for (gsize size = 0; size <= sizeof bytes; size++)
    {
      VendDataUri made = { (char *) "a/b;c=d", g_bytes_new_static (bytes, size), true };
      g_auto (VendDataUri) uri = { 0 };
      const char *problem = NULL;
      g_autofree char *text = vend_data_uri_text (&made);
      g_assert_true (vend_data_uri_parse (text, strlen (text), &uri, &problem));
      g_assert_true (uri.is_usual && g_bytes_equal (uri.bytes, made.bytes));
      g_assert_cmpstr (uri.type, ==, made.type);
      g_bytes_unref (made.bytes);
    }
}

static void
test_long_type (void)
{
  g_autofree char *most = g_strnfill (VEND_DATA_URI_TYPE_MAX - strlen ("a/"), 'x');
  g_autofree char *fits = g_strconcat ("data:a/", most, ";base64,", NULL);
  g_autofree char *longer = g_strconcat ("data:a/x", most, ";base64,", NULL);
  g_auto (VendDataUri) uri = { 0 };
  const char *problem = NULL;
  g_assert_true (vend_data_uri_parse (fits, strlen (fits), &uri, &problem));
  g_assert_false (vend_data_uri_parse (longer, strlen (longer), &uri, &problem));
  g_assert_nonnull (strstr (problem, "too long"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cog/data-uri/good", test_good);
  g_test_add_func ("/cog/data-uri/bad", test_bad);
  g_test_add_func ("/cog/data-uri/every-byte", test_every_byte);
  g_test_add_func ("/cog/data-uri/long-type", test_long_type);
  return g_test_run ();
}
