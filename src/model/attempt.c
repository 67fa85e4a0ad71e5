/* A lost attempt of a prediction. */
#include "model/attempt.h"

void
vend_attempt_free (VendAttempt *attempt)
{
  if (attempt == NULL)
    return;
  g_free (attempt->instance);
  g_free (attempt->outcome);
  g_free (attempt);
}
