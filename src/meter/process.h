/* Metrics of this process, under the names of the Prometheus client libraries. Any thread. */
#pragma once
#include <glib.h>

void vend_process_write (GString *text);
