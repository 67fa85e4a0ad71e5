/* The retention sweep: removes rows past their retention, then blobs without a row. Runs on its own
 * thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "files/blobs.h"
#include "store/store.h"

typedef struct VendSweep VendSweep;

typedef struct
{
  VendStore *store;
  VendBlobs *blobs;
  int64_t retention_us;     /* of predictions' data; 0 keeps them */
  int64_t decision_keep_us; /* of the scheduler's decisions */
  int64_t decision_max;     /* most decisions kept */
  int64_t full_interval_us; /* between two full sweeps; 0: an hour */
  /* Called in each full sweep for other leftovers, or NULL. */
  void (*more) (void *data);
  void *data;
  const char *uploads_dir; /* sources on their way to a build; removed after a day */
} VendSweepOptions;

/* Begins at once with the leftovers of a crash, then runs once a minute. */
/* NULL when its thread cannot be made. */
VendSweep *vend_sweep_start (const VendSweepOptions *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_sweep_free (VendSweep *sweep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSweep, vend_sweep_free)
