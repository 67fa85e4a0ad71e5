/* `error_code` of predictions and trainings that failed through no fault of the model.
 * docs/errors.md explains each code and which are retried. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_FAILURE_SETUP_FAILED "SETUP_FAILED"
#define VEND_FAILURE_SETUP_TIMEOUT "SETUP_TIMEOUT"
#define VEND_FAILURE_PREDICT_TIMEOUT "PREDICT_TIMEOUT"
#define VEND_FAILURE_CANCEL_TIMEOUT "CANCEL_TIMEOUT"
#define VEND_FAILURE_INSTANCE_LOST "INSTANCE_LOST"
#define VEND_FAILURE_OUT_OF_MEMORY "OUT_OF_MEMORY"
#define VEND_FAILURE_DEADLINE_UNREACHABLE "DEADLINE_UNREACHABLE"
#define VEND_FAILURE_INPUT_TOO_LARGE "INPUT_TOO_LARGE"
#define VEND_FAILURE_INPUT_DOWNLOAD_FAILED "INPUT_DOWNLOAD_FAILED"
#define VEND_FAILURE_OUTPUT_TOO_LARGE "OUTPUT_TOO_LARGE"
#define VEND_FAILURE_DISK_LIMIT "DISK_LIMIT"
#define VEND_FAILURE_OUTPUT_UPLOAD_FAILED "OUTPUT_UPLOAD_FAILED"
#define VEND_FAILURE_OUTPUT_STORE_FAILED "OUTPUT_STORE_FAILED"

/* The run was lost with its instance, and may be retried. `code` may be NULL. */
static inline bool
vend_failure_is_loss (const char *code)
{
  return g_strcmp0 (code, VEND_FAILURE_INSTANCE_LOST) == 0
         || g_strcmp0 (code, VEND_FAILURE_OUT_OF_MEMORY) == 0;
}
