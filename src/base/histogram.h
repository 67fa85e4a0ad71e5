/* A histogram with fixed bounds that any thread may add to: one atomic addition to a bucket and one
 * to the sum. Values are whole numbers (microseconds, rows). */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include <glib.h>

#define VEND_HISTOGRAM_MAX_BOUNDS 16

typedef struct
{
  const int64_t *bounds; /* rising; a value belongs to the first bound that is not less */
  guint n_bounds;
  _Atomic uint64_t buckets[VEND_HISTOGRAM_MAX_BOUNDS + 1]; /* the last is above all bounds */
  _Atomic uint64_t sum;
} VendHistogram;

/* `bounds` must outlive the histogram. */
void vend_histogram_init (VendHistogram *histogram, const int64_t *bounds, guint n_bounds);
/* A negative value counts as 0. */
void vend_histogram_add (VendHistogram *histogram, int64_t value);

/* The values at one moment: `counts` are cumulative, the last counts all values. */
typedef struct
{
  const int64_t *bounds;
  guint n_bounds;
  uint64_t counts[VEND_HISTOGRAM_MAX_BOUNDS + 1];
  uint64_t sum;
} VendHistogramView;
void vend_histogram_view (const VendHistogram *histogram, VendHistogramView *out);
