/* CPU and memory of model processes. Reads all of /proc: not for the core thread. */
#pragma once
#include "runner/runner.h"

/* Name of the instance directory → VendRunnerUsage (owned), for processes marked with a directory
 * in `instances_dir` (VEND_PROCESS_MARK). Free with g_hash_table_unref. */
GHashTable *vend_process_usage (const char *instances_dir) G_GNUC_WARN_UNUSED_RESULT;
