/* Whom a client of the proxy wants to reach. */
#include "egress/destination.h"
#include "base/error.h"
#include <arpa/inet.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <string.h>

#define PORT_DIGITS 5

void
vend_destination_clear (VendDestination *destination)
{
  g_clear_pointer (&destination->host, g_free);
}

static bool
parse_port (const char *text, guint16 *out, GError **error)
{
  guint64 port = 0;
  if (strlen (text) > PORT_DIGITS
      || !g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, &port, NULL))
    return vend_fail (error, VEND_ERROR_INVALID, "port '%.16s': expected 1 to 65535", text);
  *out = (guint16) port;
  return true;
}

static bool
is_number (const char *label)
{
  if (label[0] == '0' && g_ascii_tolower (label[1]) == 'x')
    return label[2 + strspn (label + 2, "0123456789abcdefABCDEF")] == '\0';
  return *label != '\0' && label[strspn (label, "0123456789")] == '\0';
}

static bool
is_name (const char *host)
{
  const gsize size = strlen (host);
  bool dot = true; /* a label is expected */
  for (gsize i = 0; i < size; i++)
    {
      if (!g_ascii_isalnum (host[i]) && host[i] != '-' && host[i] != '_' && host[i] != '.')
        return false;
      if (host[i] == '.' && dot)
        return false;
      dot = host[i] == '.';
    }
  return !dot && size <= VEND_DESTINATION_NAME;
}

/* The C library reads "127.1", "0x7f.1" and "017700000001" as addresses, and so do the programs of
 * others. What ends in a number is an address or nothing. */
static bool
read_host (VendDestination *destination, GError **error)
{
  const char *host = destination->host;
  struct in_addr v4;
  if (!is_name (host))
    return vend_fail (error, VEND_ERROR_INVALID, "the host is neither a name nor an address");
  const char *dot = strrchr (host, '.');
  if (!is_number (dot != NULL ? dot + 1 : host))
    return true;
  if (inet_aton (host, &v4) == 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "host '%s': what ends in a number is an IPv4 address, and this is none",
                      host);
  char plain[INET_ADDRSTRLEN];
  destination->is_address = inet_ntop (AF_INET, &v4, plain, sizeof plain) != NULL
                            && vend_address_parse (plain, &destination->address);
  return true;
}

/* "[::1]:443". */
static bool
parse_v6 (const char *authority, VendDestination *out, const char **out_rest, GError **error)
{
  const char *end = strchr (authority, ']');
  g_autofree char *inner
      = end != NULL ? g_strndup (authority + 1, (gsize) (end - authority - 1)) : NULL;
  if (inner == NULL || strchr (inner, ':') == NULL || !vend_address_parse (inner, &out->address))
    return vend_fail (error, VEND_ERROR_INVALID, "no IPv6 address stands between the brackets");
  out->is_address = true;
  out->host = vend_address_text (&out->address);
  *out_rest = end + 1;
  return true;
}

static bool
parse_name (const char *authority, VendDestination *out, const char **out_rest, GError **error)
{
  const gsize size = strcspn (authority, ":");
  g_autofree char *given = g_strndup (authority, size);
  /* Letters of other scripts, full-width digits and other dots become what resolvers look up. */
  g_autofree char *host = g_str_is_ascii (given)              ? g_ascii_strdown (given, -1)
                          : g_utf8_validate (given, -1, NULL) ? g_hostname_to_ascii (given)
                                                              : NULL;
  if (host == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "the host is neither a name nor an address");
  const gsize length = strlen (host);
  if (length > 1 && host[length - 1] == '.')
    host[length - 1] = '\0';
  out->host = g_ascii_strdown (host, -1);
  *out_rest = authority + size;
  return read_host (out, error);
}

bool
vend_destination_parse (const char *authority, guint16 default_port, VendDestination *out,
                        GError **error)
{
  g_auto (VendDestination) read = { .port = default_port };
  const char *rest = NULL;
  const bool good = authority[0] == '[' ? parse_v6 (authority, &read, &rest, error)
                                        : parse_name (authority, &read, &rest, error);
  if (!good)
    return false;
  if (*rest != '\0' && *rest != ':')
    return vend_fail (error, VEND_ERROR_INVALID, "only a port may follow the address");
  if (*rest == ':' && (rest[1] != '\0' || default_port == 0)
      && !parse_port (rest + 1, &read.port, error))
    return false;
  if (read.port == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "host '%s': expected a port after it", read.host);
  *out = read;
  read.host = NULL;
  return true;
}

char *
vend_destination_text (const VendDestination *destination)
{
  const bool v6 = strchr (destination->host, ':') != NULL;
  return g_strdup_printf (v6 ? "[%s]:%u" : "%s:%u", destination->host, destination->port);
}
