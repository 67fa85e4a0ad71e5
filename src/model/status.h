/* The life of a prediction or training, and which moves it may make. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef enum
{
  VEND_STATUS_STARTING,   /* accepted; waits for an instance */
  VEND_STATUS_PROCESSING, /* the model runs it */
  VEND_STATUS_SUCCEEDED,
  VEND_STATUS_FAILED,
  VEND_STATUS_CANCELED,
  VEND_STATUS_ABORTED, /* its deadline passed before it started */
  VEND_STATUS_N
} VendStatus;

const char *vend_status_name (VendStatus status);
bool vend_status_parse (const char *name, VendStatus *out);
bool vend_status_is_terminal (VendStatus status);

/* True when the table of legal moves has `from` → `to`. A retry moves processing → starting. */
bool vend_status_may_move (VendStatus from, VendStatus to);
