/* Cursors of lists, and references to models. One line each: a cursor as sent, a reference, a time;
 * the rest is an id. */
#include "fuzz.h"
#include "api/api-private.h"
#include "base/error.h"
#include "base/hash.h"
#include "model/account.h"
#include "model/model.h"
#include <string.h>

static void
check_text (const char *text)
{
  ApiCursor untouched = { .after_us = -7 };
  ApiCursor cursor = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_api_cursor_read (text, &cursor, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (cursor.after_us == -7 && cursor.after_id == NULL);
      g_assert_cmpint (error->code, ==, VEND_ERROR_BAD_REQUEST);
      return;
    }
  g_assert_true (cursor.first == (*text == '\0'));
  g_assert_true (cursor.after_us >= 0 && cursor.first == (cursor.after_id == NULL));
  if (!cursor.first)
    fuzz_check_utf8 (cursor.after_id);
  vend_api_cursor_clear (&cursor);
}

/* Ids are of our making: at most a version's. */
static void
check_round_trip (int64_t time_us, const char *id)
{
  if (strlen (id) > 64 || !g_utf8_validate (id, -1, NULL))
    return;
  g_autofree char *text = vend_api_cursor_text (time_us, id);
  g_auto (ApiCursor) cursor = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_api_cursor_read (text, &cursor, &error));
  g_assert_true (!cursor.first && cursor.after_us == time_us);
  g_assert_cmpstr (cursor.after_id, ==, id);
  g_assert_true (
      text[strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=")]
      == '\0');
}

static void
check_reference (const char *text)
{
  char untouched;
  char *owner = &untouched;
  char *name = &untouched;
  char *version = &untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_reference_parse (text, &owner, &name, &version, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (owner == &untouched && name == &untouched && version == &untouched);
      return;
    }
  g_assert_true (vend_name_check ("owner", owner, NULL) && vend_name_check ("name", name, NULL));
  g_assert_true (version == NULL || vend_is_sha256_hex (version));
  g_autofree char *again
      = g_strconcat (owner, "/", name, version != NULL ? ":" : NULL, version, NULL);
  g_assert_cmpstr (again, ==, text);
  g_free (owner);
  g_free (name);
  g_free (version);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  g_autofree char *cursor = fuzz_take_line (&input);
  g_autofree char *reference = fuzz_take_line (&input);
  g_autofree char *time_us = fuzz_take_line (&input);
  g_autofree char *id = fuzz_take_text (&input);
  check_text (cursor);
  check_reference (reference);
  check_round_trip ((int64_t) (g_ascii_strtoull (time_us, NULL, 10) & G_MAXINT64), id);
  return 0;
}
