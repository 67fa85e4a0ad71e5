/* The time that an instance takes, cut into setup, idle and active. Whole microseconds throughout;
 * plain values, no clock of its own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef enum
{
  VEND_PHASE_SETUP,  /* from its start until it is ready */
  VEND_PHASE_IDLE,   /* ready, and nothing runs on it */
  VEND_PHASE_ACTIVE, /* something does */
  VEND_PHASE_N
} VendPhase;

/* A piece of the life of an instance, from began_us (included) to ended_us (not included), within
 * one hour of the clock: so that hours, days and months are sums of whole pieces. */
typedef struct
{
  char *instance;
  int64_t account_id; /* whose it is */
  int64_t model_id;
  char *deployment; /* "owner/name", or NULL */
  char *hardware;
  int64_t price; /* of a second, as of vend_prices_of */
  bool billed;   /* its time is; else its runs are */
  int64_t began_us;
  int64_t ended_us;
  int64_t phase_us[VEND_PHASE_N]; /* adds up to ended_us - began_us */
} VendInstanceUsage;

void vend_instance_usage_free (VendInstanceUsage *usage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendInstanceUsage, vend_instance_usage_free)
VendInstanceUsage *vend_instance_usage_copy (const VendInstanceUsage *usage)
    G_GNUC_WARN_UNUSED_RESULT;

/* Adds the time from ended_us to `until_us`, all of one phase, as far as this hour goes. False: the
 * piece is full, and the rest belongs into the next one (vend_instance_usage_next). A moment that
 * was counted before adds nothing. */
bool vend_instance_usage_count (VendInstanceUsage *usage, VendPhase phase, int64_t until_us);
/* Goes on in an empty piece that begins where this one ends. */
void vend_instance_usage_next (VendInstanceUsage *usage);

/* How much of each phase lies between `from_us` and `to_us`. The parts of neighbouring times add up
 * to that of both together. What is idle and what is active is spread evenly over a piece. */
void vend_instance_usage_part (const VendInstanceUsage *usage, int64_t from_us, int64_t to_us,
                               int64_t out_us[VEND_PHASE_N]);

/* Times at which something ran, for what was not seen as it happened. */
typedef struct
{
  int64_t from_us;
  int64_t to_us;
} VendSpan;

/* Of VendSpan, in any order, overlapping or not: sorted, and joined where they touch. */
void vend_spans_join (GArray *spans);
