/* The time that instances take. Core thread. */
#pragma once
#include "sched/instance/instance.h"

/* Its process has been started. */
void vend_metering_begin (Instance *instance);
/* One that was found: what has passed since `last` (or NULL) is heard, and counted by catch_up. */
void vend_metering_adopt (Instance *instance, const VendInstanceUsage *last);
/* A run in that time; `completed_us` 0: it goes on. */
void vend_metering_heard (Instance *instance, int64_t started_us, int64_t completed_us);
void vend_metering_heard_ready (Instance *instance, int64_t at_us);
void vend_metering_catch_up (Instance *instance, bool lives);
/* It is ready from now on. */
void vend_metering_ready (Instance *instance);
/* Before it begins to run something, or has nothing to run any more. */
void vend_metering_count (Instance *instance);
void vend_metering_tick (Instance *instance);
/* Its director is gone since then. */
void vend_metering_end (Instance *instance, int64_t at_us);
/* One that an older Vend has started: its runs are billed, as they were so far. */
void vend_metering_forget (Instance *instance);
void vend_metering_clear (Instance *instance);
