/* Words for networks of models. */
#include "model/network.h"
#include <string.h>

const char *const vend_network_words[] = { [VEND_NETWORK_HOST] = "host",
                                           [VEND_NETWORK_OUTBOUND] = "outbound",
                                           [VEND_NETWORK_NONE] = "none",
                                           NULL };

const char *
vend_network_word (VendNetworkKind network)
{
  return vend_network_words[network];
}

bool
vend_network_parse (const char *word, VendNetworkKind *out)
{
  for (guint i = 0; vend_network_words[i] != NULL; i++)
    if (strcmp (vend_network_words[i], word) == 0)
      {
        *out = (VendNetworkKind) i;
        return true;
      }
  return false;
}
