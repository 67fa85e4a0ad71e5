/* Records of decisions with their reasons, for the store. Recorded after the fact, except a stop
 * and a lost run. Core thread. */
#pragma once
#include "sched/target/target.h"

/* An instance is wanted, whose weights are not on disk: `why` names them. */
void vend_decided_fetch (const Target *target, const char *why);
void vend_decided_fetched (const Target *target, int64_t took_us);
/* An instance is wanted, whose image is not unpacked. */
void vend_decided_unpack (const Target *target);
void vend_decided_unpacked (const Target *target, int64_t took_us);
void vend_decided_start (const Instance *instance, const char *reason);
void vend_decided_stop (const Instance *instance, const char *reason);
/* The instance finishes its runs, then stops. */
void vend_decided_drain (const Instance *instance, const char *reason);
void vend_decided_ready (const Instance *instance);
void vend_decided_gone (const Instance *instance);
void vend_decided_boot_failed (const Target *target, bool lost, const char *error_code,
                               const char *error);
/* Call before waiters are notified. */
void vend_decided_queue_failed (const Target *target, bool lost);
void vend_decided_roll (const Target *to, int64_t release, const char *why);
void vend_decided_release (const Run *run);
/* `refusal` tells that and why the run is not retried; NULL: the run is retried. */
void vend_decided_lost (const Run *run, const char *refusal, bool started, bool emitted,
                        const char *why);
void vend_decided_deadline (const Run *run, bool aborted);
/* The run ends, since it cannot begin before its deadline. */
void vend_decided_unreachable (const Run *run, const char *why, double wait_seconds);
