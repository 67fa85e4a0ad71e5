/* What a director is told to run: from a version's launch record to DIR/spec.json. Pure. */
#pragma once
#include "sched/instance/instance.h"

json_t *vend_instance_spec (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;
/* What the model's process finds in its environment, however it is started; strings. */
json_t *vend_instance_environment (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;
/* Its Python. Free with g_free. */
char *vend_instance_python (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;

/* What an instance is of, as its spec on disk says; borrowed. */
const json_t *vend_instance_spec_target (const json_t *spec);
