/* Checks the addresses that a model's packages come from. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/network.h"

/* FORBIDDEN, naming the host, when one of `addresses` (of char *: URLs, "git+https://…" too) leads
 * to an address that is neither public nor in `allow`; INVALID when it is no URL with a host. Asks
 * the name server; a name that it does not know passes, since a proxy may know it. What a package
 * does while it is built is not looked at. Blocking. */
bool vend_package_hosts_check (const GPtrArray *addresses, const VendNetworks *allow,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
