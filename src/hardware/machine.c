/* What this machine gives to this process. */
#include "hardware/machine.h"
#include "cgroup/memory.h"
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
  const uint64_t all = pages > 0 && size > 0 ? (uint64_t) pages * (uint64_t) size : 0;
  const uint64_t limit = vend_cgroup_memory_limit ();
  return all == 0 && limit == G_MAXUINT64 ? 0 : MIN (all > 0 ? all : G_MAXUINT64, limit);
}
