/* The limits of a process by its control groups. Blocks on /sys; any thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "cgroup/places.h"

/* Bytes; G_MAXUINT64: no visible limit. */
uint64_t vend_cgroup_memory_limit (const VendCgroupPlaces *places);
/* CPUs' worth of time, such as 1.5; G_MAXDOUBLE: no visible limit. */
double vend_cgroup_cpu_limit (const VendCgroupPlaces *places);
