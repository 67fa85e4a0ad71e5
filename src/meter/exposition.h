/* The text format of Prometheus, version 0.0.4. Plain text; any thread. */
#pragma once
#include <stdint.h>
#include <glib.h>

#include "base/histogram.h"

#define VEND_EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The two lines before the samples of a metric; `type` is counter, gauge or histogram. */
void vend_exposition_family (GString *text, const char *name, const char *type, const char *help);

/* `model="lab/echo",state="ready"` of names and values, NULL-terminated; free with g_free. */
char *vend_exposition_labels (const char *name, ...) G_GNUC_NULL_TERMINATED
    G_GNUC_WARN_UNUSED_RESULT;

/* `labels` may be "". */
void vend_exposition_count (GString *text, const char *name, const char *labels, uint64_t value);
void vend_exposition_number (GString *text, const char *name, const char *labels, double value);
/* The buckets, sum and count; values divided by `scale`, 1000000 makes seconds of microseconds. */
void vend_exposition_histogram (GString *text, const char *name, const char *labels,
                                const VendHistogram *histogram, double scale);
