/* Histograms that any thread may add to. */
#include "base/histogram.h"

void
vend_histogram_init (VendHistogram *histogram, const int64_t *bounds, guint n_bounds)
{
  g_assert (n_bounds <= VEND_HISTOGRAM_MAX_BOUNDS);
  histogram->bounds = bounds;
  histogram->n_bounds = n_bounds;
  for (guint i = 0; i <= VEND_HISTOGRAM_MAX_BOUNDS; i++)
    atomic_init (&histogram->buckets[i], 0);
  atomic_init (&histogram->sum, 0);
}

void
vend_histogram_add (VendHistogram *histogram, int64_t value)
{
  const int64_t counted = MAX (value, 0);
  guint i = 0;
  while (i < histogram->n_bounds && counted > histogram->bounds[i])
    i++;
  atomic_fetch_add_explicit (&histogram->buckets[i], 1, memory_order_relaxed);
  atomic_fetch_add_explicit (&histogram->sum, (uint64_t) counted, memory_order_relaxed);
}

void
vend_histogram_view (const VendHistogram *histogram, VendHistogramView *out)
{
  uint64_t total = 0;
  out->bounds = histogram->bounds;
  out->n_bounds = histogram->n_bounds;
  for (guint i = 0; i <= histogram->n_bounds; i++)
    {
      total += atomic_load_explicit (&histogram->buckets[i], memory_order_relaxed);
      out->counts[i] = total;
    }
  out->sum = atomic_load_explicit (&histogram->sum, memory_order_relaxed);
}
