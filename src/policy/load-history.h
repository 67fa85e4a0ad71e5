/* Measurements of a target: times of boots and runs, and its load in the last seconds. Pure: the
 * caller keeps one history for each demand. */
#pragma once
#include <stdint.h>
#include <glib.h>

#define VEND_LOAD_SECONDS 6
#define VEND_PANIC_US G_GINT64_CONSTANT (60000000)

typedef struct
{
  double load[VEND_LOAD_SECONDS]; /* × microseconds, by second */
  double capacity[VEND_LOAD_SECONDS];
  int64_t began_us; /* 0 = nothing noted yet */
  int64_t noted_us;
  guint last_load;
  guint last_capacity;
  int64_t panic_until_us; /* 0 = never */
} VendLoadHistory;

/* Adds a boot or a run to a moving average; 0 = nothing measured yet. */
void vend_measure_boot (double *average_us, int64_t us);
/* The nth run, from 1; for the first runs the average is the mean. */
void vend_measure_run (double *average_us, guint n, int64_t us);

/* Notes `load` (running and waiting) and `capacity` (slots that serve) from now on. A load of twice
 * the capacity over VEND_LOAD_SECONDS is a panic, for VEND_PANIC_US from the last such moment
 * on. */
void vend_load_note (VendLoadHistory *history, int64_t now_us, guint load, guint capacity);
