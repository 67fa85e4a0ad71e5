/* Looks after the GPUs of this machine on a thread of its own, because drivers block. */
#pragma once
#include <stdbool.h>

#include "hardware/gpu.h"

typedef struct VendGpuWatch VendGpuWatch;

/* On the watch's thread, whenever one has become unhealthy or healthy. `take` holds VendGpu. */
typedef void (*VendGpusChanged) (GPtrArray *take, void *data);

/* What is there now goes to `out_gpus` (owned by the caller). NULL, and no GPUs, on a machine
 * without any. Blocks. */
VendGpuWatch *vend_gpu_watch_new (GPtrArray **out_gpus);
/* Once; tells of all that has changed since the first look. Nothing for NULL. Fails when its thread
 * cannot be made. */
bool vend_gpu_watch_start (VendGpuWatch *watch, VendGpusChanged changed, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Blocks until the thread has ended, at most a second or so with a driver that answers. */
void vend_gpu_watch_free (VendGpuWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendGpuWatch, vend_gpu_watch_free)
