/* One GPU of this machine, as last seen. Plain values. */
#pragma once
#include <stdint.h>
#include <glib.h>

typedef struct
{
  guint index; /* by the driver's count */
  char *uuid;  /* "GPU-...", as in CUDA_VISIBLE_DEVICES */
  char *name;
  uint64_t memory; /* bytes */
  char *fault;     /* why the GPU may not be used, or NULL */
} VendGpu;

static inline void
vend_gpu_free (void *data)
{
  VendGpu *gpu = data;
  g_free (gpu->uuid);
  g_free (gpu->name);
  g_free (gpu->fault);
  g_free (gpu);
}
