/* Headers of one line each: Range (after a line with the size of the file), Prefer, Cancel-After,
 * Idempotency-Key and X-Stainless-Retry-Count; the rest is the body of a create. */
#include "fuzz.h"
#include "api/headers.h"
#include "base/clock.h"
#include "base/error.h"
#include "httpd/range-private.h"
#include "model/idempotency-key.h"
#include <string.h>

static void
check_range (const char *range, uint64_t file_size)
{
  uint64_t start = G_MAXUINT64;
  uint64_t size = G_MAXUINT64;
  const VendRangeKind kind = vend_range_parse (range, file_size, &start, &size);
  if (kind != VEND_RANGE_PART)
    {
      g_assert_true (start == G_MAXUINT64 && size == G_MAXUINT64);
      return;
    }
  g_assert_cmpuint (size, >, 0);
  g_assert_true (start < file_size && size <= file_size - start);
  g_autofree char *same
      = g_strdup_printf ("bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, start, start + size - 1);
  uint64_t same_start = 0;
  uint64_t same_size = 0;
  g_assert_true (vend_range_parse (same, file_size, &same_start, &same_size) == VEND_RANGE_PART);
  g_assert_true (same_start == start && same_size == size);
}

static void
check_prefer (const char *prefer)
{
  g_autofree char *applied = NULL;
  const int64_t wait_us = vend_prefer_wait_us (prefer, &applied);
  g_assert_true ((wait_us == 0) == (applied == NULL));
  if (applied == NULL)
    return;
  g_assert_true (wait_us >= VEND_US_PER_S / 2 && wait_us < 60 * VEND_US_PER_S);
  g_assert_true (g_ascii_strncasecmp (applied, "wait", 4) == 0);
  g_assert_nonnull (strstr (prefer, applied));
  g_autofree char *again = NULL;
  g_assert_cmpint (vend_prefer_wait_us (applied, &again), ==, wait_us);
  g_assert_cmpstr (again, ==, applied);
}

static void
check_cancel_after (const char *text)
{
  int64_t after_us = -7;
  g_autoptr (GError) error = NULL;
  const bool good = vend_cancel_after_us (text, &after_us, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (after_us == -7 && error->code == VEND_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (error->message, "Cancel-After: "));
    }
  else
    g_assert_true (after_us >= 5 * VEND_US_PER_S && after_us < G_MAXINT64 / 2);
}

static void
check_key (const char *header, const char *retry, const char *body, gsize size)
{
  VendIdempotencyKey untouched;
  VendIdempotencyKey *key = &untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_idempotency_key_read (header, retry, "token", "/v1/predictions", body,
                                               size, &key, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (key == &untouched && error->code == VEND_ERROR_INVALID);
      return;
    }
  g_assert_true (key != NULL || header == NULL);
  if (key == NULL)
    return;
  g_assert_true (key->is_derived == (header == NULL));
  g_assert_true (!key->renews || key->is_derived);
  g_assert_cmpuint (strlen (key->digest), ==, 64);
  g_assert_true (header == NULL || strlen (key->text) <= VEND_IDEMPOTENCY_KEY_MAX);
  /* No caller can name what is made of somebody else's request. */
  g_assert_true (key->is_derived == (key->text[0] == '\x01'));
  g_autoptr (VendIdempotencyKey) copy = vend_idempotency_key_copy (key);
  g_assert_cmpstr (copy->text, ==, key->text);
  g_assert_cmpstr (copy->digest, ==, key->digest);
  vend_idempotency_key_free (key);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  g_autofree char *file_size = fuzz_take_line (&input);
  g_autofree char *range = fuzz_take_line (&input);
  g_autofree char *prefer = fuzz_take_line (&input);
  g_autofree char *cancel_after = fuzz_take_line (&input);
  g_autofree char *key = fuzz_take_line (&input);
  g_autofree char *retry = fuzz_take_line (&input);
  check_range (range, g_ascii_strtoull (file_size, NULL, 10) & G_MAXINT64);
  check_prefer (prefer);
  check_cancel_after (cancel_after);
  check_key (key, retry, input.data, input.size);
  check_key (NULL, retry, input.data, input.size);
  check_key (NULL, NULL, input.data, input.size);
  return 0;
}
