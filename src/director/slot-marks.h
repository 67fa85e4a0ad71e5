/* Where in the stream of what a worker's process prints something was: marks are written into the
 * same pipe and found again in what comes out of it, in any pieces. Pure. */
#pragma once
#include <glib.h>

typedef struct
{
  char *mark;
  GString *held; /* the end of what came, which may be the beginning of a mark */
  guint met;     /* marks that came out so far */
} VendSlotMarks;

void vend_slot_marks_init (VendSlotMarks *marks, const char *mark);
void vend_slot_marks_clear (VendSlotMarks *marks);

/* Appends to `out` what is certainly no mark. */
void vend_slot_marks_feed (VendSlotMarks *marks, const char *text, gsize size, GString *out);
