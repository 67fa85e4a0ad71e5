/* What a director knows of coglet's worker without running it: versions, messages, inputs. */
#include "base/error.h"
#include "director/input-fit.h"
#include "director/model-error.h"
#include "director/slot-frame.h"
#include "director/slot-marks.h"
#include "director/slot-message.h"
#include "director/worker-version.h"
#include <string.h>

static json_t *
parse (const char *text)
{
  json_t *value = NULL;
  g_assert_true (vend_json_parse (text, strlen (text), &value, NULL));
  return value;
}

static void
test_versions (void)
{
  static const char *const known[] = { "0.17.0", "0.17.2", "0.19.3", "0.20.0", "0.22.0", "0.23.1" };
  static const char *const others[]
      = { "", "0.16.12", "0.17", "0.23.2", "0.24.0", "1.0.0", "0.0.1" };
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    g_assert_true (vend_worker_version_is_known (known[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (vend_worker_version_is_known (others[i]));
}

static void
test_messages (void)
{
  static const struct
  {
    const char *text;
    VendSlotKind kind;
    bool good;
  } cases[] = {
    { "{\"type\":\"log_line\",\"data\":\"x\"}", VEND_SLOT_LOG, true },
    { "{\"type\":\"log\",\"data\":\"x\"}", VEND_SLOT_LOG, true },
    { "{\"type\":\"log\"}", VEND_SLOT_LOG, false },
    { "{\"type\":\"output\",\"output\":null}", VEND_SLOT_OUTPUT, true },
    { "{\"type\":\"output_chunk\",\"index\":0}", VEND_SLOT_OUTPUT, false },
    { "{\"type\":\"ready\",\"slots\":[\"a\"]}", VEND_SLOT_READY, true },
    { "{\"type\":\"ready\",\"slots\":[1]}", VEND_SLOT_READY, false },
    { "{\"type\":\"ready\"}", VEND_SLOT_READY, false },
    { "{\"type\":\"healthcheck_result\",\"id\":\"x\"}", VEND_SLOT_HEALTH, false },
    { "{\"type\":\"dance\"}", VEND_SLOT_UNKNOWN, true },
    { "{}", VEND_SLOT_UNKNOWN, true },
    { "[]", VEND_SLOT_UNKNOWN, true },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *message = parse (cases[i].text);
      g_autoptr (GError) error = NULL;
      g_assert_cmpint (vend_slot_message_kind (message), ==, cases[i].kind);
      g_assert_true (vend_slot_message_check (message, cases[i].kind, &error) == cases[i].good);
    }
}

static void
test_frame_limit (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *fill = g_strnfill (VEND_SLOT_FRAME_MAX, 'x');
  json_auto_t *message = json_string (fill);
  g_assert_false (vend_slot_frame_append (bytes, message, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
  g_assert_cmpuint (bytes->len, ==, 0);
}

#define SCHEMA \
  "{\"components\":{\"schemas\":{\"Input\":{\"type\":\"object\",\"required\":[\"s\"]," \
  "\"properties\":{\"s\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\",\"nullable\":true}," \
  "\"d\":{\"type\":\"integer\",\"nullable\":true,\"default\":null}," \
  "\"p\":{\"type\":\"integer\"}}}}}}"

static void
test_inputs (void)
{
  static const struct
  {
    const char *input, *fit; /* NULL: refused */
  } cases[] = {
    { "{\"s\":\"x\"}", "{\"s\":\"x\",\"n\":null}" },
    { "{\"s\":\"x\",\"n\":1,\"unknown\":2}", "{\"s\":\"x\",\"n\":1}" },
    { "{\"s\":1}", NULL },
    { "{}", NULL },
  };
  json_auto_t *openapi = parse (SCHEMA);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      json_auto_t *input = parse (cases[i].input);
      g_autoptr (GError) error = NULL;
      const bool good = vend_input_fit (openapi, i % 2 == 1, input, &error);
      g_assert_true (good == (cases[i].fit != NULL));
      if (!good)
        {
          g_assert_true (g_str_has_prefix (error->message, "Input validation error: "));
          g_assert_nonnull (strstr (error->message, "s"));
          continue;
        }
      g_autofree char *text = vend_json_text (input);
      g_assert_cmpstr (text, ==, cases[i].fit);
    }
  json_auto_t *any = parse ("{\"x\":1}");
  g_assert_true (vend_input_fit (NULL, false, any, NULL));
  g_assert_cmpuint (json_object_size (any), ==, 1);
}

static void
test_errors (void)
{
  g_assert_cmpstr (vend_model_error_plain ("Prediction failed: Prediction failed: x"), ==, "x");
  g_autofree char *deep = vend_model_error_of_output (
      "Failed to parse output JSON: recursion limit exceeded at line 1 column 128");
  g_assert_true (strstr (deep, "127 levels") != NULL && strstr (deep, "column 128") != NULL);
  g_autofree char *other = vend_model_error_of_output ("ValueError: recursion limit exceeded");
  g_assert_null (other);
}

static void
feed_all (VendSlotMarks *marks, const char *text, gsize piece, GString *out)
{
  for (gsize size = strlen (text); size > 0;)
    {
      const gsize taken = vend_slot_marks_feed (marks, text, MIN (piece, size), out);
      g_assert_cmpuint (taken, <=, MIN (piece, size));
      text += taken;
      size -= taken;
    }
}

static void
test_marks (void)
{
  for (gsize piece = 1; piece < 40; piece++)
    {
      VendSlotMarks marks;
      vend_slot_marks_init (&marks, "\x1ename");
      g_autofree char *first = vend_slot_marks_text (&marks, 1);
      g_autofree char *second = vend_slot_marks_text (&marks, 2);
      g_autofree char *text
          = g_strconcat ("one\n", second, "\x1ena", second, first, "two\x1e", NULL);
      g_autoptr (GString) out = g_string_new (NULL);
      feed_all (&marks, text, piece, out);
      g_assert_cmpstr (out->str, ==, "one\n\x1enatwo");
      g_assert_cmpstr (marks.held->str, ==, "\x1e");
      /* One that comes late is no newer one. */
      g_assert_cmpuint (marks.met, ==, 2);
      vend_slot_marks_clear (&marks);
    }
}

/* A piece ends with the first mark, so that what follows is told apart. */
static void
test_first_mark (void)
{
  VendSlotMarks marks;
  vend_slot_marks_init (&marks, "\x1ename");
  g_autofree char *mark = vend_slot_marks_text (&marks, 1);
  g_autofree char *text = g_strconcat ("one", mark, "two", NULL);
  g_autoptr (GString) out = g_string_new (NULL);
  const gsize taken = vend_slot_marks_feed (&marks, text, strlen (text), out);
  g_assert_cmpstr (text + taken, ==, "two");
  g_assert_cmpstr (out->str, ==, "one");
  vend_slot_marks_clear (&marks);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/versions", test_versions);
  g_test_add_func ("/worker/messages", test_messages);
  g_test_add_func ("/worker/marks", test_marks);
  g_test_add_func ("/worker/first-mark", test_first_mark);
  g_test_add_func ("/worker/frame-limit", test_frame_limit);
  g_test_add_func ("/worker/inputs", test_inputs);
  g_test_add_func ("/worker/errors", test_errors);
  return g_test_run ();
}
