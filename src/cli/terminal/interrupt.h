/* Ctrl-C as something to look at instead of a sudden end. Main thread only; make one before other
 * threads exist. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct VendInterrupt VendInterrupt;

/* Holds SIGINT back from now on. */
VendInterrupt *vend_interrupt_new (void);

/* Lets SIGINT end the process again. */
void vend_interrupt_free (VendInterrupt *interrupt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendInterrupt, vend_interrupt_free)

/* True once somebody pressed Ctrl-C. */
bool vend_interrupt_pending (VendInterrupt *interrupt);

/* Readable when Ctrl-C was pressed, for poll; -1: it simply ends the process. Borrowed. */
int vend_interrupt_fd (const VendInterrupt *interrupt);

/* Sleeps, at most until Ctrl-C; true when it came. A NULL `interrupt` only sleeps. */
bool vend_interrupt_wait (VendInterrupt *interrupt, int64_t wait_us);

/* The next Ctrl-C ends the process; an earlier one stays pending. */
void vend_interrupt_release (VendInterrupt *interrupt);
