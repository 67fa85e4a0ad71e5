/* Server-sent events: every line of them, and the ids. */
#include "events/format.h"
#include <string.h>

#define S 1764061008

static const struct
{
  const char *json;
  const char *expected; /* "|" for an end of line, ids left out of the first column */
  guint64 n;
} good[] = {
  { "\"a\"", "event: output|id: 1764061008:5|data: a||", 5 },
  { "\"\"", "event: output|id: 1764061008:5|data: ||", 5 },
  { "\" a \"", "event: output|id: 1764061008:5|data:  a ||", 5 },
  { "\"a\\nb\"", "event: output|id: 1764061008:5|data: a|data: b||", 5 },
  { "\"a\\n\"", "event: output|id: 1764061008:5|data: a|data: ||", 5 },
  { "\"\\n\\n\"", "event: output|id: 1764061008:5|data: |data: |data: ||", 5 },
  { "\"a\\r\\nb\\rc\\n\\rd\"",
    "event: output|id: 1764061008:5|data: a|data: b|data: c|data: |data: d||", 5 },
  { "\"data: x\\nid: 7\"", "event: output|id: 1764061008:5|data: data: x|data: id: 7||", 5 },
  { "\"\xc3\xa9\xf0\x9f\x8e\x88\"",
    "event: output|id: 1764061008:5|data: \xc3\xa9\xf0\x9f\x8e\x88||", 5 },
  { "\"a\\u2028b\"",
    "event: output|id: 1764061008:5|data: a\xe2\x80\xa8||event: output|id: 1764061008:6|data: b||",
    6 },
  { "\"a\\u2029\"", "event: output|id: 1764061008:5|data: a\xe2\x80\xa9||", 5 },
  { "\"\\u0085\\u000b\\u000c\\nx\"",
    "event: output|id: 1764061008:5|data: \xc2\x85||event: output|id: 1764061008:6|data: \v||"
    "event: output|id: 1764061008:7|data: \f||event: output|id: 1764061008:8|data: |data: x||",
    8 },
  { "\"\\u001c\\u001d\\u001e\\u001f\"",
    "event: output|id: 1764061008:5|data: \x1c||event: output|id: 1764061008:6|data: \x1d||"
    "event: output|id: 1764061008:7|data: \x1e||event: output|id: 1764061008:8|data: \x1f||",
    8 },
  /* Neighbours of those characters. */
  { "\"\\u2027\\u202a\\u0084\\u0086\\u1028\"",
    "event: output|id: 1764061008:5|data: \xe2\x80\xa7\xe2\x80\xaa\xc2\x84\xc2\x86\xe1\x80\xa8||",
    5 },
  { "{\"a\": [1, null, 2.5]}", "event: output|id: 1764061008:5|data: {\"a\":[1,null,2.5]}||", 5 },
  { "7", "event: output|id: 1764061008:5|data: 7||", 5 },
  { "null", "event: output|id: 1764061008:5|data: null||", 5 },
  { "[\"a\\nb\"]", "event: output|id: 1764061008:5|data: [\"a\\nb\"]||", 5 },
  { "[\"a\\u2028\\u00e9\"]", "event: output|id: 1764061008:5|data: [\"a\\u2028\xc3\xa9\"]||", 5 },
  { "[\"\\u0085\\u2029\"]", "event: output|id: 1764061008:5|data: [\"\\u0085\\u2029\"]||", 5 },
  { "18446744073709551557", "event: output|id: 1764061008:5|data: 18446744073709551557||", 5 },
  { "{\"a\":[0.1,1e22,9223372036854775808]}",
    "event: output|id: 1764061008:5|data: {\"a\":[0.1,1e+22,9223372036854775808]}||", 5 },
};

static char *
readable (const GString *text)
{
  g_assert_true (g_utf8_validate (text->str, (gssize) text->len, NULL));
  g_assert_null (strchr (text->str, '\r'));
  return g_strdelimit (g_strdup (text->str), "\n", '|');
}

static void
test_output (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      json_auto_t *value = NULL;
      guint64 n = 4;
      g_assert_true (vend_json_parse (good[i].json, strlen (good[i].json), &value, NULL));
      vend_event_output (text, S, &n, value);
      g_autofree char *shown = readable (text);
      g_assert_cmpstr (shown, ==, good[i].expected);
      g_assert_cmpuint (n, ==, good[i].n);
    }
}

static void
test_ends (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 n = 0;
  vend_event_error (text, S, &n, "a \"b\"\nc\xe2\x80\xa8");
  vend_event_done (text, S, &n, "error");
  vend_event_done (text, S, &n, NULL);
  g_autofree char *shown = readable (text);
  g_assert_cmpstr (shown, ==,
                   "event: error|id: 1764061008:1|data: {\"detail\":\"a \\\"b\\\"\\nc\\u2028\"}||"
                   "event: done|id: 1764061008:2|data: {\"reason\":\"error\"}||"
                   "event: done|id: 1764061008:3|data: {}||");
}

static void
test_numbers (void)
{
  static const struct
  {
    const char *id;
    guint64 n;
  } ids[] = {
    { "1764061008:1", 1 },
    { "1764061008:18446744073709551615", G_MAXUINT64 },
    { "1764061008:0", 0 },
    { NULL, 0 },
    { "", 0 },
    { ":", 0 },
    { "1764061008", 0 },
    { "1764061008:", 0 },
    { "1764061007:3", 0 },
    { "1764061008:-3", 0 },
    { "1764061008:3 ", 0 },
    { "1764061008:3:4", 0 },
    { " 1764061008:3", 0 },
    { "1764061008:18446744073709551616", 0 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_cmpuint (vend_event_number (ids[i].id, S), ==, ids[i].n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/events/format/output", test_output);
  g_test_add_func ("/events/format/ends", test_ends);
  g_test_add_func ("/events/format/numbers", test_numbers);
  return g_test_run ();
}
