/* Structured log lines on stderr: text on a terminal, one JSON object a line otherwise. Any thread.
 * Never pass a secret as a value. */
#pragma once
#include <stdbool.h>
#include <glib.h>

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

/* vend_log (VEND_LOG_INFO, "listening", "address", a, "port", "8363", NULL): the message is a fixed
 * phrase, what varies goes into key-value pairs of strings; a key whose value is NULL is
 * left out. */
void vend_log (VendLogLevel level, const char *message, ...) G_GNUC_NULL_TERMINATED;
