/* Frames between a director and coglet's worker. Pure. */
#include "director/slot-frame.h"
#include "base/error.h"
#include <string.h>

#define HEADER_SIZE 4
#define SHRINK_ABOVE ((guint) 1 << 20) /* a buffer grown by one large frame is given back */

struct VendSlotReader
{
  GByteArray *data;
  gsize taken; /* bytes of `data` that earlier frames used */
};

VendSlotReader *
vend_slot_reader_new (void)
{
  VendSlotReader *reader = g_new0 (VendSlotReader, 1);
  reader->data = g_byte_array_new ();
  return reader;
}

void
vend_slot_reader_free (VendSlotReader *reader)
{
  if (reader == NULL)
    return;
  g_byte_array_unref (reader->data);
  g_free (reader);
}

static void
drop_taken (VendSlotReader *reader)
{
  const bool is_all = reader->taken == reader->data->len;
  if (is_all && reader->taken > SHRINK_ABOVE)
    {
      g_byte_array_unref (reader->data);
      reader->data = g_byte_array_new ();
    }
  else if (reader->taken > 0)
    g_byte_array_remove_range (reader->data, 0, (guint) reader->taken);
  reader->taken = 0;
}

void
vend_slot_reader_feed (VendSlotReader *reader, const void *data, gsize size)
{
  drop_taken (reader);
  g_byte_array_append (reader->data, data, (guint) size);
}

bool
vend_slot_reader_next (VendSlotReader *reader, const char **out_text, gsize *out_size,
                       GError **error)
{
  const guint8 *data = reader->data->data + reader->taken;
  const gsize available = reader->data->len - reader->taken;
  guint32 length;
  *out_text = NULL;
  *out_size = 0;
  if (available < HEADER_SIZE)
    return true;
  memcpy (&length, data, sizeof length);
  length = GUINT32_FROM_BE (length);
  if (length > VEND_SLOT_FRAME_MAX)
    return vend_fail (error, VEND_ERROR_TOO_LARGE,
                      "a frame of the worker has %" G_GUINT32_FORMAT
                      " bytes, at most %" G_GSIZE_FORMAT,
                      length, VEND_SLOT_FRAME_MAX);
  if (available - HEADER_SIZE < length)
    return true;
  *out_text = (const char *) data + HEADER_SIZE;
  *out_size = length;
  reader->taken += HEADER_SIZE + length;
  return true;
}

bool
vend_slot_frame_append (GByteArray *out, const json_t *message, GError **error)
{
  const guint start = out->len;
  g_byte_array_set_size (out, start + HEADER_SIZE);
  vend_json_append (out, message);
  const gsize size = out->len - start - HEADER_SIZE;
  if (size > VEND_SLOT_FRAME_MAX)
    {
      g_byte_array_set_size (out, start);
      return vend_fail (error, VEND_ERROR_TOO_LARGE,
                        "a frame for the worker has %" G_GSIZE_FORMAT
                        " bytes, at most %" G_GSIZE_FORMAT,
                        size, VEND_SLOT_FRAME_MAX);
    }
  const guint32 length = GUINT32_TO_BE ((guint32) size);
  memcpy (out->data + start, &length, sizeof length);
  return true;
}
