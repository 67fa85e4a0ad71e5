/* Which addresses may be reached. */
#include "egress/filter.h"
#include <ifaddrs.h>
#include <string.h>

/* Addresses come and go, so they are asked for each time; when the kernel does not say them, any
 * may be ours. */
static bool
is_of_this_host (const VendAddress *address)
{
  struct ifaddrs *list = NULL;
  bool found = false;
  if (getifaddrs (&list) < 0)
    return true;
  for (const struct ifaddrs *at = list; at != NULL && !found; at = at->ifa_next)
    {
      VendAddress own;
      found = at->ifa_addr != NULL && vend_address_of_sockaddr (at->ifa_addr, &own)
              && memcmp (&own, address, sizeof own) == 0;
    }
  freeifaddrs (list);
  return found;
}

bool
vend_proxy_may_reach (const VendAddress *address, const VendNetworks *allow,
                      const VendNetworks *deny)
{
  if (vend_networks_contain (deny, address))
    return false;
  return vend_networks_contain (allow, address)
         || (vend_address_is_public (address) && !is_of_this_host (address));
}
