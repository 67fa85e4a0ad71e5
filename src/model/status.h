/* Statuses of a prediction or training, and the legal moves. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef enum
{
  VEND_STATUS_STARTING,   /* accepted; queued for an instance */
  VEND_STATUS_PROCESSING, /* runs on the model */
  VEND_STATUS_SUCCEEDED,
  VEND_STATUS_FAILED,
  VEND_STATUS_CANCELED,
  VEND_STATUS_ABORTED, /* the deadline passed before the start */
  VEND_STATUS_N
} VendStatus;

const char *vend_status_name (VendStatus status);
bool vend_status_parse (const char *name, VendStatus *out);
bool vend_status_is_terminal (VendStatus status);

/* True when the table of legal moves has `from` → `to`. A retry moves processing → starting. */
bool vend_status_may_move (VendStatus from, VendStatus to);
