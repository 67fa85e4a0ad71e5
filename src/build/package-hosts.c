/* Checks the addresses that a model's packages come from. Blocking: asks the name server. */
#include "build/package-hosts.h"
#include "base/error.h"
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

typedef struct addrinfo AddressList;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AddressList, freeaddrinfo)

/* Installers read odd URLs each in their own way, so that one that is odd is not taken at all. */
static char *
host_of (const char *address)
{
  g_autofree char *url = g_strndup (address, strcspn (address, " \t"));
  const char *slashes = strstr (url, "://");
  const char *plus = slashes != NULL ? memchr (url, '+', (gsize) (slashes - url)) : NULL;
  g_autoptr (GUri) uri
      = g_uri_parse (plus != NULL ? plus + 1 : url, G_URI_FLAGS_PARSE_RELAXED, NULL);
  const gsize authority = slashes != NULL ? strcspn (slashes + 3, "/?#") : 0;
  const char *at = slashes != NULL ? memchr (slashes + 3, '@', authority) : NULL;
  const bool has_two = at != NULL && strcspn (at + 1, "@/?#") < strcspn (at + 1, "/?#");
  if (uri == NULL || has_two || strchr (url, '\\') != NULL)
    return NULL;
  const char *host = g_uri_get_host (uri);
  return host != NULL && *host != '\0' && g_str_is_ascii (host) ? g_strdup (host) : NULL;
}

static bool
may_call (const char *host, const VendNetworks *allow)
{
  const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
  g_autoptr (AddressList) list = NULL;
  if (getaddrinfo (host, NULL, &hints, &list) != 0)
    return true;
  for (const struct addrinfo *item = list; item != NULL; item = item->ai_next)
    {
      VendAddress address;
      if (!vend_address_of_sockaddr (item->ai_addr, &address)
          || (!vend_address_is_public (&address) && !vend_networks_contain (allow, &address)))
        return false;
    }
  return true;
}

bool
vend_package_hosts_check (const GPtrArray *addresses, const VendNetworks *allow, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < addresses->len; i++)
    {
      const char *address = g_ptr_array_index (addresses, i);
      char *host = host_of (address);
      if (host == NULL)
        return vend_fail (error, VEND_ERROR_INVALID,
                          "the address '%s' of a package or index is not a plain URL with a host",
                          address);
      if (!g_hash_table_add (seen, host))
        continue;
      if (!may_call (host, allow))
        return vend_fail (
            error, VEND_ERROR_FORBIDDEN,
            "packages from '%s': not a public address; the server's operator can allow the address "
            "with --package-allow, or push the model with an admin token",
            host);
    }
  return true;
}
