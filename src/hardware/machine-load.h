/* The current load of this machine. Reads /proc, which is quick, but not for the core thread. */
#pragma once
#include <stdint.h>

typedef struct
{
  double averages[3];        /* runnable processes, over 1, 5 and 15 minutes */
  uint64_t memory_available; /* bytes that programs could still get; 0 = unknown */
} VendMachineLoad;

/* Unknown values are 0. */
void vend_machine_load (VendMachineLoad *out);
