/* IP addresses and lists of networks (CIDR). Pure; lists are read-only after they are made. */
#pragma once
#include <stdbool.h>
#include <glib.h>
#include <sys/socket.h>

/* IPv4 as ::ffff:a.b.c.d. */
typedef struct
{
  guint8 bytes[16];
} VendAddress;

/* Numeric texts only, in the notation of inet_pton. */
bool vend_address_parse (const char *text, VendAddress *out);
/* False for families that are not IP. */
bool vend_address_of_sockaddr (const struct sockaddr *from, VendAddress *out);
/* "10.0.0.1", "2001:db8::1". Free with g_free. */
char *vend_address_text (const VendAddress *address) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the address is public on the internet: not private, loopback, link-local, shared (CGNAT),
 * multicast, reserved, for documentation, or unspecified, nor an IPv6 form that carries such an
 * IPv4 address (mapped, compatible, 6to4, NAT64, Teredo). */
bool vend_address_is_public (const VendAddress *address);

typedef struct VendNetworks VendNetworks;

#define VEND_NETWORKS_MAX 256

/* "10.0.0.0/8, ::1/128", "" or NULL. INVALID names the invalid part; `what` names the list:
 * "trusted proxy". */
bool vend_networks_parse (const char *text, const char *what, VendNetworks **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_networks_free (VendNetworks *networks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendNetworks, vend_networks_free)

/* NULL is the empty list. */
bool vend_networks_contain (const VendNetworks *networks, const VendAddress *address);
