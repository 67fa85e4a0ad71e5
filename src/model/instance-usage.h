/* Metered time of an instance, split into setup, idle and active. Whole microseconds throughout;
 * plain values, no clock. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef enum
{
  VEND_PHASE_SETUP,  /* from its start until it is ready */
  VEND_PHASE_IDLE,   /* ready, without runs */
  VEND_PHASE_ACTIVE, /* ready, with a run */
  VEND_PHASE_N
} VendPhase;

/* A piece of an instance's life, from began_us (included) to ended_us (not included), within one
 * hour of the clock, so that hours, days and months are sums of whole pieces. */
typedef struct
{
  char *instance;
  int64_t account_id; /* owner of the instance */
  int64_t model_id;
  char *deployment; /* "owner/name", or NULL */
  char *hardware;
  int64_t price; /* of a second, as of vend_prices_of */
  bool billed;   /* billed by time; else by run */
  int64_t began_us;
  int64_t ended_us;
  int64_t phase_us[VEND_PHASE_N]; /* adds up to ended_us - began_us */
} VendInstanceUsage;

void vend_instance_usage_free (VendInstanceUsage *usage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendInstanceUsage, vend_instance_usage_free)
VendInstanceUsage *vend_instance_usage_copy (const VendInstanceUsage *usage)
    G_GNUC_WARN_UNUSED_RESULT;

/* Adds the time from ended_us to `until_us`, all of one phase, up to the end of the hour. False:
 * the piece is full, and the rest belongs to the next piece (vend_instance_usage_next). Time that
 * was counted before adds nothing. */
bool vend_instance_usage_count (VendInstanceUsage *usage, VendPhase phase, int64_t until_us);
/* Continues in an empty piece that begins at the end of this piece. */
void vend_instance_usage_next (VendInstanceUsage *usage);

/* The time of each phase between `from_us` and `to_us`. Parts of adjacent ranges add up to the part
 * of the whole range. Idle and active time count as spread evenly over a piece. */
void vend_instance_usage_part (const VendInstanceUsage *usage, int64_t from_us, int64_t to_us,
                               int64_t out_us[VEND_PHASE_N]);

/* A time of activity that was not metered live. */
typedef struct
{
  int64_t from_us;
  int64_t to_us;
} VendSpan;

/* Of VendSpan, in any order: sorts them, and joins overlapping and adjacent spans. */
void vend_spans_join (GArray *spans);
