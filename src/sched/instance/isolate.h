/* How an instance is isolated. Core thread. */
#pragma once
#include "json/json.h"

typedef struct Instance Instance;

/* As this server isolates instances that start now. */
void vend_isolate_start (Instance *instance);
/* As the spec of an instance found on disk says. */
void vend_isolate_adopt (Instance *instance, const json_t *spec);
/* For the instance's director. */
json_t *vend_isolate_spec (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;
