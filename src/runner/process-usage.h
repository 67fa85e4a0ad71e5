/* What the processes of the models take of this machine. Reads all of /proc: not for the core
 * thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

typedef struct
{
  guint processes;
  double cpu_seconds; /* of those that live, since their starts */
  uint64_t memory;    /* resident bytes; what several processes share is counted in each */
} VendProcessUsage;

/* Name of the instance directory → VendProcessUsage (owned), of all processes that carry
 * VEND_PROCESS_MARK with a directory in `instances_dir`. Free with g_hash_table_unref. */
GHashTable *vend_process_usage (const char *instances_dir) G_GNUC_WARN_UNUSED_RESULT;
