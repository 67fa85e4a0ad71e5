/* Which addresses may be reached. Does not block. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/network.h"

/* `deny` forbids, then `allow` permits, then public addresses are permitted that are not of this
 * host. Either list may be NULL. */
bool vend_proxy_may_reach (const VendAddress *address, const VendNetworks *allow,
                           const VendNetworks *deny);
