/* Server-sent events in the form that clients of the Replicate API read. Pure.
 *
 * An id is "<seconds of the prediction's creation>:<n>", n counting from 1: an event has the same
 * id in every stream. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

#define VEND_EVENTS_KEEP_ALIVE ": keep-alive\n\n"

/* Appends the events of one piece of output: text as is, other values as JSON. `*n` is the number
 * of the last event before the call, and of the last event after it. Mostly one event; some
 * characters split it, see the .c. */
void vend_event_output (GString *to, int64_t created_s, guint64 *n, const json_t *value);
void vend_event_error (GString *to, int64_t created_s, guint64 *n, const char *detail);
/* `reason` NULL = success. */
void vend_event_done (GString *to, int64_t created_s, guint64 *n, const char *reason);

/* The number in a Last-Event-ID; 0 when the id is not of this prediction. */
guint64 vend_event_number (const char *id, int64_t created_s);
