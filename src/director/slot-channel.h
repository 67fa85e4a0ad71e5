/* Frames of coglet's worker over descriptors, on the main context. Writes go out at once when the
 * other side takes them. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

typedef struct VendSlotChannel VendSlotChannel;

typedef struct
{
  /* One frame. The channel may be freed in here. */
  void (*on_text) (VendSlotChannel *channel, const char *text, gsize size, void *context);
  /* It has closed by itself, once; `problem` is NULL when the other side just left. */
  void (*on_closed) (VendSlotChannel *channel, const char *problem, void *context);
} VendSlotChannelEvents;

/* Takes over both descriptors, which do not block; they may be the same. `events` must stay. */
VendSlotChannel *vend_slot_channel_new (int read_fd, int write_fd,
                                        const VendSlotChannelEvents *events, void *context)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_slot_channel_free (VendSlotChannel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSlotChannel, vend_slot_channel_free)

/* Steals `take`. TOO_LARGE when no frame takes it; UNAVAILABLE once it has closed. */
bool vend_slot_channel_send (VendSlotChannel *channel, json_t *take, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Reads what has come already, before its turn. */
void vend_slot_channel_read (VendSlotChannel *channel);
/* Nothing is read, as long as somebody holds it. */
void vend_slot_channel_hold (VendSlotChannel *channel, bool holds);
