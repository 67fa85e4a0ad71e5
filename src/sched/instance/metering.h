/* Metered time of instances. Core thread. */
#pragma once
#include "sched/instance/instance.h"

/* The director process has been started. */
void vend_metering_begin (Instance *instance);
/* An adopted instance: time since `last` (or NULL) is collected as spans, and counted by
 * catch_up. */
void vend_metering_adopt (Instance *instance, const VendInstanceUsage *last);
/* A run since `last`; `completed_us` 0: still running. */
void vend_metering_heard (Instance *instance, int64_t started_us, int64_t completed_us);
void vend_metering_heard_ready (Instance *instance, int64_t at_us);
void vend_metering_catch_up (Instance *instance, bool lives);
/* The instance is ready from now on. */
void vend_metering_ready (Instance *instance);
/* Call before the instance begins its first run or becomes idle. */
void vend_metering_count (Instance *instance);
void vend_metering_tick (Instance *instance);
/* The director is gone since `at_us`. */
void vend_metering_end (Instance *instance, int64_t at_us);
/* An instance started by an older Vend: its runs are billed, as before. */
void vend_metering_forget (Instance *instance);
void vend_metering_clear (Instance *instance);
