/* How an instance is isolated. Core thread. */
#pragma once
#include "json/json.h"
#include "sandbox/probe.h"

typedef struct Instance Instance;
struct VendZygoteSpec;

/* Why images do not run in what was found; NULL: they do. Free with g_free. */
char *vend_isolate_objection (const VendIsolationFound *found) G_GNUC_WARN_UNUSED_RESULT;
/* As this server isolates instances that start now. */
void vend_isolate_start (Instance *instance);
/* As the spec of an instance found on disk says. */
void vend_isolate_adopt (Instance *instance, const json_t *spec);
/* Why it cannot be forked from a zygote; NULL: it can. Static. */
const char *vend_isolate_no_forks (const Instance *instance);
/* Where a zygote of such instances is kept, and the variables that a sandbox adds. */
void vend_isolate_zygote (const Instance *instance, struct VendZygoteSpec *spec);
/* For the instance's director. */
json_t *vend_isolate_spec (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;
