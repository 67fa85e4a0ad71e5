/* IP addresses and lists of networks (CIDR). Pure. */
#include "base/network.h"
#include "base/error.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define V4_OFFSET 12

static const guint8 v4_prefix[V4_OFFSET] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

typedef struct
{
  VendAddress address;
  guint bits;
} Network;

struct VendNetworks
{
  GArray *list; /* of Network */
};

/* ---- Addresses */

static void
set_v4 (VendAddress *out, const void *bytes)
{
  memcpy (out->bytes, v4_prefix, sizeof v4_prefix);
  memcpy (out->bytes + V4_OFFSET, bytes, 4);
}

static bool
is_v4 (const VendAddress *address)
{
  return memcmp (address->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

bool
vend_address_parse (const char *text, VendAddress *out)
{
  struct in_addr v4;
  if (inet_pton (AF_INET, text, &v4) == 1)
    {
      set_v4 (out, &v4);
      return true;
    }
  return inet_pton (AF_INET6, text, out->bytes) == 1;
}

bool
vend_address_of_sockaddr (const struct sockaddr *from, VendAddress *out)
{
  if (from->sa_family == AF_INET)
    set_v4 (out, &((const struct sockaddr_in *) (const void *) from)->sin_addr);
  else if (from->sa_family == AF_INET6)
    memcpy (out->bytes, &((const struct sockaddr_in6 *) (const void *) from)->sin6_addr,
            sizeof out->bytes);
  else
    return false;
  return true;
}

char *
vend_address_text (const VendAddress *address)
{
  char text[INET6_ADDRSTRLEN];
  const char *done = is_v4 (address)
                         ? inet_ntop (AF_INET, address->bytes + V4_OFFSET, text, sizeof text)
                         : inet_ntop (AF_INET6, address->bytes, text, sizeof text);
  return g_strdup (done != NULL ? done : "?");
}

static bool
has_prefix (const guint8 *bytes, const guint8 *prefix, guint bits)
{
  guint whole = bits / 8;
  guint rest = bits % 8;
  guint8 mask = (guint8) (0xff00 >> rest);
  return memcmp (bytes, prefix, whole) == 0
         && (rest == 0 || (bytes[whole] & mask) == (prefix[whole] & mask));
}

/* ---- Public addresses */

/* The special-purpose registries of IANA, and multicast. */
static const struct
{
  guint8 prefix[4];
  guint bits;
} closed_v4[] = {
  { { 0, 0, 0, 0 }, 8 },       /* this network */
  { { 10, 0, 0, 0 }, 8 },      /* private */
  { { 100, 64, 0, 0 }, 10 },   /* shared by carriers (CGNAT) */
  { { 127, 0, 0, 0 }, 8 },     /* loopback */
  { { 169, 254, 0, 0 }, 16 },  /* link-local; metadata services of clouds */
  { { 172, 16, 0, 0 }, 12 },   /* private */
  { { 192, 0, 0, 0 }, 24 },    /* protocol assignments */
  { { 192, 0, 2, 0 }, 24 },    /* documentation */
  { { 192, 88, 99, 0 }, 24 },  /* 6to4 relays */
  { { 192, 168, 0, 0 }, 16 },  /* private */
  { { 198, 18, 0, 0 }, 15 },   /* benchmarks */
  { { 198, 51, 100, 0 }, 24 }, /* documentation */
  { { 203, 0, 113, 0 }, 24 },  /* documentation */
  { { 224, 0, 0, 0 }, 4 },     /* multicast */
  { { 240, 0, 0, 0 }, 4 },     /* reserved, broadcast */
};

static bool
is_public_v4 (const guint8 *bytes)
{
  for (gsize i = 0; i < G_N_ELEMENTS (closed_v4); i++)
    if (has_prefix (bytes, closed_v4[i].prefix, closed_v4[i].bits))
      return false;
  return true;
}

/* IPv6 addresses that carry an IPv4 address: the traffic may end there. */
static const struct
{
  guint8 prefix[12];
  guint bits;
  guint offset;
  guint8 mask; /* Teredo writes its client's address inverted */
} carriers[] = {
  { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96, 12, 0 }, /* mapped */
  { { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0 }, 96, 12, 0 }, /* translated (SIIT) */
  { { 0, 0x64, 0xff, 0x9b }, 96, 12, 0 },                      /* NAT64 */
  { { 0x20, 0x02 }, 16, 2, 0 },                                /* 6to4 */
  { { 0x20, 0x01, 0, 0 }, 32, 4, 0 },                          /* Teredo: its server */
  { { 0x20, 0x01, 0, 0 }, 32, 12, 0xff },                      /* Teredo: its client */
};

static const struct
{
  guint8 prefix[16];
  guint bits;
} closed_v6[] = {
  { { 0 }, 96 },                         /* ::, ::1, IPv4-compatible */
  { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48 }, /* NAT64 of a local network */
  { { 0x01, 0 }, 64 },                   /* discard */
  { { 0x20, 0x01, 0, 0x02, 0, 0 }, 48 }, /* benchmarks */
  { { 0x20, 0x01, 0, 0x10 }, 28 },       /* ORCHID */
  { { 0x20, 0x01, 0, 0x20 }, 28 },       /* ORCHIDv2 */
  { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },    /* documentation */
  { { 0x3f, 0xff, 0 }, 20 },             /* documentation */
  { { 0x5f, 0 }, 16 },                   /* segment routing */
  { { 0xfc, 0 }, 7 },                    /* unique local */
  { { 0xfe, 0x80 }, 10 },                /* link-local */
  { { 0xfe, 0xc0 }, 10 },                /* site-local */
  { { 0xff }, 8 },                       /* multicast */
};

bool
vend_address_is_public (const VendAddress *address)
{
  bool carries = false;
  for (gsize i = 0; i < G_N_ELEMENTS (carriers); i++)
    {
      guint8 inner[4];
      if (!has_prefix (address->bytes, carriers[i].prefix, carriers[i].bits))
        continue;
      carries = true;
      for (guint at = 0; at < sizeof inner; at++)
        inner[at] = address->bytes[carriers[i].offset + at] ^ carriers[i].mask;
      if (!is_public_v4 (inner))
        return false;
    }
  if (carries)
    return true;
  for (gsize i = 0; i < G_N_ELEMENTS (closed_v6); i++)
    if (has_prefix (address->bytes, closed_v6[i].prefix, closed_v6[i].bits))
      return false;
  return true;
}

/* ---- Networks */

static bool
parse_network (const char *text, Network *out)
{
  g_auto (GStrv) halves = g_strsplit (text, "/", 2);
  guint64 bits = 0;
  if (halves[0] == NULL || !vend_address_parse (halves[0], &out->address))
    return false;
  const guint most = strchr (halves[0], ':') == NULL ? 32 : 128;
  bits = most;
  if (halves[1] != NULL && !g_ascii_string_to_unsigned (halves[1], 10, 0, most, &bits, NULL))
    return false;
  out->bits = (guint) bits + (128 - most);
  return true;
}

bool
vend_networks_parse (const char *text, const char *what, VendNetworks **out, GError **error)
{
  g_autoptr (VendNetworks) networks = g_new0 (VendNetworks, 1);
  networks->list = g_array_new (FALSE, TRUE, sizeof (Network));
  g_auto (GStrv) parts = g_strsplit (text != NULL ? text : "", ",", -1);
  for (char **part = parts; *part != NULL; part++)
    {
      Network network = { 0 };
      if (*g_strstrip (*part) == '\0')
        continue;
      if (!parse_network (*part, &network))
        return vend_fail (error, VEND_ERROR_INVALID,
                          "%s '%s': expected a network such as 10.0.0.0/8", what, *part);
      if (networks->list->len == VEND_NETWORKS_MAX)
        return vend_fail (error, VEND_ERROR_INVALID, "%s: more than %d networks", what,
                          VEND_NETWORKS_MAX);
      g_array_append_val (networks->list, network);
    }
  *out = g_steal_pointer (&networks);
  return true;
}

void
vend_networks_free (VendNetworks *networks)
{
  if (networks == NULL)
    return;
  g_array_unref (networks->list);
  g_free (networks);
}

bool
vend_networks_contain (const VendNetworks *networks, const VendAddress *address)
{
  for (guint i = 0; networks != NULL && i < networks->list->len; i++)
    {
      const Network *network = &g_array_index (networks->list, Network, i);
      if (has_prefix (address->bytes, network->address.bytes, network->bits))
        return true;
    }
  return false;
}
