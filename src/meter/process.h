/* This process, in the names that Prometheus has for it. Any thread. */
#pragma once
#include <glib.h>

void vend_process_write (GString *text);
