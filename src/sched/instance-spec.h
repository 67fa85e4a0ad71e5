/* What a director is told to run: from a version's launch record to DIR/spec.json. Pure. */
#pragma once
#include "sched/core-private.h"

json_t *vend_instance_spec (const Instance *instance) G_GNUC_WARN_UNUSED_RESULT;
