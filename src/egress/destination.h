/* Whom a client of the proxy wants to reach. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/network.h"

#define VEND_DESTINATION_NAME 253 /* bytes of a host name */

typedef struct
{
  char *host;          /* lower case, ASCII, without brackets and final dot */
  guint16 port;        /* never 0 */
  bool is_address;     /* `host` is no name: */
  VendAddress address; /* its value */
} VendDestination;

/* "host:port", "[::1]:port"; without a port `default_port`, 0 = it must be there. Numbers that
 * resolvers take for IPv4 addresses (127.1, 0x7f000001, 0177.0.0.1, 0) are addresses here too.
 * INVALID says what is wrong. */
bool vend_destination_parse (const char *authority, guint16 default_port, VendDestination *out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_destination_clear (VendDestination *destination);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendDestination, vend_destination_clear)

/* "host:port", with brackets around an IPv6 address. Free with g_free. */
char *vend_destination_text (const VendDestination *destination) G_GNUC_WARN_UNUSED_RESULT;
