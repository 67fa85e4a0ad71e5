/* How busy this machine is now. Reads /proc, which is quick, but not for the core thread. */
#pragma once
#include <stdint.h>

typedef struct
{
  double averages[3];        /* processes that want to run, over 1, 5 and 15 minutes */
  uint64_t memory_available; /* bytes that programs could still get; 0 = not known */
} VendMachineLoad;

/* What is not known is 0. */
void vend_machine_load (VendMachineLoad *out);
