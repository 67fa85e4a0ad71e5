/* The client's address, and the server's origin as the client knows it. Pure; rules are read-only
 * after they are made. */
#pragma once
#include <stdbool.h>
#include <glib.h>
#include <sys/socket.h>

#include "base/network.h"

typedef struct VendOriginRules VendOriginRules;

/* INVALID when a network or the URL does not parse. `public_url` and `trusted` may be NULL or "".
 */
bool vend_origin_rules_new (const char *public_url, const char *trusted, VendOriginRules **out,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_origin_rules_free (VendOriginRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendOriginRules, vend_origin_rules_free)

/* Origin data of a request; any text may be NULL. */
typedef struct
{
  const char *peer;  /* numeric address of the TCP peer, "" when unknown */
  bool tls;          /* of this connection */
  const char *local; /* "127.0.0.1:8363": used when the request has no Host */
  const char *host;
  const char *forwarded;
  const char *x_forwarded_for;
  const char *x_forwarded_proto;
  const char *x_forwarded_host;
  const char *x_forwarded_port;
} VendOriginRequest;

/* "https://host:port". Free with g_free. */
char *vend_origin_url (const VendOriginRules *rules, const VendOriginRequest *request);
/* Address of the nearest hop that is not a trusted proxy. Free with g_free. */
char *vend_origin_client (const VendOriginRules *rules, const VendOriginRequest *request);
/* True when forwarding headers of this peer count. */
bool vend_origin_trusts (const VendOriginRules *rules, const char *peer);
bool vend_origin_trusts_address (const VendOriginRules *rules, const VendAddress *address);
/* host or host:port, in the form of a Host header. */
bool vend_is_authority (const char *text);
