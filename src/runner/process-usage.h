/* CPU and memory of model processes. Reads all of /proc: not for the core thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

typedef struct
{
  guint processes;
  double cpu_seconds; /* of living processes, since their starts */
  uint64_t memory;    /* resident bytes; shared pages count in each process */
} VendProcessUsage;

/* Name of the instance directory → VendProcessUsage (owned), for processes marked with a directory
 * in `instances_dir` (VEND_PROCESS_MARK). Free with g_hash_table_unref. */
GHashTable *vend_process_usage (const char *instances_dir) G_GNUC_WARN_UNUSED_RESULT;
