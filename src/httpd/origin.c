/* The client's address, and the server's origin as the client knows it. Pure; no thread of its own.
 *
 * A public URL wins. Otherwise the Host header counts, and forwarding headers of a trusted proxy:
 * `Forwarded` (RFC 7239) before `X-Forwarded-*`. The last element of a list was added by the
 * nearest proxy, and is the one to believe; for the client's address trusted hops are skipped from
 * the end. */
#include "httpd/origin-private.h"
#include "base/error.h"
#include <string.h>

#define MAX_HOPS 32

struct VendOriginRules
{
  char *public_url;
  VendNetworks *trusted;
};

/* "http" or "https" and an authority, followed by nothing but a slash. */
static bool
check_public_url (const char *url, char **out, GError **error)
{
  const char *authority = g_str_has_prefix (url, "https://")  ? url + 8
                          : g_str_has_prefix (url, "http://") ? url + 7
                                                              : NULL;
  g_autofree char *origin = g_strdup (url);
  gsize size = strlen (origin);
  while (size > 0 && origin[size - 1] == '/')
    origin[--size] = '\0';
  if (authority == NULL || (gsize) (authority - url) >= size
      || !vend_is_authority (origin + (authority - url)))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "public URL '%s': expected http://host[:port] or https://host[:port]", url);
  *out = g_steal_pointer (&origin);
  return true;
}

bool
vend_origin_rules_new (const char *public_url, const char *trusted, VendOriginRules **out,
                       GError **error)
{
  g_autoptr (VendOriginRules) rules = g_new0 (VendOriginRules, 1);
  if (public_url != NULL && *public_url != '\0'
      && !check_public_url (public_url, &rules->public_url, error))
    return false;

  if (!vend_networks_parse (trusted, "trusted proxy", &rules->trusted, error))
    return false;
  *out = g_steal_pointer (&rules);
  return true;
}

void
vend_origin_rules_free (VendOriginRules *rules)
{
  if (rules == NULL)
    return;
  g_free (rules->public_url);
  vend_networks_free (rules->trusted);
  g_free (rules);
}

bool
vend_origin_trusts (const VendOriginRules *rules, const char *peer)
{
  VendAddress address;
  return peer != NULL && vend_address_parse (peer, &address)
         && vend_networks_contain (rules->trusted, &address);
}

bool
vend_origin_trusts_address (const VendOriginRules *rules, const VendAddress *address)
{
  return vend_networks_contain (rules->trusted, address);
}

static bool
is_port (const char *text)
{
  guint64 port = 0;
  return g_ascii_string_to_unsigned (text, 10, 1, 65535, &port, NULL);
}

bool
vend_is_authority (const char *text)
{
  gsize host = strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
  if (text[0] == '[')
    {
      gsize inner = strspn (text + 1, "0123456789abcdefABCDEF:.");
      if (inner == 0 || text[1 + inner] != ']')
        return false;
      host = inner + 2;
    }
  if (host == 0 || host > 255)
    return false;
  return text[host] == '\0' || (text[host] == ':' && is_port (text + host + 1));
}

/* The last element of a comma-separated list, trimmed. Free with g_free. */
static char *
last_element (const char *list)
{
  const char *comma = strrchr (list, ',');
  return g_strstrip (g_strdup (comma != NULL ? comma + 1 : list));
}

/* Value of `name` in one element of Forwarded, unquoted. Free with g_free; NULL when absent. */
static char *
forwarded_value (const char *element, const char *name)
{
  g_auto (GStrv) pairs = g_strsplit (element, ";", MAX_HOPS);
  for (char **pair = pairs; *pair != NULL; pair++)
    {
      char *equals = strchr (*pair, '=');
      if (equals == NULL)
        continue;
      *equals = '\0';
      if (g_ascii_strcasecmp (g_strstrip (*pair), name) != 0)
        continue;
      char *value = g_strstrip (equals + 1);
      gsize size = strlen (value);
      if (size >= 2 && value[0] == '"' && value[size - 1] == '"')
        return g_strndup (value + 1, size - 2);
      return g_strdup (value);
    }
  return NULL;
}

