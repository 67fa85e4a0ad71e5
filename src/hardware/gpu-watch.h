/* Watches the GPUs of this machine on its own thread, since drivers block. */
#pragma once
#include <stdbool.h>

#include "hardware/gpu.h"

typedef struct VendGpuWatch VendGpuWatch;

/* On the watch's thread, whenever the health of a GPU has changed. `take` holds VendGpu. */
typedef void (*VendGpusChanged) (GPtrArray *take, void *data);

/* The present GPUs go to `out_gpus` (owned by the caller). NULL, and no GPUs, on a machine without
 * GPUs. Blocks. */
VendGpuWatch *vend_gpu_watch_new (GPtrArray **out_gpus);
/* Once; reports all changes since the first look. Does nothing for NULL. Fails when its thread
 * cannot be made. */
bool vend_gpu_watch_start (VendGpuWatch *watch, VendGpusChanged changed, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Blocks until the thread has ended, about a second at most with a driver that answers. */
void vend_gpu_watch_free (VendGpuWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendGpuWatch, vend_gpu_watch_free)
