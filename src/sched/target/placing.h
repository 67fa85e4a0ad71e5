/* Machines of instances: where one starts, and who leaves a machine that is drained. Only the
 * common units are on several machines, and only for what needs nothing of this one. Core thread,
 * unless a function says otherwise. */
#pragma once
#include "json/json.h"
#include "sched/instance/instance.h"

/* Sets `instance->machine`. False: no machine has room for it now. */
bool vend_instance_place (Instance *instance);

/* The common units of all machines, for plans. */
guint vend_placing_units (const VendSched *sched);
/* The same without what runs. Any thread. */
guint vend_placing_room (const VendSched *sched);

/* Once a second: instances leave machines that are drained. */
void vend_placing_tick (VendSched *sched);
