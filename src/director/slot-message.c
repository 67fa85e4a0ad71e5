/* What coglet's worker says. Pure. */
#include "director/slot-message.h"
#include "base/error.h"
#include <string.h>

static const struct
{
  const char *type;
  VendSlotKind kind;
  const char *texts[2]; /* members that must be strings */
} kinds[] = {
  { "log_line", VEND_SLOT_LOG, { "data" } },
  { "log", VEND_SLOT_LOG, { "data" } },
  { "output_chunk", VEND_SLOT_OUTPUT, { NULL } },
  { "output", VEND_SLOT_OUTPUT, { NULL } },
  { "file_output", VEND_SLOT_FILE, { "filename" } },
  { "metric", VEND_SLOT_METRIC, { "name" } },
  { "done", VEND_SLOT_DONE, { "id" } },
  { "failed", VEND_SLOT_FAILED, { "error" } },
  { "cancelled", VEND_SLOT_CANCELLED, { NULL } },
  { "idle", VEND_SLOT_IDLE, { "slot" } },
  { "ready", VEND_SLOT_READY, { NULL } },
  { "protocol_version", VEND_SLOT_VERSION, { NULL } },
  { "fatal", VEND_SLOT_FATAL, { "reason" } },
  { "worker_log", VEND_SLOT_WORKER_LOG, { "message" } },
  { "dropped_logs", VEND_SLOT_DROPPED_LOGS, { NULL } },
  { "healthcheck_result", VEND_SLOT_HEALTH, { "id", "status" } },
  { "shutting_down", VEND_SLOT_SHUTTING_DOWN, { NULL } },
};

VendSlotKind
vend_slot_message_kind (const json_t *message)
{
  const char *type = vend_json_string (message, "type");
  for (gsize i = 0; type != NULL && i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].type, type) == 0)
      return kinds[i].kind;
  return VEND_SLOT_UNKNOWN;
}

static bool
check_texts (const json_t *message, VendSlotKind kind, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (gsize j = 0; kinds[i].kind == kind && j < G_N_ELEMENTS (kinds[i].texts); j++)
      if (kinds[i].texts[j] != NULL && vend_json_string (message, kinds[i].texts[j]) == NULL)
        return vend_fail (error, VEND_ERROR_RUNNER, "the worker's '%s' has no '%s'", kinds[i].type,
                          kinds[i].texts[j]);
  return true;
}

static bool
check_slots (const json_t *message, GError **error)
{
  const json_t *slots = json_object_get (message, "slots");
  bool good = json_is_array (slots);
  for (size_t i = 0; i < json_array_size (slots); i++)
    good = good && json_is_string (json_array_get (slots, i));
  return good || vend_fail (error, VEND_ERROR_RUNNER, "the worker's 'ready' names no slots");
}

bool
vend_slot_message_check (const json_t *message, VendSlotKind kind, GError **error)
{
  if (!check_texts (message, kind, error)
      || (kind == VEND_SLOT_READY && !check_slots (message, error)))
    return false;
  if (kind == VEND_SLOT_OUTPUT && json_object_get (message, "output") == NULL)
    return vend_fail (error, VEND_ERROR_RUNNER, "the worker's 'output' is empty");
  if (kind == VEND_SLOT_METRIC && json_object_get (message, "value") == NULL)
    return vend_fail (error, VEND_ERROR_RUNNER, "the worker's 'metric' has no 'value'");
  return true;
}

bool
vend_slot_text_is_log (const char *text, gsize size)
{
  static const char start[] = "{\"type\":\"log_line\",";
  return size >= strlen (start) && memcmp (text, start, strlen (start)) == 0;
}

bool
vend_slot_message_is_spilled (const json_t *message)
{
  const json_t *kind = json_object_get (message, "kind");
  /* Told as {"type": "oversized"}. */
  return g_strcmp0 (vend_json_string (kind, "type"), "oversized") == 0
         || (json_is_string (kind) && strcmp (json_string_value (kind), "oversized") == 0);
}
