/* NVIDIA's management library, loaded when present. */
#include "hardware/nvml.h"
#include "base/error.h"
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIBRARY "libnvidia-ml.so.1"
#define MAX_GPUS 64
#define TEXT_SIZE 96 /* NVML_DEVICE_UUID_V2_BUFFER_SIZE and NVML_DEVICE_NAME_V2_BUFFER_SIZE */

/* ---- The part of nvml.h that is used */

typedef int nvmlReturn_t;
#define NVML_SUCCESS 0
#define NVML_ERROR_TIMEOUT 10
#define NVML_EVENT_XID 0x8ull

typedef void *nvmlDevice_t;
typedef void *nvmlEventSet_t;

typedef struct
{
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
} nvmlMemory_t;

typedef struct
{
  nvmlDevice_t device;
  unsigned long long eventType;
  unsigned long long eventData;
  unsigned int gpuInstanceId;
  unsigned int computeInstanceId;
} nvmlEventData_t;

typedef struct
{
  nvmlReturn_t (*init) (void);
  nvmlReturn_t (*shutdown) (void);
  const char *(*error_text) (nvmlReturn_t result);
  nvmlReturn_t (*count) (unsigned int *count);
  nvmlReturn_t (*handle) (unsigned int index, nvmlDevice_t *device);
  nvmlReturn_t (*uuid) (nvmlDevice_t device, char *text, unsigned int size);
  nvmlReturn_t (*name) (nvmlDevice_t device, char *text, unsigned int size);
  nvmlReturn_t (*memory) (nvmlDevice_t device, nvmlMemory_t *memory);
  /* Older drivers do not have these. */
  nvmlReturn_t (*remapped_rows) (nvmlDevice_t device, unsigned int *correctable,
                                 unsigned int *uncorrectable, unsigned int *is_pending,
                                 unsigned int *has_failed);
  nvmlReturn_t (*event_set_new) (nvmlEventSet_t *set);
  nvmlReturn_t (*event_set_free) (nvmlEventSet_t set);
  nvmlReturn_t (*register_events) (nvmlDevice_t device, unsigned long long types,
                                   nvmlEventSet_t set);
  nvmlReturn_t (*wait) (nvmlEventSet_t set, nvmlEventData_t *data, unsigned int timeout_ms);
} Calls;

static const struct
{
  const char *symbol;
  gsize offset;
  bool is_optional;
} symbols[] = {
  { "nvmlInit_v2", offsetof (Calls, init), false },
  { "nvmlShutdown", offsetof (Calls, shutdown), false },
  { "nvmlErrorString", offsetof (Calls, error_text), false },
  { "nvmlDeviceGetCount_v2", offsetof (Calls, count), false },
  { "nvmlDeviceGetHandleByIndex_v2", offsetof (Calls, handle), false },
  { "nvmlDeviceGetUUID", offsetof (Calls, uuid), false },
  { "nvmlDeviceGetName", offsetof (Calls, name), false },
  { "nvmlDeviceGetMemoryInfo", offsetof (Calls, memory), false },
  { "nvmlDeviceGetRemappedRows", offsetof (Calls, remapped_rows), true },
  { "nvmlEventSetCreate", offsetof (Calls, event_set_new), true },
  { "nvmlEventSetFree", offsetof (Calls, event_set_free), true },
  { "nvmlDeviceRegisterEvents", offsetof (Calls, register_events), true },
  { "nvmlEventSetWait_v2", offsetof (Calls, wait), true },
};

/* Xid errors that an application causes and the GPU survives, by NVIDIA's list of Xid errors:
 * illegal instruction, illegal address, stopped processing, preempted, video processor, time
 * slice. */
static const unsigned long long harmless_xids[] = { 13, 31, 43, 45, 68, 109 };

typedef struct
{
  VendGpu seen;
  nvmlDevice_t device;
  unsigned long long xid; /* 0 = none; a fault that stays */
} Known;

struct VendNvml
{
  void *library;
  Calls calls;
  bool is_started;
  nvmlEventSet_t events; /* NULL: not supported */
  GPtrArray *known;      /* of Known; in the order of their indexes at the opening */
};

static void
known_free (void *data)
{
  Known *known = data;
  g_free (known->seen.uuid);
  g_free (known->seen.name);
  g_free (known);
}

static bool
load (VendNvml *nvml, GError **error)
{
  nvml->library = dlopen (LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (nvml->library == NULL)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "no NVIDIA driver is installed");
  for (gsize i = 0; i < G_N_ELEMENTS (symbols); i++)
    {
      void *address = dlsym (nvml->library, symbols[i].symbol);
      if (address == NULL && !symbols[i].is_optional)
        return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the NVIDIA driver is too old: no %s",
                          symbols[i].symbol);
      memcpy ((char *) &nvml->calls + symbols[i].offset, &address, sizeof address);
    }
  return true;
}

static void
watch (VendNvml *nvml, nvmlDevice_t device)
{
  const Calls *calls = &nvml->calls;
  if (calls->event_set_new == NULL || calls->register_events == NULL || calls->wait == NULL)
    return;
  if (nvml->events == NULL && calls->event_set_new (&nvml->events) != NVML_SUCCESS)
    {
      nvml->events = NULL;
      return;
    }
  /* Not every GPU has events; its memory and rows are checked all the same. */
  (void) calls->register_events (device, NVML_EVENT_XID, nvml->events);
}

