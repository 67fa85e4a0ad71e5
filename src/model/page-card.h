/* What a page says of itself to those who only preview its link. Plain values. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef struct
{
  char *title;
  char *description; /* or NULL */
  char *image;       /* URL of a picture, or NULL */
} VendPageCard;

void vend_page_card_clear (VendPageCard *card);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendPageCard, vend_page_card_clear)

/* The card as <meta> elements of HTML. All of it is text of others: it is escaped and cut. Free
 * with g_free. */
char *vend_page_card_html (const VendPageCard *card, const char *url) G_GNUC_WARN_UNUSED_RESULT;
