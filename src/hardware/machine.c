/* What this machine gives to this process. */
#include "hardware/machine.h"
#include <unistd.h>

guint
vend_machine_cores (void)
{
  return MAX (g_get_num_processors (), 1);
}

uint64_t
vend_machine_memory (void)
{
  const long pages = sysconf (_SC_PHYS_PAGES);
  const long size = sysconf (_SC_PAGESIZE);
  return pages > 0 && size > 0 ? (uint64_t) pages * (uint64_t) size : 0;
}
