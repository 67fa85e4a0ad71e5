/* URLs that may hold a password, for people. */
#include "base/shown-url.h"
#include <glib.h>
#include <string.h>

static char *
without_parameter (const char *url)
{
  g_autoptr (GRegex) parameter = g_regex_new ("([?&](?:ssl)?password=)[^&]*", 0, 0, NULL);
  return g_regex_replace (parameter, url, -1, 0, "\\1***", 0, NULL);
}

/* A password that is not written as it should may have any character: all from the first colon to
 * the last @ goes. */
char *
vend_shown_url (const char *url)
{
  const char *start = strstr (url, "://");
  const char *name = start != NULL ? start + 3 : url;
  const char *at = strrchr (name, '@');
  const char *colon = at != NULL ? memchr (name, ':', (gsize) (at - name)) : NULL;
  if (colon == NULL)
    return without_parameter (url);
  g_autofree char *text = g_strdup_printf ("%.*s:***%s", (int) (colon - url), url, at);
  return without_parameter (text);
}
