/* Resources of the machine for this process. */
#include "hardware/machine.h"
#include "cgroup/machine.h"
#include <math.h>
#include <unistd.h>

guint
vend_machine_cores (void)
{
  const guint cores = MAX (g_get_num_processors (), 1);
  g_auto (VendCgroupPlaces) places = { 0 };
  if (!vend_cgroup_places_own (&places, NULL))
    return cores;
  return (guint) CLAMP (ceil (vend_cgroup_cpu_limit (&places)), 1, cores);
}

uint64_t
vend_machine_memory (void)
{
  const long pages = sysconf (_SC_PHYS_PAGES);
  const long size = sysconf (_SC_PAGESIZE);
  uint64_t memory = pages > 0 && size > 0 ? (uint64_t) pages * (uint64_t) size : 0;
  g_auto (VendCgroupPlaces) places = { 0 };
  if (memory > 0 && vend_cgroup_places_own (&places, NULL))
    memory = MIN (memory, vend_cgroup_memory_limit (&places));
  return memory;
}
