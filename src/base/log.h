/* Structured log lines on stderr: text on a terminal, one JSON object a line otherwise. Any thread.
 * Never pass a secret as a value.
 *
 * A line that was written in the last seconds is not written again but counted; the next one with
 * the same level, message and values says how often it was left out, as `repeated`. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_LOG_REPEAT_US (G_GINT64_CONSTANT (5) * 1000000)
#define VEND_LOG_QUEUE_BYTES (1024 * 1024) /* that wait for a reader who stands still */

typedef enum
{
  VEND_LOG_DEBUG,
  VEND_LOG_INFO,
  VEND_LOG_WARN,
  VEND_LOG_ERROR,
} VendLogLevel;

typedef enum
{
  VEND_LOG_FORMAT_AUTO, /* text when stderr is a terminal */
  VEND_LOG_FORMAT_TEXT,
  VEND_LOG_FORMAT_JSON,
} VendLogFormat;

/* Call once at start, before other threads exist. */
void vend_log_setup (VendLogLevel least, VendLogFormat format);

/* From now on a thread writes, and nobody waits for a reader who stands still: what does not fit
 * into the queue is left out, and the next line says how many were. Once, in a process that does
 * not fork without exec. Fails when its thread cannot be made. */
bool vend_log_start_writer (GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Writes what waits, for at most `patience_us`; later lines are written by those who have them. */
void vend_log_stop_writer (int64_t patience_us);
/* Any thread. */
void vend_log_set_level (VendLogLevel least);

/* vend_log (VEND_LOG_INFO, "listening", "address", a, "port", "8363", NULL): the message is a fixed
 * phrase, what varies goes into key-value pairs of strings; a key whose value is NULL is
 * left out. */
void vend_log (VendLogLevel level, const char *message, ...) G_GNUC_NULL_TERMINATED;
