/* Structured log lines on stderr: text on a terminal, one JSON object a line otherwise. Any thread.
 * Never pass a secret as a value.
 *
 * A line that was written in the last seconds is counted instead of written again; the next line
 * with the same level, message and values has the count, as `repeated`. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_LOG_REPEAT_US (G_GINT64_CONSTANT (5) * 1000000)
#define VEND_LOG_QUEUE_BYTES (1024 * 1024) /* for a reader that does not read */

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

/* Call once at start, before any other thread starts. */
void vend_log_setup (VendLogLevel least, VendLogFormat format);

/* Starts a writer thread, so that no thread waits for a reader that does not read: lines that do
 * not fit into the queue are dropped, and the next line has their number. Once, in a process that
 * does not fork without exec. Fails when the thread cannot be made. */
bool vend_log_start_writer (GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Writes the queue, for at most `patience_us`; later lines are written by their own threads. */
void vend_log_stop_writer (int64_t patience_us);
/* Any thread. */
void vend_log_set_level (VendLogLevel least);

/* vend_log (VEND_LOG_INFO, "listening", "address", a, "port", "8363", NULL): the message is a fixed
 * phrase; varying parts go into key-value pairs of strings. A key with the value NULL is left
 * out. */
void vend_log (VendLogLevel level, const char *message, ...) G_GNUC_NULL_TERMINATED;
