/* Watches the model server through GET /health-check: often until setup is over, then now and then
 * while nothing runs (each asks the model's own healthcheck()). Main context. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "net/curl-context.h"

typedef struct VendHealth VendHealth;

typedef struct
{
  /* What setup printed, before either of the next two; perhaps NULL. */
  void (*setup_logs) (const char *logs, void *context);
  void (*ready) (void *context);                           /* once */
  void (*setup_failed) (const char *error, void *context); /* instead of ready */
  void (*sick) (const char *why, void *context);           /* after ready, once */
  bool (*is_idle) (void *context);
} VendHealthEvents;

VendHealth *vend_health_start (VendCurlContext *curl, const char *base_url,
                               const VendHealthEvents *events, void *context)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_health_free (VendHealth *health);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendHealth, vend_health_free)
