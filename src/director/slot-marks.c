/* Marks in what a worker's process prints. Pure. */
#include "director/slot-marks.h"
#include <stdbool.h>
#include <string.h>

void
vend_slot_marks_init (VendSlotMarks *marks, const char *mark)
{
  *marks = (VendSlotMarks){ .mark = g_strdup (mark), .held = g_string_new (NULL) };
}

void
vend_slot_marks_clear (VendSlotMarks *marks)
{
  g_clear_pointer (&marks->mark, g_free);
  if (marks->held != NULL)
    g_string_free (g_steal_pointer (&marks->held), TRUE);
}

/* How much of the end of `text` a mark may begin with. */
static gsize
open_end (const VendSlotMarks *marks, const char *text, gsize size)
{
  for (gsize n = MIN (size, strlen (marks->mark) - 1); n > 0; n--)
    if (memcmp (text + size - n, marks->mark, n) == 0)
      return n;
  return 0;
}

void
vend_slot_marks_feed (VendSlotMarks *marks, const char *text, gsize size, GString *out)
{
  const gsize length = strlen (marks->mark);
  g_string_append_len (marks->held, text, (gssize) size);
  const char *rest = marks->held->str;
  gsize left = marks->held->len;
  for (const char *at; (at = memmem (rest, left, marks->mark, length)) != NULL;)
    {
      g_string_append_len (out, rest, at - rest);
      left -= (gsize) (at - rest) + length;
      rest = at + length;
      marks->met++;
    }
  const gsize open = open_end (marks, rest, left);
  g_string_append_len (out, rest, (gssize) (left - open));
  g_string_erase (marks->held, 0, (gssize) (marks->held->len - open));
}
