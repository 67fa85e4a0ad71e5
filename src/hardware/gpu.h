/* One GPU of this machine, as it was last seen. Plain values. */
#pragma once
#include <stdint.h>
#include <glib.h>

typedef struct
{
  guint index; /* as the driver counts them */
  char *uuid;  /* "GPU-..."; what CUDA_VISIBLE_DEVICES takes */
  char *name;
  uint64_t memory; /* bytes */
  char *fault;     /* why nothing may run on it, or NULL */
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
