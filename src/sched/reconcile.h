/* Instances made what they should be. Core thread. */
#pragma once
#include "sched/core.h"

/* Cleans up what is gone, gives freed slots to runs, decides and applies; what
 * vend_sched_reconcile_soon asks for. */
void vend_sched_reconcile (void *sched);
