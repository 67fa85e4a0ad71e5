/* Frames of coglet's worker, and marks in what its process prints. First byte: sizes of the pieces;
 * the rest is the stream. */
#include "fuzz.h"
#include "base/error.h"
#include "director/slot-frame.h"
#include "director/slot-marks.h"
#include "director/slot-message.h"
#include <string.h>

#define MARK "\x1e.m"
#define MARK_BYTES (strlen (MARK) + 9)

static void
check_message (const char *text, gsize size, GString *seen)
{
  json_auto_t *message = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_json_parse (text, size, &message, NULL))
    return;
  const VendSlotKind kind = vend_slot_message_kind (message);
  const bool good = vend_slot_message_check (message, kind, &error);
  fuzz_check_error (good, error);
  if (vend_slot_text_is_log (text, size))
    g_assert_cmpint (kind, ==, VEND_SLOT_LOG);
  if (good && kind == VEND_SLOT_LOG)
    g_assert_nonnull (vend_json_string (message, "data"));
  if (good && kind == VEND_SLOT_FILE)
    g_assert_nonnull (vend_json_string (message, "filename"));
  g_string_append_printf (seen, "<%d%d>", kind, vend_slot_message_is_spilled (message));

  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (VendSlotReader) reader = vend_slot_reader_new ();
  const char *again = NULL;
  gsize again_size = 0;
  g_assert_true (vend_slot_frame_append (bytes, message, NULL));
  vend_slot_reader_feed (reader, bytes->data, bytes->len);
  g_assert_true (vend_slot_reader_next (reader, &again, &again_size, NULL));
  g_autofree char *whole = vend_json_text (message);
  g_autofree char *read = g_strndup (again, again_size);
  g_assert_cmpstr (read, ==, whole);
}

/* All frames and how the stream ended, as text. */
static GString *
read_all (const guint8 *data, gsize size, FuzzPieces *pieces)
{
  GString *seen = g_string_new (NULL);
  g_autoptr (VendSlotReader) reader = vend_slot_reader_new ();
  g_autoptr (GError) error = NULL;
  bool good = true;
  for (gsize at = 0; good && at < size;)
    {
      const gsize piece = pieces != NULL ? fuzz_piece (pieces, size - at) : size;
      vend_slot_reader_feed (reader, data + at, piece);
      at += piece;
      for (const char *text = ""; good && text != NULL;)
        {
          gsize length = 0;
          good = vend_slot_reader_next (reader, &text, &length, &error);
          fuzz_check_error (good, error);
          if (!good || text == NULL)
            break;
          g_assert_cmpuint (length, <=, size);
          g_string_append_len (seen, text, (gssize) length);
          check_message (text, length, seen);
        }
    }
  return g_string_append (seen, good ? "<good>" : error->message);
}

static GString *
find_marks (FuzzInput input, FuzzPieces *pieces)
{
  VendSlotMarks marks;
  GString *seen = g_string_new (NULL);
  vend_slot_marks_init (&marks, MARK);
  for (gsize at = 0; at < input.size;)
    {
      const gsize piece = pieces != NULL ? fuzz_piece (pieces, input.size - at) : input.size - at;
      at += vend_slot_marks_feed (&marks, input.data + at, piece, seen);
    }
  /* Nothing is lost but the marks. */
  g_assert_cmpuint ((input.size - seen->len - marks.held->len) % MARK_BYTES, ==, 0);
  g_assert_cmpuint (marks.held->len, <, MARK_BYTES);
  g_string_append_printf (seen, "<%u>", marks.met);
  vend_slot_marks_clear (&marks);
  return seen;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  FuzzPieces pieces = fuzz_pieces_start (fuzz_take_byte (&input));
  const guint8 *bytes = (const guint8 *) input.data;
  g_autoptr (GString) whole = read_all (bytes, input.size, NULL);
  g_autoptr (GString) split = read_all (bytes, input.size, &pieces);
  g_assert_true (g_string_equal (whole, split));
  g_autoptr (GString) plain = find_marks (input, NULL);
  g_autoptr (GString) pieced = find_marks (input, &pieces);
  g_assert_true (g_string_equal (plain, pieced));
  return 0;
}
