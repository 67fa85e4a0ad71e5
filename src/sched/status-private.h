/* The core thread's part of vend_sched_status, for tests. */
#pragma once
#include <stdint.h>

#include "json/json.h"
#include "sched/sched.h"

/* Queues and instances beyond these are only counted. */
#define VEND_STATUS_MAX_QUEUES 500
#define VEND_STATUS_MAX_INSTANCES 500

/* Sets the members of `out` that the scheduler knows. Core thread. */
void vend_status_describe (const VendSched *sched, json_t *out, int64_t now_us);
