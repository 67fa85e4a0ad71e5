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

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  json_t *const untouched = (json_t *) data;
  json_t *value = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_json_parse ((const char *) data, size, &value, &error);
  fuzz_check_error (good, error);
  check_bytes ((const char *) data, size);
  if (!good)
    {
      g_assert_true (value == untouched && error->code == VEND_ERROR_BAD_REQUEST);
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
  json_decref (value);
  return 0;
}
