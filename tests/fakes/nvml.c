/* NVIDIA's management library as far as Vend calls it. The GPUs are the lines of the file that
 * FAKE_NVML names, "UUID|NAME|MIB|STATE", read anew by every call; STATE is "ok", "lost", "rows" or
 * "xid:NUMBER", which is told as an event. Without the file no driver answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUCCESS 0
#define ERROR_DRIVER_NOT_LOADED 9
#define ERROR_TIMEOUT 10
#define ERROR_GPU_IS_LOST 15
#define MAX_GPUS 16
#define TEXT 96

typedef struct
{
  char uuid[TEXT];
  char name[TEXT];
  unsigned long long mib;
  char state[TEXT];
} Gpu;

typedef struct
{
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
} nvmlMemory_t;

typedef struct
{
  void *device;
  unsigned long long type;
  unsigned long long data;
  unsigned int gpu_instance;
  unsigned int compute_instance;
} nvmlEventData_t;

int nvmlInit_v2 (void);
int nvmlShutdown (void);
const char *nvmlErrorString (int result);
int nvmlDeviceGetCount_v2 (unsigned int *count);
int nvmlDeviceGetHandleByIndex_v2 (unsigned int index, void **device);
int nvmlDeviceGetUUID (void *device, char *text, unsigned int size);
int nvmlDeviceGetName (void *device, char *text, unsigned int size);
int nvmlDeviceGetMemoryInfo (void *device, nvmlMemory_t *memory);
int nvmlDeviceGetRemappedRows (void *device, unsigned int *correctable, unsigned int *uncorrectable,
                               unsigned int *is_pending, unsigned int *has_failed);
int nvmlEventSetCreate (void **set);
int nvmlEventSetFree (void *set);
int nvmlDeviceRegisterEvents (void *device, unsigned long long types, void *set);
int nvmlEventSetWait_v2 (void *set, nvmlEventData_t *event, unsigned int timeout_ms);

static int
read_gpus (Gpu gpus[MAX_GPUS])
{
  const char *path = getenv ("FAKE_NVML");
  FILE *file = path != NULL ? fopen (path, "re") : NULL;
  int n = 0;
  if (file == NULL)
    return -1;
  while (n < MAX_GPUS
         && fscanf (file, " %95[^|]|%95[^|]|%llu|%95s", gpus[n].uuid, gpus[n].name, &gpus[n].mib,
                    gpus[n].state)
                == 4)
    n++;
  fclose (file);
  return n;
}

static unsigned int
index_of (const void *device)
{
  return (unsigned int) ((size_t) device - 1);
}

static int
find (const void *device, Gpu *out)
{
  Gpu gpus[MAX_GPUS];
  const int n = read_gpus (gpus);
  if (n < 0 || index_of (device) >= (unsigned int) n
      || strcmp (gpus[index_of (device)].state, "lost") == 0)
    return ERROR_GPU_IS_LOST;
  *out = gpus[index_of (device)];
  return SUCCESS;
}

int
nvmlInit_v2 (void)
{
  Gpu gpus[MAX_GPUS];
  return read_gpus (gpus) < 0 ? ERROR_DRIVER_NOT_LOADED : SUCCESS;
}

int
nvmlShutdown (void)
{
  return SUCCESS;
}

const char *
nvmlErrorString (int result)
{
  return result == ERROR_GPU_IS_LOST ? "GPU is lost" : "Driver Not Loaded";
}

int
nvmlDeviceGetCount_v2 (unsigned int *count)
{
  Gpu gpus[MAX_GPUS];
  const int n = read_gpus (gpus);
  *count = n > 0 ? (unsigned int) n : 0;
  return SUCCESS;
}

int
nvmlDeviceGetHandleByIndex_v2 (unsigned int index, void **device)
{
  Gpu gpu;
  *device = (void *) ((size_t) index + 1);
  return find (*device, &gpu);
}

int
nvmlDeviceGetUUID (void *device, char *text, unsigned int size)
{
  Gpu gpu;
  const int result = find (device, &gpu);
  if (result == SUCCESS)
    snprintf (text, size, "%s", gpu.uuid);
  return result;
}

int
nvmlDeviceGetName (void *device, char *text, unsigned int size)
{
  Gpu gpu;
  const int result = find (device, &gpu);
  if (result == SUCCESS)
    snprintf (text, size, "%s", gpu.name);
  return result;
}

int
nvmlDeviceGetMemoryInfo (void *device, nvmlMemory_t *memory)
{
  Gpu gpu;
  const int result = find (device, &gpu);
  if (result == SUCCESS)
    *memory = (nvmlMemory_t){ .total = gpu.mib << 20, .free = gpu.mib << 20 };
  return result;
}

int
nvmlDeviceGetRemappedRows (void *device, unsigned int *correctable, unsigned int *uncorrectable,
                           unsigned int *is_pending, unsigned int *has_failed)
{
  Gpu gpu;
  const int result = find (device, &gpu);
  *correctable = *uncorrectable = *is_pending = 0;
  *has_failed = result == SUCCESS && strcmp (gpu.state, "rows") == 0;
  return result;
}

int
nvmlEventSetCreate (void **set)
{
  static int one;
  *set = &one;
  return SUCCESS;
}

int
nvmlEventSetFree (void *set)
{
  return SUCCESS;
}

int
nvmlDeviceRegisterEvents (void *device, unsigned long long types, void *set)
{
  return SUCCESS;
}

int
nvmlEventSetWait_v2 (void *set, nvmlEventData_t *event, unsigned int timeout_ms)
{
  Gpu gpus[MAX_GPUS];
  const int n = read_gpus (gpus);
  for (int i = 0; i < n; i++)
    {
      unsigned long long xid = 0;
      if (sscanf (gpus[i].state, "xid:%llu", &xid) != 1)
        continue;
      usleep (10 * 1000);
      *event = (nvmlEventData_t){ .device = (void *) ((size_t) i + 1), .type = 8, .data = xid };
      return SUCCESS;
    }
  usleep (50 * 1000);
  return ERROR_TIMEOUT;
}
