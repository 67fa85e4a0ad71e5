/* Instances as processes of this machine: a directory for each, and a detached director in it. */
#pragma once
#include "runner/runner.h"

/* In the data directory, where `vend serve` has them. */
#define VEND_INSTANCES_FOLDER "instances"

/* Instances are in `dir`, which is made when the first one starts. `vend_binary` is the binary of
 * `vend director`; NULL: nothing starts. Both are copied. */
VendRunner *vend_runner_process_new (const char *dir, const char *vend_binary)
    G_GNUC_WARN_UNUSED_RESULT;
