/* What was decided, and why, on its way to the store. After the fact, but for a stop and a lost
 * run. Core thread. */
#pragma once
#include "sched/target/target.h"

void vend_decided_start (const Instance *instance, const char *reason);
void vend_decided_stop (const Instance *instance, const char *reason);
/* It ends what it runs, and stops then. */
void vend_decided_drain (const Instance *instance, const char *reason);
void vend_decided_ready (const Instance *instance);
void vend_decided_gone (const Instance *instance);
void vend_decided_boot_failed (const Target *target, bool lost, const char *error_code,
                               const char *error);
/* Before waiters are notified. */
void vend_decided_queue_failed (const Target *target, bool lost);
void vend_decided_roll (const Target *to, int64_t release, const char *why);
void vend_decided_release (const Run *run);
/* `refusal` says that and why it is not tried again; NULL: it is. */
void vend_decided_lost (const Run *run, const char *refusal, bool started, bool emitted,
                        const char *why);
void vend_decided_deadline (const Run *run, bool aborted);
/* It ends since it cannot begin in time. */
void vend_decided_unreachable (const Run *run, const char *why, double wait_seconds);
