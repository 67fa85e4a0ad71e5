/* Statuses of a prediction or training, and the legal moves. Pure. */
#include "model/status.h"
#include <string.h>

static const char *const names[VEND_STATUS_N] = {
  "starting", "processing", "succeeded", "failed", "canceled", "aborted",
};

#define BIT(status) (1u << VEND_STATUS_##status)
#define ENDS (BIT (SUCCEEDED) | BIT (FAILED) | BIT (CANCELED) | BIT (ABORTED))

static const guint legal_moves[VEND_STATUS_N] = {
  [VEND_STATUS_STARTING] = BIT (PROCESSING) | ENDS,
  [VEND_STATUS_PROCESSING] = BIT (STARTING) | ENDS,
};

const char *
vend_status_name (VendStatus status)
{
  return names[status];
}

bool
vend_status_parse (const char *name, VendStatus *out)
{
  for (guint i = 0; i < VEND_STATUS_N; i++)
    if (strcmp (names[i], name) == 0)
      {
        *out = (VendStatus) i;
        return true;
      }
  return false;
}

bool
vend_status_is_terminal (VendStatus status)
{
  return legal_moves[status] == 0;
}

bool
vend_status_may_move (VendStatus from, VendStatus to)
{
  return (legal_moves[from] & (1u << to)) != 0;
}
