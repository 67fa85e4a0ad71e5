/* Frames between a director and coglet's worker: 4 bytes length, big endian, then JSON text (coglet
 * crates/coglet/src/bridge/codec.rs, which lets a frame have 8 MiB). Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

#define VEND_SLOT_FRAME_MAX ((gsize) 8 << 20)

typedef struct VendSlotReader VendSlotReader;

VendSlotReader *vend_slot_reader_new (void) G_GNUC_WARN_UNUSED_RESULT;
void vend_slot_reader_free (VendSlotReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSlotReader, vend_slot_reader_free)

void vend_slot_reader_feed (VendSlotReader *reader, const void *data, gsize size);

/* The text of the next whole frame, which stays until the next feed; NULL in `*out_text` when more
 * bytes are needed. An error is final. */
bool vend_slot_reader_next (VendSlotReader *reader, const char **out_text, gsize *out_size,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends `message` to `out`; TOO_LARGE leaves `out` as it was. */
bool vend_slot_frame_append (GByteArray *out, const json_t *message, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
