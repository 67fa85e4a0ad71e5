/* JSON texts: what is read is written so that it reads back the same. */
#include "fuzz.h"
#include "base/error.h"
#include <string.h>

static void
check_bytes (const char *data, gsize size)
{
  json_auto_t *value = vend_json_string_new (data, size);
  g_assert_true (json_is_string (value));
  fuzz_check_utf8 (json_string_value (value));
}

/* jansson knows fewer numbers and more levels; of all else it is of the same opinion. */
static void
check_like_jansson (const char *data, gsize size, const json_t *value, const GError *problem)
{
  json_error_t error;
  json_auto_t *other = json_loadb (data, size, JSON_DECODE_ANY, &error);
  if (value != NULL && other != NULL)
    g_assert_true (json_equal (value, other));
  else if (value != NULL)
    g_assert_cmpint (json_error_code (&error), ==, json_error_numeric_overflow);
  else if (other != NULL)
    g_assert_nonnull (strstr (problem->message, "nested deeper than"));
}

static void
check_writers (const json_t *value, const char *text)
{
  const gsize size = strlen (text);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  vend_json_append (bytes, value);
  g_assert_cmpuint (vend_json_size (value), ==, size);
  g_assert_true (bytes->len == size && memcmp (bytes->data, text, size) == 0);

  json_auto_t *same = NULL;
  g_autofree char *pretty = vend_json_text_pretty (value);
  g_assert_true (vend_json_parse (pretty, strlen (pretty), &same, NULL));
  g_assert_true (json_equal (value, same));

  json_auto_t *rewritten = NULL;
  g_autofree char *js = vend_json_text_js (value);
  fuzz_check_utf8 (js);
  g_assert_true (vend_json_parse (js, strlen (js), &rewritten, NULL));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  json_t *const untouched = (json_t *) data;
  json_t *value = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_json_parse ((const char *) data, size, &value, &error);
  fuzz_check_error (good, error);
  check_bytes ((const char *) data, size);
  check_like_jansson ((const char *) data, size, good ? value : NULL, error);
  if (!good)
    {
      g_assert_true (
          value == untouched
          && (error->code == VEND_ERROR_BAD_REQUEST || error->code == VEND_ERROR_INVALID));
      return 0;
    }
  fuzz_check_json (value);
  g_autofree char *text = vend_json_text (value);
  fuzz_check_utf8 (text);
  json_t *again = NULL;
  g_assert_true (vend_json_parse (text, strlen (text), &again, NULL));
  g_assert_true (json_equal (value, again));
  g_autofree char *twice = vend_json_text (again);
  g_assert_cmpstr (text, ==, twice);
  json_decref (again);
  check_writers (value, text);
  json_decref (value);
  return 0;
}
