/* Brings instances to the planned state. Core thread. */
#pragma once
#include "sched/core.h"

/* Reaps instances that are gone, gives freed slots to runs, decides and applies. Runs by
 * vend_sched_reconcile_soon. */
void vend_sched_reconcile (void *sched);
