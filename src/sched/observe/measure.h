/* Counts for metrics. Core thread. */
#pragma once
#include "sched/target/target.h"

/* The run was given to an instance. */
void vend_measure_given (const Run *run);
/* The end of the run is on disk. */
void vend_measure_ended (const Run *run);
void vend_measure_lost (const Run *run);
void vend_measure_ready (const Instance *instance);
void vend_measure_boot_failed (Target *target);
