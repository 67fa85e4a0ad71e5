/* Inputs of queued predictions: in memory while there is room, else on disk only (`input` is NULL).
 * Core thread. */
#pragma once
#include "sched/run/run.h"

#define VEND_QUEUE_INPUTS_MAX (64 * 1024 * 1024)
/* The run is queued, or its row is stored now. */
void vend_inputs_queued (Run *run);
void vend_inputs_left_queue (Run *run);
/* Whether the input is in memory, and its files are on this machine. */
bool vend_inputs_are_here (const Run *run);
/* Reads the input and brings its files, then sends the run to its instance of that time. */
void vend_inputs_fetch (Run *run);
/* Calls `notify` with this state and its input, which may have to be read first. */
void vend_inputs_notify (VendSched *sched, const VendPrediction *state, VendSchedNotify notify,
                         void *data);
