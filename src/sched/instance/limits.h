/* Memory, CPU and processes of an instance. Core thread. */
#pragma once
#include "sched/core.h"

/* Sets "limits" and "cgroups" of the spec of an instance on this hardware. */
void vend_limits_set (const VendSched *sched, const char *hardware, json_t *spec);
/* {"memory": "cgroup v1", …}: the mechanism that enforces each limit on this hardware. */
json_t *vend_limits_kept_by (const VendSched *sched, const VendSku *sku);
