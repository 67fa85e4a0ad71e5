/* Previews of links: Open Graph. */
#include "model/page-card.h"

#define MAX_TITLE 200 /* characters, as the others */
#define MAX_DESCRIPTION 300
#define MAX_URL 2000

void
vend_page_card_clear (VendPageCard *card)
{
  g_clear_pointer (&card->title, g_free);
  g_clear_pointer (&card->description, g_free);
  g_clear_pointer (&card->image, g_free);
}

static void
add (GString *html, const char *kind, const char *name, const char *text, glong most)
{
  g_autofree char *valid = text != NULL ? g_utf8_make_valid (text, -1) : NULL;
  if (valid == NULL || *valid == '\0')
    return;
  const bool is_long = g_utf8_strlen (valid, -1) > most;
  g_autofree char *start = g_utf8_substring (valid, 0, MIN (most, g_utf8_strlen (valid, -1)));
  g_autofree char *cut = g_strconcat (start, is_long ? "…" : "", NULL);
  g_autofree char *escaped = g_markup_escape_text (cut, -1);
  g_string_append_printf (html, "<meta %s=\"%s\" content=\"%s\" />", kind, name, escaped);
}

/* Half a URL leads nowhere. */
static void
add_url (GString *html, const char *name, const char *url)
{
  if (url != NULL && g_utf8_strlen (url, -1) <= MAX_URL
      && (g_str_has_prefix (url, "https://") || g_str_has_prefix (url, "http://")))
    add (html, "property", name, url, MAX_URL);
}

char *
vend_page_card_html (const VendPageCard *card, const char *url)
{
  GString *html = g_string_new (NULL);
  add (html, "property", "og:type", "website", MAX_TITLE);
  add (html, "property", "og:site_name", "Vend", MAX_TITLE);
  add (html, "property", "og:title", card->title, MAX_TITLE);
  add (html, "property", "og:description", card->description, MAX_DESCRIPTION);
  add (html, "name", "description", card->description, MAX_DESCRIPTION);
  add_url (html, "og:url", url);
  add_url (html, "og:image", card->image);
  add (html, "name", "twitter:card", card->image != NULL ? "summary_large_image" : "summary",
       MAX_TITLE);
  return g_string_free (html, FALSE);
}
