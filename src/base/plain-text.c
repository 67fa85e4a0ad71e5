/* Foreign text for terminals: controls are shown, never obeyed. Any thread. */
#include "base/plain-text.h"
#include <string.h>

#define DELETE 0x7f
#define REPLACEMENT "\357\277\275" /* U+FFFD */

/* Controls that change the visible order of words. Marks for single characters (U+200E, U+200F) are
 * allowed: names need them. */
static bool
is_reordering (gunichar c)
{
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool
vend_plain_is_control (gunichar c)
{
  return c < 0x20 || (c >= DELETE && c < 0xa0) || is_reordering (c);
}

static void
append_char (GString *out, gunichar c)
{
  if (c == '\n' || c == '\t' || c == '\r' || !vend_plain_is_control (c))
    g_string_append_unichar (out, c);
  else if (c < 0x20 || c == DELETE)
    g_string_append_printf (out, "^%c", (char) (c ^ 0x40));
  else
    g_string_append_printf (out, "\\u%04x", c);
}

gsize
vend_plain_append (GString *out, const char *data, gsize size)
{
  gsize i = 0;
  while (i < size)
    {
      if (data[i] == '\0')
        {
          g_string_append (out, "^@");
          i++;
          continue;
        }
      const gunichar c = g_utf8_get_char_validated (data + i, (gssize) (size - i));
      if (c == (gunichar) -2)
        break;
      if (c == (gunichar) -1)
        {
          g_string_append (out, REPLACEMENT);
          i++;
          continue;
        }
      append_char (out, c);
      i += (gsize) (g_utf8_next_char (data + i) - (data + i));
    }
  return i;
}

char *
vend_plain_text (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GString) plain = g_string_new (NULL);
  (void) !vend_plain_append (plain, valid, strlen (valid));
  return g_string_free (g_steal_pointer (&plain), FALSE);
}
