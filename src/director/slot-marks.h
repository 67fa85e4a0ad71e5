/* Where in the stream of what a worker's process prints something was: numbered marks are written
 * into the same pipe and found again in what comes out of it, in any pieces. Pure. */
#pragma once
#include <glib.h>

typedef struct
{
  char *name;    /* what all marks begin with; no program prints it */
  GString *held; /* the end of what came, which may be the beginning of a mark */
  guint met;     /* the highest number that came out, or that nobody waits for any more */
} VendSlotMarks;

void vend_slot_marks_init (VendSlotMarks *marks, const char *name);
void vend_slot_marks_clear (VendSlotMarks *marks);

/* The mark of that number, to be freed. */
char *vend_slot_marks_text (const VendSlotMarks *marks, guint number);

/* Takes `text` up to and with the first mark in it, and returns how much that was. Appends to `out`
 * what is certainly no mark. */
gsize vend_slot_marks_feed (VendSlotMarks *marks, const char *text, gsize size, GString *out);
