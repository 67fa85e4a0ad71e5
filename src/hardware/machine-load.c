/* The current load of this machine. */
#include "hardware/machine-load.h"
#include "base/fd.h"
#include <stdlib.h>
#include <string.h>

#define MEMINFO_MAX ((gsize) 64 * 1024)
#define AVAILABLE "\nMemAvailable:"

void
vend_machine_load (VendMachineLoad *out)
{
  g_autofree char *text = NULL;
  *out = (VendMachineLoad){ 0 };
  if (getloadavg (out->averages, 3) != 3)
    memset (out->averages, 0, sizeof out->averages);
  if (!vend_file_read ("/proc/meminfo", MEMINFO_MAX, &text, NULL, NULL))
    return;
  const char *line = strstr (text, AVAILABLE);
  if (line != NULL)
    out->memory_available = g_ascii_strtoull (line + strlen (AVAILABLE), NULL, 10) * 1024;
}
