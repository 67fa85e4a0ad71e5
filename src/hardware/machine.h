/* Resources of the machine for this process. Any thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

/* CPU cores for this process, within the limits of its control groups; at least 1. */
guint vend_machine_cores (void);
/* Bytes of memory, within the limits of the control groups of this process; 0 = not known. */
uint64_t vend_machine_memory (void);
