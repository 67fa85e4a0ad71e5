/* NVIDIA's management library, loaded when it is there: which GPUs this machine has, and how they
 * are. One thread at a time; every call may block for as long as the driver likes.
 * Facts: NVML API Reference (nvml.h of the driver); its structures and numbers are stable ABI. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "hardware/gpu.h"

typedef struct VendNvml VendNvml;

/* UNAVAILABLE: there is no library, or no driver that answers; the message says which. */
bool vend_nvml_open (VendNvml **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_nvml_free (VendNvml *nvml);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendNvml, vend_nvml_free)

/* All GPUs that ever answered since the opening, as they are now; of VendGpu, owned by the caller.
 */
GPtrArray *vend_nvml_read (VendNvml *nvml) G_GNUC_WARN_UNUSED_RESULT;

/* Waits until a GPU tells of an error that cannot be an application's, or `timeout_ms` pass. That
 * GPU is unhealthy from now on: only a reset mends it, and that ends this process's view of it too.
 */
void vend_nvml_wait (VendNvml *nvml, guint timeout_ms);
