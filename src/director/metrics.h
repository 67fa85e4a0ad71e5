/* Metrics of one run, put together as coglet's server does it. Pure. */
#pragma once
#include <stdbool.h>

#include "json/json.h"

#define VEND_METRICS_MAX 1000 /* names */
#define VEND_METRICS_MAX_SIZE ((gsize) 256 * 1024)

typedef struct
{
  json_t *values; /* an object; dotted names are objects in it */
  gsize size;     /* as JSON, as if nothing had been replaced since it was counted */
  gsize counted;  /* what it was then */
} VendMetrics;

void vend_metrics_init (VendMetrics *metrics);
void vend_metrics_clear (VendMetrics *metrics);

/* `mode` is "replace", "increment" or "append"; NULL is the first. False when the name is none or
 * there is no room: then nothing has changed. */
bool vend_metrics_merge (VendMetrics *metrics, const char *name, const json_t *value,
                         const char *mode);
