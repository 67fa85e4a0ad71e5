/* What a look at a lease means. Pure. */
#include "store/lease.h"

void
vend_lease_seen_clear (VendLeaseSeen *seen)
{
  g_clear_pointer (&seen->holder, g_free);
  g_clear_pointer (&seen->address, g_free);
}

VendLeaseState
vend_lease_judge (const VendLeaseSeen *seen, const VendLease *lease)
{
  if (!seen->is_kept || seen->until_us == 0)
    return VEND_LEASE_FREE;
  if (lease->is_gone != NULL && lease->is_gone (seen->holder))
    return VEND_LEASE_GONE;
  return seen->left_us <= 0 ? VEND_LEASE_OVER : VEND_LEASE_HELD;
}
