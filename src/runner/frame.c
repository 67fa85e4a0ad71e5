/* Frames between the control plane and a director. Pure. */
#include "runner/frame.h"
#include "base/error.h"
#include <string.h>

#define SHRINK_ABOVE ((guint) 1 << 20) /* a larger buffer is freed after its frame */
#define MAX_FRAME (G_MAXINT32 / 2)     /* three of them fit the length of a GByteArray */

struct VendFrameReader
{
  GByteArray *data;
  gsize taken; /* bytes of `data` used by earlier frames */
  gsize limit;
};

gsize
vend_frame_limit (uint64_t max_output, uint64_t max_logs)
{
  uint64_t limit = max_output + 6 * max_logs + VEND_FRAME_SLACK;
  return (gsize) MIN (limit, (uint64_t) MAX_FRAME);
}

static void
put_length (guint8 *header, gsize length)
{
  guint32 big_endian = GUINT32_TO_BE ((guint32) length);
  memcpy (header, &big_endian, sizeof big_endian);
}

bool
vend_frame_append (GByteArray *out, const json_t *frame, gsize limit, GError **error)
{
  const guint start = out->len;
  if (!json_is_object (frame))
    return vend_fail (error, VEND_ERROR_INTERNAL, "frame: not a JSON object");
  g_byte_array_set_size (out, start + VEND_FRAME_HEADER_SIZE);
  vend_json_append (out, frame);
  const gsize size = out->len - start - VEND_FRAME_HEADER_SIZE;
  if (size > limit)
    {
      g_byte_array_set_size (out, start);
      return vend_fail (error, VEND_ERROR_TOO_LARGE,
                        "frame: %" G_GSIZE_FORMAT " bytes, at most %" G_GSIZE_FORMAT, size, limit);
    }
  put_length (out->data + start, size);
  return true;
}

gsize
vend_frame_size (const json_t *frame)
{
  return vend_json_size (frame);
}

VendFrameReader *
vend_frame_reader_new (gsize limit)
{
  VendFrameReader *reader = g_new0 (VendFrameReader, 1);
  reader->data = g_byte_array_new ();
  reader->limit = limit;
  return reader;
}

void
vend_frame_reader_free (VendFrameReader *reader)
{
  if (reader == NULL)
    return;
  g_byte_array_unref (reader->data);
  g_free (reader);
}

static void
drop_taken (VendFrameReader *reader)
{
  if (reader->taken == 0)
    return;
  gsize rest = reader->data->len - reader->taken;
  if (rest == 0 && reader->data->len > SHRINK_ABOVE)
    {
      g_byte_array_unref (reader->data);
      reader->data = g_byte_array_new ();
    }
  else
    g_byte_array_remove_range (reader->data, 0, (guint) reader->taken);
  reader->taken = 0;
}

void
vend_frame_reader_feed (VendFrameReader *reader, const void *data, gsize size)
{
  drop_taken (reader);
  g_byte_array_append (reader->data, data, (guint) size);
}

/* Finds the next whole frame in the buffer; false in `*out_whole` when more bytes are needed. */
static bool
find_next (const VendFrameReader *reader, const guint8 **out_text, gsize *out_size, bool *out_whole,
           GError **error)
{
  const guint8 *data = reader->data->data + reader->taken;
  const gsize available = reader->data->len - reader->taken;
  guint32 length;
  *out_whole = false;
  if (available < VEND_FRAME_HEADER_SIZE)
    return true;
  memcpy (&length, data, sizeof length);
  length = GUINT32_FROM_BE (length);
  if (length > reader->limit)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "frame: %" G_GUINT32_FORMAT " bytes, at most %" G_GSIZE_FORMAT, length,
                      reader->limit);
  *out_whole = available - VEND_FRAME_HEADER_SIZE >= length;
  *out_text = data + VEND_FRAME_HEADER_SIZE;
  *out_size = length;
  return true;
}

static bool
parse (const void *text, gsize size, json_t **out, GError **error)
{
  json_auto_t *frame = NULL;
  if (!vend_json_parse (text, size, &frame, error))
    return false;
  if (!json_is_object (frame))
    return vend_fail (error, VEND_ERROR_BAD_REQUEST, "frame: not a JSON object");
  *out = json_incref (frame);
  return true;
}

/* The buffer goes with the frame; the few bytes behind it begin a new buffer. */
static GBytes *
steal_text (VendFrameReader *reader, const guint8 *text, gsize size)
{
  GByteArray *data = reader->data;
  const gsize start = (gsize) (text - data->data);
  const gsize end = start + size;
  reader->data = g_byte_array_new ();
  reader->taken = 0;
  g_byte_array_append (reader->data, data->data + end, (guint) (data->len - end));
  g_autoptr (GBytes) whole = g_byte_array_free_to_bytes (data);
  return g_bytes_new_from_bytes (whole, start, size);
}

bool
vend_frame_reader_take (VendFrameReader *reader, json_t **out, GBytes **out_text, GError **error)
{
  const guint8 *text = NULL;
  gsize size = 0;
  bool whole = false;
  if (!find_next (reader, &text, &size, &whole, error))
    return false;
  if (!whole || size > VEND_FRAME_LARGE)
    {
      *out = NULL;
      *out_text = whole ? steal_text (reader, text, size) : NULL;
      return true;
    }
  if (!parse (text, size, out, error))
    return false;
  *out_text = NULL;
  reader->taken += VEND_FRAME_HEADER_SIZE + size;
  return true;
}

bool
vend_frame_parse (GBytes *text, json_t **out, GError **error)
{
  gsize size = 0;
  const void *data = g_bytes_get_data (text, &size);
  return parse (data, size, out, error);
}
