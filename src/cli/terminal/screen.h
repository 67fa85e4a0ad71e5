/* A terminal that is taken over as a whole and given back as it was, whatever ends the command.
 * Main thread only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "cli/terminal/interrupt.h"

typedef struct VendScreen VendScreen;

typedef enum
{
  VEND_SCREEN_TIME,   /* the wait is over */
  VEND_SCREEN_SIZE,   /* there is another size, or it must be drawn again */
  VEND_SCREEN_KEY,    /* something was typed */
  VEND_SCREEN_ENDING, /* Ctrl-C, or the terminal or somebody else ends it */
} VendScreenEvent;

/* Takes over the terminal of stdin and stdout. `interrupt` (borrowed) holds Ctrl-C back. */
VendScreen *vend_screen_new (VendInterrupt *interrupt);
/* Restores the terminal. */
void vend_screen_free (VendScreen *screen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendScreen, vend_screen_free)

void vend_screen_size (const VendScreen *screen, guint *out_columns, guint *out_rows);
/* Draws `lines` (NULL-terminated) from the top; those with a true value in `bold` stand out. */
void vend_screen_draw (VendScreen *screen, const char *const *lines, const gboolean *bold);
/* Sleeps until something happens; `*out_key` is what was typed. */
VendScreenEvent vend_screen_wait (VendScreen *screen, int64_t wait_us, char *out_key);
