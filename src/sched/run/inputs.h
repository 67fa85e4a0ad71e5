/* Inputs of those that wait are in memory as far as there is room for them, else on disk only
 * (`input` is NULL). Core thread. */
#pragma once
#include "sched/run/run.h"

#define VEND_QUEUE_INPUTS_MAX (64 * 1024 * 1024)
/* It waits in the queue, or its row is stored now. */
void vend_inputs_queued (Run *run);
void vend_inputs_left_queue (Run *run);
/* Reads the input, then gives it to the instance that it has by then. */
void vend_inputs_fetch (Run *run);
/* Calls `notify` with this state and its input, which may have to be read first. */
void vend_inputs_notify (VendSched *sched, const VendPrediction *state, VendSchedNotify notify,
                         void *data);
