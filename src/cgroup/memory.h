/* How much memory the control groups of this process leave to it. Blocks on /sys. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "cgroup/places.h"

/* Bytes; G_MAXUINT64: no limit, or none that can be seen. */
uint64_t vend_cgroup_memory_limit (void);
/* The same for these places. */
uint64_t vend_cgroup_memory_limit_at (const VendCgroupPlaces *places);
