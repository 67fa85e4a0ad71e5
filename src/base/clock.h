/* Time in Vend's form: microseconds since the epoch, UTC. Any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_US_PER_S G_GINT64_CONSTANT (1000000)
#define VEND_US_PER_MS G_GINT64_CONSTANT (1000)

/* Wall clock. Only edges (HTTP handlers, timers) read it; rules get the time passed in. */
int64_t vend_now_us (void);

/* Like the wall clock, without its steps: the time that the wall clock would show if it had not
 * been set since the first call in this process. For measuring, waiting and comparing within one
 * process. */
int64_t vend_steady_us (void);
/* The vend_steady_us of a moment of the wall clock, by its current setting. */
int64_t vend_steady_of (int64_t wall_us);
/* The reverse. */
int64_t vend_wall_of (int64_t steady_us);

/* "2026-01-05T10:00:00.120345Z": RFC 3339 UTC with six fraction digits. Free with g_free. */
char *vend_time_format (int64_t time_us) G_GNUC_WARN_UNUSED_RESULT;

/* Reads an ISO 8601 / RFC 3339 date-time, with or without fraction and offset (none = UTC). */
bool vend_time_parse (const char *text, int64_t *out_us, GError **error) G_GNUC_WARN_UNUSED_RESULT;
