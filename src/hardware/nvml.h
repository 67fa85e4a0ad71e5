/* NVIDIA's management library, loaded when present: the GPUs of this machine and their health. One
 * thread at a time; every call may block without a limit, in the driver. Facts: NVML API Reference
 * (nvml.h of the driver); its structures and numbers are stable ABI. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "hardware/gpu.h"

typedef struct VendNvml VendNvml;

/* UNAVAILABLE: no library, or no driver that answers; the message tells which. */
bool vend_nvml_open (VendNvml **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_nvml_free (VendNvml *nvml);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendNvml, vend_nvml_free)

/* The current state of all GPUs that answered since the opening; of VendGpu, owned by the
 * caller. */
GPtrArray *vend_nvml_read (VendNvml *nvml) G_GNUC_WARN_UNUSED_RESULT;

/* Waits until a GPU reports an error that no application can cause, for `timeout_ms` at most. That
 * GPU is unhealthy from now on: only a reset repairs it, which also ends this process's view of
 * it. */
void vend_nvml_wait (VendNvml *nvml, guint timeout_ms);
