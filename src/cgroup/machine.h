/* What the control groups of a process leave to it of the machine. Blocks on /sys; any thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "cgroup/places.h"

/* Bytes; G_MAXUINT64: no limit, or none that can be seen. */
uint64_t vend_cgroup_memory_limit (const VendCgroupPlaces *places);
/* CPUs' worth of time, such as 1.5; G_MAXDOUBLE: no limit, or none that can be seen. */
double vend_cgroup_cpu_limit (const VendCgroupPlaces *places);
