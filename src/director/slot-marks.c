/* Marks in what a worker's process prints. Pure. */
#include "director/slot-marks.h"
#include <stdlib.h>
#include <string.h>

#define DIGITS 8
#define END '\x1e'

void
vend_slot_marks_init (VendSlotMarks *marks, const char *name)
{
  *marks = (VendSlotMarks){ .name = g_strdup (name), .held = g_string_new (NULL) };
}

void
vend_slot_marks_clear (VendSlotMarks *marks)
{
  g_clear_pointer (&marks->name, g_free);
  if (marks->held != NULL)
    g_string_free (g_steal_pointer (&marks->held), TRUE);
}

char *
vend_slot_marks_text (const VendSlotMarks *marks, guint number)
{
  return g_strdup_printf ("%s%0*x%c", marks->name, DIGITS, number, END);
}

/* Where in `text` a mark begins, or may begin when more comes; its size when there is none. */
static gsize
find_name (const VendSlotMarks *marks, const char *text, gsize size)
{
  const gsize length = strlen (marks->name);
  const char *at = memmem (text, size, marks->name, length);
  if (at != NULL)
    return (gsize) (at - text);
  for (gsize n = MIN (size, length - 1); n > 0; n--)
    if (memcmp (text + size - n, marks->name, n) == 0)
      return size - n;
  return size;
}

gsize
vend_slot_marks_feed (VendSlotMarks *marks, const char *text, gsize size, GString *out)
{
  const gsize length = strlen (marks->name) + DIGITS + 1;
  const gsize held = marks->held->len;
  g_string_append_len (marks->held, text, (gssize) size);
  const char *all = marks->held->str;
  const gsize at = find_name (marks, all, marks->held->len);
  g_string_append_len (out, all, (gssize) at);
  if (marks->held->len - at < length)
    {
      g_string_erase (marks->held, 0, (gssize) at);
      return size;
    }
  const guint number = (guint) strtoul (all + at + strlen (marks->name), NULL, 16);
  marks->met = MAX (marks->met, number);
  g_string_truncate (marks->held, 0);
  /* It ends in `text`, or it would have been found before. */
  return at + length - held;
}