static void
get_to_know (VendNvml *nvml, guint index)
{
  char uuid[TEXT_SIZE] = "", name[TEXT_SIZE] = "";
  nvmlMemory_t memory = { 0 };
  nvmlDevice_t device = NULL;
  if (nvml->calls.handle (index, &device) != NVML_SUCCESS
      || nvml->calls.uuid (device, uuid, sizeof uuid - 1) != NVML_SUCCESS || *uuid == '\0')
    return;
  if (nvml->calls.name (device, name, sizeof name - 1) != NVML_SUCCESS)
    g_strlcpy (name, "NVIDIA GPU", sizeof name);
  (void) nvml->calls.memory (device, &memory);
  Known *known = g_new0 (Known, 1);
  known->device = device;
  known->seen = (VendGpu){ .index = index,
                           .uuid = g_strdup (uuid),
                           .name = g_utf8_make_valid (name, -1),
                           .memory = memory.total };
  g_ptr_array_add (nvml->known, known);
  watch (nvml, device);
}

bool
vend_nvml_open (VendNvml **out, GError **error)
{
  g_autoptr (VendNvml) nvml = g_new0 (VendNvml, 1);
  unsigned int n = 0;
  nvml->known = g_ptr_array_new_with_free_func (known_free);
  if (!load (nvml, error))
    return false;
  nvmlReturn_t result = nvml->calls.init ();
  nvml->is_started = result == NVML_SUCCESS;
  if (nvml->is_started)
    result = nvml->calls.count (&n);
  if (result != NVML_SUCCESS)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the NVIDIA driver does not answer: %s",
                      nvml->calls.error_text (result));
  for (guint i = 0; i < MIN (n, MAX_GPUS); i++)
    get_to_know (nvml, i);
  *out = g_steal_pointer (&nvml);
  return true;
}

void
vend_nvml_free (VendNvml *nvml)
{
  if (nvml == NULL)
    return;
  if (nvml->events != NULL && nvml->calls.event_set_free != NULL)
    nvml->calls.event_set_free (nvml->events);
  if (nvml->is_started)
    nvml->calls.shutdown ();
  g_ptr_array_unref (nvml->known);
  if (nvml->library != NULL)
    dlclose (nvml->library);
  g_free (nvml);
}

/* Why the GPU may not be used, or NULL. */
static char *
diagnose (const VendNvml *nvml, const Known *known)
{
  nvmlMemory_t memory;
  unsigned int correctable = 0, uncorrectable = 0, is_pending = 0, has_failed = 0;
  if (known->xid != 0)
    return g_strdup_printf ("the driver reported the error Xid %llu", known->xid);
  const nvmlReturn_t result = nvml->calls.memory (known->device, &memory);
  if (result != NVML_SUCCESS)
    return g_strdup (nvml->calls.error_text (result));
  if (nvml->calls.remapped_rows != NULL
      && nvml->calls.remapped_rows (known->device, &correctable, &uncorrectable, &is_pending,
                                    &has_failed)
             == NVML_SUCCESS
      && has_failed)
    return g_strdup ("its memory has more bad rows than spare ones");
  return NULL;
}

GPtrArray *
vend_nvml_read (VendNvml *nvml)
{
  GPtrArray *gpus = g_ptr_array_new_with_free_func (vend_gpu_free);
  for (guint i = 0; i < nvml->known->len; i++)
    {
      const Known *known = g_ptr_array_index (nvml->known, i);
      VendGpu *gpu = g_new0 (VendGpu, 1);
      *gpu = (VendGpu){ .index = known->seen.index,
                        .uuid = g_strdup (known->seen.uuid),
                        .name = g_strdup (known->seen.name),
                        .memory = known->seen.memory,
                        .fault = diagnose (nvml, known) };
      g_ptr_array_add (gpus, gpu);
    }
  return gpus;
}

static bool
is_harmless (unsigned long long xid)
{
  for (gsize i = 0; i < G_N_ELEMENTS (harmless_xids); i++)
    if (harmless_xids[i] == xid)
      return true;
  return false;
}

void
vend_nvml_wait (VendNvml *nvml, guint timeout_ms)
{
  nvmlEventData_t event = { 0 };
  if (nvml->events == NULL)
    {
      g_usleep ((gulong) timeout_ms * 1000);
      return;
    }
  const nvmlReturn_t result = nvml->calls.wait (nvml->events, &event, timeout_ms);
  if (result == NVML_ERROR_TIMEOUT)
    return;
  if (result != NVML_SUCCESS)
    {
      /* A lost GPU would make every wait end at once. */
      g_usleep ((gulong) timeout_ms * 1000);
      return;
    }
  for (guint i = 0; i < nvml->known->len; i++)
    {
      Known *known = g_ptr_array_index (nvml->known, i);
      if (known->device == event.device && event.eventType == NVML_EVENT_XID
          && !is_harmless (event.eventData))
        known->xid = event.eventData;
    }
}
