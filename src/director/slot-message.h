/* What coglet's worker says, on its slots and on its control channel (coglet
 * crates/coglet/src/bridge/protocol.rs). Two messages have another name before 0.20. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

typedef enum
{
  VEND_SLOT_UNKNOWN,
  /* On a slot. */
  VEND_SLOT_VERSION,
  VEND_SLOT_LOG, /* `log` before 0.20; on the control channel: what no run printed by itself */
  VEND_SLOT_OUTPUT,
  VEND_SLOT_FILE,
  VEND_SLOT_METRIC,
  VEND_SLOT_DONE,
  VEND_SLOT_FAILED, /* on the control channel: setup failed, or the slot is of no use any more */
  VEND_SLOT_CANCELLED,
  /* On the control channel. */
  VEND_SLOT_READY,
  VEND_SLOT_IDLE,
  VEND_SLOT_FATAL,
  VEND_SLOT_WORKER_LOG,
  VEND_SLOT_DROPPED_LOGS,
  VEND_SLOT_HEALTH,
  VEND_SLOT_SHUTTING_DOWN,
} VendSlotKind;

VendSlotKind vend_slot_message_kind (const json_t *message);

/* Whether `message` has what its kind must have. */
bool vend_slot_message_check (const json_t *message, VendSlotKind kind, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether a text is of this kind without parsing it: false where that cannot be told. */
bool vend_slot_text_is_log (const char *text, gsize size);

/* `file_output` whose file is JSON that was too long for a frame. */
bool vend_slot_message_is_spilled (const json_t *message);
