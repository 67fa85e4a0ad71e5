/* Events as they are sent to clients. First line: a Last-Event-ID; the rest: a piece of output, as
 * JSON or as text. What a reader puts together is the text. */
#include "fuzz.h"
#include "director/sse.h"
#include "events/format.h"
#include <string.h>

#define CREATED_S 1767607200

typedef struct
{
  GString *output;
  guint n;
  const char *event; /* the only one there may be */
} Seen;

static bool
on_event (const char *event, const char *data, gsize size, void *context)
{
  Seen *seen = context;
  g_assert_cmpstr (event, ==, seen->event);
  fuzz_check_utf8 (data);
  g_string_append_len (seen->output, data, (gssize) size);
  seen->n++;
  return true;
}

/* The data of all events in `text`, joined. */
static GString *
read_back (const GString *text, const char *event, guint64 n)
{
  Seen seen = { g_string_new (NULL), 0, event };
  g_autoptr (VendSse) sse = vend_sse_new (G_MAXSIZE, NULL, on_event, &seen);
  g_assert_true (g_str_has_suffix (text->str, "\n\n"));
  g_assert_null (strchr (text->str, '\r'));
  g_assert_true (vend_sse_feed (sse, text->str, text->len, NULL));
  g_assert_cmpuint (seen.n, ==, n);
  return seen.output;
}

/* Event streams know one kind of line end. Free with g_free. */
static char *
with_plain_line_ends (const char *text)
{
  GString *plain = g_string_new (text);
  g_string_replace (plain, "\r\n", "\n", 0);
  g_string_replace (plain, "\r", "\n", 0);
  return g_string_free (plain, FALSE);
}

static void
check_output (const json_t *value)
{
  guint64 n = 0;
  g_autoptr (GString) text = g_string_new (NULL);
  vend_event_output (text, CREATED_S, &n, value);
  g_assert_cmpuint (n, >, 0);
  g_autoptr (GString) output = read_back (text, "output", n);
  if (vend_json_is_string (value))
    {
      g_autofree char *expected = with_plain_line_ends (json_string_value (value));
      g_assert_cmpstr (output->str, ==, expected);
      return;
    }
  json_auto_t *again = NULL;
  g_assert_true (vend_json_parse (output->str, output->len, &again, NULL));
  g_assert_cmpuint (n, ==, 1);
  g_assert_true (json_equal (value, again));
}

static void
check_end (const char *text, const char *key, const char *event)
{
  guint64 n = 6;
  g_autoptr (GString) sent = g_string_new (NULL);
  if (strcmp (event, "error") == 0)
    vend_event_error (sent, CREATED_S, &n, text);
  else
    vend_event_done (sent, CREATED_S, &n, text);
  g_assert_cmpuint (n, ==, 7);
  g_autoptr (GString) data = read_back (sent, event, 1);
  json_auto_t *body = json_loadb (data->str, data->len, 0, NULL);
  g_assert_true (json_is_object (body));
  if (g_utf8_validate (text, -1, NULL))
    g_assert_cmpstr (vend_json_string (body, key), ==, text);
}

static void
check_number (const char *id)
{
  const guint64 n = vend_event_number (id, CREATED_S);
  if (n == 0)
    return;
  g_autofree char *same = g_strdup_printf ("%d:%" G_GUINT64_FORMAT, CREATED_S, n);
  g_assert_cmpuint (vend_event_number (same, CREATED_S), ==, n);
  g_assert_cmpuint (vend_event_number (same, CREATED_S + 1), ==, 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  g_autofree char *id = fuzz_take_line (&input);
  json_auto_t *value = NULL;
  check_number (id);
  if (vend_json_parse (input.data, input.size, &value, NULL))
    check_output (value);
  g_autofree char *text = fuzz_take_text (&input);
  json_auto_t *string = vend_json_string_new (text, strlen (text));
  check_output (string);
  check_end (text, "detail", "error");
  check_end (text, "reason", "done");
  return 0;
}