static const char *
checked_scheme (const char *text)
{
  if (text != NULL && g_ascii_strcasecmp (text, "https") == 0)
    return "https";
  return text != NULL && g_ascii_strcasecmp (text, "http") == 0 ? "http" : NULL;
}

static bool
has_port (const char *authority)
{
  const char *bracket = strchr (authority, ']');
  return strchr (bracket != NULL ? bracket : authority, ':') != NULL;
}

static char *
x_forwarded_authority (const VendOriginRequest *request, const char *scheme)
{
  if (request->x_forwarded_host == NULL)
    return NULL;
  g_autofree char *host = last_element (request->x_forwarded_host);
  if (!vend_is_authority (host))
    return NULL;
  if (request->x_forwarded_port == NULL || has_port (host))
    return g_steal_pointer (&host);
  g_autofree char *port = last_element (request->x_forwarded_port);
  bool usual = strcmp (port, strcmp (scheme, "https") == 0 ? "443" : "80") == 0;
  if (usual || !is_port (port))
    return g_steal_pointer (&host);
  return g_strconcat (host, ":", port, NULL);
}

char *
vend_origin_url (const VendOriginRules *rules, const VendOriginRequest *request)
{
  if (rules->public_url != NULL)
    return g_strdup (rules->public_url);

  const char *scheme = request->tls ? "https" : "http";
  g_autofree char *authority = NULL;
  if (vend_origin_trusts (rules, request->peer))
    {
      g_autofree char *element
          = request->forwarded != NULL ? last_element (request->forwarded) : NULL;
      g_autofree char *proto = element != NULL ? forwarded_value (element, "proto") : NULL;
      if (proto == NULL && request->x_forwarded_proto != NULL)
        proto = last_element (request->x_forwarded_proto);
      const char *checked = checked_scheme (proto);
      scheme = checked != NULL ? checked : scheme;
      authority = element != NULL ? forwarded_value (element, "host") : NULL;
      if (authority == NULL || !vend_is_authority (authority))
        {
          g_free (authority);
          authority = x_forwarded_authority (request, scheme);
        }
    }
  if (authority == NULL && request->host != NULL && vend_is_authority (request->host))
    authority = g_strdup (request->host);
  return g_strconcat (scheme, "://", authority != NULL ? authority : request->local, NULL);
}

/* "1.2.3.4:567", "[::1]:567", "::1" and "1.2.3.4" to the address; NULL for other texts. */
static char *
hop_address (const char *text)
{
  g_autofree char *hop = g_strstrip (g_strdup (text));
  VendAddress address;
  if (hop[0] == '[')
    {
      char *bracket = strchr (hop, ']');
      if (bracket == NULL)
        return NULL;
      *bracket = '\0';
      memmove (hop, hop + 1, strlen (hop));
    }
  else if (strchr (hop, ':') != NULL && strchr (hop, ':') == strrchr (hop, ':'))
    *strchr (hop, ':') = '\0';
  return vend_address_parse (hop, &address) ? g_steal_pointer (&hop) : NULL;
}

char *
vend_origin_client (const VendOriginRules *rules, const VendOriginRequest *request)
{
  g_autofree char *client = g_strdup (request->peer);
  const char *list = request->forwarded != NULL ? request->forwarded : request->x_forwarded_for;
  if (list == NULL)
    return g_steal_pointer (&client);

  g_autofree char *left = g_strdup (list);
  for (guint i = 0; i < MAX_HOPS && vend_origin_trusts (rules, client); i++)
    {
      g_autofree char *element = last_element (left);
      g_autofree char *node = request->forwarded != NULL ? forwarded_value (element, "for")
                                                         : g_steal_pointer (&element);
      g_autofree char *hop = node != NULL ? hop_address (node) : NULL;
      if (hop == NULL)
        break;
      g_free (client);
      client = g_steal_pointer (&hop);
      char *comma = strrchr (left, ',');
      if (comma == NULL)
        break;
      *comma = '\0';
    }
  return g_steal_pointer (&client);
}
