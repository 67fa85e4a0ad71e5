/* Words of isolation. */
#include "sandbox/isolation.h"
#include <string.h>

static const char *const settings[] = {
  [VEND_ISOLATE_AUTO] = "auto", [VEND_ISOLATE_REQUIRED] = "required", [VEND_ISOLATE_OFF] = "off"
};
static const char *const kinds[] = { [VEND_ISOLATION_SANDBOX] = "sandbox",
                                     [VEND_ISOLATION_LANDLOCK] = "landlock",
                                     [VEND_ISOLATION_NONE] = "none" };

static bool
find (const char *const *words, guint n, const char *word, guint *out)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (words[i], word) == 0)
      {
        *out = i;
        return true;
      }
  return false;
}

bool
vend_isolation_setting_parse (const char *word, VendIsolationSetting *out)
{
  guint at = 0;
  const bool found = find (settings, G_N_ELEMENTS (settings), word, &at);
  if (found)
    *out = (VendIsolationSetting) at;
  return found;
}

const char *
vend_isolation_word (VendIsolation isolation)
{
  return kinds[isolation];
}

bool
vend_isolation_parse (const char *word, VendIsolation *out)
{
  guint at = 0;
  const bool found = find (kinds, G_N_ELEMENTS (kinds), word, &at);
  if (found)
    *out = (VendIsolation) at;
  return found;
}

char **
vend_network_environment (VendNetworkKind network, char **env)
{
  static const char *const names[]
      = { "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy" };
  static const char *const exceptions[] = { "NO_PROXY", "no_proxy" };
  static const char proxy[] = "http://127.0.0.1:" G_STRINGIFY (VEND_INSIDE_PROXY_PORT);
  if (network != VEND_NETWORK_OUTBOUND)
    return env;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    env = g_environ_setenv (env, names[i], proxy, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (exceptions); i++)
    env = g_environ_setenv (env, exceptions[i], "localhost,127.0.0.1,::1", TRUE);
  return env;
}
