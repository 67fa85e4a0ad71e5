/* Event streams in pieces of every size, cuts and limits. */
#include "director/sse.h"
#include "base/error.h"
#include <string.h>

static bool
collect (const char *event, const char *data, gsize size, void *context)
{
  g_assert_cmpuint (strlen (data), ==, size);
  g_string_append_printf (context, "%s=%s|", event, data);
  return strcmp (event, "stop") != 0;
}

static const VendSseCut cuts[]
    = { { "completed", "logs", 0 }, { "log", "data", 4 }, { "output", NULL, 0 }, { NULL } };

static const struct
{
  const char *text;
  const char *expected;
} good[] = {
  { "event: start\ndata: {}\n\n", "start={}|" },
  { "event: start\r\ndata: {}\r\n\r\n", "start={}|" },
  { "data:x\n\n", "message=x|" },
  { "data: a\ndata: b\n\n", "message=a\nb|" },
  { ": keep-alive\n\n\nevent: a\n\nid: 7\ndata\n\n", "message=|" },
  { "event: output\ndata: {\"chunk\":1}\n\nevent: b\ndata: 2\n\n", "b=2|" },
  { "event: completed\ndata: {\"id\":\"x\",\"logs\":\"a\\\"b\\\\\",\"o\":{\"logs\":\"kept\"}}\n\n",
    "completed={\"id\":\"x\",\"logs\":\"\",\"o\":{\"logs\":\"kept\"}}|" },
  { "event: completed\ndata: {\"output\":\"logs\",\"logs\":null}\n\n",
    "completed={\"output\":\"logs\",\"logs\":null}|" },
  { "event: log\ndata: {\"data\":\"abcdef\",\"source\":\"stdout\"}\n\n",
    "log={\"data\":\"abcd\",\"source\":\"stdout\"}|" },
  { "event: log\ndata: {\"data\":\"abc\\n\\n\"}\n\n", "log={\"data\":\"abc\\n\"}|" },
  { "event: log\ndata: {\"data\":\"abc\\u0041x\"}\n\n", "log={\"data\":\"abc\\u0041\"}|" },
  { "event: log\ndata: {\"data\":\"abc\xc3\xa9x\"}\n\n", "log={\"data\":\"abc\xc3\xa9\"}|" },
  { "event: log\ndata: {\"data\":\"abc\\ud83d\\ude00x\"}\n\n",
    "log={\"data\":\"abc\\ud83d\\ude00\"}|" },
  { "event: log\ndata: {\"data\":\"abc\\ud83d\\ud83d\\ud83d\\ud83d\"}\n\n",
    "log={\"data\":\"abc\\ud83d\\ud83d\"}|" },
};

static void
test_pieces (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    for (gsize step = 1; step <= strlen (good[i].text); step++)
      {
        g_autoptr (GString) seen = g_string_new (NULL);
        g_autoptr (VendSse) sse = vend_sse_new (1000, cuts, collect, seen);
        g_autoptr (GError) error = NULL;
        const gsize size = strlen (good[i].text);
        for (gsize at = 0; at < size; at += step)
          {
            bool fed = vend_sse_feed (sse, good[i].text + at, MIN (step, size - at), &error);
            g_assert_no_error (error);
            g_assert_true (fed);
          }
        g_assert_cmpstr (seen->str, ==, good[i].expected);
      }
}

static void
test_limits (void)
{
  static const struct
  {
    const char *text;
    int code;
  } bad[] = {
    { "data: 12345678901\n\n", VEND_ERROR_TOO_LARGE },
    { "data: 123456\ndata: 123456\n\n", VEND_ERROR_TOO_LARGE },
    { "data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n",
      VEND_ERROR_TOO_LARGE },
    { "data:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\ndata:\n",
      VEND_ERROR_TOO_LARGE },
    { "event: stop\ndata: x\n\n", VEND_ERROR_CANCELED },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GString) seen = g_string_new (NULL);
      g_autoptr (VendSse) sse = vend_sse_new (10, NULL, collect, seen);
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_sse_feed (sse, bad[i].text, strlen (bad[i].text), &error));
      g_assert_error (error, VEND_ERROR, bad[i].code);
    }
}

static void
test_long_logs_stay_small (void)
{
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (VendSse) sse = vend_sse_new (100, cuts, collect, seen);
  g_autofree char *block = g_strnfill (100000, 'x');
  g_assert_true (vend_sse_feed (sse, "event: completed\ndata: {\"logs\":\"", 32, NULL));
  for (guint i = 0; i < 100; i++)
    g_assert_true (vend_sse_feed (sse, block, 100000, NULL));
  g_assert_true (vend_sse_feed (sse, "\"}\n\n", 4, NULL));
  g_assert_cmpstr (seen->str, ==, "completed={\"logs\":\"\"}|");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sse/pieces", test_pieces);
  g_test_add_func ("/sse/limits", test_limits);
  g_test_add_func ("/sse/long-logs", test_long_logs_stay_small);
  return g_test_run ();
}
