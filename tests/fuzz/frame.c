/* Frames between the control plane and a director. First byte: sizes of the pieces; second: the
 * limit; the rest is the stream, and also the text of one frame to send. */
#include "fuzz.h"
#include "base/error.h"
#include "runner/frame.h"
#include <string.h>

/* All frames and how the stream ended, as text. */
static GString *
read_all (const guint8 *data, gsize size, gsize limit, FuzzPieces *pieces)
{
  GString *seen = g_string_new (NULL);
  g_autoptr (VendFrameReader) reader = vend_frame_reader_new (limit);
  json_t *const untouched = (json_t *) seen;
  g_autoptr (GError) error = NULL;
  bool good = true;
  for (gsize at = 0; good && at < size;)
    {
      gsize piece = pieces != NULL ? fuzz_piece (pieces, size - at) : size;
      vend_frame_reader_feed (reader, data + at, piece);
      at += piece;
      for (bool more = true; good && more;)
        {
          json_t *frame = untouched;
          GBytes *long_text = NULL;
          good = vend_frame_reader_take (reader, &frame, &long_text, &error);
          /* The limit is below VEND_FRAME_LARGE. */
          g_assert_null (long_text);
          fuzz_check_error (good, error);
          g_assert_true (good == (frame != untouched));
          more = good && frame != NULL;
          if (!more)
            break;
          g_assert_true (json_is_object (frame));
          g_autofree char *text = vend_json_text (frame);
          g_string_append_printf (seen, "%s\n", text);
          json_decref (frame);
        }
    }
  g_string_append (seen, good ? "<good>" : error->message);
  return seen;
}

static void
check_append (FuzzInput text, gsize limit, FuzzPieces *pieces)
{
  json_auto_t *frame = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_json_parse (text.data, text.size, &frame, NULL) || !json_is_object (frame))
    return;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *) "x", 1);
  const bool good = vend_frame_append (bytes, frame, limit, &error);
  fuzz_check_error (good, error);
  if (!good)
    {
      g_assert_true (bytes->len == 1 && error->code == VEND_ERROR_TOO_LARGE);
      return;
    }
  g_assert_cmpuint (bytes->len - 1 - VEND_FRAME_HEADER_SIZE, <=, limit);
  g_assert_true (vend_frame_append (bytes, frame, limit, NULL));
  g_autoptr (GString) seen = read_all (bytes->data + 1, bytes->len - 1, limit, pieces);
  g_autofree char *shown = vend_json_text (frame);
  g_autofree char *expected = g_strdup_printf ("%s\n%s\n<good>", shown, shown);
  g_assert_cmpstr (seen->str, ==, expected);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  FuzzPieces pieces = fuzz_pieces_start (fuzz_take_byte (&input));
  const gsize limit = (gsize) fuzz_take_byte (&input) * 8;
  const guint8 *bytes = (const guint8 *) input.data;
  g_autoptr (GString) whole = read_all (bytes, input.size, limit, NULL);
  g_autoptr (GString) split = read_all (bytes, input.size, limit, &pieces);
  g_assert_true (g_string_equal (whole, split));
  check_append (input, limit, &pieces);
  return 0;
}
