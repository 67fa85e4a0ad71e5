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
