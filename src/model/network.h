/* What of this machine a model reaches by its network, from wide to narrow. Plain values. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef enum
{
  VEND_NETWORK_HOST,     /* all of it */
  VEND_NETWORK_OUTBOUND, /* a loopback of its own, and a proxy to public addresses */
  VEND_NETWORK_NONE,     /* a loopback of its own */
} VendNetworkKind;

#define VEND_NETWORK_KINDS "outbound, none or host"

/* Of all kinds, in their order; ends with NULL. */
extern const char *const vend_network_words[];
const char *vend_network_word (VendNetworkKind network);
/* False for a word outside of VEND_NETWORK_KINDS. */
bool vend_network_parse (const char *word, VendNetworkKind *out) G_GNUC_WARN_UNUSED_RESULT;
