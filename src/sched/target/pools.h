/* Capacity of the machine for instances. Core thread, unless a function says otherwise. */
#pragma once
#include "sched/instance/instance.h"

guint vend_pools_count (const VendSched *sched);
/* The pool of a kind of hardware, and the units that one instance takes of it. */
guint vend_pool_of (const VendSched *sched, const char *hardware, guint *out_size);
/* Of kinds of hardware without units of their own. */
bool vend_pool_is_common (guint pool);
guint vend_pool_units (const VendSched *sched, guint pool);
guint vend_pool_used (const VendSched *sched, guint pool);
/* The GPU with this UUID as last seen, borrowed; NULL: the GPU is gone. */
const VendGpu *vend_gpu_find (const VendSched *sched, const char *uuid);
/* After `gpus` has changed. */
void vend_pools_count_gpus (VendSched *sched);
/* Assigns free healthy GPUs to the instance, as many as its hardware names; false: too few are
 * free. */
bool vend_instance_take_gpus (Instance *instance);
/* Assigns to an adopted instance the GPUs of its spec: the list of vend_instance_gpus_json. */
void vend_instance_keep_gpus (Instance *instance, const json_t *gpus);
json_t *vend_instance_gpus_json (const Instance *instance);
/* Value of CUDA_VISIBLE_DEVICES; NULL: Vend assigns no GPUs here. Free with g_free. */
char *vend_instance_visible_gpus (const Instance *instance);
json_t *vend_pools_describe (const VendSched *sched);
json_t *vend_gpus_describe (const VendSched *sched);
