/* Watches the GPUs of this machine. */
#include "hardware/gpu-watch.h"
#include "base/log.h"
#include "hardware/nvml.h"
#include <string.h>

#define WAIT_MS 1000

struct VendGpuWatch
{
  VendNvml *nvml;
  VendGpusChanged changed;
  void *data;
  GThread *thread;
  int stopping;      /* atomic */
  GPtrArray *health; /* of char *: the fault of each GPU; owned by the thread */
};

static void
tell (const VendGpu *gpu)
{
  g_autofree char *index = g_strdup_printf ("%u", gpu->index);
  if (gpu->fault != NULL)
    vend_log (VEND_LOG_WARN, "a GPU is unhealthy; no instance is started on it", "gpu", index,
              "name", gpu->name, "uuid", gpu->uuid, "reason", gpu->fault, NULL);
  else
    vend_log (VEND_LOG_INFO, "a GPU is healthy again", "gpu", index, "uuid", gpu->uuid, NULL);
}

/* Notes the health of the GPUs; true when it has changed. */
static bool
note (VendGpuWatch *watch, const GPtrArray *gpus)
{
  bool has_changed = false;
  for (guint i = 0; i < gpus->len; i++)
    {
      const VendGpu *gpu = g_ptr_array_index (gpus, i);
      if (i == watch->health->len)
        g_ptr_array_add (watch->health, NULL);
      char **before = (char **) &g_ptr_array_index (watch->health, i);
      if ((*before == NULL) == (gpu->fault == NULL))
        continue;
      g_free (*before);
      *before = g_strdup (gpu->fault);
      has_changed = true;
      tell (gpu);
    }
  return has_changed;
}

static void *
run (void *data)
{
  VendGpuWatch *watch = data;
  while (!g_atomic_int_get (&watch->stopping))
    {
      vend_nvml_wait (watch->nvml, WAIT_MS);
      GPtrArray *gpus = vend_nvml_read (watch->nvml);
      if (!g_atomic_int_get (&watch->stopping) && note (watch, gpus))
        watch->changed (gpus, watch->data);
      else
        g_ptr_array_unref (gpus);
    }
  return NULL;
}

VendGpuWatch *
vend_gpu_watch_new (GPtrArray **out_gpus)
{
  g_autoptr (VendNvml) nvml = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_nvml_open (&nvml, &error))
    {
      vend_log (VEND_LOG_DEBUG, "no GPUs", "reason", error->message, NULL);
      *out_gpus = g_ptr_array_new_with_free_func (vend_gpu_free);
      return NULL;
    }
  *out_gpus = vend_nvml_read (nvml);
  if ((*out_gpus)->len == 0)
    return NULL;
  VendGpuWatch *watch = g_new0 (VendGpuWatch, 1);
  watch->nvml = g_steal_pointer (&nvml);
  watch->health = g_ptr_array_new_with_free_func (g_free);
  (void) note (watch, *out_gpus);
  return watch;
}

bool
vend_gpu_watch_start (VendGpuWatch *watch, VendGpusChanged changed, void *data, GError **error)
{
  if (watch == NULL)
    return true;
  watch->changed = changed;
  watch->data = data;
  watch->thread = g_thread_try_new ("gpus", run, watch, error);
  return watch->thread != NULL;
}

void
vend_gpu_watch_free (VendGpuWatch *watch)
{
  if (watch == NULL)
    return;
  g_atomic_int_set (&watch->stopping, 1);
  if (watch->thread != NULL)
    g_thread_join (watch->thread);
  vend_nvml_free (watch->nvml);
  g_ptr_array_unref (watch->health);
  g_free (watch);
}
