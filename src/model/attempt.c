/* A try of a prediction that did not count. */
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
